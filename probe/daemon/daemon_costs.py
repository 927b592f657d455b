"""What measuring costs in bytes: ordinarily, for the estimate that people see; at worst, for what a cap sets aside.

Bytes are those inside TCP and UDP, both ways; headers of packets come on top. Counted in the lab with the default catalogue
(2,340 for a resumed handshake, 5,700 for a full look, 60 for a bare connection with its question, 450 for a small look at
the own side), with something added because certificates of the real Internet are longer. A name that is blocked took 50,000
with all its follow-ups, a page whose QUIC is blocked by name 180,000; a QUIC handshake is 7,000, once an hour a platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from probe.daemon.caps import KEPT_FREE
from probe.daemon.plan import DAY, Look, Pace, Plan, Watched

DAYS_A_MONTH = 30

OWN_SIDE = 700
"""A question and a connection; once an hour a handshake, a page and the time."""
OWN_SIDE_WORST = 60_000
"""Even a small look becomes a whole one, twice, as soon as it is not well."""
_USUAL = {"cheap": 2_400, "full": 11_000, "burst": 18_000, "deep": 60_000}
_WORST = {"cheap": 200_000, "full": 200_000, "burst": 320_000, "deep": 1_100_000}
_NO_TLS = 200
"""A bare connection, or a page over plain HTTP, and the question before it."""
_LONGEST_STRETCH = 24.0


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


def worst(looks: Sequence[Look]) -> int:
    """What *looks* may cost when everything fails and is asked about."""
    return sum(_WORST[look.kind] for look in looks)


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
    room = cap * (1 - KEPT_FREE)
    if round(DAY / pace.own_side) * OWN_SIDE > room / 2:  # even the looks at the own side are too much
        pace = replace(pace, own_side=DAY * OWN_SIDE / (room / 2))
    while pace.stretch < _LONGEST_STRETCH and estimate(watched, pace).bytes_per_day > room:
        pace = replace(pace, stretch=min(pace.stretch * 1.1, _LONGEST_STRETCH))
    return pace
