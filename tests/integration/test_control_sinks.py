"""Sinks on loopback, with real sockets: every name is answered alike, nobody is amplified, and a caller learns of its own."""

import asyncio
import contextlib
import datetime as dt
import io
import json
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from probe.control import certificate, protocol
from probe.control.ledger import Arrival, Ledger
from probe.control.protocol import ArmsRequest
from probe.control.sinks import Sinks, bind_all, places
from probe.control.sinks.limits import SinkLimits
from probe.instruments import http, tcp, tls
from probe.wire import Wire
from tests.integration.control_world import TOKEN, parsed, serving, short, world_of

pytestmark = pytest.mark.anyio

HERE = "127.0.0.1"
NAMES = ("www.example.org", "a" * 63 + ".example.org", "www.facebook.com", None)
SCHEMA = json.loads(files("probe.schema").joinpath("control.json").read_text(encoding="utf-8"))
SHOWN = certificate.make(dt.datetime.now(dt.UTC))


@dataclass(slots=True)
class Open:
    """Sinks that are up, each at a port of its own."""

    sinks: Sinks
    ledger: Ledger
    log: io.StringIO

    def port(self, kind: str) -> int:
        return next(sink.port for sink in self.sinks.announced if sink.kind == kind)

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        return self.ledger.arrivals(HERE, 600)


@contextlib.asynccontextmanager
async def opened(*, admitted: bool = True, **limits: Any) -> AsyncIterator[Open]:
    loop = asyncio.get_running_loop()
    ledger, log = Ledger(loop.time), io.StringIO()
    if admitted:
        ledger.admit(HERE)
    bound = [found for kind in places.kinds() if (found := places.bind(HERE, kind, (0,))) is not None]
    changed = replace(SinkLimits(drain_s=0.3), **limits)
    sinks = Sinks(bound=bound, context=SHOWN.context, ledger=ledger, limits=changed, log=log)
    async with asyncio.timeout(30), sinks.listening():
        yield Open(sinks, ledger, log)


async def connect(port: int) -> tcp.TcpStream:
    connected = await tcp.connect(Wire(), HERE, port, deadline_s=5)
    assert connected.stream is not None
    return connected.stream


async def greet(stream: tcp.TcpStream, hello: tls.Hello) -> Any:
    """What came of a greeting up to the first record."""
    return await tls.first_record(Wire(), stream, hello=hello, deadline_s=5)


async def shake(stream: tcp.TcpStream, hello: tls.Hello) -> Any:
    """A whole handshake with whoever it is."""
    return await tls.unverified(Wire(), stream, hello=hello, deadline_s=5)


async def everything(port: int, data: bytes = b"") -> bytes:
    """Say *data* and hear all of the answer."""
    reader, writer = await asyncio.open_connection(HERE, port)
    try:
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            return await reader.read()
        return b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def settled(opened: Open, count: int = 1) -> tuple[Arrival, ...]:
    """The arrivals, once so many have been seen to end."""
    for _ in range(200):
        if len([a for a in opened.arrivals if a.end is not None]) >= count:
            break
        await asyncio.sleep(0.01)
    return opened.arrivals


class Heard(asyncio.DatagramProtocol):
    """What datagrams came back."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data, addr):
        self.got.append(data)


async def datagrams(port: int, *sent: bytes) -> list[bytes]:
    transport, heard = await asyncio.get_running_loop().create_datagram_endpoint(Heard, remote_addr=(HERE, port))
    try:
        for data in sent:
            transport.sendto(data)
        await asyncio.sleep(0.2)
    finally:
        transport.close()
    return heard.got


# ---------------------------------------------------------------------------------------------------------------------
# whatever is asked for


async def page(stream: tls.TlsStream | tcp.TcpStream, url: str, method: str = "GET") -> Any:
    return await http.request(
        Wire(), stream, method=method, url=url, user_agent="t", verified_chain=False, head_deadline_s=5,
        body_deadline_s=5, body_cap=10_000, header_cap=10_000, keep_body=True,
    )  # fmt: skip


async def test_every_name_is_greeted_alike():
    """A ServerHello for any name and for none, and behind it the same page, which names nobody."""
    seen = set()
    async with opened() as control:
        for name in NAMES:
            hello = tls.Hello(sni=name)
            stream = await connect(control.port("tls"))
            assert (await greet(stream, hello)).fact.server_hello
            shaken = await shake(await connect(control.port("tls")), hello)
            fetched = await page(shaken.stream, f"https://{name or HERE}/path")
            assert fetched.failure is None
            seen.add((fetched.fact.status, fetched.fact.body))

    assert len(seen) == 1
    ((status, body),) = seen
    assert status == 200
    assert not any(name and name in body for name in NAMES)


async def test_a_head_over_tls_is_answered():
    """The deepest arm asks for the headers only."""
    async with opened() as control:
        stream = await connect(control.port("tls"))
        shaken = await shake(stream, tls.Hello(sni="x.example"))
        fetched = await page(shaken.stream, "https://x.example/", "HEAD")
    assert (fetched.failure, fetched.fact.status) == (None, 200)


async def test_every_host_gets_the_same_page():
    """Over plain HTTP as well, whatever the path is."""
    bodies = set()
    async with opened() as control:
        for name in NAMES[:3]:
            fetched = await page(await connect(control.port("http")), f"http://{name}/some/path")
            assert (fetched.failure, fetched.fact.status) == (None, 200)
            bodies.add(fetched.fact.body)
        arrived = await settled(control, 3)
    assert len(bodies) == 1
    assert [a.name for a in arrived] == list(NAMES[:3])
    assert all(a.whole and a.answered and a.kind == "http" for a in arrived)


async def test_nonsense_is_let_go():
    """What is neither TLS nor HTTP gets no answer, and is no whole arm."""
    async with opened(connection_s=0.4) as control:
        assert await everything(control.port("tls"), b"GET / HTTP/1.1\r\n\r\n") == b""
        assert await everything(control.port("http"), b"\x16\x03\x01\x02\x00" + b"\x00" * 600) == b""
        assert await everything(control.port("http"), b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000) == b""
        assert not any(a.whole or a.answered for a in control.arrivals)
    assert '"bug"' not in control.log.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# what is remembered


async def test_an_arm_is_remembered_as_it_was_sent():
    """Its name, its length, its fingerprint; that the answer left, and was acknowledged."""
    async with opened() as control:
        stream = await connect(control.port("tls"))
        sent = await greet(stream, tls.Hello(sni=NAMES[0]))
        (arrived,) = await settled(control)
    assert (arrived.name, arrived.bytes, arrived.fingerprint) == (NAMES[0], sent.fact.hello_bytes, sent.fact.hello_hash)
    assert arrived.whole
    assert arrived.answered
    assert arrived.acknowledged in (True, None)
    assert arrived.end in ("fin", "reset")


def _hello() -> bytes:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="www.example.org").do_handshake()
    return out.read()


@pytest.mark.parametrize("how", ["fin", "reset"])
async def test_half_a_greeting_is_no_whole_one(how):
    """So many bytes of it, no name, no answer, and how it ended."""
    async with opened() as control:
        sock = socket.create_connection((HERE, control.port("tls")))
        sock.sendall(_hello()[:100])
        await asyncio.sleep(0.1)
        if how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        (arrived,) = await settled(control)
    assert (arrived.bytes, arrived.whole, arrived.name, arrived.answered, arrived.end) == (100, False, None, False, how)


async def test_a_greeting_in_pieces_is_whole():
    """A ClientHello takes two segments and more where it is long."""
    async with opened() as control:
        reader, writer = await asyncio.open_connection(HERE, control.port("tls"))
        whole = _hello()
        for piece in (whole[:3], whole[3:90], whole[90:]):
            writer.write(piece)
            await asyncio.sleep(0.05)
        assert (await reader.read(1)) == b"\x16"
        writer.close()
        await writer.wait_closed()
        (arrived,) = await settled(control)
    assert (arrived.name, arrived.bytes) == ("www.example.org", len(whole))


async def test_a_connection_without_a_word_is_an_arrival():
    """What was dropped after the handshake of TCP is seen as that."""
    async with opened() as control:
        (await connect(control.port("tls"))).close()
        (arrived,) = await settled(control)
    assert (arrived.bytes, arrived.whole, arrived.end) == (0, False, "fin")


async def test_of_strangers_nothing_is_remembered():
    """They are answered, and that is all."""
    async with opened(admitted=False) as control:
        assert (await page(await connect(control.port("http")), "http://x.example/")).fact.status == 200
        control.ledger.admit(HERE)
        assert control.arrivals == ()


async def test_the_log_names_nobody():
    """Neither who came nor what for."""
    async with opened() as control:
        for name in NAMES[:3]:
            await page(await connect(control.port("http")), f"http://{name}/")
            stream = await connect(control.port("tls"))
            await greet(stream, tls.Hello(sni=name))
        await everything(control.port("dns_closing"))
    lines = [json.loads(line) for line in control.log.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["sinks", "sinks_stopped"]
    assert lines[1]["served"] == {"http": 3, "tls": 3, "dns_closing": 1}
    assert HERE not in control.log.getvalue()
    assert "example" not in control.log.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# port 53, and the echoes


async def test_datagrams_to_the_silent_one_are_never_answered():
    """Not even by an ICMP message, which a closed port sends; nor to those who have a token."""
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01"
    async with opened() as control:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect((HERE, control.port("dns_silent")))
            for _ in range(3):
                sock.send(question)
                await asyncio.sleep(0.1)
            with pytest.raises(BlockingIOError):
                sock.recv(100)
        finally:
            sock.close()


async def test_connections_to_the_closing_one_are_closed():
    """Taken, and closed without a word."""
    async with opened() as control:
        assert await everything(control.port("dns_closing")) == b""


async def test_nothing_is_echoed_to_strangers():
    """No amplification, and no reflection either."""
    async with opened(admitted=False) as control:
        assert await everything(control.port("echo_tcp"), b"hello") == b""
        assert await datagrams(control.port("echo_udp"), b"hello") == []


async def test_an_echo_is_what_was_sent():
    """The same bytes, each datagram once; and nothing of what is longer than a packet, or empty."""
    async with opened() as control:
        reader, writer = await asyncio.open_connection(HERE, control.port("echo_tcp"))
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        await writer.wait_closed()
        assert await datagrams(control.port("echo_udp"), b"a" * 1452, b"b" * 1453, b"", b"c") == [b"a" * 1452, b"c"]


async def test_an_echo_has_an_end():
    """In one connection, and in ten minutes."""
    async with opened(echo_bytes=3_000) as control:
        reader, writer = await asyncio.open_connection(HERE, control.port("echo_tcp"))
        writer.write(b"x" * 10_000)
        with contextlib.suppress(ConnectionError):
            assert len(await reader.read(100_000)) <= 3_000
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        assert control.ledger.spend_echo(HERE, 900_000)
        assert await datagrams(control.port("echo_udp"), *[b"y" * 1_400] * 100) != []
        assert not control.ledger.spend_echo(HERE, 100_000)


# ---------------------------------------------------------------------------------------------------------------------
# bounds


async def test_one_address_may_not_have_all_connections():
    """Those beyond its share are closed at once; when one leaves, the next may come."""
    async with opened(connections_each=3) as control:
        held = [await asyncio.open_connection(HERE, control.port("tls")) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await everything(control.port("tls"), _hello()) == b""
        held[0][1].close()
        await held[0][1].wait_closed()
        await asyncio.sleep(0.1)
        stream = await connect(control.port("tls"))
        assert (await greet(stream, tls.Hello(sni="x.example"))).failure is None
        for _, writer in held[1:]:
            writer.close()
            await writer.wait_closed()


async def test_who_says_nothing_is_let_go():
    """After its time, whichever sink it is at."""
    async with opened(connection_s=0.3) as control:
        for kind in ("tls", "http", "echo_tcp"):
            reader, writer = await asyncio.open_connection(HERE, control.port(kind))
            async with asyncio.timeout(3):
                assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


async def test_it_stops_soon_whoever_is_there():
    """What is open has a moment, and is ended then."""
    loop = asyncio.get_running_loop()
    async with opened() as control:
        reader, writer = await asyncio.open_connection(HERE, control.port("tls"))
        await asyncio.sleep(0.05)
        begun = loop.time()
    assert loop.time() - begun < 3
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    with pytest.raises(OSError):
        await asyncio.open_connection(HERE, control.port("tls"))


async def test_a_port_that_is_taken_is_no_reason_to_stay_away():
    """The next one is announced, and at last any."""
    with socket.create_server((HERE, 0)) as taken:
        port = taken.getsockname()[1]
        found = places.bind(HERE, "tls", (port, 0))
        assert found is not None
        assert found.sink.port not in (port, 0)
        found.sock.close()
        assert places.bind(HERE, "tls", (port,)) is None
    bound = bind_all(HERE)
    try:
        assert {one.sink.kind for one in bound} == set(places.kinds())
    finally:
        for one in bound:
            one.sock.close()


# ---------------------------------------------------------------------------------------------------------------------
# what probes are told


@contextlib.asynccontextmanager
async def with_sinks(tmp_path):
    async with opened(admitted=False) as control, serving(tmp_path, world_of()) as served:
        served.server.sinks = control.sinks
        yield control, served


async def get(served, path, token=TOKEN):
    shown = f"Authorization: Bearer {token}\r\n" if token else ""
    return parsed(await served.raw(f"GET {path} HTTP/1.1\r\nHost: c\r\n{shown}\r\n".encode()))


async def test_what_came_up_is_announced_to_those_who_know_a_token(tmp_path):
    """Kinds and ports, in the schema's words; and from then on the caller is known to the ledger."""
    async with with_sinks(tmp_path) as (control, served):
        assert (await get(served, "/v1/sinks", token=None))[0] == 401
        assert not control.ledger.admits(HERE)
        status, told = await get(served, "/v1/sinks")
        assert control.ledger.admits(HERE)

    assert status == 200
    jsonschema.validate(told, SCHEMA)
    assert protocol.sinks_from_json(json.dumps(told).encode()) == control.sinks.announced
    assert told["absent"] == ["quic"]


