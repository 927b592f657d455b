"""Is a name slower than another one at the same place? Statistics over arms that took turns. Pure.

One test answers two questions. *By chance?* The rank-sum test of Wilcoxon (1945) and of Mann and Whitney (1947), one-sided and
exact, its places added up as strata (van Elteren, 1960): without a difference every order of the arms at a place is as likely
as any other, whatever a bad line does to speeds. *By how much?* The same test, asked of every ratio whether the name is slower
than so much of the other one's speed: the ratios that it does not rule out are the interval (Hodges and Lehmann, 1963).
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from probe.observations import HttpFact, Observation, TlsFact
from probe.verdict.certificates import covers
from probe.verdict.networks import network_of

if TYPE_CHECKING:
    from probe.verdict.case import Case

CHANCE = 0.005
"""What chance may do at most, each way: four rounds at two places, or six at one, go far below it, some out of order or not."""
SLOWER = 0.5
"""The name must be half as fast at most, as far as can be told with 99 %: nobody notices less, and no policer allows more."""
ROUNDS = 3
_LATE_S = 0.35
"""A first answer that comes so much later each time is held back: a queue that was empty or a full bucket holds back none."""
_STOPPED, _STOPPED_S = 0.3, 1.0
"""A part of an arm's time at its end, and seconds, in which nothing came any more."""
_PREFACE = 1_000
"""Bytes that servers send before they are asked for any: tickets. What waits for an answer after them is no slow byte."""
_SHORTEST_S = 0.001
_HAIR = 1e-9
_TIMEOUT, _INTERRUPTED = "generic_timeout_error", "interrupted"

Manner = Literal["freeze", "delay", "rate"]
Samples = Sequence[tuple[Sequence[float], Sequence[float]]]
"""Speeds at each place: of the name, and of the other one."""


# ---------------------------------------------------------------------------------------------------------------------
# statistics


