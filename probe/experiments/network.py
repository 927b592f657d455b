"""The own side, before any platform is blamed: link, resolver, captive portal, canaries, clock.

Small questions to many operators: a family has failed only when members of different operators fail, so no single
company's trouble is mistaken for ours. Every operation is an observation with its canary as ``member``.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Collection
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Literal

from probe.experiments.places import connectable
from probe.experiments.questions import MOST_RESOLVERS, NO_WORD, in_order, in_turn
from probe.experiments.session import guarded
from probe.experiments.steps import Place, arm, connect
from probe.instruments import dns, ntp, tls
from probe.observations import ClockFact, DnsFact, HostFact, Operation
from probe.verdict import addresses

if TYPE_CHECKING:
    from probe.experiments.session import Session
    from probe.wire.resolvers import Nameserver
    from targets.model import Canary

ONLY_IPV4 = "ipv4only.arpa"
"""RFC 7050: a name that has IPv4 addresses and no others, whoever is asked."""
NOWHERE = "192.0.2.1"
"""RFC 5737: nobody lives there, so whoever answers stands in the way (a transparent proxy)."""
_SECOND_SYN = 1.5
"""Of the least that is waited for an answer, which is a second: what a second SYN (RFC 6298 §2.1) takes to be answered."""


async def own_side(session: Session, group: str, number: int = 0) -> None:
    """One round. Cheap: about ten small flows, each with the same short deadline."""
    _host(session, group, number)
    if session.translator_asked is not None:
        await guarded(session, "network", _translator(session, group, number), endpoint=None)
        session.translator_asked.set()
    questions = [
        *_resolvers(session, group, number),
        *_literals(session, group, number),
        *_names(session, group, number),
        *_portals(session, group, number),
        *_clocks(session, group, number),
        *_version_6(session, group, number),
    ]
    if group == "after" or session.trouble.is_set():
        # Silence is the healthy answer here, so it is waited for only once something has failed: in a daemon's round that may
        # be before the first whole look, and then there is no later one.
        questions += [_nowhere(session, group, number, port) for port in (443, 80)]
    async with asyncio.TaskGroup() as asking:
        for question in questions:
            asking.create_task(guarded(session, "network", question, endpoint=None))


Also = Literal["page", "greet", "clock"]


async def glance(
    session: Session, group: str, number: int, *, turn: int | None = None, also: Collection[Also] = ()
) -> None:
    """A small look: one question to the first resolver and one connection, to canaries in turn. Enough as long as it is well.

    *turn*: whose turn it is; by chance without one. *also*: ``page`` asks for a test page, without which a captive portal would
    pass for the Internet; ``greet`` shakes hands with a site abroad; ``clock`` asks the time.
    """
    turn = turn if turn is not None else session.wire.random.randrange(1000)
    _host(session, group, number)
    if session.translator_asked is not None:
        await guarded(session, "network", _translator(session, group, number), endpoint=None)
        session.translator_asked.set()
    patience_s = session.settings.deadlines.own_side
    asked: list[Awaitable[None]] = [
        _ask(session, _place(group, number, f"system/{server.address}"), server.address, canary.where, system=True)
        for canary in _in_turn(session.canaries.family("foreign"), turn)
        for server in session.wire.nameservers()[:1]
    ]
    asked += [
        _touch(session, _place(group, number, f"literal/{canary.where}"), canary.where, patience_s)
        for canary in _in_turn(session.canaries.family("literal"), turn)
    ]
    if "page" in also:
        asked += [
            _portal(session, _place(group, number, f"portal/{canary.where}"), canary)
            for canary in _in_turn(session.canaries.family("portal"), turn)
        ]
    if "greet" in also:
        asked += [
            _greet(session, _place(group, number, f"foreign/{canary.where}"), canary, verify=True)
            for canary in _in_turn(session.neutrals.canaries, turn)
        ]
    if "clock" in also:
        asked += [
            _clock(session, _place(group, number, f"clock/{canary.where}"), canary)
            for canary in _in_turn(session.canaries.family("clock"), turn)
        ]
    async with asyncio.TaskGroup() as asking:
        for question in asked:
            asking.create_task(guarded(session, "network", question, endpoint=None))


def _in_turn(members: tuple[Canary, ...], turn: int) -> tuple[Canary, ...]:
    """The one member whose turn it is, if there are any."""
    return (members[turn % len(members)],) if members else ()


def _place(group: str, number: int, member: str) -> Place:
    return Place(purpose="own_side", group=group, round=number, member=member)


class _Patience:
    """One canary's deadline, shared by all of its steps: what is left of it when the next one begins."""

    def __init__(self, session: Session) -> None:
        self._wire = session.wire
        self._whole_s = session.settings.deadlines.own_side
        self.renew()

    def renew(self) -> None:
        """Begin anew."""
        self._until = self._wire.monotonic() + self._whole_s

    @property
    def left_s(self) -> float:
        return max(0.05, self._until - self._wire.monotonic())


