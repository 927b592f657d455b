"""How far this host's clock is from the right time, as a run's own observations tell it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator

from probe.observations import ClockFact, HttpFact, Observation

UNLIKELY_S = 5.0
"""A clock that is set over the network is never so far off; beyond it one source alone is not believed."""


def offset_us(observations: Iterable[Observation]) -> int | None:
    """True time minus this host's, in microseconds; ``None`` while nobody has told, or nobody else bears out a large one.

    NTP is not signed, and a page's date has whole seconds and may come from a cache: a small offset is taken from NTP as it
    is, a large one only if two sources of different names agree.
    """
    told = tuple(_told(observations))
    precise = [offset for _, offset, exact in told if exact]
    if precise and abs(statistics.median(precise)) <= UNLIKELY_S:
        return round(statistics.median(precise) * 1e6)
    for source, offset, _ in sorted(told, key=lambda one: not one[2]):
        borne_out = any(other != source and abs(theirs - offset) <= UNLIKELY_S for other, theirs, _ in told)
        if borne_out and abs(offset) > UNLIKELY_S:
            return round(offset * 1e6)
    return None


def _told(observations: Iterable[Observation]) -> Iterator[tuple[str, float, bool]]:
    """(who, seconds ahead of this host, whether to the millisecond)."""
    for o in observations:
        if o.purpose != "own_side" or o.vantage != "local":
            continue
        who = o.member or o.operation.name or o.operation.address or ""
        if isinstance(o.fact, ClockFact) and o.fact.offset_s is not None:
            yield who, o.fact.offset_s, o.fact.source == "ntp"
        elif isinstance(o.fact, HttpFact) and o.fact.date_offset_s is not None:
            yield who, o.fact.date_offset_s, False
