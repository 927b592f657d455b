"""The daemon's work as it is: rounds over a wire, incidents over the archive, messages through a teller."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from probe.daemon import memory, words
from probe.daemon.burst import confirm
from probe.daemon.daemon_jobs import Came, WatchSet, duration
from probe.daemon.plan import Look
from probe.daemon.telling.items import of_event
from probe.daemon.watch import OtherWays
from probe.experiments.pacing import Pacer
from probe.incidents.model import Fact, Incident, Wants
from probe.incidents.redating import redated
from probe.incidents.wishes import in_sight
from probe.instruments.tls import Hello
from probe.instruments.warm import warm
from probe.wire import Wire
from probe.workflows import watching
from probe.workflows.incidents import LOOKS_AGAIN, Conclusion, Incidents
from probe.workflows.kit import ClockOffset, Kit
from probe.workflows.prune import tidy
from probe.workflows.redating import Undated
from probe.workflows.whereabouts import Hint, Whereabouts, hint_from, hint_of
from storage import days, last_network, own_sides, readings, redating
from storage.errors import StorageError

if TYPE_CHECKING:
    from probe.daemon.clock import Clock
    from probe.daemon.daemon_jobs import Say
    from probe.daemon.metrics import Figures
    from probe.daemon.telling.teller import Teller
    from probe.instruments.trust import Trust
    from storage.archive import Archive

_TIDY_S = 5.0
"""An hour's housekeeping takes less; what is left of a year's is done in the next hours."""
_SEEN_BACK_US = 2 * 3_600_000_000
"""An endpoint that was measured before that is due as much as one that never was."""


@dataclass(slots=True, kw_only=True)
class RealWork:
    """See :class:`~probe.daemon.daemon_jobs.Work`. Use :meth:`begin` before anything else."""

    wire: Wire
    clock: Clock
    archive: Archive
    trust: Trust
    teller: Teller
    say: Say
    figures: Figures | None = None
    """Counts for a monitoring system, where one is wanted."""
    ways: OtherWays = field(init=False)
    """Further ways out of this host, if it has any. A pretend network has none: they would lead out of it."""
    _kit: Kit | None = None
    _watch: WatchSet | None = None
    _incidents: Incidents | None = None
    _concluding: asyncio.Lock = field(default_factory=asyncio.Lock)
    _was_up: bool = False
    _is_up: bool = False
    _trouble: str | None = None
    _uncounted: dict[str, days.Day] = field(default_factory=dict)
    """Sums of days that the database could not take yet."""
    _undated: Undated = field(default_factory=Undated)
    _moments: dict[int, int] = field(default_factory=dict)
    """What became of moments that were read from a wrong clock."""
    _moves_said: int = 0
    _hint: Hint | None = None
    """What an earlier process has left of where it was."""
    _hinted: Whereabouts | None = None
    """What the next one is left a hint of."""

    def __post_init__(self) -> None:
        self.ways = OtherWays() if self.wire.name == Wire.name else OtherWays(lambda: ())

    async def begin(self) -> Wants:
        """Take up what the archive knows of incidents, tell what was never told, and say what is wished for."""
        self._hint = hint_from(await asyncio.to_thread(last_network.read, self.archive.location))
        self._incidents, missed = await asyncio.to_thread(self._load)
        items = [of_event(incident, event) for incident, event in missed.told]
        await self._kept_after(self.teller.tell_missed(items))
        await self._keep_incidents(missed)
        return missed.wants

    def _load(self) -> tuple[Incidents, Conclusion]:
        """As much as can be read: a page that a memory card has lost is no reason to measure nothing from now on."""
        now_us = self.clock.now_us()
        try:
            return Incidents.load(self.archive, now_us)
        except StorageError as error:
            self.say("storage", f"{error} What was found before is known only in part.")
        with contextlib.suppress(StorageError):
            return Incidents.load(self.archive, now_us, read_again=False)
        return Incidents(self.archive), Conclusion()

    async def seen(self) -> dict[str, float]:
        """When endpoints were measured last, by URL, on the daemon's timeline: only of the last hours."""
        now_us, now = self.clock.now_us(), self.clock.monotonic()

        def read() -> dict[str, float]:
            database = self.archive.reader.database
            since_us = own_sides.since_at_most(database, now_us - _SEEN_BACK_US, LOOKS_AGAIN)
            return {
                reading.url: now - max(now_us - reading.at_us, 0) / 1e6
                for reading in readings.between(database, since_us)
            }

        try:
            return await asyncio.to_thread(read)
        except StorageError:
            return {}

    async def spent_lately(self) -> list[tuple[int, float]]:
        """Bytes that earlier processes used in the last 24 hours, oldest first, and when, on the daemon's timeline."""
        now_us, now = self.clock.now_us(), self.clock.monotonic()
        try:
            spent = await asyncio.to_thread(lambda: days.lately(self.archive.reader.database, now_us))
        except StorageError:
            return []
        return [(count, now - (now_us - end_us) / 1e6) for end_us, count in spent]

    async def settle(self) -> None:
        """Import now what the first round would, and take it for what is needed to the end."""
        await asyncio.to_thread(warm, self.trust)
        memory.settle()

    # measuring

    async def own_side(self, watch: WatchSet, *, full: bool) -> Came:
        kit = self._kit_of(watch)
        came = await watching.look(kit, self.wire, watch.settings, self.archive, full=full)
        others = await self.ways.look(kit, watch.settings, self.archive, full=full)
        counted = await self._counted(came, own_sides_made=1 + len(others), beside=others)
        # The way that the system prefers comes last: what it says is what holds for everything else.
        told = [fact for one in others for fact in (*one.moved, one.own_side) if fact is not None]
        return replace(counted, facts=(*told, *counted.facts))

    async def measure(self, watch: WatchSet, looks: Sequence[Look]) -> Came:
        if all(look.kind != "burst" for look in looks):
            return await self._round(watch, looks)
        first, second = await confirm(lambda: self._round(watch, looks), self.wire)
        return Came(
            facts=(*first.facts, *second.facts),
            bytes_sent=first.bytes_sent + second.bytes_sent,
            bytes_received=first.bytes_received + second.bytes_received,
        )

    async def _round(self, watch: WatchSet, looks: Sequence[Look]) -> Came:
        kit, asked = self._kit_of(watch), {one.number: one for one in watch.asked}
        wanted = [(asked[look.number], look.kind) for look in looks]
        settings = replace(watch.settings, deep=any(look.kind == "deep" for look in looks))
        came = await watching.measure(kit, self.wire, settings, wanted, self.archive)
        return await self._counted(came, rounds=1)

    def _kit_of(self, watch: WatchSet) -> Kit:
        """What rounds are measured with. After a reload what was learned on the way (tickets, the clock) stays."""
        if self._kit is None:
            budgets = watch.settings.budgets
            self._kit = Kit(
                trust=self.trust,
                canaries=watch.canaries,
                catalogue=watch.catalogue,
                clock=ClockOffset(self.clock.monotonic),
                pacer=Pacer(self.wire, budgets.flows_per_second, budgets.flows_per_120_s),
                before=self._hint,
            )
        if self._watch is not watch:
            self._watch = watch
            kit = self._kit
            kit.heard = self.figures.seen if self.figures is not None else None
            kit.canaries, kit.catalogue, kit.opt_ins = watch.canaries, watch.catalogue, watch.opt_ins
            kit.fingerprints, kit.networks = watch.fingerprints, watch.networks
            notify = watch.settings.notify
            self.teller.notify = notify
            self.teller.means = replace(self.teller.means, probe=notify.probe)
            self.teller.language = words.choose(watch.settings.language, os.environ)
        return self._kit

    async def _counted(
        self, came: watching.Came, *, rounds: int = 0, own_sides_made: int = 0, beside: Sequence[watching.Came] = ()
    ) -> Came:
        if self._incidents is not None:
            # At once, and again in its turn: what others measure in the new network may come before the rest of this.
            self._incidents.take(came.moved[:1])
        sent = sum(one.bytes_sent for one in (came, *beside))
        received = sum(one.bytes_received for one in (came, *beside))
        day = days.Day(
            day=days.day_of(self.wire.now_us()),
            bytes_sent=sent,
            bytes_received=received,
            rounds=rounds,
            readings=len(came.readings),
            own_sides=own_sides_made,
        )
        for one in (came, *beside):
            self._undated.note(one)
        await self._kept_after(self._count(day))
        if self.figures is not None:
            self.figures.came(came.readings, came.own_side, sent=sent, received=received)
            self.figures.last_sign_s = time.monotonic()
            if self._kit is not None:
                self.figures.offset_us = self._kit.clock.at(self.wire.now_us()) or 0
        facts: tuple[Fact, ...] = came.readings
        if came.own_side is not None:
            facts = (*facts, came.own_side)
            self._is_up = came.own_side.status == "ok"
            self._was_up &= self._is_up
        if self._kit is not None:
            await self._whereabouts(self._kit)
        return Came(facts=(*came.moved, *facts), bytes_sent=sent, bytes_received=received)

    async def _count(self, day: days.Day) -> None:
        """Add to the sums of a day, with what the database could not take before."""
        waiting, self._uncounted = self._uncounted, {}
        waiting[day.day] = waiting.get(day.day, days.Day(day=day.day)).plus(day)
        while waiting:
            _, one = waiting.popitem()
            try:
                await asyncio.wrap_future(days.add(self.archive, one))
            except StorageError:
                for left in (one, *waiting.values()):
                    self._uncounted[left.day] = self._uncounted.get(left.day, days.Day(day=left.day)).plus(left)
                raise

    async def _whereabouts(self, kit: Kit) -> None:
        """Say that this host has moved, and leave a hint of where it is to the next process: not before the move is kept."""
        if kit.moves_told > self._moves_said:
            self._moves_said = kit.moves_told
            words = "This computer is in another network now: what was suspected in the one before is dropped."
            self.say("moved", words)
        here = kit.whereabouts
        if here is None or here == self._hinted or kit.before is not None or kit.moves_told < kit.moves:
            return
        self._hinted = here
        hint = hint_of(here, in_container=self.wire.host().in_container)
        await asyncio.to_thread(last_network.write, self.archive.location, hint)

    # what follows

    async def conclude(self, facts: Sequence[Fact]) -> Wants:
        assert self._incidents is not None
        # In turn: who waits for the disk with an older version of an incident would put it over a newer one.
        async with self._concluding:
            await self._redate()
            conclusion = self._incidents.take(redated(tuple(facts), self._moments))
            # Messages before the incidents that they tell of: see probe.workflows.incidents.
            await self._tell_of(conclusion)
            await self._keep_incidents(conclusion)
        if self.figures is not None:
            self.figures.incidents(self._incidents.state.incidents.values())
        self.trust.let_go(Hello(None).alpn)
        memory.give_back()
        return conclusion.wants

    async def _redate(self) -> None:
        """Once somebody has told the time: what was measured before, and all that was concluded from it, is dated anew."""
        assert self._incidents is not None
        correction = self._undated.known(self._kit.clock, self.wire.now_us()) if self._kit is not None else None
        if correction is None:
            return
        # What is on its way has these times as well.
        self._moments |= correction.truly_us
        self._incidents.redate(self._moments)
        try:
            await asyncio.wrap_future(redating.correct(self.archive, correction))
        except StorageError as error:
            self._troubled(self.archive.unsaved or str(error))
            return
        self._undated.forget(correction)
        offset_us = max(correction.moments.values(), key=abs)
        way = "behind" if offset_us > 0 else "ahead"
        words = f"This computer's clock was {duration(abs(offset_us) / 1e6)} {way} until it was told the time."
        self.say("redated", f"{words} What was measured before has its right time now.", seconds=round(offset_us / 1e6))

    async def tell(self) -> None:
        if not self._is_up:
            return
        came_back, self._was_up = not self._was_up, True
        try:
            await self.teller.deliver(came_back=came_back)
        except StorageError as error:
            self._troubled(str(error))

    async def keep(self) -> None:
        assert self._incidents is not None
        going_on = [one for one in in_sight(self._incidents.state) if self._is_watched(one)]
        await self._kept_after(self.teller.remind(going_on))
        await self._tidied()

    def _is_watched(self, incident: Incident) -> bool:
        """Whether anything that it holds is still measured: of what the settings have no more nobody knows if it goes on."""
        if self._watch is None or not incident.remaining:
            return True
        return not {one.endpoint.url for one in self._watch.asked}.isdisjoint(incident.remaining)

    async def _tidied(self) -> None:
        """A few seconds of housekeeping, while it is known what day it is."""
        now_us = self.clock.now_us()
        offset_us = self._kit.clock.at(now_us) if self._kit is not None else None
        if self._watch is None or offset_us is None:
            return
        keep = self._watch.settings.keep
        await self._kept_after(_to_its_end(lambda: tidy(self.archive, keep, now_us + offset_us, longest_s=_TIDY_S)))

    async def _tell_of(self, conclusion: Conclusion) -> None:
        items = [of_event(incident, event) for incident, event in conclusion.told]
        await self._kept_after(self.teller.tell(items))

    async def _keep_incidents(self, conclusion: Conclusion) -> None:
        assert self._incidents is not None
        kept = self._incidents.keep(conclusion, told=not self.teller.is_behind)
        if kept is not None:
            await self._kept_after(asyncio.wrap_future(kept))

    async def _kept_after(self, kept: Awaitable[Any]) -> None:
        """Wait until something is on the disk. Where the database cannot take it, measuring goes on and it is said."""
        try:
            await kept
        except StorageError as error:
            # In the archive's own words if it has any: each thing that it could not keep has others.
            self._troubled(self.archive.unsaved or str(error))
        else:
            self._troubled(self.archive.unsaved)

    def _troubled(self, trouble: str | None) -> None:
        """Say what is wrong with the database, and when it is over; each once."""
        if trouble is not None and trouble != self._trouble:
            self.say("storage", trouble)
        elif trouble is None and self._trouble is not None:
            self.say("storage_again", "Results can be kept again.")
        self._trouble = trouble


async def _to_its_end(work: Callable[[], object]) -> None:
    """Do *work* on a thread. Cancelled, it waits all the same: a thread cannot be broken off, and needs the archive."""
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise
