"""The two versions of IP on the own side: what is asked where, and what is made of a dead one or of a translator."""

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncIterator

import dns.message
import dns.rrset
import pytest

from probe.experiments.network import ONLY_IPV4, own_side
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer, Turns
from probe.experiments.session import Session
from probe.experiments.site import Focus, Site
from probe.experiments.steps import Place
from probe.experiments.suspicion import follow_ups
from probe.experiments.website import run
from probe.instruments.trust import Trust
from probe.observations import DnsFact, TcpFact
from probe.settings import Settings
from probe.wire import Transport, Wire
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState
from targets.model import Asked, Canaries, Canary, Endpoint
from tests import nano

pytestmark = pytest.mark.anyio

CANARIES = Canaries(
    members=tuple(Canary(family="foreign", where=f"canary{n}.example", operator=str(n)) for n in range(3)),
    innocuous=tuple(f"innoce{n:03}.example" for n in range(9)),
)
SILENT = "203.0.113.54"
FOUR, SIX = "20.1.2.3", "2a20:1::3"


class Host(Wire):
    """A host with these default routes. Every address is one loopback server, but ``dead`` ones never answer."""

    def __init__(self, tcp_port: int, udp_port: int, *, four: bool, six: bool, dead: tuple[str, ...] = ()) -> None:
        super().__init__(rng=random.Random(7))
        self._ports = {"tcp": tcp_port, "udp": udp_port}
        self._routes = (four, six)
        self._dead = dead
        self.went_to: list[str] = []
        self.resolvers: tuple[str, ...] = ("203.0.113.53",)
        self.without_resolver: tuple[str, ...] = ()

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int] | None:
        found = super().place(address, port, transport)
        assert found is not None
        self.went_to.append(found[0])
        if found[0] in self.without_resolver:
            return ("127.0.0.1", 1)
        return None if found[0].startswith(self._dead or "-") else ("127.0.0.1", self._ports[transport])

    def nameservers(self) -> tuple[Nameserver, ...]:
        return tuple(Nameserver(address) for address in self.resolvers)

    def host(self) -> HostState:
        four, six = self._routes
        return HostState(
            default_route_v4=four, default_route_v6=six, tunnels=(), proxies=(), in_container=False, suspended_s=None
        )


def resolver(prefix: str = "", aaaa: str = SIX):
    """Both kinds of address for every name; for one without IPv6 an address behind a translator, if there is one."""

    def answer(data: bytes) -> list[bytes]:
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        name, kind = query.question[0].name, query.question[0].rdtype
        text = {1: FOUR, 28: aaaa}[kind]
        if name.to_text() == f"{ONLY_IPV4}." and kind == 28:
            text = f"{prefix}192.0.0.170" if prefix else ""
        if text:
            reply.answer.append(dns.rrset.from_text(name, 60, "IN", "AAAA" if kind == 28 else "A", text))
        return [reply.to_wire()]

    return answer


@contextlib.asynccontextmanager
async def session_on(answers=None, **routes) -> AsyncIterator[tuple[Session, Host]]:
    """A session on such a host."""
    shake = nano.shaking(nano.identity("a.example").context())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever only wanted to see a connection has gone by now.
        if not (hello := await reader.read(65536)):
            writer.close()
            return
        again = asyncio.StreamReader()
        again.feed_data(hello)
        await shake(again, writer)

    async with nano.serve(serve) as tcp, nano.serve_udp(answers or resolver()) as udp:
        wire = Host(tcp, udp.port, **routes)
        yield (
            Session(
                wire=wire,
                settings=Settings().hurried(10),
                trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
                canaries=CANARIES,
                asked=(),
                pacer=Pacer(wire, 1000, 10_000),
                neutrals=Neutrals(CANARIES, wire.random),
            ),
            wire,
        )


def members(session: Session, family: str) -> list[str]:
    return [o.member or "" for o in session.recorder.observations if (o.member or "").startswith(f"{family}/")]


def site(session: Session, group: asyncio.TaskGroup) -> Site:
    asked = Asked(number=0, endpoint=Endpoint("tcp://site.example:443"), target="site.example")
    return Site(
        session=session, asked=asked, group=group, on_step=lambda _step: None, turns=Turns(), follow_ups=follow_ups
    )


async def test_a_host_without_ipv6_asks_nothing_about_it():
    """No route for it, no question about it."""
    async with session_on(four=True, six=False) as (session, _wire):
        await own_side(session, "before")
    assert not members(session, "ipv6")
    assert not members(session, "nat64")
    assert session.translator_asked is None


async def test_who_wants_ipv4_only_sends_nothing_over_ipv6():
    """``-4`` holds for the own side too."""
    async with session_on(four=True, six=True) as (session, _wire):
        session.settings = dataclasses.replace(session.settings, families=(4,))
        await own_side(session, "before")
    assert not members(session, "ipv6")


async def test_two_operators_are_asked_over_ipv6():
    """Two canaries are connected to at their IPv6 addresses, and nothing has to wait for it."""
    async with session_on(four=True, six=True) as (session, _wire):
        await own_side(session, "before")
    asked = [o for o in session.recorder.observations if (o.member or "").startswith("ipv6/")]
    assert len({o.member for o in asked}) == 2
    assert all(isinstance(o.fact, TcpFact) and o.operation.address == SIX and o.failure is None for o in asked)
    assert session.uses_ipv6
    assert session.translator_asked is None
    assert len(members(session, "nat64")) == 1