def _host(session: Session, group: str, number: int) -> None:
    state, servers = session.wire.host(), session.wire.nameservers()
    fact = HostFact(
        default_route_v4=state.default_route_v4,
        default_route_v6=state.default_route_v6,
        nameservers=tuple(server.address for server in servers if not server.is_private),
        nameservers_private=any(server.is_private for server in servers) if servers else None,
        tunnels=state.tunnels,
        proxies=state.proxies,
        in_container=state.in_container,
        suspended_s=state.suspended_s,
    )
    session.has_ipv6 = bool(state.default_route_v6)
    if not state.default_route_v6 or state.default_route_v4 is not False:
        session.wire.translator = None  # one that served an earlier network serves nobody here
    elif session.translator_asked is None:
        session.translator_asked = asyncio.Event()
    session.record(Operation(fact=fact, started_us=session.wire.now_us()), **_place(group, number, "host").fields())


# ---------------------------------------------------------------------------------------------------------------------
# resolvers


def _resolvers(session: Session, group: str, number: int) -> list[Awaitable[None]]:
    names = [canary.where for canary in session.neutrals.canaries]
    servers = session.wire.nameservers()[:MOST_RESOLVERS]
    asked: list[Awaitable[None]] = [
        _ask(session, _place(group, number, f"system/{server.address}"), server.address, name, system=True)
        for server, name in zip(servers, names, strict=False)
    ]
    foreign = session.canaries.family("resolver")[:2]
    return asked + [
        _ask(session, _place(group, number, f"resolver/{canary.where}"), canary.where, names[-1], system=False)
        for canary in foreign
        if names
    ]


async def _ask(session: Session, place: Place, server: str, name: str, *, system: bool) -> None:
    from probe.wire.resolvers import Nameserver

    deadlines = session.settings.deadlines
    ask = functools.partial(
        dns.ask_udp,
        session.wire,
        Nameserver(server),
        dns.Question(name),
        role="system" if system else "foreign",
        deadline_s=deadlines.own_side,
        resend_s=deadlines.dns_resend,
    )
    if system:
        asked = await in_turn(session, ask, refused=functools.partial(session.record, **place.fields()), urgent=True)
    else:
        await session.pacer.flow()
        asked = await ask()
    asked.lingering.close()
    session.record(asked.operation, **place.fields())


async def _resolve(session: Session, place: Place, name: str, patience: _Patience, *, qtype: str = "A") -> str | None:
    """An address of *name* from the system's resolvers, the next one where one is silent or fails, as a stub asks; only a
    failure is recorded under the member, and of AAAA not that: most names without one are in order.
    """
    silent = session.silent_resolvers
    known_silent = frozenset(silent)
    for server in in_order(session):
        ask = functools.partial(_ask_for, session, server, dns.Question(name, qtype), patience)
        asked = await in_turn(session, ask, refused=functools.partial(session.record, **place.fields()), urgent=True)
        asked.lingering.close()
        fact = asked.operation.fact
        assert isinstance(fact, DnsFact)
        usable = [address for address in fact.addresses if connectable(address)]
        if usable:
            return usable[0]
        if qtype == "A":
            session.record(asked.operation, **place.fields())
        if asked.operation.failure not in NO_WORD or server.address in known_silent:
            return None
        if asked.operation.failure == "generic_timeout_error":
            silent.add(server.address)
    return None