async def test_a_control_without_sinks_says_so(tmp_path):
    """Nothing is up, and no arm arrived."""
    async with serving(tmp_path, world_of()) as served:
        _, told = await get(served, "/v1/sinks")
        request = protocol.arms_request_to_json(ArmsRequest(("x.example",), 60))
        status, arms = await served.post(request, path="/v1/arms")
    assert told["sinks"] == []
    assert (status, arms["arms"]) == (200, [])
    for document in (told, arms, json.loads(request)):
        jsonschema.validate(document, SCHEMA)


async def test_a_probe_is_told_of_its_own_arms(tmp_path):
    """In order, how long ago, and no name that it did not ask with; who has no token is told nothing."""
    request = protocol.arms_request_to_json(ArmsRequest(("www.EXAMPLE.org",), 60))
    async with with_sinks(tmp_path) as (control, served):
        await get(served, "/v1/sinks")
        for name in ("www.example.org", "another.example"):
            stream = await connect(control.port("tls"))
            await greet(stream, tls.Hello(sni=name))
        await settled(control, 2)
        assert (await served.post(request, path="/v1/arms", token=None))[0] == 401
        status, told = await served.post(request, path="/v1/arms")

    assert status == 200
    jsonschema.validate(told, SCHEMA)
    first, second = protocol.arms_from_json(json.dumps(told).encode())
    assert (first.fact.name, second.fact.name) == ("www.example.org", None)
    assert second.fact.named
    assert first.ago_us > second.ago_us >= 0
    assert "another" not in json.dumps(told)


