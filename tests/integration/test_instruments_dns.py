"""Questions over UDP, TCP, DoT and DoH, to servers that answer, lie twice, come late or talk nonsense."""

import asyncio
import sys
import time
from collections.abc import Sequence

import dns.message
import dns.rcode
import dns.rrset
import h2.events
import pytest

from probe.instruments import dns as instrument
from probe.instruments import dns_message
from probe.instruments.dns import Question, UdpAsked
from probe.instruments.trust import Trust
from probe.observations import DnsFact, Operation
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from tests import nano

pytestmark = pytest.mark.anyio
NAME = "example.test"
RESOLVER = "resolver.test"
OPT_BYTES = 11
"""Of an empty OPT record (RFC 6891 §6.1.2)."""


def reply(query: bytes, *addresses: str, query_id: int | None = None, name: str | None = None, rcode: int = 0) -> bytes:
    asked = dns.message.from_wire(query)
    message = dns.message.make_response(asked)
    message.set_rcode(dns.rcode.Rcode.make(rcode))
    for address in addresses:
        message.answer.append(dns.rrset.from_text(name or asked.question[0].name, 60, "IN", "A", address))
    data = message.to_wire()
    return data if query_id is None else query_id.to_bytes(2) + data[2:]


def fact_of(operation: Operation) -> DnsFact:
    assert isinstance(operation.fact, DnsFact)
    return operation.fact


async def ask(
    port: int, *, deadline_s: float = 5, resend_s: float | None = None, address: str = "127.0.0.1"
) -> UdpAsked:
    return await instrument.ask_udp(
        Wire(), Nameserver(address, port), Question(NAME), role="system", deadline_s=deadline_s, resend_s=resend_s
    )


async def asked_once(behaviour, *, wait_s: float = 0.0, **how) -> tuple[Operation, tuple[Operation, ...]]:
    """The operation, and what is drained *wait_s* later."""
    async with nano.serve_udp(behaviour) as server:
        asked = await ask(server.port, **how)
        await asyncio.sleep(wait_s)
        late = asked.lingering.drain()
        asked.lingering.close()
    return asked.operation, late


# ---------------------------------------------------------------------------------------------------------------------
# UDP


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_the_first_usable_reply_is_the_answer(address: str):
    """At once, with the packet's TTL and both sizes; nothing more comes."""
    async with nano.serve_udp(lambda query: [reply(query, "192.0.2.1")], address=address) as server:
        asked = await ask(server.port, address=address, deadline_s=30)
        late = asked.lingering.drain()
        asked.lingering.close()

    operation, fact = asked.operation, fact_of(asked.operation)
    assert (operation.failure, fact.addresses, fact.rcode) == (None, ("192.0.2.1",), 0)
    assert (fact.transport, fact.role, fact.qname, fact.resolver_is_private) == ("udp", "system", NAME, True)
    assert (fact.reply_ttl, fact.resends, fact.query_index, fact.reply_index) == (64, 0, 0, 0)
    assert (operation.bytes_sent, operation.bytes_received) == (len(server.heard[0][0]), fact.reply_bytes)
    assert (operation.duration_us or 0) < 5_000_000
    assert late == ()


async def test_a_later_different_reply_is_told_when_asked_for():
    """A forged answer first, the real one behind it: the second is an operation of its own, with its own time."""
    operation, late = await asked_once(
        lambda query: [reply(query, "10.1.2.3"), (0.1, reply(query, "192.0.2.1"))], wait_s=0.4
    )

    assert fact_of(operation).addresses == ("10.1.2.3",)
    (second,) = late
    assert (second.failure, fact_of(second).addresses) == (None, ("192.0.2.1",))
    assert (fact_of(second).reply_index, fact_of(second).query_index) == (1, 0)
    assert 100_000 <= (second.duration_us or 0) < 350_000, "when it came, not when it was read"


async def test_a_later_reply_is_told_though_the_machine_says_that_nobody_listens():
    """A forgery in the name of a machine without a resolver: its ICMP error is told first, what came before it all the same."""
    async with nano.serve_udp(lambda query: [reply(query, "10.1.2.3"), reply(query, "10.1.2.4")]) as server:
        asked = await ask(server.port)
        await asyncio.sleep(0.1)
    asked.lingering.queries[0].sock.send(b"")
    await asyncio.sleep(0.1)
    late = asked.lingering.drain()
    asked.lingering.close()

    assert [fact_of(one).addresses for one in late] == [("10.1.2.4",)]


async def test_the_same_reply_again_is_not_told():
    """Duplicates and another order of the same addresses are no news."""
    _operation, late = await asked_once(
        lambda query: [
            reply(query, "192.0.2.1", "192.0.2.2"),
            reply(query, "192.0.2.1", "192.0.2.2"),
            reply(query, "192.0.2.2", "192.0.2.1"),
        ],
        wait_s=0.2,
    )

    assert late == ()


async def test_a_late_reply_is_told_once():
    """The forger's packet often comes twice or three times; once is enough, also over two looks."""

    def forged_thrice(query: bytes) -> list[bytes | tuple[float, bytes]]:
        late = reply(query, "10.1.2.3")
        return [reply(query, "192.0.2.1"), (0.05, late), (0.06, late), (0.3, late)]

    async with nano.serve_udp(forged_thrice) as server:
        asked = await ask(server.port)
        await asyncio.sleep(0.2)
        first = asked.lingering.drain()
        await asyncio.sleep(0.3)
        second = asked.lingering.drain()
        asked.lingering.close()

    assert [fact_of(one).addresses for one in first] == [("10.1.2.3",)]
    assert second == ()


async def test_a_lost_question_is_asked_again_from_a_new_port_under_a_new_id():
    """The resend is a query of its own and without EDNS, and the reply says that it is to that one."""
    count = iter(range(10))

    def second_only(query: bytes) -> Sequence[bytes]:
        return [reply(query, "192.0.2.1")] if next(count) else []

    async with nano.serve_udp(second_only) as server:
        asked = await ask(server.port, resend_s=0.1)
        asked.lingering.close()

    (first, first_from), (second, second_from) = server.heard
    assert asked.operation.failure is None
    assert (fact_of(asked.operation).resends, fact_of(asked.operation).query_index) == (1, 1)
    assert first_from != second_from
    assert first[:2] != second[:2]
    assert first[12:-OPT_BYTES] == second[12:]
    assert asked.operation.bytes_sent == len(first) + len(second)


@pytest.mark.parametrize("refusal", ["silence", "format error"])
async def test_a_resolver_that_knows_no_edns_is_asked_without(refusal: str):
    """Silence to EDNS costs the wait for the resend, a format error nothing; either way the answer is used."""

    def old(query: bytes) -> Sequence[bytes]:
        if dns.message.from_wire(query).edns < 0:
            return [reply(query, "192.0.2.1")]
        return [reply(query, rcode=1)] if refusal == "format error" else []

    operation, late = await asked_once(old, resend_s=0.2)
    assert (operation.failure, fact_of(operation).addresses, late) == (None, ("192.0.2.1",), ())


async def test_a_format_error_without_edns_too_is_told():
    """A resolver that understands neither question keeps its own word."""
    operation, late = await asked_once(lambda query: [reply(query, rcode=1)], resend_s=0.2, deadline_s=0.5)
    assert (fact_of(operation).rcode, late) == (1, ())


async def test_the_first_socket_is_heard_after_the_resend():
    """A slow answer to the first query is still the answer."""
    count = iter(range(10))

    def first_only(query: bytes) -> Sequence[tuple[float, bytes]]:
        return [] if next(count) else [(0.25, reply(query, "192.0.2.1"))]

    operation, _late = await asked_once(first_only, resend_s=0.1)

    assert operation.failure is None
    assert (fact_of(operation).resends, fact_of(operation).query_index) == (1, 0)


async def test_silence_is_a_timeout_and_its_socket_listens_on():
    """After the deadline nothing is known; what comes later is told by drain."""
    operation, late = await asked_once(lambda query: [(0.4, reply(query, "192.0.2.1"))], deadline_s=0.2, wait_s=0.5)

    assert (operation.failure, fact_of(operation).rcode) == ("generic_timeout_error", None)
    assert [fact_of(one).addresses for one in late] == [("192.0.2.1",)]


async def test_a_wrong_id_is_waited_behind_and_told():
    """An off-path forger's guess does not count, but is seen."""
    operation, late = await asked_once(
        lambda query: [
            reply(query, "10.1.2.3", query_id=(int.from_bytes(query[:2]) + 1) % 65536),
            (0.1, reply(query, "192.0.2.1")),
        ]
    )

    assert (operation.failure, fact_of(operation).addresses) == (None, ("192.0.2.1",))
    assert [one.failure for one in late] == ["dns_reply_with_wrong_query_id"]


async def test_a_wrong_id_is_the_result_when_nothing_better_comes():
    """Better than garbage, worse than anything usable."""
    operation, late = await asked_once(
        lambda query: [b"garbage", reply(query, "10.1.2.3", query_id=(int.from_bytes(query[:2]) + 1) % 65536), b"x"],
        deadline_s=0.3,
    )

    assert operation.failure == "dns_reply_with_wrong_query_id"
    assert {one.failure for one in late} == {"dns_server_misbehaving"}


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"x" * 50,
        # Our header, a question, and an answer whose name points to itself.
        b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x07example\x04test\x00\x00\x01\x00\x01\xc0\x1e\x00\x01\x00\x01",
    ],
    ids=["empty", "text", "a loop"],
)
async def test_garbage_is_misbehaving_at_the_deadline(garbage: bytes):
    """A DNS answer with loops is malformed data, never an exception."""
    operation, _late = await asked_once(lambda query: [query[:2] + garbage], deadline_s=0.2)

    assert operation.failure == "dns_server_misbehaving"
    assert fact_of(operation).malformed


@pytest.mark.parametrize(
    ("rcode", "failure"), [(2, "dns_servfail_error"), (3, "dns_nxdomain_error"), (5, "dns_refused_error")]
)
async def test_a_refusal_comes_at_once(rcode: int, failure: str):
    """The resolver's word ends the wait."""
    operation, _late = await asked_once(lambda query: [reply(query, rcode=rcode)], deadline_s=30)

    assert operation.failure == failure
    assert (operation.duration_us or 0) < 5_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="others may not report a closed port")
async def test_a_host_without_a_resolver_is_refused_at_once():
    """ICMP port unreachable is connection_refused, without waiting for the resend."""
    asked = await ask(nano.refused_port(), deadline_s=30, resend_s=10)
    late = asked.lingering.drain()
    asked.lingering.close()

    assert asked.operation.failure == "connection_refused"
    assert (asked.operation.duration_us or 0) < 5_000_000
    assert late == ()


async def test_a_flood_of_forgeries_neither_blocks_nor_fills_the_memory():
    """A thousand replies under other ids: the deadline holds, sixteen are kept."""

    def flood(query: bytes) -> list[bytes]:
        ours, forged = int.from_bytes(query[:2]), reply(query, "10.1.2.3")[2:]
        address = forged.index(b"\x0a\x01\x02\x03")
        before, after = forged[:address], forged[address + 4 :]
        return [((ours + n) % 65536).to_bytes(2) + before + n.to_bytes(4) + after for n in range(1, 1001)]

    started = time.monotonic()
    operation, late = await asked_once(flood, deadline_s=1, wait_s=0.1)

    assert operation.failure == "dns_reply_with_wrong_query_id"
    assert 1 <= len(late) <= 16
    assert time.monotonic() - started < 10


async def test_a_name_that_cannot_be_asked_is_a_failure():
    """A label over 63 bytes is data of the caller's, nothing is sent."""
    for question in (Question("a" * 64 + ".test"), Question("a..b")):
        server = Nameserver("127.0.0.1", 53)
        asked = await instrument.ask_udp(Wire(), server, question, role="system", deadline_s=1)
        asked.lingering.close()
        over_tcp = await instrument.ask_tcp(Wire(), server, question, role="system", deadline_s=1)

        assert asked.operation.failure == over_tcp.failure == "dns_non_recoverable_failure"
        assert asked.operation.bytes_sent == 0


async def test_draining_a_closed_question_is_harmless():
    """Closed sockets have nothing to tell."""
    async with nano.serve_udp(lambda query: [reply(query, "192.0.2.1")]) as server:
        asked = await ask(server.port)
        asked.lingering.close()
        asked.lingering.close()

        assert asked.lingering.drain() == ()


async def test_a_cancelled_question_closes_its_sockets():
    """A leak would be a ResourceWarning."""
    async with nano.serve_udp(lambda _query: []) as server:
        task = asyncio.get_running_loop().create_task(ask(server.port, deadline_s=60, resend_s=0.05))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(server.heard) == 2


