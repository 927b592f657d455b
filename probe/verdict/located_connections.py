"""Where on the way a silent address is lost: SYNs to it, beside SYNs to another address that share its way. Pure.

See :mod:`probe.verdict.located` for hops and intervals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probe.observations import Observation, PathFact
from probe.verdict.located import TWICE, Hop, Located, hops_of, placed, silent_by


@dataclass(frozen=True, slots=True)
class _Syns:
    """What came of SYNs to the silent address (``mine``) and to another one, as far as they share their way.

    ``silences`` are TTLs with which nothing came from the silent address's way, where routers did speak of the other one;
    ``needed`` is how many of them count: one more for each that the other way lost as well.
    """

    mine: tuple[PathFact, ...]
    distance: int | None
    after: int
    hops: dict[int, Hop]
    silences: tuple[int, ...]
    needed: int
    are_one: bool

    @property
    def before(self) -> int | None:
        return silent_by(self.silences, self.after, self.needed)


def _syns(observations: Iterable[Observation]) -> _Syns:
    syns = [(o, o.fact) for o in observations if isinstance(o.fact, PathFact) and o.fact.sent == "syn"]
    mine = tuple(fact for o, fact in syns if o.arm == "target")
    others = [fact for o, fact in syns if o.arm == "innocuous"]
    distance = min((fact.ttl for fact in others if fact.came == "answer"), default=None)
    own_way, their_way = hops_of(mine), hops_of(others)
    after = max((ttl for ttl in own_way if distance is None or ttl < distance), default=0)
    heard = frozenset(fact.ttl for fact in others if fact.came in ("icmp", "answer"))
    lost = sum(fact.came == "nothing" and fact.ttl in heard for fact in others)
    return _Syns(
        mine=mine,
        distance=distance,
        after=after,
        hops=their_way | own_way,
        silences=tuple(fact.ttl for fact in mine if fact.came == "nothing" and fact.ttl in heard),
        needed=TWICE + lost,
        are_one=not after or own_way[after] == their_way.get(after),  # else the ways had parted before
    )


def read_connections(observations: Sequence[Observation], at: str) -> Located | None:
    """Where SYNs to *at* are lost, beside SYNs to another address that share the way up to there; ``None`` if one was
    answered, or if the two ways are not known to be one.
    """
    seen = _syns(observations)
    if not _may_be_read(seen) or seen.before is None or seen.distance is None or seen.before > seen.distance:
        return None
    numbers = tuple(o.number for o in observations if isinstance(o.fact, PathFact) and o.fact.sent == "syn")
    ports = len({fact.source_port for fact in seen.mine})
    found = Located(
        "connection",
        "dropped",
        at,
        seen.after,
        seen.before,
        seen.distance,
        ways=(ports, ports),
        observations=numbers,
    )
    return placed(found, seen.hops)


def _may_be_read(seen: _Syns) -> bool:
    """A distance of 1 is this computer itself, or somebody who takes every connection."""
    if seen.distance is None or seen.distance <= 1 or not seen.are_one:
        return False
    return not any(fact.came in ("answer", "reset") for fact in seen.mine)


def silent_yet(observations: Sequence[Observation], most: int) -> tuple[int, ...]:
    """TTLs of the SYNs to send next, at most *most*: the first hop that was silent, as often as it takes for that to count,
    and hops before it of which nothing was heard, once more; none when nothing more is to be learnt.
    """
    seen = _syns(observations)
    if not _may_be_read(seen) or seen.distance is None:
        return ()
    silent = Counter(ttl for ttl in seen.silences if ttl > seen.after)
    first = min(silent, default=seen.distance + 1)
    tried = Counter(fact.ttl for fact in seen.mine)
    unheard = [ttl for ttl in range(seen.after + 1, first) if tried[ttl] < TWICE]
    missing = seen.needed - silent[first] if silent else 0
    return tuple([*unheard, *[first] * max(missing, 0)][:most])