@pytest.mark.parametrize(
    "document",
    [
        {"names": ["x"] * 9, "within_s": 5},
        {"names": [1], "within_s": 5},
        {"names": ["x"], "within_s": 0},
        {"names": ["x"], "within_s": 601},
        {"names": ["x"], "within_s": True},
        {"names": "x", "within_s": 5},
        {"names": ["x"]},
        {"names": ["x"], "within_s": 5, "address": HERE},
    ],
)
async def test_a_question_about_arms_that_makes_no_sense_is_refused(tmp_path, document):
    """400, and nothing told."""
    async with with_sinks(tmp_path) as (_, served):
        status, _ = await served.post({"protocol": protocol.VERSION, **document}, path="/v1/arms")
    assert status == 400


async def test_questions_about_sinks_have_their_measure_too(tmp_path):
    """They cost little, and are counted: 429 and when to come back."""
    request = protocol.arms_request_to_json(ArmsRequest(("x.example",), 60))
    async with opened(admitted=False) as control, serving(tmp_path, world_of(), limits=short(burst=2)) as served:
        served.server.sinks = control.sinks
        answers = [await served.post(request, path="/v1/arms") for _ in range(4)]
    assert [status for status, _ in answers][:2] == [200, 200]
    assert 429 in [status for status, _ in answers]
