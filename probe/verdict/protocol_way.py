"""Where a protocol's packets are stopped on the way to a control's echo, by the routers that spoke of them. Pure.

A router that says that a packet ended there has had it, so nothing before it has stopped it. One that speaks of random packets
and never of the protocol's has not: it was stopped on the way there. That lays the place between two routers; and if both are
the provider's, and the way goes on to others, it is no box at home, and no guard before the control.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from probe.observations import AppFact, HopOf, HopScope, Observation, PathFact

GROUP = "way"
"""The observations' group."""
TIMES = 3
"""Each kind at each router. A word that gets lost once is asked for three times in one."""
_BEHIND_HOME = 2
_THEIRS = ("public", "shared")
_EXCEEDED = ((11, 0), (3, 0))
"""The TTL ran out (RFC 792, RFC 4443)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Between which routers: the last that has had every packet of the protocol, and the first that never had any."""

    after: int
    before: int
    observations: tuple[Observation, ...]


@dataclass(slots=True)
class _Hop:
    """What was heard there: one entry a packet of each kind, and whose the routers are that spoke."""

    target: list[bool] = field(default_factory=list)
    innocuous: list[bool] = field(default_factory=list)
    whose: set[HopOf | None] = field(default_factory=set)
    scopes: set[HopScope | None] = field(default_factory=set)

    @property
    def is_theirs(self) -> bool:
        """Not in this building, as far as addresses tell."""
        return bool(self.scopes) and self.scopes <= set(_THEIRS)


def _read(observations: Iterable[Observation], *, said_no: bool) -> dict[int, _Hop]:
    """TTL → what was heard. *said_no*: somebody says no to connections, and that looks like a TTL that ran out."""
    hops: dict[int, _Hop] = {}
    for o in observations:
        fact = o.fact
        if o.group != GROUP or not isinstance(fact, AppFact | PathFact) or fact.ttl is None:
            continue
        hop = hops.setdefault(fact.ttl, _Hop())
        heard = _heard(fact, said_no=said_no)
        if heard and (isinstance(fact, PathFact) or fact.transport == "udp"):
            hop.whose.add(fact.hop_of)
            hop.scopes.add(fact.hop_is)
        if isinstance(fact, AppFact):
            (hop.target if o.arm == "target" else hop.innocuous).append(heard)
    return hops


def _heard(fact: AppFact | PathFact, *, said_no: bool) -> bool:
    if isinstance(fact, PathFact):
        return fact.came == "icmp" and fact.hop_is is not None
    if (fact.icmp_type, fact.icmp_code) in _EXCEEDED:
        return True
    # On an open connection an errno is all that the kernel gives.
    return fact.transport == "tcp" and fact.errno == "EHOSTUNREACH" and not said_no


def past_home(observations: Sequence[Observation], *, said_no: bool = False) -> tuple[int, ...]:
    """Routers behind this household or company that had a packet of the protocol. One with a private address may be in the
    same building.
    """
    hops = _read(observations, said_no=said_no)
    return tuple(ttl for ttl, hop in sorted(hops.items()) if ttl >= _BEHIND_HOME and any(hop.target) and hop.is_theirs)


def stop(observations: Sequence[Observation], *, said_no: bool = False, times: int = TIMES) -> Stop | None:
    """Where it is stopped, if that is in the provider's network and each router was asked so many *times*; else ``None``."""
    hops = _read(observations, said_no=said_no)
    leaves = min((ttl for ttl, hop in hops.items() if "other" in hop.whose), default=None)
    if leaves is None:
        return None
    ours = [ttl for ttl, hop in sorted(hops.items()) if _BEHIND_HOME <= ttl < leaves and _is_providers(hop)]
    passed = [ttl for ttl in ours if len(hops[ttl].target) >= times and all(hops[ttl].target)]
    farthest = max((ttl for ttl, hop in hops.items() if any(hop.target)), default=0)
    stopped = [ttl for ttl in ours if ttl > farthest and _is_silent_for_it(hops[ttl], times)]
    if not passed or not stopped:
        return None
    return Stop(passed[-1], stopped[0], tuple(o for o in observations if o.group == GROUP))


def _is_providers(hop: _Hop) -> bool:
    return hop.is_theirs and hop.whose == {"provider"}


def _is_silent_for_it(hop: _Hop, times: int) -> bool:
    return len(hop.target) >= times and len(hop.innocuous) >= times and all(hop.innocuous)
