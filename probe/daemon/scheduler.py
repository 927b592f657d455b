"""APScheduler on a clock that is passed in.

Its jobs live on the daemon's own timeline (``Clock.monotonic``), written as dates because that is what it takes: a wall
clock that is set back a year, or forward, changes nothing about what is due. A job that fell due while the host slept
runs once. Every job is a coroutine of the daemon's ``TaskGroup``; none runs beside itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import STATE_STOPPED, BaseScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from probe.daemon.clock import Clock

_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_WAIT_S = 3600.0

Job = Callable[[], Awaitable[None]]
Trouble = Callable[[str, Exception], None]
"""Hears of a job (by name) that ended in a bug of ours."""


class _Timeline(tzinfo):
    """A time zone in which "now" is what the clock says: the one place where APScheduler asks what time it is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def fromutc(self, _dt: datetime) -> datetime:
        return self.at(self._clock.monotonic())

    def at(self, monotonic: float) -> datetime:
        """The moment *monotonic* (seconds) as a date; microseconds are kept."""
        return _BEGIN.replace(tzinfo=self) + timedelta(seconds=monotonic)

    def utcoffset(self, _dt: datetime | None) -> timedelta:
        return timedelta(0)

    def dst(self, _dt: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _dt: datetime | None) -> str:
        return "timeline"


class _Every(BaseTrigger):  # type: ignore[misc]
    """Again, so many seconds after the last time that it was *run*: a late one puts off the next, so none come close
    together. The interval is asked for anew each time, for it is jittered.
    """

    def __init__(self, interval: Callable[[], float]) -> None:
        self._interval = interval

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + timedelta(seconds=self._interval())


class _Executor(BaseExecutor):  # type: ignore[misc]
    """Runs jobs as tasks of one group, so that none is left behind. A bug in one ends that one run and is told."""

    def __init__(self, clock: Clock, group: asyncio.TaskGroup, trouble: Trouble) -> None:
        super().__init__()
        self._clock = clock
        self._group = group
        self._trouble = trouble
        self.tasks: set[asyncio.Task[None]] = set()

    def _do_submit_job(self, job: Any, _run_times: list[datetime]) -> None:
        task = self._group.create_task(self._run(job), name=job.id)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _run(self, job: Any) -> None:
        # APScheduler's own runner swallows a cancellation; here it ends the task, as it must when the daemon drains.
        try:
            with self._clock.working():
                await job.func()
        except Exception as error:
            self._trouble(job.id, error)
        finally:
            self._run_job_success(job.id, [])


class Scheduler(BaseScheduler):  # type: ignore[misc]
    """Jobs by name. :meth:`serve` starts what is due until it is cancelled; the rest may be called from its loop only."""

    def __init__(self, clock: Clock, group: asyncio.TaskGroup, trouble: Trouble) -> None:
        self._timeline = _Timeline(clock)
        self._clock = clock
        self._woken = asyncio.Event()
        self._own_executor = _Executor(clock, group, trouble)
        # What it says of itself (a job begins, a job is skipped because it still runs) is of no use to whoever runs this.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        super().__init__(
            timezone=self._timeline,
            executors={"default": self._own_executor},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    # what APScheduler asks of its schedulers

    def wakeup(self) -> None:
        self._woken.set()

    def shutdown(self, wait: bool = True) -> None:  # noqa: ARG002 (the task group waits)
        if self.state != STATE_STOPPED:
            super().shutdown(wait=False)
        self._woken.set()

    # ours

    def every(self, name: str, job: Job, interval: Callable[[], float], *, first: float) -> None:
        """Run *job* *first* seconds from now and then every ``interval()`` seconds, counted from when it began."""
        self.add_job(job, _Every(interval), id=name, name=name, next_run_time=self._in(first), replace_existing=True)

    def soon(self, name: str, seconds: float) -> None:
        """Run the job *name* so many seconds from now at the latest; nothing if there is none, or it comes earlier."""
        job = self.get_job(name)
        when = self._in(seconds)
        if job is not None and job.next_run_time is not None and when < job.next_run_time:
            job.modify(next_run_time=when)

    def put_off(self, name: str, seconds: float) -> None:
        """Not before so many seconds from now."""
        job = self.get_job(name)
        when = self._in(seconds)
        if job is not None and job.next_run_time is not None and when > job.next_run_time:
            job.modify(next_run_time=when)

    def drop(self, name: str) -> None:
        if self.get_job(name) is not None:
            self.remove_job(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(job.id for job in self.get_jobs())

    @property
    def under_way(self) -> tuple[asyncio.Task[None], ...]:
        """The jobs that are under way."""
        return tuple(self._own_executor.tasks)

    async def serve(self, *, late: Callable[[float], None] | None = None) -> None:
        """Start jobs as they fall due. Ends when :meth:`shutdown` was called, or when cancelled.

        *late* hears by how many seconds the clock has passed the moment that was waited for, before anything is started.
        """
        self.start()
        until = None
        while self.state != STATE_STOPPED:
            if until is not None and late is not None and (passed := self._clock.monotonic() - until) > 0:
                late(passed)
            self._woken.clear()
            wait = self._process_jobs()
            until = self._clock.monotonic() + (_LONGEST_WAIT_S if wait is None else min(wait, _LONGEST_WAIT_S))
            await self._wait(until)

    async def _wait(self, until: float) -> None:
        """Until then by the clock, or until something is planned anew."""
        async with asyncio.TaskGroup() as group:
            sleeping = group.create_task(self._clock.sleep_until(until))
            woken = group.create_task(self._woken.wait())
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
            sleeping.cancel()
            woken.cancel()

    def _in(self, seconds: float) -> datetime:
        return self._timeline.at(self._clock.monotonic() + seconds)