async def _ask_for(session: Session, server: Nameserver, question: dns.Question, patience: _Patience) -> dns.UdpAsked:
    # Its turn and a rest after a refusal are our own waiting: the canary's patience begins with the question.
    patience.renew()
    return await dns.ask_udp(
        session.wire,
        server,
        question,
        role="system",
        deadline_s=patience.left_s,
        resend_s=session.settings.deadlines.dns_resend,
    )


# ---------------------------------------------------------------------------------------------------------------------
# canaries


def _literals(session: Session, group: str, number: int) -> list[Awaitable[None]]:
    return [
        _touch(
            session, _place(group, number, f"literal/{canary.where}"), canary.where, session.settings.deadlines.own_side
        )
        for canary in session.canaries.family("literal")
    ]


async def _touch(session: Session, place: Place, address: str, deadline_s: float, port: int = 443) -> None:
    stream = await connect(session, place, address, port, deadline_s=deadline_s)
    if stream is not None:
        stream.close()


async def _nowhere(session: Session, group: str, number: int, port: int) -> None:
    # Whoever answers for an address that nobody has is near. Systems send a second SYN after a second: an answer to that one
    # is waited for as well, or one lost packet hides the proxy.
    member = f"transparent/{NOWHERE}" + (f":{port}" if port != 443 else "")
    patience_s = _SECOND_SYN * session.settings.deadlines.arm_floor
    await _touch(session, _place(group, number, member), NOWHERE, patience_s, port)


def _names(session: Session, group: str, number: int) -> list[Awaitable[None]]:
    foreign = session.neutrals.canaries
    domestic = session.canaries.family("domestic")[:2]
    return [
        *(_greet(session, _place(group, number, f"foreign/{c.where}"), c, verify=True) for c in foreign),
        *(_greet(session, _place(group, number, f"domestic/{c.where}"), c, verify=False) for c in domestic),
    ]


async def _greet(session: Session, place: Place, canary: Canary, *, verify: bool) -> None:
    """Resolve, connect, shake hands. Domestic sites may have a national certificate: their first record is enough."""
    patience = _Patience(session)
    address = await _resolve(session, place, canary.where, patience)
    if address is None:
        return
    if not verify:
        await arm(session, place, address, 443, sni=canary.where, deadline_s=patience.left_s, connect_s=patience.left_s)
        return
    stream = await connect(session, place, address, 443, name=canary.where, deadline_s=patience.left_s)
    if stream is None:
        return
    shaken = await tls.handshake(
        session.wire,
        stream,
        hello=tls.Hello(sni=canary.where),
        trust=session.trust,
        host=canary.where,
        deadline_s=patience.left_s,
    )
    session.record(shaken.operation, **place.fields())
    if shaken.stream is not None:
        shaken.stream.close()


async def well_known_sites(session: Session) -> None:
    """Greet this run's foreign canaries and nobody else: what a control shows of its own line."""
    async with asyncio.TaskGroup() as group:
        for canary in session.neutrals.canaries:
            group.create_task(_greet(session, _place("before", 0, f"foreign/{canary.where}"), canary, verify=True))


# ---------------------------------------------------------------------------------------------------------------------
# IPv6, where this host has it


