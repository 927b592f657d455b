"""Is it my own network? Families of canaries, read round by round.

A family is dead only when members of two different operators failed and none passed: no single company's trouble is
mistaken for ours. A canary passes with a ServerHello, not with a verified chain, so that a wrong clock or an inspecting
gateway is not read as a dead line. Rounds are read separately, and an endpoint is held against those around it.

    link           this host has no way out at all
    upstream       a way out, and nobody answers
    resolver       addresses answer, names do not
    captive_portal the well-known test pages are answered by somebody else (never: by nobody)
    clock          this host's date is off by more than a day
    international  the country answers, the world does not
    filter         everything is decrypted on the way, by an issuer that this host was told to trust

Where somebody has searched for holes (:mod:`probe.verdict.holes`), two rounds and the search together may say ``shutdown`` or
``whitelist``, which no single round can.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from probe.observations import ClockFact, DnsFact, HostFact, HttpFact, Observation, TcpFact, TlsFact
from probe.verdict import addresses, certificates, fingerprints, holes, resolvers
from probe.verdict.model import Finding, NetworkVerdict, Where
from probe.verdict.view import failed, verified

if TYPE_CHECKING:
    from probe.verdict.view import View

DAY_S = 86_400.0
SEASON_S = 90 * DAY_S
"""With a clock wrong by this much, chains of the public web no longer verify: one that does contradicts the clock."""

_UNREACHABLE = ("network_unreachable", "network_down")
_DATES = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED."""

WHERE: dict[str, Where] = {
    "link": "host",
    "upstream": "access",
    "resolver": "access",
    "captive_portal": "lan",
    "clock": "host",
    "international": "transit",
    "filter": "lan",
    "shutdown": "unknown",
    "whitelist": "unknown",
}

