"""Is it my own network? One round of questions to families of canaries, and the state that it shows.

A family is dead only when members of two different operators failed and none passed: no single company's trouble is
mistaken for ours.

    link           this host has no way out at all
    upstream       a way out, and nobody answers
    resolver       addresses answer, names do not
    captive_portal the well-known test pages are answered by somebody else (never: by nobody)
    clock          this host's date is off by more than a day
    international  the country answers, the world does not
    filter         everything is decrypted on the way, by an issuer that this host was told to trust
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from functools import cached_property

from probe.observations import ClockFact, HostFact, HttpFact, Observation
from probe.verdict import addresses, certificates
from probe.verdict.canaries import Member, read_member
from probe.verdict.facts import failed, verified
from probe.verdict.model import Finding, NetworkVerdict, Where

DAY_S = 86_400.0
SEASON_S = 90 * DAY_S
"""With a clock wrong by this much, chains of the public web no longer verify: one that does contradicts the clock."""

_UNREACHABLE = ("network_unreachable", "network_down")

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


class Round:
    """One round of questions to the own side."""

    def __init__(self, observations: tuple[Observation, ...]) -> None:
        self.observations = observations
        by_member: dict[str, list[Observation]] = defaultdict(list)
        for observation in observations:
            by_member[observation.member or ""].append(observation)
        self.members = tuple(
            read_member(name, tuple(found)) for name, found in sorted(by_member.items()) if "/" in name
        )

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
