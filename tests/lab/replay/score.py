"""What the daemon said of an event, against the truth. Pure: incidents in, judgements out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.lab.replay.model import Event, Truth

DAY = dt.timedelta(days=1)
SLACK = dt.timedelta(seconds=90)
"""How far a transition may lie outside of the interval that was told: a round that it falls into takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One incident as it was told in the end, in the times of the event."""

    status: str
    method: str | None
    platforms: frozenset[str]
    began_after: dt.datetime | None
    began_by: dt.datetime
    ended_after: dt.datetime | None
    ended_by: dt.datetime | None
    opened: dt.datetime
    closed: dt.datetime | None
    holes: frozenset[str] = frozenset()
    id: str = ""
    interface: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One truth, the incidents that tell it, and what is wrong with them (nothing: right). Delays in minutes."""

    truth: Truth
    said: tuple[Said, ...]
    wrong: tuple[str, ...]
    onset_min: float | None = None
    recovery_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``stray``: incidents that tell nothing true; ``false_blocked``: those of them, or of a negative, that say blocked.

    ``of_the_lab``: incidents that are true of the lab and not of the event, which count for nothing. ``wrong``: what else is
    wrong: with the rows, with the messages, with what comes back every day.
    """

    judged: tuple[Judged, ...]
    stray: tuple[Said, ...]
    false_blocked: tuple[Said, ...]
    of_the_lab: tuple[Said, ...] = ()
    wrong: tuple[str, ...] = field(default=())

    @property
    def is_right(self) -> bool:
        lacks = self.stray or self.false_blocked or self.wrong
        return not lacks and not any(judged.wrong for judged in self.judged)


def score(event: Event, incidents: Iterable[Said]) -> Score:
    """Every truth with what tells it, and what is left over."""
    told = sorted(incidents, key=lambda said: said.opened)
    judged = tuple(_judge(truth, [said for said in told if _tells(said, truth)]) for truth in event.truths)
    used = {id(said) for one in judged for said in one.said}
    left = [said for said in told if id(said) not in used]
    of_the_lab = tuple(said for said in left if _is_of_the_lab(event, said))
    stray = tuple(said for said in left if said not in of_the_lab)
    blocked = tuple(said for said in (told if event.negative else stray) if said.status == "blocked")
    return Score(judged=judged, stray=stray, false_blocked=blocked, of_the_lab=of_the_lab)


def _is_of_the_lab(event: Event, said: Said) -> bool:
    """The lab's web servers date their answers by the real clock, and only its time servers go with the event: where that takes
    days, dates and time are days apart, and that the clock may be wrong is right to be told.
    """
    return event.ends - event.begins > DAY and (said.status, said.method) == ("no_network", "clock")


def _tells(said: Said, truth: Truth) -> bool:
    """Whether an incident is about this: its words, its platforms, and a time that overlaps."""
    if not any(said.status == status and method in (None, said.method) for status, method in truth.words):
        return False
    if said.interface != truth.interface:
        return False
    theirs = truth.platforms | truth.perhaps
    if "facebook" in theirs:
        theirs |= {"messenger"}  # the same company's names, and a platform of its own in the catalogue
    if theirs and not said.platforms <= theirs:
        return False
    begins_before_end = truth.ended is None or said.began_by <= truth.ended + truth.recovery
    return begins_before_end and (said.ended_by is None or said.ended_by >= truth.began)


def _judge(truth: Truth, said: Sequence[Said]) -> Judged:
    if not said:
        return Judged(truth=truth, said=(), wrong=("nobody told",) if truth.must else ())
    first = min(said, key=lambda one: one.opened)
    onset = first.opened - truth.began
    recovery = _recovery(truth, said)
    several = (f"told as {len(said)} incidents",) if len(said) > 1 and not truth.by_chance else ()
    return Judged(
        truth=truth,
        said=tuple(said),
        wrong=(*_missing(truth, said), *_times(truth, first, onset, recovery), *several),
        onset_min=onset.total_seconds() / 60,
        recovery_min=recovery.total_seconds() / 60 if recovery is not None else None,
    )


def _recovery(truth: Truth, said: Sequence[Said]) -> dt.timedelta | None:
    """How long after the end the last of them was closed; ``None`` if one never was."""
    if truth.ended is None:
        return None
    closed = [one.closed for one in said]
    ends = [moment for moment in closed if moment is not None]
    return max(ends) - truth.ended if len(ends) == len(closed) else None


def _missing(truth: Truth, said: Sequence[Said]) -> list[str]:
    platforms = frozenset[str]().union(*(one.platforms for one in said))
    holes = frozenset[str]().union(*(one.holes for one in said))
    wrong = []
    if lacking := truth.platforms - platforms:
        wrong.append(f"does not name {', '.join(sorted(lacking))}")
    if lacking := truth.holes - holes:
        wrong.append(f"does not name the hole {', '.join(sorted(lacking))}")
    return wrong


def _times(truth: Truth, first: Said, onset: dt.timedelta, recovery: dt.timedelta | None) -> list[str]:
    wrong = []
    if onset > truth.onset:
        wrong.append(f"told {onset.total_seconds() / 60:.1f} min after it began")
    if truth.ended is not None and recovery is None:
        wrong.append("never closed")
    if recovery is not None and recovery > truth.recovery:
        wrong.append(f"closed {recovery.total_seconds() / 60:.1f} min after it ended")
    if recovery is not None and recovery < -SLACK:
        wrong.append(f"closed {-recovery.total_seconds() / 60:.1f} min before it ended")
    if onset < -SLACK:
        wrong.append(f"told {-onset.total_seconds() / 60:.1f} min before it began")
    if not _within(truth.began, first.began_after, first.began_by):
        wrong.append("its beginning is not in the interval that was told")
    return wrong


def _within(moment: dt.datetime, after: dt.datetime | None, by: dt.datetime | None) -> bool:
    return (after is None or after - SLACK <= moment) and (by is None or moment <= by + SLACK)
