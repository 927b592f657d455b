"""The QUIC sink on loopback: every name is greeted alike, behind a proof of address, and nobody gets more than was sent."""

import asyncio
import contextlib
import datetime as dt
import importlib.util
import io
import json
import logging
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

pytest.importorskip("aioquic")

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived

from probe.control import certificate
from probe.control.ledger import Arrival, Ledger
from probe.control.sinks import Sinks, for_quic, places, web
from probe.control.sinks.limits import SinkLimits
from probe.control.sinks.quic import Server
from probe.instruments import quic
from probe.observations import Operation, QuicFact
from probe.wire import Wire
from tests.property.test_quic_packets import first_flight

pytestmark = pytest.mark.anyio

HERE = "127.0.0.1"
NAMES = ("www.example.org", "a" * 63 + ".example.org", "www.facebook.com", None)
SHOWN = certificate.make(dt.datetime.now(dt.UTC))
FOR_QUIC = for_quic(SHOWN.pem)


@dataclass(slots=True)
class Open:
    """A sink that is up."""

    sinks: Sinks
    ledger: Ledger
    log: io.StringIO

    @property
    def port(self) -> int:
        return next(sink.port for sink in self.sinks.announced if sink.kind == "quic")

    @property
    def arrivals(self) -> tuple[Arrival, ...]:
        return self.ledger.arrivals(HERE, 600)

    async def shake(self, name: str | None = "x.example", **more: Any) -> tuple[Operation, QuicFact]:
        done = await quic.handshake(
            Wire(), HERE, port=self.port, sni=name, deadline_s=more.pop("deadline_s", 10), **more
        )
        assert done is not None
        assert isinstance(done.fact, QuicFact)
        return done, done.fact


@contextlib.asynccontextmanager
async def opened(*, admitted: bool = True, **limits: Any) -> AsyncIterator[Open]:
    loop = asyncio.get_running_loop()
    ledger, log = Ledger(loop.time), io.StringIO()
    if admitted:
        ledger.admit(HERE)
    bound = places.bind(HERE, "quic", (0,))
    assert bound is not None
    changed = replace(SinkLimits(drain_s=0.3), **limits)
    sinks = Sinks(bound=[bound], context=SHOWN.context, ledger=ledger, for_quic=FOR_QUIC, limits=changed, log=log)
    async with asyncio.timeout(60), sinks.listening():
        yield Open(sinks, ledger, log)


def quic_of(control: Open) -> Server:
    """Its QUIC sink."""
    assert control.sinks._quic is not None
    return control.sinks._quic


class Asker(QuicConnectionProtocol):
    """One request over HTTP/3: its status and page."""

    async def ask(self, method: bytes) -> tuple[bytes, bytes]:
        self.http, self.page, self.status, self.ended = H3Connection(self._quic), b"", b"", asyncio.Event()
        asked = [(b":method", method), (b":scheme", b"https"), (b":authority", b"x.example"), (b":path", b"/")]
        self.http.send_headers(self._quic.get_next_available_stream_id(), asked, end_stream=True)
        self.transmit()
        await self.ended.wait()
        return self.status, self.page

    def quic_event_received(self, event):
        for what in self.http.handle_event(event) if hasattr(self, "http") else ():
            if isinstance(what, HeadersReceived):
                self.status = dict(what.headers)[b":status"]
            if isinstance(what, DataReceived):
                self.page += what.data
            if getattr(what, "stream_ended", False):
                self.ended.set()


async def until(holds: Any) -> None:
    """Wait a moment for it."""
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(0.01)


async def answers(port: int, *sent: bytes, pause_s: float = 0.2, least: int = 0) -> list[bytes]:
    """What comes back for datagrams: so many at *least*, however long that takes, and what comes soon after."""
    loop, got = asyncio.get_running_loop(), list[bytes]()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((HERE, port))
        for data in sent:
            await loop.sock_sendall(sock, data)
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(pause_s if len(got) >= least else 20.0):
                    got.append(await loop.sock_recv(sock, 65_535))
    return got


async def test_every_name_is_greeted_alike():
    """A whole handshake for any name and for none, each after a Retry."""
    async with opened() as control:
        seen = [await control.shake(name) for name in NAMES]
    assert [done.failure for done, _ in seen] == [None] * 4
    assert all(fact.completed and fact.retry and fact.alpn == "h3" for _, fact in seen)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_every_name_gets_the_same_page(method):
    """Over HTTP/3, and nothing in it of the name; of a HEAD the head only."""
    from aioquic.asyncio.client import connect
    from aioquic.quic.configuration import QuicConfiguration

    got = set()
    async with opened() as control:
        for name in NAMES[:3]:
            configuration = QuicConfiguration(alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE, server_name=name)
            async with (
                asyncio.timeout(20),
                connect(HERE, control.port, configuration=configuration, create_protocol=Asker) as client,
            ):
                assert isinstance(client, Asker)
                got.add(await client.ask(method))
        assert '"bug"' not in control.log.getvalue()
    assert got == {(b"200", web.PAGE if method == b"GET" else b"")}