# ---------------------------------------------------------------------------------------------------------------------
# streams


def answering(*addresses: str, split: bool = False, **how) -> nano.Behaviour:
    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        data = reply(query, *addresses, **how)
        for piece in (
            [len(data).to_bytes(2), data] if not split else [bytes((b,)) for b in len(data).to_bytes(2) + data]
        ):
            writer.write(piece)
            await writer.drain()
        await nano.silent(reader, writer)

    return behaviour


@pytest.mark.parametrize("split", [False, True])
async def test_a_question_over_tcp(split: bool):
    """One connection, one length-prefixed reply, however it is cut."""
    async with nano.serve(answering("192.0.2.1", split=split)) as port:
        operation = await instrument.ask_tcp(
            Wire(), Nameserver("127.0.0.1", port), Question(NAME), role="foreign", deadline_s=5
        )

    assert (operation.failure, fact_of(operation).addresses) == (None, ("192.0.2.1",))
    assert (fact_of(operation).transport, fact_of(operation).role) == ("tcp", "foreign")


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (nano.silent, "generic_timeout_error"),
        (nano.resetting, "connection_reset"),
        (nano.closing, "eof_error"),
        (nano.saying(b"\xff\xffshort"), "eof_error"),
        (nano.saying(b"\x00\x05abcde", then=nano.silent), "dns_server_misbehaving"),
    ],
)
async def test_streams_that_fail_are_told_apart(behaviour: nano.Behaviour, failure: str):
    """Over TCP and over TLS the failure is the stream's own."""
    trust = Trust.load({"SSL_CERT_FILE": nano.authority().file})
    async with nano.serve(behaviour) as port:
        over_tcp = await instrument.ask_tcp(
            Wire(), Nameserver("127.0.0.1", port), Question(NAME), role="foreign", deadline_s=0.5
        )
    async with nano.serve(behaviour, tls=nano.identity("127.0.0.1", RESOLVER).context()) as port:
        over_tls = await instrument.ask_dot(
            Wire(),
            Nameserver("127.0.0.1", port),
            Question(NAME),
            role="foreign",
            trust=trust,
            server_name=RESOLVER,
            deadline_s=0.5,
        )

    assert (over_tcp.failure, over_tls.failure) == (failure, failure)


async def test_a_closed_port_is_refused_on_every_stream():
    """The connect's failure is the question's."""
    server = Nameserver("127.0.0.1", nano.refused_port())
    trust = Trust.load({"SSL_CERT_FILE": nano.authority().file})

    assert {
        (await instrument.ask_tcp(Wire(), server, Question(NAME), role="foreign", deadline_s=5)).failure,
        (
            await instrument.ask_dot(
                Wire(), server, Question(NAME), role="foreign", trust=trust, server_name=None, deadline_s=5
            )
        ).failure,
        (await doh(server.port, trust)).failure,
    } == {"connection_refused"}


@pytest.mark.parametrize("server_name", [RESOLVER, None])
async def test_a_question_over_tls(server_name: str | None):
    """The certificate verifies for the name, or for the address where no name is known."""
    async with nano.serve(answering("192.0.2.1"), tls=nano.identity("127.0.0.1", RESOLVER).context()) as port:
        operation = await instrument.ask_dot(
            Wire(),
            Nameserver("127.0.0.1", port),
            Question(NAME),
            role="foreign",
            trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
            server_name=server_name,
            deadline_s=5,
        )

    assert (operation.failure, fact_of(operation).addresses) == (None, ("192.0.2.1",))
    assert (fact_of(operation).transport, operation.port) == ("dot", port)


async def test_a_stranger_on_the_dot_port_is_not_believed():
    """An unknown certificate ends it before the question is asked."""
    async with nano.serve(answering("10.1.2.3"), tls=nano.authority("Forger").issue(RESOLVER).context()) as port:
        operation = await instrument.ask_dot(
            Wire(),
            Nameserver("127.0.0.1", port),
            Question(NAME),
            role="foreign",
            trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
            server_name=RESOLVER,
            deadline_s=5,
        )

    assert (operation.failure, fact_of(operation).answers) == ("ssl_unknown_authority", ())


