"""Did it begin, and last, in round half hours? Orders do, faults do not.

Bischof et al. ("Destination Unreachable: Characterizing Internet Outages and Shutdowns", SIGCOMM 2023) found that more than
half of the ordered shutdowns last a multiple of thirty minutes, and 15 % of the outages that nobody ordered. Here each of
the two questions has a p-value: how often would a beginning (a length) that has nothing to do with the clock be at most
this near to a half hour? What is known only to within minutes can prove little, and the p-value says so by itself.

A hint, and no evidence for a verdict: it tells of the times, and not of who chose them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from probe.incidents.model import Incident

HALF_HOUR_US = 30 * 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTime:
    """p-values of the beginning and of the length (``None``: not known), and of both together."""

    begins: float | None
    lasts: float | None
    p: float


def round_time(incident: Incident, utc_offset_us: int = 0) -> RoundTime | None:
    """The score of one incident; ``None`` where neither is known. *utc_offset_us*: of the clocks on the wall there."""
    begins = lasts = None
    after_us, by_us = incident.began_after_us, incident.began_by_us
    if after_us is not None:
        begins = _nearness(after_us + utc_offset_us, by_us + utc_offset_us)
        if incident.ended_after_us is not None and incident.ended_by_us is not None:
            lasts = _length(max(0, incident.ended_after_us - by_us), incident.ended_by_us - after_us)
    known = [value for value in (begins, lasts) if value is not None]
    return RoundTime(begins=begins, lasts=lasts, p=fisher(known)) if known else None


def fisher(values: Iterable[float]) -> float:
    """Independent p-values as one (Fisher, Statistical Methods for Research Workers, 1932): the tail of chi-squared with two
    degrees of freedom for each, which for an even number is a short sum.
    """
    logs = [-math.log(max(value, 1e-300)) for value in values]
    half = sum(logs)
    term, total = 1.0, 0.0
    for index in range(len(logs)):
        total += term
        term *= half / (index + 1)
    return min(1.0, math.exp(-half) * total) if logs else 1.0


def _nearness(low_us: int, high_us: int) -> float:
    """The chance that an interval of this width, thrown anywhere, comes as near to a half hour as this one."""
    width = high_us - low_us
    to_next = -low_us % HALF_HOUR_US
    away = 0 if to_next <= width else min(to_next - width, HALF_HOUR_US - to_next)
    return min(1.0, max(width + 2 * away, 1) / HALF_HOUR_US)


def _length(low_us: int, high_us: int) -> float:
    """The same of a length; no length at all is not a round one."""
    if high_us < HALF_HOUR_US / 2:
        return 1.0
    return _nearness(max(low_us, 1), high_us)