def chance(places: Samples) -> float:
    """How likely chance alone makes the first sample of each place as low as it is, beside the second: exact, one-sided.

    Ties share their ranks. 1.0 for nothing to compare.
    """
    total, seen = {0: 1}, 0
    for low, high in places:
        ranks = _doubled_ranks([*low, *high])
        seen += sum(ranks[: len(low)])
        here = _sums(ranks, len(low))
        merged: dict[int, int] = defaultdict(int)
        for a, ways in total.items():
            for b, more in here.items():
                merged[a + b] += ways * more
        total = dict(merged)
    return sum(ways for value, ways in total.items() if value <= seen) / sum(total.values())


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, so that shared ranks are whole numbers."""
    return [sum((other < value) * 2 + (other == value) for other in values) + 1 for value in values]


def _sums(ranks: Sequence[int], count: int) -> dict[int, int]:
    """Sum → in how many ways *count* of *ranks* add up to it."""
    ways: list[dict[int, int]] = [{0: 1}, *({} for _ in range(count))]
    for rank in ranks:
        for size in range(count, 0, -1):
            for value, number in ways[size - 1].items():
                ways[size][value + rank] = ways[size].get(value + rank, 0) + number
    return ways[count]


def interval(places: Samples) -> tuple[float, float, float]:
    """(low, middle, high): how fast the first sample of each place is beside the second, with 99 %; 0, infinity: no limit."""
    ratios = sorted(one / other for mine, others in places for one in mine for other in others)
    if not ratios:
        return 0.0, 1.0, math.inf

    def rules_out(ratio: float, *, below: bool) -> bool:
        # A hair beyond it: at the ratio itself two arms are level.
        beyond = ratio * (1 + (_HAIR if below else -_HAIR))
        scaled = [(mine, [beyond * other for other in others]) for mine, others in places]
        return chance(scaled if below else [(others, mine) for mine, others in scaled]) <= CHANCE

    high = next((ratio for ratio in ratios if rules_out(ratio, below=True)), math.inf)
    low = next((ratio for ratio in reversed(ratios) if rules_out(ratio, below=False)), 0.0)
    return low, statistics.median(ratios), high


# ---------------------------------------------------------------------------------------------------------------------
# arms


@dataclass(frozen=True, slots=True)
class Arm:
    """One connection with one name: seconds, and bytes a second as they came on the wire.

    ``greeted_s``: the whole handshake, or as long as it was waited for; ``first_s``: until its first byte came (the same).
    ``rate``: from the first byte of what was asked for to the last, or until it was given up; ``None``: nothing was asked for.
    ``taken_s``: all of it, from the greeting on.
    ``whole``: all came that was wanted. ``stopped``: nothing came any more at the end of that time.
    """

    target: bool
    number: int
    greeted_s: float
    first_s: float
    rate: float | None
    whole: bool
    bytes: int
    stopped: bool
    observations: tuple[Observation, ...]
    taken_s: float


@dataclass(frozen=True, slots=True)
class Place:
    """All arms at one place. ``kind``: ``neutral``, ``control`` (a sink of the user's own) or ``own``."""

    kind: str
    group: str
    arms: tuple[Arm, ...]

    def named(self, *, target: bool) -> tuple[Arm, ...]:
        return tuple(arm for arm in self.arms if arm.target is target)

    @property
    def network(self) -> str | None:
        """Whose it is; ``None`` where the address was not kept."""
        addresses = (o.operation.address for arm in self.arms for o in arm.observations)
        return next((network_of(address) for address in addresses if address is not None), None)

    @property
    def fair(self) -> bool:
        """Whether the other name got all that it asked for, each time, in rounds enough for both."""
        others = self.named(target=False)
        return len(others) >= ROUNDS <= len(self.named(target=True)) and all(arm.whole for arm in others)


def places(case: Case) -> tuple[Place, ...]:
    """The places where both names were timed. One that shows a certificate of the name serves it, and is left out."""
    found = []
    for group, observations in sorted(case.groups("throttling").items()):
        rounds: dict[tuple[bool, int], list[Observation]] = defaultdict(list)
        for o in observations:
            if o.arm is not None and o.round is not None:
                rounds[o.arm == "target", o.round].append(o)
        greetings = not any(isinstance(o.fact, HttpFact) for o in observations)
        made = (_arm(*key, members, greetings=greetings) for key, members in sorted(rounds.items()))
        arms = tuple(arm for arm in made if arm is not None)
        kind = group.partition("/")[0].partition(":")[0]
        if any(arm.target for arm in arms) and (kind == "own" or not _serves(case, observations)):
            found.append(Place(kind, group, arms))
    return tuple(found)


def _serves(case: Case, observations: Sequence[Observation]) -> bool:
    leaves = (o.fact.chain[0] for o in observations if isinstance(o.fact, TlsFact) and o.fact.chain)
    return any(covers(leaf, case.name) for leaf in leaves)


def _arm(target: bool, number: int, members: Sequence[Observation], *, greetings: bool) -> Arm | None:
    """What one arm's observations come to; ``None`` for one that says nothing of speed: cut off by us, or ended by a server.
    *greetings*: nothing but greetings was sent at this place.
    """
    shaken = next((o for o in members if isinstance(o.fact, TlsFact)), None)
    moved = next((o for o in members if isinstance(o.fact, HttpFact)), None)
    if shaken is None or any(o.failure not in (None, _TIMEOUT) for o in (shaken, moved) if o is not None):
        return None
    greeted_s = _seconds(shaken)
    assert isinstance(shaken.fact, TlsFact)
    first_s = shaken.fact.first_byte_us / 1e6 if shaken.fact.first_byte_us is not None else greeted_s
    if moved is None:
        well = shaken.failure is None
        made = Arm(
            target, number, greeted_s, first_s, None, well, 0, stopped=False, observations=(shaken,), taken_s=greeted_s
        )
        return made if greetings or not well else None
    assert isinstance(moved.fact, HttpFact)
    whole, curve = moved.failure is None, moved.fact.progress or ((0, 0),)
    end = curve[-1]
    ended_s = end[0] / 1e6 if whole else _seconds(moved)
    started_us, before = _begun(curve)
    lasted_s = max(ended_s - started_us / 1e6, _SHORTEST_S)
    return Arm(
        target=target,
        number=number,
        greeted_s=greeted_s,
        first_s=first_s,
        rate=max(end[1] - before, 1) / lasted_s,
        whole=whole,
        bytes=end[1],
        stopped=not whole and ended_s - end[0] / 1e6 >= max(_STOPPED * ended_s, _STOPPED_S),
        observations=(shaken, moved),
        taken_s=greeted_s + ended_s,
    )


def _begun(curve: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """When the answer began to come, and how many bytes had come before it. What came with its first bytes is its own: on a
    quick line a third of all, and to leave it out makes that line look slow.
    """
    before = 0
    for at_us, count in curve:
        if count >= _PREFACE:
            return at_us, before
        before = count
    return curve[0][0], 0


def _seconds(observation: Observation) -> float:
    return max((observation.operation.duration_us or 0) / 1e6, _SHORTEST_S)


# ---------------------------------------------------------------------------------------------------------------------
# the comparison


@dataclass(frozen=True, slots=True)
class Slower:
    """The name is slower. ``ratio`` of speeds (or, for a delay, of the other's time to the name's), with its 99 % interval."""

    manner: Manner
    chance: float
    ratio: tuple[float, float, float]
    places: tuple[Place, ...]
    seconds: float
    """How much later the first answer to the name comes."""
    rate: float | None
    """Bytes a second with the name, and with the other one."""
    others_rate: float | None
    bytes: int
    """How many came with the name before nothing came any more, in the middle."""
    answered: bool
    """Whether any greeting with the name was answered to the end."""

    @property
    def observations(self) -> tuple[Observation, ...]:
        return tuple(o for place in self.places for arm in place.arms for o in arm.observations)


def compared(found: Sequence[Place]) -> Slower | None:
    """Whether the name is slower over these places, all of them: in what it is sent, in its greeting, or in both together, for
    where packets are lost it is now the one and now the other, and what follows a lost one comes all at once.
    """
    fair = [place for place in found if place.fair]
    if not fair or len(fair) != len(found):
        return None
    by_rate = _tested(fair, "rate")
    by_greeting = _tested(fair, "greeted_s")
    shown = by_rate or by_greeting or _tested(fair, "taken_s")
    if shown is None:
        return None
    mine = [arm for place in fair for arm in place.named(target=True)]
    others = [arm for place in fair for arm in place.named(target=False)]
    rates = [[arm.rate for arm in arms if arm.rate is not None] for arms in (mine, others)]
    return Slower(
        manner=_manner(mine, others, slow=by_rate is not None or by_greeting is None),
        chance=shown[0],
        ratio=shown[1],
        places=tuple(fair),
        seconds=statistics.median(a.first_s for a in mine) - statistics.median(a.first_s for a in others),
        rate=statistics.median(rates[0]) if rates[0] else None,
        others_rate=statistics.median(rates[1]) if rates[1] else None,
        bytes=round(statistics.median(arm.bytes for arm in mine)),
        answered=any(arm.whole or arm.rate is not None for arm in mine),
    )


def _tested(
    found: Sequence[Place], what: Literal["rate", "greeted_s", "taken_s"]
) -> tuple[float, tuple[float, float, float]] | None:
    """(chance, interval) if the name is slower in *what*; an arm that never got there is the slowest."""
    if what != "greeted_s" and any(arm.rate is None for place in found for arm in place.named(target=False)):
        return None
    samples = [
        tuple([_speed(arm, what) for arm in place.named(target=target)] for target in (True, False)) for place in found
    ]
    ratio = interval([(mine, others) for mine, others in samples])
    return (chance([(mine, others) for mine, others in samples]), ratio) if ratio[2] <= SLOWER else None


def _speed(arm: Arm, what: Literal["rate", "greeted_s", "taken_s"]) -> float:
    if what != "rate":
        return 1 / (arm.greeted_s if what == "greeted_s" else arm.taken_s)
    return arm.rate if arm.rate is not None else 1 / arm.greeted_s


def _manner(mine: Sequence[Arm], others: Sequence[Arm], *, slow: bool) -> Manner:
    stopped = [arm for arm in mine if arm.stopped]
    if slow and len(stopped) >= len(mine) - 1:
        return "freeze"
    late = min(arm.first_s for arm in mine) - max(arm.first_s for arm in others) >= _LATE_S
    return "delay" if late or not slow else "rate"


def keeps_up(place: Place) -> bool:
    """Whether the name was as fast there as the other one, all in all: the middle one of each, and every arm whole."""
    mine, others = place.named(target=True), place.named(target=False)
    if not mine or not others or not all(arm.whole for arm in (*mine, *others)):
        return False
    rates = [statistics.median(arm.rate or 0 for arm in arms) for arms in (mine, others)]
    greetings = [statistics.median(arm.greeted_s for arm in arms) for arms in (mine, others)]
    return rates[0] >= KEEPS_UP * rates[1] and greetings[0] * KEEPS_UP <= greetings[1] + _LATE_S


KEEPS_UP = 0.6
"""A name that is at least so fast as the other one is slowed down by nobody who means it."""
