"""One QUIC handshake and one ping, against servers that behave, and others: no exception, and each failure has its word."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("aioquic")

from aioquic.asyncio.server import serve

from probe.control.sinks import for_quic
from probe.instruments import path, quic, quic_packets
from probe.observations import Operation, QuicFact
from probe.observations.as_json import fact_from_json, fact_to_json
from probe.observations.failures import is_failure_name
from probe.wire import Wire
from tests import nano
from tests.integration.test_sink_quic import SHOWN
from tests.ports import free_port

pytestmark = pytest.mark.anyio

HERE = "127.0.0.1"
NAME = "www.example.org"


@contextlib.asynccontextmanager
async def server(*, alpn: str = "h3", retry: bool = False) -> AsyncIterator[int]:
    """aioquic's own server: its port."""
    configuration = for_quic(SHOWN.pem)
    assert configuration is not None
    configuration.alpn_protocols = [alpn]
    serving = await serve(HERE, 0, configuration=configuration, retry=retry)
    try:
        assert serving._transport is not None
        yield serving._transport.get_extra_info("sockname")[1]
    finally:
        serving.close()


async def shake(port: int, *, address: str = HERE, sni: str | None = NAME, deadline_s: float = 10.0) -> Operation:
    done = await quic.handshake(Wire(), address, port=port, sni=sni, deadline_s=deadline_s)
    assert done is not None
    return done


def fact(operation: Operation) -> QuicFact:
    """Its fact, which survives being stored; its failure is a name of df-007 or none."""
    assert isinstance(operation.fact, QuicFact)
    assert fact_from_json("quic", fact_to_json(operation.fact)) == operation.fact
    assert operation.failure is None or is_failure_name(operation.failure)
    return operation.fact


@pytest.mark.parametrize("retry", [False, True])
async def test_a_handshake_is_done(retry):
    """With how long the first answer took, and whether the server had our address proven first."""
    async with server(retry=retry) as port:
        done = await shake(port)
    seen = fact(done)
    assert (done.failure, seen.completed, seen.retry, seen.alpn, seen.sni) == (None, True, retry, "h3", NAME)
    assert (done.name, done.address, done.port, seen.version) == (NAME, HERE, port, "00000001")
    assert seen.first_reply_us is not None
    assert 0 < seen.first_reply_us <= (done.duration_us or 0)
    assert seen.datagrams_sent >= 2
    assert done.bytes_sent >= 1200
    assert done.bytes_received > 0
    assert seen.stack is not None
    if sys.platform == "linux":
        assert seen.reply_ttl == 64


async def test_a_server_that_refuses_the_greeting_says_why():
    """An alert of TLS, in a farewell, is a failed handshake with its code."""
    async with server(alpn="nonsense") as port:
        done = await shake(port)
    seen = fact(done)
    assert (done.failure, seen.completed, seen.close_code) == ("ssl_failed_handshake", False, 0x178)


async def test_silence_is_a_timeout():
    """Nothing came, however often aioquic asked again within the deadline."""
    async with nano.serve_udp(lambda _query: []) as silent:
        done = await shake(silent.port, deadline_s=0.5)
    seen = fact(done)
    assert (done.failure, seen.first_reply_us, seen.datagrams_received) == ("generic_timeout_error", None, 0)
    assert seen.datagrams_sent >= 1


@pytest.mark.parametrize("what", [shake, lambda port: quic.ping(Wire(), HERE, port=port, deadline_s=5)])
async def test_a_closed_port_says_so(what):
    """An ICMP message is the answer, with its type and code where the kernel tells them."""
    done = await what(free_port(HERE, socket.SOCK_DGRAM))
    seen = fact(done)
    assert (done.failure, seen.errno) == ("connection_refused", "ECONNREFUSED")
    if sys.platform == "linux":
        assert (seen.icmp_type, seen.icmp_code) == (3, 3)


def speaks(*versions: int, to_whom: bytes | None = None):
    """A server that speaks others than version 1 (RFC 9000 §6.1)."""

    def behaviour(query: bytes) -> list[bytes]:
        seen = quic_packets.head(query)
        assert seen is not None
        ours = to_whom if to_whom is not None else seen.source
        ids = bytes((len(ours),)) + ours + bytes((len(seen.destination),)) + seen.destination
        return [b"\xc0\0\0\0\0" + ids + b"".join(version.to_bytes(4) for version in versions)]

    return behaviour


async def test_a_server_that_speaks_other_versions_is_incompatible():
    """It is named, with what it speaks."""
    async with nano.serve_udp(speaks(0x6B3343CF, 0xFF00001D)) as other:
        done = await shake(other.port)
    assert done.failure == "quic_incompatible_version"
    assert fact(done).versions == ("6b3343cf", "ff00001d")


