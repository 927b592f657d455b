"""What is replayed: an event with its phases, the truth about it, and the hours that are watched closely.

Times are as in the sources, UTC. A replay keeps the time of day and the distances, and happens in the days before and
after now, so that certificates are as valid as they should be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.lab.rules import Rule
from tests.lab.world import World

CLOSE = dt.timedelta(hours=1)
"""How long before and after a transition the daemon keeps its own pace."""
BETWEEN = dt.timedelta(hours=1)
"""How much time is jumped at once elsewhere, at most: one round an hour."""
ONSET = dt.timedelta(minutes=12, seconds=30)
RECOVERY = dt.timedelta(minutes=10)


def utc(text: str) -> dt.datetime:
    """``2016-05-19 21:00`` as UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def _nothing(_world: World) -> tuple[Rule, ...]:
    return ()


def _same(world: World) -> World:
    return world


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """From ``begins`` until the next phase. ``world`` changes what servers do (they are started anew), ``rules`` what the
    network does, ``mobile`` what the mobile network does, where the host has that too; ``asleep``: the probe's host sleeps all the while; ``clock_s``: how far its clock is off.
    """

    begins: dt.datetime
    tells: str
    rules: Callable[[World], tuple[Rule, ...]] = _nothing
    mobile: Callable[[World], tuple[Rule, ...]] = _nothing
    world: Callable[[World], World] = _same
    asleep: bool = False
    clock_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One thing that happened and that an incident should say.

    ``words``: acceptable pairs of status and method (``None``: any method). ``platforms`` must all be in the incident,
    ``perhaps`` may be. ``ended`` is ``None`` where it outlasts the replay. ``holes`` must be named. ``must`` is false where one
    network alone cannot know it: then no incident is right too, and so is one with these words. ``onset`` and ``recovery``
    are how late it may be told. ``interface``: by which way out, where it is not the one that the system prefers.
    """

    words: tuple[tuple[str, str | None], ...]
    began: dt.datetime
    ended: dt.datetime | None
    platforms: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()
    holes: frozenset[str] = frozenset()
    must: bool = True
    onset: dt.timedelta = ONSET
    recovery: dt.timedelta = RECOVERY
    interface: str | None = None
    by_chance: bool = False
    """Whether it is met now and then only, so that it may be told in pieces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A timeline. ``watches`` are the daemon's targets; ``negative``: nothing of it is blocking. ``needs`` are experiments
    that it takes; ``not_replayed`` says what of the event is left out, and why."""

    name: str
    title: str
    source: str
    phases: tuple[Phase, ...]
    ends: dt.datetime
    truths: tuple[Truth, ...]
    watches: tuple[str, ...] = ("@default",)
    negative: bool = False
    close: dt.timedelta = CLOSE
    recurs: tuple[str, str] | None = None
    """The hours of day (UTC) that should be recognised as recurring, if any."""
    mobile: bool = False
    """Whether the host has a mobile network besides its line."""
    needs: tuple[str, ...] = ()
    not_replayed: str = ""

    @property
    def begins(self) -> dt.datetime:
        return self.phases[0].begins

    def part(self, number: int, begins: dt.datetime, ends: dt.datetime) -> Event:
        """What of it is between two moments, as an event of its own: parts are replayed side by side."""
        first = replace(self.at(begins), begins=begins)
        truths = (
            replace(
                truth, began=max(truth.began, begins), ended=truth.ended if truth.ended and truth.ended < ends else None
            )
            for truth in self.truths
            if truth.began < ends and (truth.ended is None or truth.ended > begins)
        )
        return replace(
            self,
            name=f"{self.name}_part_{number}",
            title=f"{self.title} (part {number})",
            phases=(first, *(phase for phase in self.phases if begins < phase.begins < ends)),
            ends=ends,
            truths=tuple(truths),
        )

    def at(self, moment: dt.datetime) -> Phase:
        """The phase that holds at a moment."""
        return max((phase for phase in self.phases if phase.begins <= moment), key=lambda phase: phase.begins)

    def next_change(self, moment: dt.datetime) -> dt.datetime:
        """When the next phase begins, or the replay ends."""
        return min((phase.begins for phase in self.phases if phase.begins > moment), default=self.ends)

    @property
    def transitions(self) -> tuple[dt.datetime, ...]:
        return tuple(later.begins for _, later in pairwise(self.phases))

    def is_close(self, moment: dt.datetime) -> bool:
        """Whether a transition is near enough that the daemon keeps its own pace."""
        return any(abs(moment - change) <= self.close for change in (*self.transitions, self.begins, self.ends))

    def jump(self, now: dt.datetime, due: dt.datetime) -> dt.datetime:
        """Where the clock stands next, when nothing runs and the next job is due at *due*.

        Never beyond the next change. Far from any, a whole step of ``BETWEEN``: the jobs that it passes are late, and
        are done once, as after a night's sleep.
        """
        change = self.next_change(now)
        if self.at(now).asleep:
            return change
        aim = due
        if not self.is_close(due):
            near = min((change - self.close, now + BETWEEN), key=lambda moment: moment)
            aim = max(due, near)
        return max(now, min(aim, change))
