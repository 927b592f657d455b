"""Questions inside of TLS and of QUIC, to resolvers on loopback: an answer, an error, silence, and somebody else's certificate."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

pytest.importorskip("aioquic")

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import StreamDataReceived
from cryptography.hazmat.primitives import serialization

from probe.experiments.apps import public_dns
from probe.instruments import dns as instrument
from probe.instruments import doq, tcp, tls
from probe.instruments.tls import Hello
from probe.instruments.trust import Trust
from probe.observations import AppFact, DnsFact, QuicFact
from probe.wire import Wire
from tests import nano

pytestmark = pytest.mark.anyio

NAME = "dns.example"
QUESTION = public_dns.QUESTION
_MANY = tuple(f"www.one-of-{number}.many.example.net" for number in range(60))


def trust() -> Trust:
    return Trust.load({"SSL_CERT_FILE": nano.authority().file})


def answer(query: bytes, *, rcode: int = 0, addresses: int = 1) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(query))
    reply.set_rcode(dns.rcode.Rcode(rcode))
    if addresses and not rcode:
        reply.answer = [
            dns.rrset.from_text("example.com.", 60, "IN", "A", *(f"192.0.2.{n + 1}" for n in range(addresses)))
        ]
    return reply.to_wire()


# ---------------------------------------------------------------------------------------------------------------------
# over QUIC


class Resolver(QuicConnectionProtocol):
    """Says *say* of every question, in pieces."""

    def __init__(self, *arguments: Any, say: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._say = say
        self._asked = b""

    def quic_event_received(self, event: Any) -> None:
        if isinstance(event, StreamDataReceived):
            self._asked += event.data
            if event.end_stream:
                for data, ended in self._say(self._asked):
                    self._quic.send_stream_data(event.stream_id, data, end_stream=ended)
                    self.transmit()


@contextlib.asynccontextmanager
async def resolver(say: Any, *, names: tuple[str, ...] = (NAME,), alpn: str = "doq") -> AsyncIterator[int]:
    """A resolver over QUIC: its port."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=[alpn])
    identity = nano.identity(*names)
    with tempfile.NamedTemporaryFile() as file:
        for certificate in identity.chain:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        file.write(
            identity.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.flush()
        configuration.load_cert_chain(file.name, file.name)
    serving = await serve(
        "127.0.0.1", 0, configuration=configuration, create_protocol=lambda *a, **n: Resolver(*a, say=say, **n)
    )
    try:
        assert serving._transport is not None
        yield serving._transport.get_extra_info("sockname")[1]
    finally:
        serving.close()
        await asyncio.sleep(0)


async def ask(port: int, deadline_s: float = 5.0) -> doq.Asked:
    asked = await doq.ask(
        Wire(), "127.0.0.1", QUESTION, host=NAME, sni=NAME, trust=trust(), deadline_s=deadline_s, port=port
    )
    assert asked is not None
    return asked


def told(asked: doq.Asked) -> tuple[AppFact, str | None]:
    blank = AppFact(protocol="doq", transport="udp", sent="x")
    return public_dns._heard(blank, asked.operation, asked.reply)


def whole(message: bytes) -> bytes:
    return len(message).to_bytes(2) + message


async def test_a_resolver_over_quic_answers():
    """To a question under the number 0, in a stream that is its own, with its length before it; in whatever pieces."""
    heard: list[bytes] = []

    def say(asked: bytes) -> list[tuple[bytes, bool]]:
        heard.append(asked)
        data = whole(answer(asked[2:], addresses=2))
        return [(data[:1], False), (data[1:9], False), (data[9:], True)]

    async with resolver(say) as port:
        asked = await ask(port)
    assert heard[0][:4] == len(heard[0][2:]).to_bytes(2) + b"\0\0"
    fact, failure = told(asked)
    assert (failure, fact.answered, fact.expected, fact.detail) == (None, True, True, "2 addresses")
    assert isinstance(asked.operation.fact, QuicFact)
    assert (asked.operation.fact.completed, asked.operation.fact.alpn) == (True, "doq")


@pytest.mark.parametrize(
    ("say", "expected", "failure"),
    [
        (lambda asked: [(whole(answer(asked[2:], rcode=5)), True)], False, "unknown_failure: not doq"),
        (lambda asked: [(whole(answer(asked[2:], addresses=0)), True)], False, "unknown_failure: not doq"),
        (lambda asked: [(whole(b"no message at all"), True)], False, "unknown_failure: not doq"),
        (lambda asked: [(b"\xff\xffhalf", True)], None, "eof_error"),
        (lambda asked: [(b"", True)], None, "eof_error"),
    ],
    ids=["refused", "empty", "garbage", "half", "nothing"],
)
async def test_what_is_no_answer_over_quic_is_none(say, expected, failure):
    """An error of the resolver, an answer without an address, garbage, half of one, and an end without a word."""
    async with resolver(say) as port:
        fact, seen = told(await ask(port))
    assert (fact.answered, fact.expected, seen) == (True, expected, failure)


async def test_a_resolver_over_quic_that_never_answers_is_silent():
    """The handshake is done, and that is known."""
    async with resolver(lambda asked: []) as port:
        asked = await ask(port, deadline_s=1.0)
    fact, failure = told(asked)
    assert isinstance(asked.operation.fact, QuicFact)
    assert asked.operation.fact.completed
    assert (fact.answered, fact.expected, failure) == (True, None, "generic_timeout_error")


async def test_a_certificate_of_another_name_is_not_asked():
    """The handshake is broken off, before anything is asked; so it is for another protocol's server."""
    heard: list[bytes] = []

    def say(asked: bytes) -> list[tuple[bytes, bool]]:
        heard.append(asked)
        return []

    for how in ({"names": ("www.example.net",)}, {"alpn": "h3"}, {"names": _MANY}):
        async with resolver(say, **how) as port:
            asked = await ask(port)
        fact, failure = told(asked)
        assert (fact.expected, failure) == (False, "ssl_failed_handshake")
    assert heard == []


# ---------------------------------------------------------------------------------------------------------------------
# over TLS


async def inside(behaviour: Any, *, url: str | None = None) -> DnsFact:
    context = nano.identity(NAME).context()
    async with nano.serve(behaviour, tls=context) as port:
        connected = await tcp.connect(Wire(), "127.0.0.1", port, deadline_s=5)
        assert connected.stream is not None
        hello = Hello(NAME, alpn=() if url is None else ("http/1.1",))
        shaken = await tls.handshake(Wire(), connected.stream, hello=hello, trust=trust(), host=NAME, deadline_s=5)
        assert shaken.stream is not None
        asked = await instrument.ask_inside(Wire(), shaken.stream, QUESTION, role="foreign", deadline_s=2, url=url)
    blank = AppFact(protocol="dot", transport="tcp", sent="x")
    assert isinstance(asked.fact, DnsFact)
    fact, failure = public_dns._said(blank, asked.fact), public_dns._failure("dot", asked)
    assert (failure is None) is (fact.expected is True)
    return asked.fact


async def test_a_question_inside_of_tls_is_answered():
    """With its length before it (RFC 7858), and by one POST with the number 0 (RFC 8484)."""

    async def by_length(reader, writer):
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        writer.write(whole(answer(query)))
        await writer.drain()

    async def by_post(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /dns-query HTTP/1.1")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r")[0])
        reply = answer(await reader.readexactly(size))
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/dns-message\r\nContent-Length: %d\r\n\r\n" % len(reply)
            + reply
        )
        await writer.drain()

    for behaviour, url in ((by_length, None), (by_post, f"https://{NAME}/dns-query")):
        fact = await inside(behaviour, url=url)
        assert (fact.rcode, fact.addresses) == (0, ("192.0.2.1",))


@pytest.mark.parametrize(
    ("behaviour", "url", "came"),
    [
        (nano.closing, None, False),
        (nano.silent, None, False),
        (nano.saying(b"\0\3abc"), None, True),
        (nano.saying(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), f"https://{NAME}/dns-query", True),
    ],
    ids=["closes", "silent", "garbage", "no resolver"],
)
async def test_what_is_no_answer_inside_of_tls_is_none(behaviour, url, came):
    """Whether anything came is told from what it is."""
    fact = await inside(behaviour, url=url)
    assert fact.addresses == ()
    assert (fact.malformed is not None) is came