async def test_an_arm_is_remembered_as_it_was_sent():
    """Its name, that it came back with the token, was answered, and ended well."""
    async with opened() as control:
        for name in NAMES:
            await control.shake(name)
        await until(lambda: all(a.end for a in control.arrivals) and len(control.arrivals) == 4)
        arrived = control.arrivals
    assert [a.name for a in arrived] == list(NAMES)
    assert {(a.kind, a.whole, a.returned, a.answered, a.acknowledged, a.end) for a in arrived} == {
        ("quic", True, True, True, True, "fin")
    }
    assert len({a.fingerprint for a in arrived}) == 1
    assert all(a.bytes > 200 for a in arrived)


async def test_ipv6_is_greeted_and_remembered_alike():
    """Its own port as well, and the caller under its own address."""
    loop = asyncio.get_running_loop()
    ledger, bound = Ledger(loop.time), places.bind("::1", "quic", (0,))
    assert bound is not None
    ledger.admit("::1")
    sinks = Sinks(bound=[bound], context=SHOWN.context, ledger=ledger, for_quic=FOR_QUIC, log=io.StringIO())
    async with asyncio.timeout(60), sinks.listening():
        done = await quic.handshake(Wire(), "::1", port=bound.sink.port, sni="x.example", deadline_s=10)
    assert done is not None
    assert done.failure is None
    (arrived,) = ledger.arrivals("::1", 600)
    assert (arrived.name, arrived.returned, arrived.acknowledged) == ("x.example", True, True)


async def test_a_first_packet_alone_is_an_arrival():
    """Where the Retry is lost on its way back: its name came, nobody came back, nothing was answered yet."""
    async with opened() as control:
        (retry,) = await answers(control.port, *first_flight("www.facebook.com"), least=1)
        (arrived,) = control.arrivals
    assert retry[0] & 0xF0 == 0xF0
    assert (arrived.name, arrived.whole, arrived.returned, arrived.answered) == ("www.facebook.com", True, False, False)


async def test_a_flow_that_is_cut_after_the_retry_is_told_so():
    """What comes back with the token and then falls silent was answered, and nothing acknowledged it."""
    async with opened() as control:
        flight, retry, again = await _until_retry(control.port)
        assert (len(flight), len(retry)) == (1, 1)
        assert again
        await until(lambda: control.arrivals[0].answered)
        (arrived,) = control.arrivals
    assert (arrived.returned, arrived.answered, arrived.acknowledged, arrived.end) == (True, True, False, None)


