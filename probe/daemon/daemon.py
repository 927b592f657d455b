"""The daemon: jobs on the scheduler, signals, and the way out.

It knows *when* and *in which order*; measuring, incidents, telling and keeping are handed in (:class:`Work`), and so are
the clock, what loads the settings again, and who hears its lines.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.daemon.scheduler import Scheduler

if TYPE_CHECKING:
    from probe.daemon.clock import Clock
    from probe.daemon.daemon_jobs import Jobs, Say, WatchSet
    from probe.daemon.process import Orders, Supervisor

DRAIN_S = 8.0
"""What is under way may take so long once somebody says stop: `docker stop` kills after 10 s, systemd after 90."""
SLEPT_S = 60.0
"""A job that comes so much too late means that the host slept (or that its clock was moved on, in a replay)."""
_STATUS_S = 60.0
"""How old the line that ``systemctl status`` shows may be."""
_MINUTE_S = 60.0


class ReloadError(Exception):
    """The new settings cannot be used; the text says why, and the old ones stay in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the daemon meets of its host: who supervises it, who hears its lines, who gives it orders, and how the settings
    are read again (on a thread; :class:`ReloadError` where they cannot be).
    """

    supervisor: Supervisor
    say: Say
    orders: Orders
    reload: Callable[[], WatchSet]
    changed: Callable[[WatchSet], Awaitable[None]] | None = None
    """Hears of new settings, before they are measured by."""
    every_minute: Callable[[], Awaitable[None]] | None = None
    """Small repairs of what is around the measuring."""


class Daemon:
    """One process that watches. :meth:`run` returns when it was told to stop, and nothing is under way any more."""

    def __init__(self, jobs: Jobs, clock: Clock, outside: Outside) -> None:
        self._clock = clock
        self._outside = outside
        self._orders = outside.orders
        self._jobs = jobs

    async def once(self) -> None:
        """One look at the own side and one round of everything, and what follows from them; then the end."""
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._jobs.everything_once())
            stopping = group.create_task(self._orders.stop.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            work.cancel()
            stopping.cancel()

    async def run(self) -> None:
        """Watch until there is the order to stop. A bug in a job ends that job's turn only."""
        supervisor = self._outside.supervisor
        async with asyncio.TaskGroup() as group:
            scheduler = Scheduler(self._clock, group, self._jobs.bug)
            self._jobs.plan_on(scheduler)
            helpers = [
                group.create_task(scheduler.serve(late=self._late)),
                group.create_task(self._reloading()),
                group.create_task(self._watchdog()),
                group.create_task(self._every_minute()),
            ]
            supervisor.ready(self._jobs.status())
            await self._orders.stop.wait()
            supervisor.stopping()
            self._outside.say("stopping", "Stopping: what is being measured is finished and kept.")
            scheduler.shutdown()
            await self._drain(scheduler)
            for helper in helpers:
                helper.cancel()

    async def _drain(self, scheduler: Scheduler) -> None:
        """Let what is under way end by itself, and end it when it does not. Real time: people wait."""
        tasks = scheduler.under_way
        async with asyncio.TaskGroup() as group:
            hurry = group.create_task(self._orders.hurry.wait())
            ended = group.create_task(_ended(tasks))
            await asyncio.wait({hurry, ended}, timeout=DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
            for task in (hurry, ended, *tasks):
                task.cancel()

    async def _reloading(self) -> None:
        while True:
            await self._orders.reload.wait()
            self._orders.reload.clear()
            self._outside.supervisor.reloading()
            try:
                watch = await asyncio.to_thread(self._outside.reload)
            except ReloadError as error:
                self._outside.say(
                    "reload_failed", f"The settings in force stay, because the new ones are wrong: {error}"
                )
            except Exception as error:  # a bug of ours, or a program that was updated under the one that runs
                self._jobs.bug("reload", error)
            else:
                if self._outside.changed is not None:
                    await self._outside.changed(watch)
                self._jobs.change(watch)
                self._outside.say("reloaded", f"The settings have been read again. {self._jobs.summary()}")
            self._outside.supervisor.ready(self._jobs.status())

    async def _watchdog(self) -> None:
        """Tell whoever supervises that the loop turns. Real time, whatever the clock does."""
        supervisor = self._outside.supervisor
        if supervisor.watchdog_s is None:
            return
        while True:
            supervisor.alive()
            supervisor.status(self._jobs.status())
            await asyncio.sleep(min(supervisor.watchdog_s, _STATUS_S))

    async def _every_minute(self) -> None:
        """Real time, as the watchdog's."""
        if (repair := self._outside.every_minute) is None:
            return
        while True:
            await asyncio.sleep(_MINUTE_S)
            try:
                await repair()
            except Exception as error:  # no repair is worth the measuring
                self._jobs.bug("every_minute", error)

    def _late(self, seconds: float) -> None:
        if seconds >= SLEPT_S:
            self._jobs.slept(seconds)


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
