"""Who says what about the name, and which of the answers is right?

The system's resolver is set against foreign ones (plain and encrypted), against an address that runs no resolver, and
against itself (a random label, checking disabled, a never-asked label for its speed). An answer is right if TLS on it
verifies for the name: address sets are never compared, content networks answer differently to everyone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Literal

from probe.experiments import dns_way
from probe.experiments.apps.table import spoken_again
from probe.experiments.places import connectable, is_literal
from probe.experiments.questions import REFUSAL_GAP_S, in_order
from probe.experiments.steps import Place, connect, fetch, verified
from probe.instruments import dns
from probe.observations import DnsFact, Operation, ResolverRole, TcpFact
from probe.verdict.findings.dns import proves_a_lie
from probe.verdict.view import View
from probe.wire.resolvers import Nameserver

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from targets.model import Canary

AD_NAME = "doubleclick.net"
"""What household filters refuse first; a resolver that refuses it and not a random label is somebody's filter."""

_MOST_ADDRESSES = 3
_ENCRYPTED = ("dot", "doh")
_REFUSAL_ROUNDS = 2
"""Besides the baseline, which asks a refusal among many questions again by itself."""


async def run(site: Site) -> None:
    """Ask around, then try the addresses that anybody answered."""
    if is_literal(site.host) or ("dns" not in site.suspicions and not await site.still_asks()):
        return
    if site.turns.crowded and site.suspicions.keys() <= {"tcp", "tls", "http"} and await _same_in_secret(site):
        return
    async with asyncio.TaskGroup() as group:
        for question in (*_system(site), _no_resolver(site, tuple(site.addresses))):
            group.create_task(_quietly(question))
        group.create_task(_foreign_and_their_answers(site))
    await dns_way.follow(site)


async def _same_in_secret(site: Site) -> bool:
    """Whether one who nobody on the way can answer for has the same address for the name as this network: then DNS is not the
    trouble, and among many endpoints no more is asked of it.
    """
    resolvers = list(site.session.canaries.family("resolver"))
    site.wire.random.shuffle(resolvers)
    for resolver in resolvers[:2]:
        fact = (await _doh(site, resolver)).fact
        if isinstance(fact, DnsFact) and fact.addresses:
            return bool(set(fact.addresses) & set(site.addresses))
    return False


async def _foreign_and_their_answers(site: Site) -> None:
    """Each answer is tried as it comes: where some ways of asking are shut, the others are not kept waiting."""
    mine = [address for address in site.addresses if connectable(address)][:1]
    others: set[str] = set()
    async with asyncio.TaskGroup() as group:
        for address in mine:
            group.create_task(_try(site, address, from_system=True))
        for question in _foreign(site):
            group.create_task(_and_try(site, question, mine, others))


async def _and_try(site: Site, question: Awaitable[Operation | None], mine: Sequence[str], others: set[str]) -> None:
    """*mine* and *others*: addresses that are being tried, the one that this network gave and those that were told abroad."""
    operation = await question
    fact = operation.fact if operation is not None else None
    if not isinstance(fact, DnsFact):
        return
    if fact.transport in _ENCRYPTED:
        _stop_waiting_for_a_lie(site)
    fresh = [address for address in fact.addresses if connectable(address) and address not in (*mine, *others)]
    # What nobody on the way could write is always tried, however much came before it.
    least = 1 if fact.transport in _ENCRYPTED else 0
    async with asyncio.TaskGroup() as group:
        for address in fresh[: max(least, _MOST_ADDRESSES - len(others))]:
            others.add(address)
            group.create_task(_try(site, address, from_system=False))


async def _quietly(question: Awaitable[Operation | None]) -> Operation | None:
    return await question


# ---------------------------------------------------------------------------------------------------------------------
# foreign resolvers


def _foreign(site: Site) -> list[Awaitable[Operation | None]]:
    resolvers = list(site.session.canaries.family("resolver"))
    site.wire.random.shuffle(resolvers)
    asked: list[Awaitable[Operation | None]] = [_plain(site, Nameserver(resolver.where)) for resolver in resolvers[:2]]
    if resolvers:
        asked.append(_tcp(site, resolvers[0]))
        asked.append(_dot(site, resolvers[-1]))
        asked.extend(_doh(site, resolver) for resolver in resolvers[:2])
    return asked


async def _plain(site: Site, server: Nameserver) -> Operation:
    """Ask in clear; where the name meets silence here as at home, once more beside an innocuous one."""
    operation = await _udp(site, server, "foreign", "foreign", site.host)
    if _unanswered(operation) and _name_meets_silence(site):
        await _both(site, server, "foreign", site.session.neutrals.innocuous(site.host, site.host), round_=1)
    return operation


def _unanswered(operation: Operation) -> bool:
    return operation.failure == "generic_timeout_error"


def _name_meets_silence(site: Site) -> bool:
    """Whether the system's resolver has said nothing about the name so far."""
    operation = site.suspicions.get("dns")
    return "dns" in site.suspicions and (operation is None or _unanswered(operation))


