"""What measuring costs in bytes: ordinarily, for the estimate that people see; at worst, for what a cap sets aside.

Bytes are those inside TCP and UDP, both ways. Counted in the lab with the default catalogue, see tests/bench.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from probe.daemon.plan import DAY, Look, Pace, Plan, Watched

if TYPE_CHECKING:
    from targets.model import Asked

DAYS_A_MONTH = 30

OWN_SIDE = 1_500
"""Some questions and connections; once an hour a handshake."""
OWN_SIDE_FULL = 60_000
_USUAL = {"cheap": 1_600, "full": 9_000, "burst": 60_000, "deep": 60_000}
_WORST = {"cheap": 60_000, "full": 120_000, "burst": 400_000, "deep": 400_000}
_NO_TLS = 700
"""A bare connection, or a page over plain HTTP, and the question before it."""
_KEPT_FREE = 0.4
"""Of a cap: an incident costs more than an ordinary day, and that is when somebody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One ordinary day: how often what is measured, and how many bytes that is."""

    own_sides: int
    rounds: int
    cheap: int
    full: int
    bytes_per_day: int

    @property
    def bytes_per_month(self) -> int:
        return self.bytes_per_day * DAYS_A_MONTH


def worst(looks: Sequence[Look], asked: Sequence[Asked]) -> int:
    """What *looks* may cost when everything fails and is asked about."""
    del asked
    return sum(_WORST[look.kind] for look in looks)


def own_side_worst(*, full: bool) -> int:
    return OWN_SIDE_FULL if full else 4 * OWN_SIDE


def usual(kind: str, url: str) -> int:
    """What one look costs when all is well."""
    return _USUAL[kind] if url.startswith("https:") else _NO_TLS


def estimate(watched: Sequence[Watched], pace: Pace) -> Estimate:
    """A whole day of the very schedule that would be kept, without measuring anything."""
    plan = Plan(tuple(watched), pace, Random(0))
    urls = {one.number: one.url for one in watched}
    kinds = {"cheap": 0, "full": 0}
    rounds = spent = 0
    for every in plan.rhythms:
        now = 0.0
        while now < DAY:
            looks = plan.round(every, now)
            rounds += 1
            for look in looks:
                kinds[look.kind] += 1
                spent += usual(look.kind, urls[look.number])
            now += plan.until_round(every)
    own_sides = round(DAY / pace.own_side)
    return Estimate(own_sides=own_sides, rounds=rounds, **kinds, bytes_per_day=spent + own_sides * OWN_SIDE)


def within(watched: Sequence[Watched], pace: Pace, cap: int) -> Pace:
    """*pace*, made slower where an ordinary day would not leave enough of *cap* for what is not ordinary."""
    own = round(DAY / pace.own_side) * OWN_SIDE
    ordinary = estimate(watched, pace).bytes_per_day - own
    room = cap * (1 - _KEPT_FREE) - own
    if ordinary <= room:
        return pace
    if room <= 0:  # even the looks at the own side are too much
        return replace(pace, stretch=24.0, own_side=max(pace.own_side, DAY * OWN_SIDE / (cap * (1 - _KEPT_FREE) / 2)))
    return replace(pace, stretch=min(max(ordinary / room, 1.0), 24.0))
