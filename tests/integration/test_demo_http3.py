"""HTTP/3 in the pretend Internet: the program's own instrument asks over the demo's wire, on loopback."""

import functools
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aioquic")

from probe.control import sinks
from probe.demo.on_the_way import ROUTERS, Flow
from probe.demo.wire import DemoWire
from probe.demo.world import Page, Portal, Rule, Server, World
from probe.instruments import quic
from probe.observations import Operation, QuicFact
from tests.integration.test_demo_internet import OTHER, SITE, next_datagram, opened
from tests.property.test_quic_packets import first_flight

pytestmark = pytest.mark.anyio

ALLOWED, FORBIDDEN = "other.example", "videos.example"
LONG = ("h3", *(str(number).ljust(200, "x") for number in range(6)))
BOX = Rule(name=FORBIDDEN, quic=True)
SERVERS = tuple(
    Server(address=address, names=(name,), ports=(), http3=True)
    for address, name in ((SITE, FORBIDDEN), (OTHER, ALLOWED))
)
with_http3 = functools.partial(opened, servers=SERVERS)


def told(done: Operation | None) -> QuicFact:
    assert done is not None
    assert isinstance(done.fact, QuicFact)
    return done.fact


async def shake(wire: DemoWire, address: str, name: str, **more: Any) -> QuicFact:
    """One greeting, with patience for a computer that is busy with other things, unless silence is expected."""
    patience_s = {"deadline_s": 20.0, **more}
    return told(await quic.handshake(wire, address, sni=name, **patience_s))


async def let_go(wire: DemoWire, name: str, ttl: int) -> QuicFact:
    return told(await quic.let_go(wire, SITE, sni=name, ttl=ttl, deadline_s=0.2))


async def test_any_name_is_greeted(tmp_path: Path) -> None:
    """Both servers shake hands for either name, from as many routers away as the way has."""
    async with with_http3(tmp_path) as (wire, _):
        for address, name in ((SITE, FORBIDDEN), (SITE, ALLOWED), (OTHER, FORBIDDEN)):
            fact = await shake(wire, address, name)
            assert fact.completed
            assert fact.alpn == "h3"
            assert fact.reply_ttl == 64 - len(ROUTERS)
        asked = told(await quic.ping(wire, SITE, deadline_s=20.0))
        assert asked.versions == ("00000001",)


async def test_the_box_drops_a_name_wherever_it_goes(tmp_path: Path) -> None:
    """A forbidden name gets no answer at its own place or at another; another name is answered at both meanwhile."""
    async with with_http3(tmp_path, rules=(BOX,)) as (wire, _):
        for address in (SITE, OTHER):
            silent = await shake(wire, address, f"www.{FORBIDDEN}", deadline_s=0.4)
            assert (silent.completed, silent.datagrams_received) == (False, 0)
            assert (await shake(wire, address, ALLOWED)).completed


async def test_the_box_puts_long_greetings_together(tmp_path: Path) -> None:
    """A greeting in two datagrams is read as well: it never comes to its end, and another name's does."""
    async with with_http3(tmp_path, rules=(BOX,)) as (wire, _):
        half = await shake(wire, SITE, FORBIDDEN, alpn=LONG, deadline_s=0.6)
        assert half.datagrams_sent > 1
        assert not half.completed
        assert (await shake(wire, SITE, ALLOWED, alpn=LONG)).completed


async def test_where_nothing_serves_it_quic_is_silent(tmp_path: Path) -> None:
    """An ordinary web server has none, a dead line carries none, and a portal lets none out."""
    worlds: tuple[dict[str, Any], ...] = (
        {"servers": (Server(address=SITE, names=(FORBIDDEN,)),)},
        {"servers": SERVERS, "link": "silent"},
        {"servers": SERVERS, "portal": Portal(page=Page())},
    )
    for number, world in enumerate(worlds):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with opened(folder, **world) as (wire, _):
            assert not (await shake(wire, SITE, ALLOWED, deadline_s=0.3)).datagrams_received


async def test_routers_speak_of_what_ends_at_them(tmp_path: Path) -> None:
    """The household's router and the provider's tell of every greeting; behind the box only of another name's."""
    async with with_http3(tmp_path, rules=(BOX,)) as (wire, _):
        for ttl in range(1, len(ROUTERS) + 1):
            fact = await let_go(wire, ALLOWED, ttl)
            assert (fact.icmp_type, fact.icmp_code, fact.ttl) == (11, 0, ttl)
            assert fact.hop_is == ("private" if ttl == 1 else "public")
        spoken = [(await let_go(wire, FORBIDDEN, ttl)).icmp_type for ttl in range(1, len(ROUTERS) + 1)]
        assert spoken == [11] * 3 + [None] * (len(ROUTERS) - 3)
        with wire.udp(SITE, 443) as sock:
            sock.connect()
            assert sock.set_ttl(len(ROUTERS) + 1)
            sock.send(first_flight(ALLOWED)[0])
            assert (await next_datagram(sock, within_s=20)).data
    async with opened(tmp_path, servers=SERVERS, link="silent") as (wire, _):
        assert (await let_go(wire, ALLOWED, 1)).icmp_type is None


def test_a_flow_is_lost_until_another_caller_has_its_port() -> None:
    """After a forbidden greeting all is lost that comes from there, until somebody with another connection ID greets."""
    flow = Flow(World(rules=(BOX,)))
    forbidden, allowed = first_flight(FORBIDDEN)[0], first_flight(ALLOWED)[0]
    assert not flow.loses(allowed)
    assert not flow.loses(b"\x40" + bytes(40))
    assert flow.loses(forbidden)
    assert flow.loses(b"\x40" + bytes(40))
    assert flow.loses(forbidden)
    assert not flow.loses(allowed)


def test_without_rules_for_quic_nothing_is_lost() -> None:
    """What is done to a name over TCP is not done to it over QUIC."""
    assert not Flow(World(rules=(Rule(name=FORBIDDEN, tls="silence"),))).loses(first_flight(FORBIDDEN)[0])


async def test_without_aioquic_nothing_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world opens all the same where the server cannot be loaded."""
    monkeypatch.delattr(sinks, "quic", raising=False)
    monkeypatch.setitem(sys.modules, "probe.control.sinks.quic", None)
    async with with_http3(tmp_path) as (wire, _):
        assert not (await shake(wire, SITE, ALLOWED, deadline_s=0.2)).datagrams_received