def _version_6(session: Session, group: str, number: int) -> list[Awaitable[None]]:
    """Two operators' canaries over IPv6, and what the resolver makes of a name that has only IPv4."""
    if not session.has_ipv6 or 6 not in session.settings.families:
        return []
    asked: list[Awaitable[None]] = [
        _touch_6(session, _place(group, number, f"ipv6/{canary.where}"), canary.where)
        for canary in session.neutrals.canaries[:2]
    ]
    # Behind a translator alone this was asked first of all.
    return asked if session.translator_asked is not None else [*asked, _translator(session, group, number)]


async def _touch_6(session: Session, place: Place, name: str) -> None:
    patience = _Patience(session)
    address = await _resolve(session, place, name, patience, qtype="AAAA")
    if address is None or _is_translated(session, address):
        return
    stream = await connect(session, place, address, 443, name=name, deadline_s=patience.left_s)
    session.over_ipv6[name] = stream is not None
    if stream is not None:
        stream.close()


def _is_translated(session: Session, address: str) -> bool:
    """Whether an IPv6 address is an IPv4 one behind a translator, whose death would say nothing about IPv6."""
    known = session.wire.translator
    prefixes = (IPv6Network(f"{known}/96"),) if known is not None else ()
    parsed = addresses.parse(address)
    return parsed is not None and addresses.unwrap(parsed, prefixes).version == 4


async def _translator(session: Session, group: str, number: int) -> None:
    """Ask for the IPv6 address of a name that has none: a resolver that gives one speaks for a translator (RFC 7050)."""
    servers = session.wire.nameservers()
    if not servers:
        return
    deadlines = session.settings.deadlines
    ask = functools.partial(
        dns.ask_udp,
        session.wire,
        servers[0],
        dns.Question(ONLY_IPV4, "AAAA"),
        role="system",
        deadline_s=deadlines.own_side,
        resend_s=deadlines.dns_resend,
    )
    place = _place(group, number, f"nat64/{ONLY_IPV4}")
    asked = await in_turn(session, ask, refused=functools.partial(session.record, **place.fields()), urgent=True)
    asked.lingering.close()
    session.record(asked.operation, **place.fields())
    fact = asked.operation.fact
    assert isinstance(fact, DnsFact)
    prefixes = addresses.prefixes_of(fact.addresses)
    if prefixes and session.translator_asked is not None:
        session.wire.translator = str(prefixes[0].network_address)


# ---------------------------------------------------------------------------------------------------------------------
# captive portals and the clock


def _portals(session: Session, group: str, number: int) -> list[Awaitable[None]]:
    portals = list(session.canaries.family("portal"))
    session.wire.random.shuffle(portals)
    return [_portal(session, _place(group, number, f"portal/{c.where}"), c) for c in portals[:2]]


async def _portal(session: Session, place: Place, canary: Canary) -> None:
    from urllib.parse import urlsplit

    host = urlsplit(canary.where).hostname or ""
    patience = _Patience(session)
    address = await _resolve(session, place, host, patience)
    if address is None:
        return
    stream = await connect(session, place, address, 80, name=host, deadline_s=patience.left_s)
    if stream is None:
        return
    from probe.instruments import http

    operation = await http.request(
        session.wire,
        stream,
        method="GET",
        url=canary.where,
        user_agent=session.settings.user_agent,
        verified_chain=False,
        head_deadline_s=patience.left_s,
        body_deadline_s=patience.left_s,
        body_cap=4096,
        header_cap=session.settings.budgets.headers,
        keep_body=True,
    )
    session.record(operation, **place.fields())


def _clocks(session: Session, group: str, number: int) -> list[Awaitable[None]]:
    return [
        _clock(session, _place(group, number, f"clock/{canary.where}"), canary)
        for canary in session.canaries.family("clock")[:1]
    ]


async def _clock(session: Session, place: Place, canary: Canary) -> None:
    patience = _Patience(session)
    address = await _resolve(session, place, canary.where, patience)
    if address is None:
        return
    await session.pacer.flow()
    operation = await ntp.ask(session.wire, address, deadline_s=patience.left_s)
    assert isinstance(operation.fact, ClockFact)
    session.record(operation, **place.fields())
