"""Is it my own network? All rounds of a run, and what they say together.

Rounds are read separately (:mod:`probe.verdict.rounds`), and an endpoint is held against those around it. Where somebody has
searched for holes (:mod:`probe.verdict.holes`), two rounds and the search together may say ``shutdown`` or ``whitelist``,
which no single round can.
"""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import HostFact, Observation, TcpFact
from probe.verdict import certificates, fingerprints, holes, resolvers
from probe.verdict.facts import failed, verified
from probe.verdict.model import NetworkVerdict
from probe.verdict.rounds import DAY_S, Round, finding, offsets

if TYPE_CHECKING:
    from probe.verdict.view import View


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
    def may_be_proxied(self) -> bool:
        """Whether a run was broken off before anybody tried if somebody takes every connection. Where the own side was in
        trouble before, it is not tried.
        """
        tried = (m.passed is not None for r in self.rounds for m in r.family("transparent"))
        return not any(tried) and self.verdict.status == "ok"

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

    @property
    def moved(self) -> bool:
        """Whether this host was in more than one network in the course of the run, as far as its tunnels and resolvers tell: a
        VPN that was switched on or off, Wi-Fi that gave way to a mobile line. A resolver more or less is none.
        """
        hosts = [r.host for r in self.rounds if r.host is not None]
        asked = [told for told in map(_resolvers, hosts) if told]
        return len({host.tunnels for host in hosts}) > 1 or any(not a & b for a, b in itertools.pairwise(asked))

    def clock_is_good(self) -> bool:
        """Whether the date of this host is known to be right within a day: told so, or a chain verified."""
        told = [offset for _, offset in offsets(self.observations)]
        if told:
            return abs(statistics.median(told)) <= DAY_S
        return any(verified(o.fact) for o in self.observations)

    @property
    def opened(self) -> bool:
        """Whether somebody who is no state opens encrypted connections: one unknown issuer at two operators' sites."""
        shown: dict[str, set[str]] = defaultdict(set)
        for o in self.observations:
            issuer = certificates.unknown_issuer(o.fact)
            if issuer is not None and certificates.national(o.fact) is None:
                shown[issuer].add(resolvers.operator_of(o.operation.name or ""))
        return any(len(operators) >= 2 for operators in shown.values())

    def issuers(self) -> frozenset[str]:
        """Issuers that canaries showed and the shipped store does not verify."""
        found = (certificates.unknown_issuer(o.fact) for o in self.observations)
        return frozenset(issuer for issuer in found if issuer is not None)


def _resolvers(host: HostFact) -> frozenset[str]:
    """Which resolvers are asked, as far as they are kept: of private ones only that there are some."""
    return frozenset((*host.nameservers, *(("private",) if host.nameservers_private else ())))


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
