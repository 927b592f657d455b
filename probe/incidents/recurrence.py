"""Does it come back at the same time of day? "Every evening 20:00 to 22:00, five days of six".

Days and times of day are those of the clocks on the wall where the probe is, so that a change to summer time changes
nothing. Beginnings count as regular if so many within so short a part of the day would hardly be chance: *n* points
thrown on a circle lie within an arc of the part *a* of it with the probability n·a^(n-1) (Stevens, Annals of Eugenics 9, 1939),
times the number of ways to choose them, and of the stretches of days that might have been chosen.
"""

from __future__ import annotations

import bisect
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from probe.incidents.model import Incident, IncidentStatus

Local = Callable[[int], datetime]
"""UTC microseconds to an aware datetime of the place."""

DAY_MINUTES = 1440
WINDOW_MINUTES = 90
"""Beginnings farther apart in the day than this are not the same appointment."""
LEAST_DAYS = 3
MOST_CHANCE = 0.001
SHARE_OF_DAYS = 0.6
_APART_DAYS, _APART_WEEKS = 3, 15
"""A longer pause, in days, ends what came daily, or weekly."""
_VAGUE_US = 3 * 3_600_000_000
"""A beginning that is not known to within three hours says nothing of the time of day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """``platforms`` (none: the own side) had ``status`` on ``days`` of the ``out_of`` between the first and the last one, or,
    where ``weekly``, of so many weeks. It usually lasts from ``from_minute`` to ``until_minute`` of the local day
    (``None``: no end is known). ``p``: how likely chance would be so regular.
    """

    status: IncidentStatus
    platforms: tuple[str, ...]
    days: tuple[date, ...]
    out_of: int
    weekly: bool
    from_minute: int
    until_minute: int | None
    incidents: tuple[str, ...]
    p: float


@dataclass(frozen=True, slots=True)
class _Begin:
    """One incident by the clock on the wall: when it began (the middle of what is known), and its end, if known."""

    id: str
    moment: datetime
    until: datetime | None
    vague_minutes: float

    @property
    def minute(self) -> float:
        return self.moment.hour * 60 + self.moment.minute + self.moment.second / 60


def recurrences(incidents: Iterable[Incident], local: Local) -> tuple[Recurrence, ...]:
    """All that comes back regularly, platforms that do so together as one, the latest first."""
    by_name: dict[tuple[IncidentStatus, str], list[_Begin]] = defaultdict(list)
    for incident in incidents:
        begin = _begin(incident, local)
        if begin is not None:
            for name in incident.platforms or ("",):
                by_name[incident.status, name].append(begin)
    found: dict[tuple[object, ...], Recurrence] = {}
    for (status, name), begins in sorted(by_name.items()):
        for one in _of(status, name, begins):
            key = (status, one.days, one.weekly, one.incidents)
            other = found.get(key)
            names = one.platforms if other is None else (*other.platforms, *one.platforms)
            found[key] = replace(one, platforms=names)
    return tuple(sorted(found.values(), key=lambda one: (one.days[-1], one.platforms), reverse=True))


def _begin(incident: Incident, local: Local) -> _Begin | None:
    low_us = incident.began_by_us if incident.began_after_us is None else incident.began_after_us
    vague_us = incident.began_by_us - low_us
    if vague_us > _VAGUE_US:
        return None
    until = None
    if incident.ended_by_us is not None and incident.ended_after_us is not None:
        until = local((incident.ended_after_us + incident.ended_by_us) // 2)
    return _Begin(incident.id, local(low_us + vague_us // 2), until, vague_us / 60_000_000)


def _of(status: IncidentStatus, name: str, begins: list[_Begin]) -> list[Recurrence]:
    """What is regular about one platform."""
    found: list[Recurrence] = []
    left = begins
    while len(left) >= LEAST_DAYS:
        start, members = _densest(left)
        for weekly, apart in ((False, _APART_DAYS), (True, _APART_WEEKS)):
            new = (_regular(status, name, run, start, left, weekly=weekly) for run in _runs(members, start, apart))
            regular = [one for one in new if one is not None]
            found += regular
            if regular:
                break
        taken = {member.id for member in members}
        left = [begin for begin in left if begin.id not in taken]
    return found


def _densest(begins: Sequence[_Begin]) -> tuple[float, list[_Begin]]:
    """The minute of the day where the window with most beginnings starts, and those."""
    minutes = sorted(begin.minute for begin in begins)
    twice = minutes + [minute + DAY_MINUTES for minute in minutes]
    counts = {
        minute: bisect.bisect_right(twice, minute + WINDOW_MINUTES) - bisect.bisect_left(twice, minute)
        for minute in minutes
    }
    start = max(minutes, key=lambda minute: (counts[minute], -minute))
    return start, [begin for begin in begins if (begin.minute - start) % DAY_MINUTES <= WINDOW_MINUTES]


def _day(begin: _Begin, start: float) -> date:
    """The day of it, where a day begins with the window, so that an appointment around midnight is one a day."""
    return (begin.moment.replace(tzinfo=None) - timedelta(minutes=start)).date()


def _runs(members: Sequence[_Begin], start: float, apart: int) -> list[list[_Begin]]:
    """*members* cut wherever more than *apart* days lie between two."""
    runs: list[list[_Begin]] = []
    for begin in sorted(members, key=lambda member: (_day(member, start), member.id)):
        if runs and (_day(begin, start) - _day(runs[-1][-1], start)).days <= apart:
            runs[-1].append(begin)
        else:
            runs.append([begin])
    return runs


def _regular(
    status: IncidentStatus, name: str, run: list[_Begin], start: float, among: Sequence[_Begin], *, weekly: bool
) -> Recurrence | None:
    days = sorted({_day(begin, start) for begin in run})
    if len(days) < LEAST_DAYS:
        return None
    span = (days[-1] - days[0]).days + 1
    if weekly and len({day.weekday() for day in days}) > 1:
        return None
    out_of = (span - 1) // 7 + 1 if weekly else span
    if len(days) / out_of < SHARE_OF_DAYS:
        return None
    offsets = [(begin.minute - start) % DAY_MINUTES for begin in run]
    vague = max(begin.vague_minutes for begin in run)
    arc = max(max(offsets) - min(offsets), vague, 1.0) / DAY_MINUTES
    inside = [begin for begin in among if days[0] <= _day(begin, start) <= days[-1]]
    # Stretch and window were chosen out of all that there is: so many others could have been.
    others = len({_day(begin, start) for begin in among}) / len(days) * len(among) / len(run)
    chance = min(1.0, _chance(len(run), max(len(inside), len(run)), arc) * max(1.0, others))
    if chance > MOST_CHANCE:
        return None
    lengths = [(begin.until - begin.moment).total_seconds() / 60 for begin in run if begin.until is not None]
    first = round(start + statistics.median(offsets)) % DAY_MINUTES
    usual = statistics.median(lengths) if lengths else None
    return Recurrence(
        status=status,
        platforms=(name,) if name else (),
        days=tuple(days),
        out_of=out_of,
        weekly=weekly,
        from_minute=first,
        until_minute=None if usual is None or usual >= DAY_MINUTES else round(first + usual) % DAY_MINUTES,
        incidents=tuple(begin.id for begin in run),
        p=chance,
    )


def _chance(count: int, among: int, arc: float) -> float:
    """An upper bound of how likely some *count* of *among* beginnings lie within *arc* of the day by chance."""
    logarithm = math.log(math.comb(among, count)) + math.log(count) + (count - 1) * math.log(arc)
    return min(1.0, math.exp(max(logarithm, -700.0)))
