"""All that is judged of one replay: what was told, to whom, what was kept, and what was recognised as recurring."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from tests.lab.replay.harness import Replayed, microseconds
from tests.lab.replay.heard import read, unheard
from tests.lab.replay.kept import lacking
from tests.lab.replay.model import Event
from tests.lab.replay.said import recurrences_of, said_of
from tests.lab.replay.score import Score, score

_OFF_BY_MIN = 20
_ENDING = dt.timedelta(minutes=5)
"""The daemon may finish a round that it had begun when the replay was over."""


def judge(event: Event, replayed: Replayed) -> Score:
    """The score of *event* with everything that is wrong about it."""
    told = said_of(replayed)
    wrong = lacking(
        replayed.database,
        microseconds(event.begins + replayed.shift),
        microseconds(event.ends + replayed.shift + _ENDING),
        clock_is_off=any(phase.clock_s for phase in event.phases),
    )
    if bugs := replayed.log.count('"event": "bug"'):
        wrong.append(f"{bugs} bugs of the daemon's own in its log")
    if replayed.code != 0:
        wrong.append(f"the daemon ended with {replayed.code}")
    if replayed.heard.exists():
        wrong += unheard(event, told, read(replayed.heard, replayed.shift))
    if event.recurs is not None:
        wrong += not_recurring(event.recurs, recurrences_of(replayed))
    return dataclasses.replace(score(as_it_was(event, replayed.applied), told), wrong=tuple(wrong))


def as_it_was(event: Event, applied: Iterable[tuple[str, dt.datetime]]) -> Event:
    """*event* with the moments at which the lab was changed: that is when the daemon next rested, and on a busy machine a round
    that a change falls into may take minutes.
    """
    changed = {event.at(moment).begins: moment for _, moment in applied}
    truths = (
        dataclasses.replace(
            truth,
            began=changed.get(truth.began, truth.began),
            ended=truth.ended and changed.get(truth.ended, truth.ended),
        )
        for truth in event.truths
    )
    return dataclasses.replace(event, truths=tuple(truths))


def not_recurring(hours: tuple[str, str], found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Nothing if what comes back every day was recognised, from and until (``HH:MM``) within twenty minutes."""
    for one in found:
        near = [_minutes_apart(one[key], hour) for key, hour in zip(("from", "until"), hours, strict=True)]
        if one["every"] == "day" and max(near) <= _OFF_BY_MIN:
            return []
    return [f"nobody saw that it comes back every day from {hours[0]} to {hours[1]}"]


def _minutes_apart(one: str | None, other: str) -> int:
    if one is None:
        return 24 * 60
    minutes = [int(hour) * 60 + int(minute) for hour, minute in (one.split(":"), other.split(":"))]
    apart = abs(minutes[0] - minutes[1])
    return min(apart, 24 * 60 - apart)