async def _until_retry(port: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """A client that is cut off after its second flight: what it sent, the Retry, and what it sent then."""
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    client = QuicConnection(configuration=QuicConfiguration(server_name="x.example", alpn_protocols=["h3"]))
    client.connect((HERE, port), now=0.0)
    flight = [data for data, _ in client.datagrams_to_send(now=0.0)]
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((HERE, port))
        for data in flight:
            await loop.sock_sendall(sock, data)
        async with asyncio.timeout(20):
            retry = await loop.sock_recv(sock, 65_535)
        client.receive_datagram(retry, (HERE, port), now=0.1)
        again = [data for data, _ in client.datagrams_to_send(now=0.1)]
        for data in again:
            await loop.sock_sendall(sock, data)
    return flight, [retry], again


async def test_of_strangers_nothing_is_remembered():
    """They are greeted, and that is all."""
    async with opened(admitted=False) as control:
        done, _ = await control.shake("www.facebook.com")
        control.ledger.admit(HERE)
        assert done.failure is None
        assert control.arrivals == ()


async def test_which_versions_it_speaks():
    """A packet of another version is answered with version 1, in fewer bytes than it had."""
    async with opened() as control:
        pinged = await quic.ping(Wire(), HERE, port=control.port, deadline_s=10)
    assert isinstance(pinged.fact, QuicFact)
    assert (pinged.failure, pinged.fact.versions) == (None, ("00000001",))
    assert pinged.bytes_received < pinged.bytes_sent == 1200


async def test_no_answer_is_longer_than_its_question():
    """Before an address is proven: one short answer to a long datagram, and none to a short one or to nonsense."""
    (flight,) = first_flight("www.facebook.com")
    other = b"\xc0\x1a\x2a\x3a\x4a\x08aaaaaaaa\x08bbbbbbbb"
    wrong_token = flight[:22] + b"\x40\x40" + bytes(64) + flight[23:]
    async with opened() as control:
        for question in (flight, other.ljust(1200, b"\0"), wrong_token, b"\xc0\0\0\0\1\x14" + bytes(1300)):
            back = await answers(control.port, question, least=1 if question is flight else 0)
            assert sum(map(len, back)) < len(question)
            assert len(back) <= 1
        for short in (
            flight[:1199],
            other,
            b"\x40" * 1300,
            b"\xc0\0\0\0\0" + bytes(1300),
            b"",
            b"\xc0",
            b"\x40" + bytes(40),
        ):
            assert await answers(control.port, short, pause_s=0.1) == []
    assert '"bug"' not in control.log.getvalue()


async def test_a_proof_is_good_for_its_own_port_only():
    """The same bytes from another port are no proof: nothing but a short refusal comes, and no connection is made."""
    async with opened() as control:
        _flight, _retry, again = await _until_retry(control.port)
        await until(lambda: quic_of(control).served)
        before = quic_of(control).served
        back = await answers(control.port, *again)
        assert quic_of(control).served == before == 1
    assert sum(map(len, back)) < sum(map(len, again))


async def test_nobody_elsewhere_can_end_a_connection():
    """Whoever knows its ID and sends from another port neither is heard nor uses up what it may send."""
    async with opened(read_bytes=5_000) as control:
        _flight, _retry, again = await _until_retry(control.port)
        await until(lambda: quic_of(control)._open)
        (connection,) = quic_of(control)._open
        left = connection.left
        await answers(control.port, *again * 10)
        assert (connection.left, connection._ours) == (left, False)


async def test_strangers_have_a_measure_and_known_callers_are_served_beside_them():
    """Beyond so many first packets a second strangers get none back; whoever showed a token does."""
    flight = first_flight("x.example")[0]
    async with opened(admitted=False, strangers_per_s=3.0) as control:
        assert 0 < len(await answers(control.port, *[flight] * 40, least=1)) < 20
        control.ledger.admit(HERE)
        done, _ = await control.shake()
        assert done.failure is None


async def test_one_address_may_not_have_all_connections():
    """Beyond its share nobody is answered; a connection that ends makes room."""
    async with opened(connections_each=1, connection_s=4.0) as control:
        await _until_retry(control.port)
        await until(lambda: quic_of(control)._open)
        refused, _ = await control.shake(deadline_s=0.3)
        assert refused.failure == "generic_timeout_error"
        await until(lambda: not quic_of(control)._open)
        done, _ = await control.shake()
        assert done.failure is None


async def test_a_caller_that_sends_without_end_is_let_go():
    """A connection has so many bytes, and is ended beyond them."""
    from aioquic.asyncio.client import connect
    from aioquic.quic.configuration import QuicConfiguration

    configuration = QuicConfiguration(alpn_protocols=["h3"], verify_mode=ssl.CERT_NONE, server_name="x.example")
    async with (
        opened(read_bytes=8_000) as control,
        connect(HERE, control.port, configuration=configuration, create_protocol=Asker) as client,
    ):
        (connection,) = quic_of(control)._open
        client._quic.send_stream_data(client._quic.get_next_available_stream_id(), b"x" * 15_000)
        client.transmit()
        async with asyncio.timeout(20):
            await client.wait_closed()
        assert connection._ours


async def test_it_stops_soon_whoever_is_there():
    """What is open has a moment, and is sent away then; the port is free."""
    loop = asyncio.get_running_loop()
    async with opened() as control:
        await _until_retry(control.port)
        port, begun = control.port, loop.time()
    assert loop.time() - begun < 10
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HERE, port))


async def test_the_log_names_nobody(caplog):
    """Neither who came nor what for, in our own words or in aioquic's."""
    logging.getLogger("quic").setLevel(logging.NOTSET)
    async with opened() as control:
        assert not logging.getLogger("quic").isEnabledFor(logging.ERROR)
        await control.shake("www.facebook.com")
        await answers(control.port, b"\xc0\0\0\0\1\x14" + bytes(1300))
    lines = [json.loads(line) for line in control.log.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["sinks", "sinks_stopped"]
    assert lines[1]["served"] == {"quic": 1}
    assert caplog.text == ""


def test_without_a_key_that_it_can_use_there_is_no_sink():
    """Then it is announced as absent, and its port is not held."""
    assert for_quic((b"", b"")) is None
    bound = places.bind(HERE, "quic", (0,))
    assert bound is not None
    sinks = Sinks(bound=[bound], context=SHOWN.context, ledger=Ledger(lambda: 0.0), for_quic=None)
    assert sinks.announced == ()
    assert "quic" in sinks.absent
    assert bound.sock.fileno() == -1


def test_without_aioquic_there_is_no_sink(monkeypatch):
    """It is an extra: nothing else changes where it is not installed, or is broken."""
    for name in [name for name in sys.modules if name.startswith("aioquic") or name == "probe.control.sinks.quic"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("probe.control.sinks.quic")
    monkeypatch.setitem(sys.modules, "aioquic", None)
    assert for_quic(SHOWN.pem) is None
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "aioquic" else find(name))
    assert "quic" not in places.kinds()


async def test_where_the_sinks_cannot_begin_its_port_is_free_again(monkeypatch):
    """One that fails to open leaves nothing of the others behind."""
    bound = places.bind(HERE, "quic", (0,))
    assert bound is not None
    sinks = Sinks(
        bound=[bound], context=SHOWN.context, ledger=Ledger(lambda: 0.0), for_quic=FOR_QUIC, log=io.StringIO()
    )

    async def fails(_self, _bound):
        raise OSError

    monkeypatch.setattr(Sinks, "_open", fails)
    with pytest.raises(OSError):
        async with sinks.listening():
            pass
    assert bound.sock.fileno() == -1
