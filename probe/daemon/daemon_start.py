"""From a command line to a daemon that watches, and back: the place of the only one, the archive, consent, the way out.

A replay of history and the tests come in here too, with a wire and a clock of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from probe.daemon.daemon import Daemon, Outside
from probe.daemon.daemon_jobs import Jobs, WatchSet
from probe.daemon.daemon_work import RealWork
from probe.daemon.monitoring import Monitoring
from probe.daemon.process import AnotherRunError, Orders, Supervisor, only_one
from probe.daemon.telling.means import Means
from probe.daemon.telling.teller import Teller
from storage.archive import Archive
from storage.errors import StorageError
from storage.health import advice, look_over

if TYPE_CHECKING:
    from probe.daemon.clock import Clock
    from probe.daemon.daemon_jobs import Say
    from probe.instruments.trust import Trust
    from probe.settings.notify import Language
    from probe.wire import Wire
    from storage.location import Location

LOOK_OVER_S = 5.0
"""A database of years may take minutes to be looked through; what is found in five seconds is found at every start."""
AGAIN_S = 60.0
"""A database that cannot be opened, and a consent that is missing, are looked at again so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Everything that a daemon is started with. ``consent`` is asked once the archive is open and says whether measuring
    may begin; where it may not, ``patient`` decides between waiting for it and leaving.

    ``patient``: nobody is there to read an error and type again, so it stays up, measures nothing, and tries again.
    """

    location: Location
    watch: WatchSet
    reload: Callable[[], WatchSet]
    consent: Callable[[Archive], Awaitable[bool]]
    trust: Trust
    say: Say
    log: TextIO
    terminal: TextIO | None = None
    language: Language = "en"
    patient: bool = False
    once: bool = False
    supervisor: Supervisor = field(default_factory=lambda: Supervisor({}))


async def serve(start: Start, wire: Wire, clock: Clock, orders: Orders | None = None) -> bool:
    """Watch until somebody says stop (or, ``once``, until a round is over). ``False`` if there was no consent, or if the
    database is not where it was any more.

    Raises :class:`~storage.errors.StorageError` where the archive cannot be used and nobody is patient, and where another
    daemon watches with it.
    """
    orders = orders if orders is not None else Orders()
    with orders.heard(), contextlib.ExitStack() as place:
        archive = await _opened(start, orders, place)
        if archive is None:
            return True
        monitoring = Monitoring(archive, clock.now_us, start.say)
        try:
            if not start.once:
                await monitoring.listen(start.watch.settings.metrics_listen)
            if not await _agreed(start, archive, orders, monitoring):
                return orders.stop.is_set()
            in_place = await _watch(start, archive, wire, clock, orders, monitoring)
        finally:
            await monitoring.close()
            await asyncio.to_thread(archive.close)
        if archive.unsaved:
            start.say("storage", archive.unsaved)
    return in_place


async def _opened(start: Start, orders: Orders, place: contextlib.ExitStack) -> Archive | None:
    """The archive, and the only *place* at it; ``None`` if the order to stop came before it could be opened."""
    told = None
    while True:
        try:
            with contextlib.ExitStack() as taken:
                taken.enter_context(only_one(start.location))
                archive = await asyncio.to_thread(Archive.open, start.location)
                place.push(taken.pop_all())
        except AnotherRunError:
            raise
        except StorageError as error:
            if not start.patient or start.once:
                raise
            if str(error) != told:
                start.say("storage", f"{error} Nothing is measured until then; it is tried again every minute.")
                start.supervisor.ready(f"Nothing is measured: {error}")
            told = str(error)
        else:
            for note in archive.notes:
                start.say("storage_note", note)
            await _look_over(start)
            return archive
        if await _stop_within(AGAIN_S, start, orders):
            return None


async def _look_over(start: Start) -> None:
    """Say so where the database is damaged; what can be written is written all the same."""
    try:
        found = await asyncio.to_thread(look_over, start.location, seconds=LOOK_OVER_S)
    except StorageError as error:
        start.say("storage", str(error))
    else:
        if not found.sound:
            start.say("storage", advice(start.location), problems=list(found.problems))


async def _agreed(start: Start, archive: Archive, orders: Orders, monitoring: Monitoring) -> bool:
    """Whether there is consent, sooner or later. It may be given meanwhile, from another terminal."""
    told = False
    monitoring.waits_for = "nothing is measured: nobody has agreed to it yet"
    while not await _consented(start, archive):
        if not start.patient or start.once:
            return False
        if not told:
            start.say("no_consent", "Nothing is measured, because nobody has agreed to it yet.")
            start.supervisor.ready("Nothing is measured: nobody has agreed to it yet.")
        told = True
        await monitoring.again()
        if await _stop_within(AGAIN_S, start, orders):
            return False
    monitoring.waits_for = None
    return True


async def _consented(start: Start, archive: Archive) -> bool:
    """Whether it can be read that somebody has agreed."""
    try:
        return await start.consent(archive)
    except StorageError as error:
        if not start.patient or start.once:
            raise
        start.say("storage", str(error))
        return False


async def _stop_within(seconds: float, start: Start, orders: Orders) -> bool:
    """As :meth:`Orders.stop_within`, the supervisor kept content meanwhile."""
    step = min(start.supervisor.watchdog_s or seconds, seconds)
    for _ in range(max(round(seconds / step), 1)):
        if start.supervisor.watchdog_s is not None:
            start.supervisor.alive()
        if await orders.stop_within(step):
            return True
    return False


async def _watch(
    start: Start, archive: Archive, wire: Wire, clock: Clock, orders: Orders, monitoring: Monitoring
) -> bool:
    """Watch to the end; whether the database was in its place until then."""
    settings = start.watch.settings
    means = Means(wire, lambda: start.trust, probe=settings.notify.probe)
    teller = Teller(
        notify=settings.notify,
        language=start.language,
        archive=archive,
        means=means,
        now_us=clock.now_us,
        log=start.log,
        terminal=start.terminal,
        parts=start.watch.parts,
    )
    work = RealWork(
        wire=wire,
        clock=clock,
        archive=archive,
        trust=start.trust,
        teller=teller,
        say=start.say,
        figures=monitoring.figures,
    )
    wants = await work.begin()
    jobs = Jobs(start.watch, work, clock, start.say, random=wire.random, wants=wants)
    jobs.plan.seen(await work.seen())
    for used, when in await work.spent_lately():
        jobs.allowance.add(used, when)

    async def changed(watch: WatchSet) -> None:
        await monitoring.listen(watch.settings.metrics_listen)
        work.figures = monitoring.figures

    in_place = True

    async def every_minute() -> None:
        nonlocal in_place
        await monitoring.again()
        if in_place and not await asyncio.to_thread(archive.is_in_place):
            # Whoever supervises this starts it again, and then all is as after any start: the file, the consent, the spool.
            in_place = False
            start.say("storage_gone", _gone(archive.location))
            orders.stop.set()

    outside = Outside(
        supervisor=start.supervisor,
        say=start.say,
        orders=orders,
        reload=start.reload,
        changed=changed,
        every_minute=every_minute,
    )
    daemon = Daemon(jobs, clock, outside)
    start.say("started", jobs.summary())
    if start.once:
        await daemon.once()
        return True
    await work.settle()
    await daemon.run()
    return in_place


def _gone(location: Location) -> str:
    return (
        f"{location.shown} is not there any more, or is another file: somebody has moved or removed it. What was measured "
        "since is lost with it, so this ends. Start dalel run again: it goes on with what is there, or makes a new one."
    )