async def _both(
    site: Site,
    server: Nameserver,
    role: Literal["foreign", "no_resolver"],
    innocuous: str,
    *,
    round_: int,
    edns: bool = True,
) -> tuple[Operation, Operation]:
    """The name and an innocuous one in the same moment: (what came of the name, what of the other)."""
    async with asyncio.TaskGroup() as both:
        other = both.create_task(_udp(site, server, role, role, innocuous, innocuous=True, round_=round_, edns=edns))
        target = both.create_task(_udp(site, server, role, role, site.host, round_=round_, edns=edns))
    return target.result(), other.result()


async def _udp(
    site: Site,
    server: Nameserver,
    role: ResolverRole,
    group: str,
    name: str,
    *,
    innocuous: bool = False,
    validate: bool = True,
    qtype: str = "A",
    round_: int | None = None,
    edns: bool = True,
) -> Operation:
    """One question; ``validate=False`` asks the resolver to answer even what fails DNSSEC (RFC 4035 §3.2.2)."""
    await site.session.pacer.flow()
    if role == "system":
        await site.session.questions.turn()
    deadlines = site.settings.deadlines
    asked = await dns.ask_udp(
        site.wire,
        server,
        dns.Question(name, qtype, checking_disabled=not validate, dnssec_ok=not validate, edns=edns),
        role=role,
        deadline_s=deadlines.dns,
        resend_s=deadlines.dns_resend,
    )
    arm = "innocuous" if innocuous else "target"
    site.record(asked.operation, purpose="dns_answers", group=group, arm=arm, round=round_)
    site.lingering.append(asked.lingering)
    return asked.operation


async def _tcp(site: Site, resolver: Canary) -> Operation:
    await site.session.pacer.flow()
    operation = await dns.ask_tcp(
        site.wire,
        Nameserver(resolver.where),
        dns.Question(site.host),
        role="foreign",
        deadline_s=site.settings.deadlines.connect,
    )
    site.record(operation, purpose="dns_answers", group="tcp")
    return operation


async def _dot(site: Site, resolver: Canary) -> Operation:
    await site.session.pacer.flow()
    operation = await dns.ask_dot(
        site.wire,
        Nameserver(resolver.where, 853),
        dns.Question(site.host),
        role="foreign",
        trust=site.session.trust,
        server_name=None,
        deadline_s=site.settings.deadlines.connect,
    )
    site.record(operation, purpose="dns_answers", group="dot")
    return operation


async def _doh(site: Site, resolver: Canary, question: dns.Question | None = None, group: str = "doh") -> Operation:
    await site.session.pacer.flow()
    operation = await dns.ask_doh(
        site.wire,
        resolver.where,
        question or dns.Question(site.host),
        url=f"https://{resolver.where}/dns-query",
        role="foreign",
        trust=site.session.trust,
        deadline_s=site.settings.deadlines.connect,
    )
    site.record(operation, purpose="dns_answers", group=group)
    return operation


# ---------------------------------------------------------------------------------------------------------------------
# the system's resolver against itself


def _system(site: Site) -> list[Awaitable[Operation | None]]:
    servers = site.wire.nameservers()
    if not servers:
        return []
    server = servers[0]
    letters = "".join(site.wire.random.choices("abcdefghijklmnopqrstuvwxyz", k=14))
    asked: list[Awaitable[Operation | None]] = [
        # A name that cannot exist: whoever answers it rewrites NXDOMAIN.
        _udp(site, server, "system", "random_label", f"{letters}.com", innocuous=True),
        _unchecked(site, server),
        _udp(site, server, "system", "filter", AD_NAME, innocuous=True),
        *(_udp(site, other, "system", "other", site.host) for other in servers[1:3]),
    ]
    if server.is_private:
        # Answered as fast as the gateway replies, it was made there; a forwarder would have had to ask.
        asked.append(_udp(site, server, "system", "never_asked", f"{letters}.{site.host}"))
        asked.append(_way_to(site, server))
    if _refused(site):
        asked.append(_again(site, server))
    return asked


async def _unchecked(site: Site, server: Nameserver) -> Operation:
    """The name again, to be answered even if its signatures are broken; and who runs the zone that a denial names.

    A resolver that remembers a true denial remembers its zone's SOA with it (RFC 2308 §5); one that denies by a list of
    its own has none, or its own. DNS abroad knows which.
    """
    operation = await _udp(site, server, "system", "cd", site.host, validate=False)
    fact = operation.fact
    soa = fact.soa if isinstance(fact, DnsFact) and operation.failure == "dns_nxdomain_error" else None
    resolvers = list(site.session.canaries.family("resolver"))
    if soa is not None and resolvers and site.host.lower().endswith(f".{soa.zone}"):
        site.wire.random.shuffle(resolvers)
        async with asyncio.TaskGroup() as both:
            both.create_task(_doh(site, resolvers[0], dns.Question(soa.zone, "SOA"), "parent"))
            plain = _udp(site, Nameserver(resolvers[-1].where), "foreign", "parent", soa.zone, qtype="SOA")
            both.create_task(plain)
    return operation