async def test_ipv6_that_leads_nowhere_is_known_and_not_used():
    """Where no canary answers over IPv6, follow-ups go to an IPv4 address, whichever was answered first."""
    async with session_on(four=True, six=True, dead=("2a20:",)) as (session, _wire):
        await own_side(session, "before")
        assert session.has_ipv6
        assert not session.uses_ipv6
        async with asyncio.TaskGroup() as group:
            about = site(session, group)
            about.look_at(Focus(host="site.example", port=443, scheme="tcp", url="tcp://site.example:443"), [SIX, FOUR])
            assert about.first_address() == FOUR


async def test_one_dead_canary_is_no_dead_ipv6():
    """One operator's trouble is not ours."""
    async with session_on(four=True, six=True) as (session, _wire):
        session.has_ipv6 = True
        session.over_ipv6 = {"a.example": False, "b.example": True}
        assert session.uses_ipv6


async def test_canaries_behind_a_translator_say_nothing_about_ipv6():
    """An address that only wraps an IPv4 one is not connected to as a canary of IPv6."""
    async with session_on(resolver("64:ff9b::", aaaa=f"64:ff9b::{FOUR}"), four=True, six=True) as (session, _wire):
        await own_side(session, "before")
    assert not members(session, "ipv6")
    assert session.wire.translator is None


@pytest.mark.parametrize("prefix", ["64:ff9b::", "2a02:1b8:7:64::"])
async def test_without_ipv4_the_translator_is_found_before_anything_is_connected_to(prefix):
    """ipv4only.arpa gives the prefix away; IPv4 addresses are then reached behind it, under their own names."""
    async with session_on(resolver(prefix), four=False, six=True) as (session, wire):
        async with asyncio.TaskGroup() as group:
            group.create_task(own_side(session, "before"))
            await asyncio.sleep(0)
            about = site(session, group)
            await run(about)
        for lingering in about.lingering:
            lingering.close()
        passed = [o for o in session.recorder.observations if o.purpose == "baseline" and isinstance(o.fact, TcpFact)]
    assert wire.translator == prefix
    assert {(o.operation.address, o.failure) for o in passed} == {(FOUR, None), (SIX, None)}
    assert FOUR not in wire.went_to
    (told,) = [o for o in session.recorder.observations if (o.member or "").startswith("nat64/")]
    assert told.operation.duration_us is not None
    known_us = told.operation.started_us + told.operation.duration_us
    baseline = [o for o in session.recorder.observations if o.purpose == "baseline"]
    assert min(o.operation.started_us for o in baseline) >= known_us
    assert isinstance(told.fact, DnsFact)
    assert told.fact.qname == ONLY_IPV4


async def test_without_ipv4_and_translator_nothing_waits_for_ever():
    """Where nobody speaks for a translator, the question is answered all the same."""
    async with session_on(four=False, six=True) as (session, wire):
        async with asyncio.timeout(5):
            await own_side(session, "before")
        assert session.translator_asked is not None
        assert session.translator_asked.is_set()
        assert wire.translator is None


async def test_a_silent_first_resolver_is_waited_for_once():
    """Neutral places are found by the second one, and the first is not asked before it again; alone it still is."""
    place = Place(purpose="dns_answers", endpoint=0)
    async with session_on(four=True, six=False, dead=(SILENT,)) as (session, wire):
        wire.resolvers = (SILENT, "203.0.113.53")
        assert await session.neutrals.draw(session, place, ()) is not None
        asked = wire.went_to.count(SILENT)
        assert await session.neutrals.draw(session, place, ()) is not None
        assert wire.went_to.count(SILENT) == asked > 0
        wire.resolvers = (SILENT,)
        assert await session.neutrals.draw(session, place, ()) is None
        assert wire.went_to.count(SILENT) > asked


async def test_the_own_side_lives_where_the_second_resolver_answers():
    """A silent first resolver is no dead network: canaries are found by the second one, as any program finds them."""
    async with session_on(four=True, six=False, dead=(SILENT,)) as (session, wire):
        wire.resolvers = (SILENT, "203.0.113.53")
        await own_side(session, "before")
    reached = {o.member for o in session.recorder.observations if isinstance(o.fact, TcpFact) and o.failure is None}
    assert len([member for member in reached if (member or "").startswith("foreign/")]) == 3


async def test_the_own_side_lives_where_the_third_resolver_answers():
    """Whose machine runs none is passed over as a silent one is: canaries, neutral places and pages are found by the third."""
    place = Place(purpose="dns_answers", endpoint=0)
    async with session_on(four=True, six=False, dead=(SILENT,)) as (session, wire):
        wire.resolvers, wire.without_resolver = (SILENT, "203.0.113.55", "203.0.113.53"), ("203.0.113.55",)
        await own_side(session, "before")
        assert await session.neutrals.draw(session, place, ()) is not None
        async with asyncio.TaskGroup() as group:
            about = site(session, group)
            session.own_side_known.set()
            await run(about)
        for lingering in about.lingering:
            lingering.close()
    found = session.recorder.observations
    reached = {o.member for o in found if isinstance(o.fact, TcpFact) and o.failure is None}
    assert len([member for member in reached if (member or "").startswith("foreign/")]) == 3
    assert [o.operation.address for o in found if o.purpose == "baseline" and isinstance(o.fact, TcpFact)] == [FOUR]
    passed = [o.member for o in found if (o.member or "").startswith("system/") and o.failure is None]
    assert passed == ["system/203.0.113.53"]