_PORTAL_PAGES = {
    "/generate_204": (204, ""),
    "/gen_204": (204, ""),
    "/hotspot-detect.html": (200, "Success"),
    "/library/test/success.html": (200, "Success"),
    "/connecttest.txt": (200, "Microsoft Connect Test"),
    "/ncsi.txt": (200, "Microsoft NCSI"),
    "/success.txt": (200, "success"),
    "/canonical.html": (200, ""),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One canary in one round: ``passed`` is ``None`` while nothing is known; ``stage`` is where it failed."""

    family: str
    where: str
    passed: bool | None
    stage: str | None
    observations: tuple[Observation, ...]

    @property
    def operator(self) -> str:
        return resolvers.operator_of(self.where)


class Round:
    """One round of questions to the own side."""

    def __init__(self, observations: tuple[Observation, ...]) -> None:
        self.observations = observations
        by_member: dict[str, list[Observation]] = defaultdict(list)
        for observation in observations:
            by_member[observation.member or ""].append(observation)
        self.members = tuple(_member(name, tuple(found)) for name, found in sorted(by_member.items()) if "/" in name)

    @property
    def first(self) -> int:
        return min((o.number for o in self.observations), default=0)

    def family(self, *names: str) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.family in names)

    def alive(self, *names: str) -> bool:
        """Whether any member passed."""
        return any(member.passed for member in self.family(*names))

    def dead(self, *names: str) -> bool:
        """Whether members of two operators failed and none passed."""
        members = self.family(*names)
        operators = {member.operator for member in members if member.passed is False}
        return len(operators) >= 2 and not any(member.passed for member in members)

    @cached_property
    def host(self) -> HostFact | None:
        return next((o.fact for o in self.observations if isinstance(o.fact, HostFact)), None)

    @cached_property
    def proxied(self) -> tuple[Observation, ...]:
        """Connections to an address where nobody lives that somebody took."""
        return tuple(o for o in self._taken if o.operation.port != 80)

    @property
    def proxied_pages(self) -> tuple[Observation, ...]:
        """The same on the port of plain pages: a cache, or whoever writes them."""
        return tuple(o for o in self._taken if o.operation.port == 80)

    @cached_property
    def _taken(self) -> tuple[Observation, ...]:
        return tuple(o for m in self.family("transparent") for o in m.observations if m.passed)

    @cached_property
    def verdict(self) -> NetworkVerdict:
        """The first explanation that holds, the nearest to the host first."""
        for method, found in (
            ("link", _link(self)),
            ("clock", _clock(self)),
            ("captive_portal", _captive(self)),
            ("resolver", _resolver(self)),
            ("international", _international(self)),
            ("upstream", _upstream(self)),
            ("filter", _filter(self)),
        ):
            if found is not None:
                return NetworkVerdict(status="no_network", method=method, findings=(finding(method, *found),))
        by_address = self.alive("literal") and self.alive("system", "domestic") and not self.dead("foreign")
        if self.alive("foreign") or by_address:
            healthy = tuple(o for m in self.members if m.passed for o in m.observations)
            return NetworkVerdict(status="ok", findings=(finding("healthy", healthy, {}),))
        return NetworkVerdict(status="inconclusive")


Found = tuple[tuple[Observation, ...], dict[str, object]]
_CONNECTED = ("literal", "foreign", "domestic", "portal")
_QUESTIONS = ("system", "resolver", "clock")
"""What is let out where nothing else is."""


def finding(method: str, observations: tuple[Observation, ...], parameters: dict[str, object]) -> Finding:
    """The finding that a state of the own side is, as the evidence table has it."""
    healthy = method == "healthy"
    return Finding(
        code="own_side_healthy" if healthy else f"own_{method}",
        speaks_for="no_network",
        weight=-1.9 if healthy else 2.0,
        family="own_side",
        basis="behaviour",
        observations=tuple(sorted({o.number for o in observations})),
        parameters=dict(parameters),
        method=None if healthy else method,
        signature=None if healthy else f"network.{method}",
        where=None if healthy else WHERE[method],
    )


# ---------------------------------------------------------------------------------------------------------------------
# one member


def _member(name: str, observations: tuple[Observation, ...]) -> Member:
    family, _, where = name.partition("/")
    passed, stage = _READ.get(family, _by_connection)(observations)
    return Member(family, where, passed, stage, observations)


def _by_connection(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    connects = [o for o in observations if isinstance(o.fact, TcpFact)]
    if any(o.failure is None for o in connects):
        return True, None
    return (False, "tcp") if any(failed(o) for o in connects) else _unknown_or_dns(observations)


def _unknown_or_dns(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    # A name is recorded under its canary only where it gave no address to go to.
    return (False, "dns") if any(isinstance(o.fact, DnsFact) for o in observations) else (None, None)


def _by_server_hello(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    if any(isinstance(o.fact, TlsFact) and o.fact.server_hello for o in observations):
        return True, None
    bad = [o for o in observations if failed(o)]
    if bad:
        return False, bad[-1].operation.kind
    if any(isinstance(o.fact, TcpFact | TlsFact) for o in observations):
        return None, None
    return _unknown_or_dns(observations)


def _by_answer(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    if any(o.failure is None for o in observations):
        return True, None
    return (False, "dns") if any(failed(o) for o in observations) else (None, None)


def _by_reply(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    """A foreign resolver lives when it says anything at all."""
    if any(isinstance(o.fact, DnsFact) and o.fact.rcode is not None for o in observations):
        return True, None
    return _by_answer(observations)


def _by_page(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    pages = [o for o in observations if isinstance(o.fact, HttpFact) and o.fact.status is not None]
    if pages:
        return (False, "page") if _substituted(pages[-1]) else (True, None)
    bad = [o for o in observations if failed(o)]
    return (False, bad[-1].operation.kind) if bad else _unknown_or_dns_only(observations)


def _unknown_or_dns_only(observations: tuple[Observation, ...]) -> tuple[bool | None, str | None]:
    only_dns = bool(observations) and all(isinstance(o.fact, DnsFact) for o in observations)
    return (False, "dns") if only_dns else (None, None)


_READ = {
    "foreign": _by_server_hello,
    "domestic": _by_server_hello,
    "system": _by_answer,
    "resolver": _by_reply,
    "portal": _by_page,
    "clock": _by_answer,
}


def _substituted(observation: Observation) -> bool:
    """Whether somebody else answered for a well-known test page: another page, or a redirect elsewhere.

    An error of the page's own server (5xx but 511) is no substitution, nor is silence.
    """
    fact = observation.fact
    assert isinstance(fact, HttpFact)
    status = fact.status or 0
    if status == 511:  # RFC 6585 §6: Network Authentication Required
        return True
    if observation.failure in ("http_unexpected_status_code", "http_unexpected_redirect_url"):
        return True
    if status >= 500 or status in (403, 404, 429):
        return False
    here, there = fingerprints.host_of(fact.url), fingerprints.host_of(fact.location)
    if 300 <= status < 400:
        return there is not None and resolvers.operator_of(there) != resolvers.operator_of(here or "")
    expected = next((page for path, page in _PORTAL_PAGES.items() if fact.url.partition("?")[0].endswith(path)), None)
    if expected is None:
        return False
    return status != expected[0] or (fact.body is not None and expected[1] not in fact.body)


# ---------------------------------------------------------------------------------------------------------------------
# the states; each gives the observations that show it and what its sentence needs, or None


def _link(now: Round) -> Found | None:
    host = now.host
    shown = tuple(o for o in now.observations if isinstance(o.fact, HostFact))
    if host is not None and host.default_route_v4 is False and host.default_route_v6 is not True:
        return shown, {}
    bad = tuple(o for m in now.members if m.passed is False for o in m.observations if failed(o))
    unreachable = [o for o in bad if o.failure in _UNREACHABLE]
    anyone = any(m.passed for m in now.members)
    if now.dead("literal") and not anyone and len(unreachable) * 2 > len(bad):
        return (*shown, *unreachable), {}
    return None


def _upstream(now: Round) -> Found | None:
    """Nobody at all outside answered, and two families were asked; or no connection was made by any of four, and questions
    alone pass: an empty balance, a line that waits to be opened, a shutdown with a hole.
    """
    silent = all(now.dead(name) for name in _CONNECTED)
    heard = ("transparent", *(_QUESTIONS if silent else ()))
    if any(m.passed for m in now.members if m.family not in heard and not _is_inside(m)):
        return None
    families = [name for name in ("literal", "foreign", "domestic", "resolver") if now.dead(name)]
    if len(families) < 2:
        return None
    return _failures(now, *families), {"families": len(families)}


def _is_inside(member: Member) -> bool:
    """Whether it is a resolver of the own network: a household's router goes on answering from memory without a line."""
    return member.family == "system" and addresses.is_private(member.where)


def _resolver(now: Round) -> Found | None:
    """Names fail at the system's resolvers while addresses answer: literals, or a resolver abroad."""
    if not (now.alive("literal") or now.alive("resolver")) or now.alive("system"):
        return None
    host = now.host
    if host is not None and not host.nameservers and host.nameservers_private is None:
        return tuple(o for o in now.observations if isinstance(o.fact, HostFact)), {"resolvers": "none"}
    nameless = {m.operator for m in now.family("foreign", "domestic", "portal") if m.stage == "dns"}
    reached = any(m.passed for m in now.family("foreign", "domestic"))
    if len(nameless) >= 2 and not reached and now.family("system"):
        return _failures(now, "system", "foreign", "domestic"), {"resolvers": "silent"}
    return None


def _international(now: Round) -> Found | None:
    if now.alive("domestic") and now.dead("foreign") and now.dead("literal") and not now.alive("resolver"):
        passed = tuple(o for m in now.family("domestic") if m.passed for o in m.observations)
        return (*passed, *_failures(now, "foreign", "literal")), {}
    return None


def _captive(now: Round) -> Found | None:
    """Test pages answered by somebody else, none answered right, and no canary abroad with its own certificate."""
    swapped = tuple(m for m in now.family("portal") if m.stage == "page")
    genuine = any(verified(o.fact) for m in now.family("foreign") for o in m.observations)
    if not swapped or now.alive("portal") or genuine:
        return None
    pages = tuple(o for m in swapped for o in m.observations if isinstance(o.fact, HttpFact))
    last = pages[-1].fact
    assert isinstance(last, HttpFact)
    return pages, {"url": last.url, "location": last.location or ""}


def offsets(observations: tuple[Observation, ...]) -> tuple[tuple[Observation, float], ...]:
    """What other clocks said, in seconds ahead of ours: time servers, and the Date header of test pages."""
    found: list[tuple[Observation, float]] = []
    for o in observations:
        offset: float | None = None
        if isinstance(o.fact, ClockFact):
            offset = o.fact.offset_s
        elif isinstance(o.fact, HttpFact):
            offset = o.fact.date_offset_s
        if offset is not None:
            found.append((o, offset))
    return tuple(found)


def _clock(now: Round) -> Found | None:
    """Other clocks agree that ours is off by more than a day, and no chain that verifies now says otherwise."""
    told = offsets(now.observations)
    if not told:
        return None
    middle = statistics.median(offset for _, offset in told)
    agreed = [o for o, offset in told if abs(offset - middle) < DAY_S]
    genuine = any(verified(o.fact) for o in now.observations)
    if abs(middle) <= DAY_S or len(agreed) * 2 <= len(told) or (genuine and abs(middle) > SEASON_S):
        return None
    return tuple(agreed), {"offset_s": round(middle), "days": round(abs(middle) / DAY_S, 1)}


def _filter(now: Round) -> Found | None:
    """Two operators' canaries show chains of one issuer that only this host trusts."""
    by_issuer: dict[str, set[str]] = defaultdict(set)
    shown: dict[str, list[Observation]] = defaultdict(list)
    for member in now.family("foreign"):
        for o in member.observations:
            issuer = certificates.os_trusted_issuer(o.fact)
            if issuer is not None and certificates.national(o.fact) is None:
                by_issuer[issuer].add(member.operator)
                shown[issuer].append(o)
    for issuer, operators in sorted(by_issuer.items()):
        if len(operators) >= 2:
            return tuple(shown[issuer]), {"issuer": issuer, "users": certificates.users_of(issuer)}
    return None


def _failures(now: Round, *families: str) -> tuple[Observation, ...]:
    return tuple(o for m in now.family(*families) if m.passed is False for o in m.observations)


# ---------------------------------------------------------------------------------------------------------------------
# the whole own side


@dataclass(frozen=True, slots=True)
class OwnSide:
    """All rounds of a run, and what they say together."""

    rounds: tuple[Round, ...]
    verdict: NetworkVerdict
    ipv6: bool | None
    """``False``: this network does not carry IPv6 (no route, or every connection over it failed)."""
    searched: tuple[Observation, ...] = ()
    """What a search for holes saw."""

    def around(self, number: int) -> tuple[Round, ...]:
        """The last round begun before observation *number*, and the first begun after it."""
        before = [r for r in self.rounds if r.first <= number][-1:]
        after = [r for r in self.rounds if r.first > number][:1]
        return tuple(before + after)

    @property
    def proxied(self) -> tuple[Observation, ...]:
        """Observations that show a transparent proxy."""
        return tuple(o for r in self.rounds for o in r.proxied)

    @property
    def proxied_pages(self) -> tuple[Observation, ...]:
        """Observations that show that somebody takes every plain request."""
        return tuple(o for r in self.rounds for o in r.proxied_pages)

    @property
    def takes_no_pages(self) -> bool:
        """Whether it was tried if somebody takes every plain request, and nobody did."""
        tried = [
            o for r in self.rounds for m in r.family("transparent") for o in m.observations if o.operation.port == 80
        ]
        return bool(tried) and not self.proxied_pages

    @property
    def pages_swapped(self) -> bool:
        """Whether the test pages of two operators were somebody else's, and none ever was right."""
        portals = [m for r in self.rounds for m in r.family("portal")]
        swapped = {resolvers.operator_of(fingerprints.host_of(m.where) or "") for m in portals if m.stage == "page"}
        return len(swapped) >= 2 and not any(m.passed for m in portals)

    @property
    def may_be_shut(self) -> bool:
        """Whether a search for holes could tell more than that nobody abroad answers."""
        unexplained = self.verdict.method in (None, "upstream", "international")
        return bool(self.rounds) and unexplained and self.rounds[-1].dead("foreign")

    @property
    def observations(self) -> tuple[Observation, ...]:
        return tuple(o for r in self.rounds for o in r.observations)

    def clock_is_good(self) -> bool:
        """Whether the date of this host is known to be right within a day: told so, or a chain verified."""
        told = [offset for _, offset in offsets(self.observations)]
        if told:
            return abs(statistics.median(told)) <= DAY_S
        return any(verified(o.fact) for o in self.observations)

    def issuers(self) -> frozenset[str]:
        """Issuers that canaries showed and the shipped store does not verify."""
        found = (certificates.unknown_issuer(o.fact) for o in self.observations)
        return frozenset(issuer for issuer in found if issuer is not None)


def read_own_side(view: View) -> OwnSide:
    """The own side of a run, from whatever has been observed so far."""
    by_round: dict[tuple[str, int], list[Observation]] = defaultdict(list)
    searched = tuple(o for o in view.own_observations if o.group == holes.GROUP)
    for o in view.own_observations:
        if o.group != holes.GROUP:
            by_round[(o.group or "", o.round or 0)].append(o)
    rounds = sorted((Round(tuple(found)) for found in by_round.values()), key=lambda r: r.first)
    ipv6 = _ipv6(view)
    return OwnSide(tuple(rounds), _together(rounds, ipv6, searched), ipv6, searched)


def _together(rounds: list[Round], ipv6: bool | None, searched: tuple[Observation, ...]) -> NetworkVerdict:
    known = [r.verdict for r in rounds if r.verdict.status != "inconclusive"]
    impairments = ["ipv6_broken"] if ipv6 is False and _has_route6(rounds) else []
    if any(r.proxied for r in rounds):
        impairments.append("transparent_proxy")
    if (told := holes.read(rounds, searched)) is not None:
        return NetworkVerdict(
            status="no_network", method=told[0], findings=(finding(*told),), impairments=tuple(impairments)
        )
    if not known:
        return NetworkVerdict(status="inconclusive", impairments=tuple(impairments))
    last = known[-1]
    if len({(verdict.status, verdict.method) for verdict in known}) > 1:
        impairments.append("own_side_unsteady")
    return NetworkVerdict(
        status=last.status, method=last.method, findings=last.findings, impairments=tuple(impairments)
    )


def _has_route6(rounds: list[Round]) -> bool:
    return any(r.host is not None and r.host.default_route_v6 for r in rounds)


def _ipv6(view: View) -> bool | None:
    """Whether IPv6 goes anywhere: a canary says, or the connections of the run to two operators at least."""
    own = [(o.member or "", o) for o in view.own_observations if (o.member or "").startswith("ipv6/")]
    tried = [(member.partition("/")[2], o) for member, o in own if isinstance(o.fact, TcpFact)]
    if not own:
        tried = [(o.operation.name or o.operation.address or "", o) for o in view.everywhere("baseline", "tcp", "v6")]
    if any(o.failure is None for _, o in tried):
        return True
    operators = {resolvers.operator_of(where) for where, o in tried if failed(o)}
    if len(operators) >= (1 if own else 2):
        return False
    hosts = [o.fact for o in view.own_observations if isinstance(o.fact, HostFact)]
    return False if hosts and all(host.default_route_v6 is False for host in hosts) else None


def judge_network(view: View) -> NetworkVerdict:
    """The state of the own side: ``ok``, ``no_network`` with its method, or ``inconclusive``; usable at any moment."""
    return view.own_side.verdict


__all__ = ["Member", "OwnSide", "Round", "judge_network", "read_own_side"]