async def test_a_ping_learns_the_versions():
    """All of them, in the server's order; the time of the answer, and nothing is said to have failed."""
    async with nano.serve_udp(speaks(1, 0x6B3343CF)) as server_:
        done = await quic.ping(Wire(), HERE, port=server_.port, deadline_s=10)
    seen = fact(done)
    assert (done.failure, seen.versions, seen.version) == (None, ("00000001", "6b3343cf"), "1a2a3a4a")
    assert (seen.completed, seen.retry, seen.datagrams_sent) == (None, None, 1)
    assert seen.first_reply_us is not None


@pytest.mark.parametrize("behaviour", [speaks(1, to_whom=b"stranger"), lambda _query: [b"short", b"\xc0" * 1300]])
async def test_what_is_no_answer_to_us_is_waited_behind(behaviour):
    """A forged or mirrored packet is silence."""
    async with nano.serve_udp(behaviour) as server_:
        done = await quic.ping(Wire(), HERE, port=server_.port, deadline_s=0.3)
    assert done.failure == "generic_timeout_error"
    assert fact(done).versions == ()


async def test_a_list_with_our_own_version_is_no_refusal():
    """A server that speaks version 1 does not say that it speaks others: whoever says so is not the server (RFC 9000 §6.2)."""
    async with nano.serve_udp(speaks(1, 0x6B3343CF)) as forger:
        done = await shake(forger.port, deadline_s=0.5)
    assert done.failure == "generic_timeout_error"


async def test_without_aioquic_there_is_no_handshake_and_still_a_ping(monkeypatch):
    """What was not measured is nothing, and no failure; a broken installation is none."""
    monkeypatch.setitem(sys.modules, "aioquic.quic.connection", None)
    monkeypatch.setattr(quic, "is_here", quic.is_here.__wrapped__)
    assert await quic.handshake(Wire(), HERE, sni=NAME, deadline_s=1) is None
    async with nano.serve_udp(speaks(1)) as server_:
        assert (await quic.ping(Wire(), HERE, port=server_.port, deadline_s=10)).failure is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from(["raw", "initial", "retry", "short"]))
def test_whatever_comes_is_an_operation(tails, form):
    """Datagrams that begin as answers and end as anything: nothing is raised, and the failure has a name."""

    def behaviour(query: bytes) -> list[bytes]:
        seen = quic_packets.head(query)
        assert seen is not None
        ids = bytes((len(seen.source),)) + seen.source + bytes((8,)) + b"someone!"
        first = {
            "raw": b"",
            "initial": b"\xc0\0\0\0\1" + ids,
            "retry": b"\xf0\0\0\0\1" + ids,
            "short": b"\x40" + seen.source,
        }
        return [first[form] + tail for tail in tails]

    async def run() -> None:
        async with nano.serve_udp(behaviour) as server_:
            fact(await shake(server_.port, deadline_s=0.1))
            fact(await quic.ping(Wire(), HERE, port=server_.port, deadline_s=0.02))

    asyncio.run(run())


def test_importing_it_does_not_import_aioquic():
    """It is loaded by the first handshake only."""
    import subprocess

    code = "import sys, probe.instruments.quic; print(*sorted({'aioquic', 'cryptography'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("hop", "own", "scope"),
    [
        ("192.168.1.1", "192.168.1.10", "private"),
        ("92.47.144.1", "192.168.1.10", "public"),
        ("100.64.0.1", "192.168.1.10", "shared"),
        ("2a00:1450:1:9::1", "2a00:1450:1:2::5", "private"),
        ("2a00:1450:2:9::1", "2a00:1450:1:2::5", "public"),
    ],
)
async def test_of_the_router_that_spoke_only_its_kind_is_kept(monkeypatch, hop, own, scope):
    """Over IPv6 a second one in the household has a public address as well: what is near to this host is none of others'."""

    async def run(_wire, place, fact, _speak, **_how):
        return Operation(fact=replace(fact, icmp_type=11, icmp_code=0, icmp_from=hop), started_us=1, address=place[0])

    monkeypatch.setattr(quic, "_run", run)
    monkeypatch.setattr(path, "own_address", lambda *_there: own)
    done = await quic.let_go(Wire(), "203.0.113.9", sni=NAME, ttl=2, deadline_s=1)
    assert done is not None
    assert isinstance(done.fact, QuicFact)
    assert (done.fact.hop_is, done.fact.icmp_from) == (scope, None)
    assert hop not in repr(done)
