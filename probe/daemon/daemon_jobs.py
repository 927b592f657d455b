"""What the daemon's jobs do: what is due by the plan is measured, then judged as a whole, then told.

One *lane* is held by whatever measures targets, so that a burst and a round never disturb one another; the look at the own
side is small and keeps its own time, and deep tests take minutes and wait for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Protocol

from probe.daemon import caps
from probe.daemon.caps import Allowance
from probe.daemon.daemon_costs import OWN_SIDE_WORST, worst
from probe.daemon.plan import Look, Pace, Plan, Watched
from probe.incidents.model import Fact, OwnSide, Wants
from probe.incidents.parts import Parts

if TYPE_CHECKING:
    from probe.daemon.clock import Clock
    from probe.daemon.scheduler import Scheduler
    from probe.settings import Settings
    from targets.fingerprints import Shelf
    from targets.model import Asked, Canaries
    from targets.networks import Atlas

OWN_SIDE, INCIDENTS, DEEP, WISHES = "own side", "incidents", "deep", "wishes"
TELLING, KEEPING = "telling", "keeping"
_ROUND = "round every "
_FIRST_ROUND_S = (2.0, 8.0)
"""After the start: the own side is known by then."""
_LONGEST_JOB_S = 900.0
"""A job that takes longer hangs, and is a bug. The longest deep question takes 200 s, and a burst 45."""
_NEVER = 1e9
_AFTER_SLEEP_S = (10.0, 30.0)
"""After sleep the network takes a while to come back; whoever measures at once measures that."""
_KEEPING_S = 3600.0
_MUCH_SLOWER = 1.25
"""Worth a line in the log."""
_CLOCK_STEP_S = 5.0
"""What a clock may gain or lose between two jobs without anybody having set it."""


Due = Callable[[float], tuple[Look, ...]]
"""What is due at a moment of the timeline."""


class Say(Protocol):
    """Where the daemon's lines go: a short name of what happened, the words, and facts for programs."""

    def __call__(self, event: str, words: str, **facts: object) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSet:
    """What is watched, and how: all that a reload may change. ``asked`` are numbered as ``watched`` are."""

    settings: Settings
    asked: tuple[Asked, ...]
    watched: tuple[Watched, ...]
    pace: Pace
    kill_switch: Path
    canaries: Canaries
    catalogue: str
    opt_ins: tuple[str, ...] = ()
    fingerprints: Shelf | None = None
    networks: Atlas | None = None
    parts: Parts = field(default_factory=Parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of measuring: facts for the incident machine, and what they cost, in bytes."""

    facts: tuple[Fact, ...] = ()
    bytes_sent: int = 0
    bytes_received: int = 0


class Work(Protocol):
    """Everything that the daemon does besides planning. All of it keeps what it learns before it returns."""

    async def own_side(self, watch: WatchSet, *, full: bool) -> Came:
        """Look at the own side: a few questions, or (*full*) all of them."""

    async def measure(self, watch: WatchSet, looks: Sequence[Look]) -> Came:
        """Measure some endpoints."""

    async def conclude(self, facts: Sequence[Fact]) -> Wants:
        """Take *facts* into the incidents, put what people are to be told into the queue; what is wished for next."""

    async def tell(self) -> None:
        """Send what waits in the queue and is due."""

    async def keep(self) -> None:
        """Look after the database; called every hour."""


class Jobs:
    """The jobs over one :class:`WatchSet` at a time, and what they know between turns."""

    def __init__(
        self, watch: WatchSet, work: Work, clock: Clock, say: Say, *, random: Random, wants: Wants | None = None
    ) -> None:
        self._watch, self._work, self._clock, self._say, self._random = watch, work, clock, say, random
        self.plan = Plan(watch.watched, watch.pace, random)
        self.allowance = Allowance(watch.settings.run.cap_bytes)
        self._scheduler: Scheduler | None = None
        self._lane = asyncio.Lock()
        self._wants = wants if wants is not None else Wants()
        self._own_side: OwnSide | None = None
        self._stopped_by: str | None = None
        self._refused = 0
        self._is_slower = False
        self._apart = clock.now_us() / 1e6 - clock.monotonic()
        self.bugs = 0

    # planning

    def plan_on(self, scheduler: Scheduler) -> None:
        """Put the jobs on *scheduler*."""
        self._scheduler = scheduler
        # A reload puts another plan in the place of this one, so none of its methods is handed on.
        scheduler.every(OWN_SIDE, self._look_at_own_side, lambda: self.plan.until_own_side(), first=0.0)  # noqa: PLW0108
        scheduler.every(INCIDENTS, self._incident_round, lambda: self.plan.until_incident_round(), first=_NEVER)  # noqa: PLW0108
        scheduler.every(DEEP, self._deep_round, lambda: self.plan.until_deep(), first=_NEVER)  # noqa: PLW0108
        scheduler.every(WISHES, self._grant_wishes, lambda: _NEVER, first=_NEVER)
        scheduler.every(TELLING, self._work.tell, lambda: _NEVER, first=_NEVER)
        scheduler.every(KEEPING, self._keep, lambda: _KEEPING_S, first=_KEEPING_S)
        self._plan_rounds()
        self._follow(scheduler, before=self._wants)

    def _plan_rounds(self) -> None:
        assert self._scheduler is not None
        wanted = {_round_name(every): every for every in self.plan.rhythms}
        for name in self._scheduler.names:
            if name.startswith(_ROUND) and name not in wanted:
                self._scheduler.drop(name)
        for name, every in wanted.items():
            if name not in self._scheduler.names:
                first = self._random.uniform(*_FIRST_ROUND_S)
                self._scheduler.every(name, self._round_of(every), self._interval_of(every), first=first)

    def _round_of(self, every: float) -> Callable[[], Awaitable[None]]:
        async def job() -> None:
            await self._measure(lambda now: self.plan.round(every, now))

        return job

    def _interval_of(self, every: float) -> Callable[[], float]:
        return lambda: self.plan.until_round(every)

    def change(self, watch: WatchSet) -> None:
        """Go on with another set. What was remembered of endpoints that are in both stays."""
        plan = Plan(watch.watched, watch.pace, self._random)
        plan.remember(self.plan)
        self._watch, self.plan = watch, plan
        self.allowance.cap = watch.settings.run.cap_bytes
        self._keep_pace()
        self._plan_rounds()

    def slept(self, seconds: float) -> None:
        """The host slept so long: look at the own side now, and make one round of each kind a little later."""
        assert self._scheduler is not None
        self._say(
            "slept",
            f"This computer was asleep for {duration(seconds)}: one round makes up for it.",
            seconds=round(seconds),
        )
        for name in self._scheduler.names:
            if name not in (OWN_SIDE, KEEPING):
                self._scheduler.put_off(name, self._random.uniform(*_AFTER_SLEEP_S))
        self._scheduler.soon(OWN_SIDE, 0.0)

    # jobs

    async def everything_once(self) -> None:
        """One full look at the own side, one round of every rhythm, and what follows from them."""
        await self._look(full=True)
        for every in self.plan.rhythms:
            await self._measure(lambda now, every=every: self.plan.round(every, now))  # type: ignore[misc]
        await self._grant_wishes()
        await self._work.tell()

    async def _look_at_own_side(self) -> None:
        # A clock that was set dates what is stored from now on, and a full look asks others for the time.
        await self._look(full=self._clock_was_set())

    async def _look(self, *, full: bool) -> None:
        if self._is_stopped():
            return
        async with self._paid(OWN_SIDE_WORST) as bill:
            if bill is not None:
                self._took(bill, came := await self._work.own_side(self._watch, full=full))
                await self._conclude(came.facts)

    async def _measure(self, due: Due) -> bool:
        """Measure what is *due* by the time that the lane is free; whether anything was."""
        async with self._lane:
            return await self._measure_now(due)

    async def _measure_now(self, due: Due) -> bool:
        if self._is_stopped():
            return False
        looks = due(self._clock.monotonic())
        if not looks:
            return False
        async with self._paid(worst(looks)) as bill:
            if bill is None:
                return False
            async with asyncio.timeout(_LONGEST_JOB_S):
                self._took(bill, came := await self._work.measure(self._watch, looks))
            await self._conclude(came.facts)
        return True

    async def _incident_round(self) -> None:
        await self._measure(lambda now: self.plan.incident_round(self._wants, now))

    async def _deep_round(self) -> None:
        # Beside whatever has the lane. They share the flows of two minutes, so one waits for the other and measures later, not
        # worse; what is compared takes turns within one run, so whatever the other does to the line happens to both names.
        # Neutral places are never the same (Kit.under_way), for a device may remember a name that was asked there. A device
        # that remembers the site's own address makes no word: that is a leaning at the most. And a page that one run
        # forgets is looked at to the full by the other.
        await self._measure_now(lambda now: self.plan.deep_round(self._wants, now))

    async def _grant_wishes(self) -> None:
        """Whatever the incident machine wishes for at once, until it wishes for nothing more that may be had. What it comes to
        wish for while this waits for the lane belongs to it: the scheduler begins no second one beside it.
        """
        while await self._grant_some() or self._wished_for_more:
            pass

    async def _grant_some(self) -> bool:
        granted = self._wished_for_more = False
        if self._wants.own_side and self.plan.may_look_at_own_side(self._clock.monotonic()):
            await self._look(full=True)
            granted = True
        granted |= await self._measure(lambda now: self.plan.others(self._wants, now))
        granted |= await self._measure(lambda now: self.plan.bursts(self._wants, now))
        granted |= await self._measure(lambda now: self.plan.platforms(self._wants, now))
        return granted

    async def _keep(self) -> None:
        await self._work.keep()

    # what follows

    async def _conclude(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, OwnSide):
                self._own_side = fact
        wants = await self._work.conclude(facts)
        before, self._wants = self._wants, wants
        if self._scheduler is not None:
            self._follow(self._scheduler, before)

    def _follow(self, scheduler: Scheduler, before: Wants) -> None:
        """Plan what is wished for."""
        wants = self._wants
        if wants.own_side or wants.bursts or wants.platforms or wants.others:
            self._wished_for_more = True
            scheduler.soon(WISHES, 0.0)
        if before.behind & wants.rounds:
            # The line is back: whether what was blocked before it went still is can be seen again.
            scheduler.soon(INCIDENTS, self._random.uniform(*_AFTER_SLEEP_S))
        elif wants.rounds - wants.old:
            scheduler.soon(INCIDENTS, self.plan.until_incident_round())
        else:
            scheduler.put_off(INCIDENTS, _NEVER)
        if wants.deep - before.deep:
            scheduler.soon(DEEP, 0.0)
        elif wants.deep:
            scheduler.soon(DEEP, self.plan.until_deep())
        else:
            scheduler.put_off(DEEP, _NEVER)
        if self._own_side is not None and self._own_side.status == "ok":
            scheduler.soon(TELLING, 0.0)

    # what it may not

    def _is_stopped(self) -> bool:
        """Whether the kill switch is thrown; said when it changes."""
        switch = self._watch.kill_switch
        stopped = caps.exists(switch)
        if stopped and self._stopped_by is None:
            self._say("kill_switch", f"Nothing is measured while {switch} exists.", file=str(switch))
        elif not stopped and self._stopped_by is not None:
            self._say("kill_switch_gone", "The kill switch is gone: measuring goes on.")
        self._stopped_by = str(switch) if stopped else None
        return stopped

    @contextlib.asynccontextmanager
    async def _paid(self, worst_case: int) -> AsyncIterator[list[int] | None]:
        """An empty bill to write what was used on, once *worst_case* bytes are set aside; ``None`` if there are not as
        many left of the day's.
        """
        now = self._clock.monotonic()
        if not self.allowance.reserve(worst_case, now):
            self._say_capped(worst_case, now)
            yield None
            return
        if self._refused and worst_case >= self._refused:
            self._refused = 0
            self._say("cap_over", "There are bytes to spend again: measuring goes on.")
        bill: list[int] = []
        try:
            yield bill
        finally:
            self.allowance.settle(worst_case, sum(bill) if bill else worst_case, self._clock.monotonic())
            self._keep_pace()

    def _keep_pace(self) -> None:
        """Measure more rarely while much of the cap is used; said when it becomes so, and when it is over."""
        now = self._clock.monotonic()
        self.plan.slower = self.allowance.slower(now)
        if self.plan.slower >= _MUCH_SLOWER and not self._is_slower:
            self._is_slower = True
            spent, cap = self.allowance.spent(now), self.allowance.cap
            words = f"{_share(spent, cap)} are used: what is watched is looked at more rarely, so that the rest lasts."
            self._say("slower", words, bytes=spent)
        elif self.plan.slower == 1.0 and self._is_slower:
            self._is_slower = False
            self._say("slower_over", "Enough bytes are left again: what is watched is looked at as often as usual.")

    def _say_capped(self, worst_case: int, now: float) -> None:
        """Once, until something as large may be measured again. The small look at the own side mostly still may."""
        if not self._refused:
            spent, cap = self.allowance.spent(now), self.allowance.cap / 1e6
            words = f"Too few of the {cap:g} MB of 24 hours are left: most measuring waits until some are a day old."
            self._say("cap", words, bytes=spent)
        self._refused = max(self._refused, worst_case)

    def _took(self, bill: list[int], came: Came) -> None:
        bill.append(came.bytes_sent + came.bytes_received)

    def _clock_was_set(self) -> bool:
        """Whether somebody has set this computer's clock since the last time; said. Nothing is due earlier or later for it."""
        apart = self._clock.now_us() / 1e6 - self._clock.monotonic()
        moved, self._apart = apart - self._apart, apart
        if abs(moved) <= _CLOCK_STEP_S:
            return False
        way = "forward" if moved > 0 else "back"
        self._say("clock_set", f"This computer's clock was set {way} by {duration(abs(moved))}.", seconds=round(moved))
        return True

    def bug(self, job: str, error: Exception) -> None:
        """A job ended in a bug of ours. Its next turn comes as ever."""
        self.bugs += 1
        told = "".join(traceback.format_exception(error))
        self._say("bug", f"A bug in dalel ended this turn of '{job}': {error!r}", job=job, traceback=told)

    # words

    def summary(self) -> str:
        """What is watched, in a sentence."""
        platforms = len({one.platform for one in self._watch.watched})
        addresses = _counted(len(self._watch.watched), "address", "addresses")
        return f"Watching {addresses} of {_counted(platforms, 'platform', 'platforms')}."

    def status(self) -> str:
        """How things are, in a line."""
        if self._stopped_by is not None:
            return f"Stopped by {self._stopped_by}: nothing is measured."
        if self._refused:
            return "The bytes of this day are used up: next to nothing is measured."
        if self._is_slower:
            spent = self.allowance.spent(self._clock.monotonic())
            return f"{_share(spent, self.allowance.cap)} are used: looks are rarer. {self._how_it_is()}"
        return self._how_it_is()

    def _how_it_is(self) -> str:
        own = "not looked at yet" if self._own_side is None else self._own_side.method or self._own_side.status
        held = len(self._wants.rounds)
        trouble = f" {_counted(held, 'address', 'addresses')} in an incident." if held else ""
        return f"{self.summary()} Own side: {own}.{trouble}"


def _share(spent: int, cap: int) -> str:
    return f"{spent / 1e6:.0f} of the {cap / 1e6:g} MB of 24 hours"


def _round_name(every: float) -> str:
    return f"{_ROUND}{every:g}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    for name, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