def _refused(site: Site) -> bool:
    operation = site.suspicions.get("dns")
    return operation is not None and operation.failure == "dns_refused_error"


async def _again(site: Site, server: Nameserver) -> None:
    """Is it the name that is refused, or whoever asks too much? Slowly, in turn with an innocuous name."""
    for number in range(_REFUSAL_ROUNDS):
        await site.wire.sleep(REFUSAL_GAP_S * site.settings.deadline_scale)
        innocuous = site.session.neutrals.innocuous(site.host, site.host)
        for name, is_innocuous in ((innocuous, True), (site.host, False)):
            await _udp(site, server, "system", "again", name, innocuous=is_innocuous, round_=number)


async def _way_to(site: Site, server: Nameserver) -> None:
    """How far the household's resolver is, by a connection: taken or refused, it needs one way there and back."""
    place = Place(purpose="dns_answers", endpoint=site.number, group="gateway")
    if connectable(server.address):
        stream = await connect(
            site.session, place, server.address, server.port, deadline_s=site.settings.deadlines.own_side
        )
        if stream is not None:
            stream.close()


async def without_edns(site: Site, found: tuple[str, ...]) -> None:
    """The C library alone was lied to; it asks without EDNS. Is that what somebody on the way goes by, or is it this host?

    Old devices know only questions as RFC 1035 has them. *found* are the addresses that we were given.
    """
    servers = in_order(site.session)
    async with asyncio.TaskGroup() as both:
        if servers:
            both.create_task(_udp(site, servers[0], "system", "no_edns", site.host, edns=False))
        both.create_task(_no_resolver(site, found, edns=False))


async def _no_resolver(site: Site, unlike: tuple[str, ...], *, edns: bool = True) -> Operation | None:
    """Ask T and I of an address that runs no resolver: an answer to T alone was put in on the way.

    Where the machine itself says that nobody listens, silence about T alone tells that T did not get there: once more then.
    """
    place = Place(purpose="dns_answers", endpoint=site.number)
    neutral = await site.session.neutrals.draw(site.session, place, unlike)
    if neutral is None:
        return None
    server = Nameserver(neutral.address)
    innocuous = site.session.neutrals.innocuous(site.host, neutral.name)
    target, other = await _both(site, server, "no_resolver", innocuous, round_=0, edns=edns)
    if _unanswered(target) and other.failure == "connection_refused" and _name_meets_silence(site):
        await _both(site, server, "no_resolver", innocuous, round_=1, edns=edns)
    _stop_waiting_for_a_lie(site)
    return target


# ---------------------------------------------------------------------------------------------------------------------
# which answer is right


async def _try(site: Site, address: str, *, from_system: bool) -> None:
    if ":" in address and not site.session.uses_ipv6:
        return
    place = Place(purpose="dns_answers", endpoint=site.number, group=f"address/{address}")
    app = site.asked.endpoint.app
    if app is not None and app.transport == "udp":
        await spoken_again(site, place, address)
        return
    if site.scheme == "tcp" or (app is not None and app.transport == "tcp"):
        stream = await connect(site.session, place, address, site.port, name=site.host)
        if stream is not None:
            stream.close()
        return
    right = await verified(site, place, address, 443, deadline_s=site.settings.deadlines.tls_soft)
    if right:
        _stop_waiting_for_a_lie(site)
    if from_system and not right and _speaks(site, address):
        await _page_there(site, address)


def _stop_waiting_for_a_lie(site: Site) -> None:
    """Wait no longer than is enough at the addresses that were given for the name, once it is proven that DNS lied."""
    waits = site.session.waits
    if waits.may_be_shortened(site.number):
        case = View(site.session.recorder.observations, site.session.asked).case(site.asked)
        if proves_a_lie(case):
            waits.shorten(site.number)


def _speaks(site: Site, address: str) -> bool:
    """Whether the address took a connection or refused one: one that is silent would show no page either.

    Asked of what was recorded, not of what was suspected: a connection that was slow is no silence.
    """
    silence = ("generic_timeout_error", "interrupted")
    return any(
        o.endpoint == site.number and o.operation.address == address and o.failure not in silence
        for o in site.session.recorder.observations
        if isinstance(o.fact, TcpFact)
    )


async def _page_there(site: Site, address: str) -> None:
    """What a browser would be shown at an address whose TLS is not the site's: a block page says so in plain words."""
    place = Place(purpose="dns_answers", endpoint=site.number, group=f"page/{address}")
    stream = await connect(site.session, place, address, 80, name=site.host)
    if stream is not None:
        await fetch(site, place, stream, verified_chain=False, url=f"http://{site.host}/")