async def test_the_usual_port_becomes_dots(monkeypatch: pytest.MonkeyPatch):
    """A resolver known by port 53 is asked on 853 over TLS."""
    operation = await instrument.ask_dot(
        Wire(),
        Nameserver("127.0.0.1"),
        Question(NAME),
        role="foreign",
        trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
        server_name=None,
        deadline_s=0.5,
    )

    assert operation.port == 853


# ---------------------------------------------------------------------------------------------------------------------
# DoH


async def doh(port: int, trust: Trust | None = None, deadline_s: float = 5) -> Operation:
    return await instrument.ask_doh(
        Wire(),
        "127.0.0.1",
        Question(NAME),
        url=f"https://{RESOLVER}:{port}/dns-query",
        role="foreign",
        trust=trust or Trust.load({"SSL_CERT_FILE": nano.authority().file}),
        deadline_s=deadline_s,
    )


def posting(
    *, status: str = "200 OK", kind: str = "application/dns-message", body: bytes | None = None
) -> nano.Behaviour:
    async def behaviour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /dns-query HTTP/1.1\r\n")
        assert b"\r\nContent-Type: application/dns-message\r\n" in head
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        data = reply(await reader.readexactly(length), "192.0.2.1") if body is None else body
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data
        )

    return behaviour


def context(*alpn: str):
    return nano.identity("127.0.0.1", RESOLVER).context(alpn=alpn)


async def test_a_question_over_https():
    """One POST with id 0 (RFC 8484), over HTTP/1.1."""
    async with nano.serve(posting(), tls=context("http/1.1")) as port:
        operation = await doh(port)

    assert (operation.failure, fact_of(operation).addresses) == (None, ("192.0.2.1",))
    assert (fact_of(operation).transport, operation.address, operation.port) == ("doh", "127.0.0.1", port)


async def test_a_question_over_http_2():
    """The same over HTTP/2, as public resolvers have it."""
    query = dns_message.build(Question(NAME), 0)
    heard: list[h2.events.Event] = []
    behaviour = nano.h2_answering(
        [(":status", "200"), ("content-type", "application/dns-message")], reply(query, "192.0.2.1"), heard=heard
    )
    async with nano.serve(behaviour, tls=context("h2")) as port:
        operation = await doh(port)

    assert (operation.failure, fact_of(operation).addresses) == (None, ("192.0.2.1",))
    assert b"".join(event.data or b"" for event in heard if isinstance(event, h2.events.DataReceived)) == query


@pytest.mark.parametrize(
    ("behaviour", "failure", "malformed"),
    [
        (posting(status="403 Forbidden"), "dns_server_misbehaving", "HTTP status 403, application/dns-message"),
        (posting(kind="text/html", body=b"<h1>no"), "dns_server_misbehaving", "HTTP status 200, text/html"),
        (posting(body=b"garbage"), "dns_server_misbehaving", "shorter than a header"),
        (nano.silent, "generic_timeout_error", None),
        (nano.resetting, "connection_reset", None),
        (nano.closing, "eof_error", None),
        (nano.saying(b"\x00" * 100), "http_request_failed", None),
    ],
)
async def test_https_that_fails_is_told_apart(behaviour: nano.Behaviour, failure: str, malformed: str | None):
    """A block page, a refusal and garbage are misbehaving; the rest is the stream's own failure."""
    async with nano.serve(behaviour, tls=context("http/1.1")) as port:
        operation = await doh(port, deadline_s=1)

    assert (operation.failure, fact_of(operation).malformed) == (failure, malformed)


# ---------------------------------------------------------------------------------------------------------------------
# the C library


async def test_what_programs_on_this_host_are_told():
    """Addresses of both families under one question, or an EAI word's failure, or a timeout."""
    told = await instrument.ask_getaddrinfo(Wire(), "localhost", deadline_s=5)
    failed = await instrument.ask_getaddrinfo(Wire(), "a..b", deadline_s=5)
    late = await instrument.ask_getaddrinfo(Wire(), "localhost", deadline_s=0)

    assert (told.failure, fact_of(told).transport, fact_of(told).qtype) == (None, "getaddrinfo", "ANY")
    assert {"127.0.0.1"} <= set(fact_of(told).addresses)
    assert failed.failure == "dns_non_recoverable_failure"
    assert (late.failure, fact_of(late).answers) == ("generic_timeout_error", ())
