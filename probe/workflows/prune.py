"""What is old becomes shorter, or goes: one decision each, said before it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from probe.settings.keep import Keep
from storage.archive import Archive
from storage.database import Database
from storage.location import Location
from storage.maintenance import Removed
from storage.maintenance import prune as remove
from storage.sqlite_file import require

if TYPE_CHECKING:
    from storage.making_room import Room, Swept
    from storage.tidying import Due

DAY_US = 86_400_000_000
MEGABYTE = 1_000_000
LONGEST_S = 120.0
"""A day's housekeeping takes a second or two; after a change of the settings it may be a year's."""


def prune(location: Location, before_us: int, *, dry_run: bool) -> Removed:
    """Remove what was measured before *before_us* (UTC microseconds); *dry_run* only counts.

    Raises :class:`~storage.errors.StorageError` where there is no database.
    """
    with Database.open(location, writable=not dry_run and _exists(location)) as database:
        return remove(database, before_us, dry_run=dry_run)


def _exists(location: Location) -> bool:
    """A database is not made only to find it empty."""
    return location.path is None or location.path.exists()


# ---------------------------------------------------------------------------------------------------------------------
# housekeeping


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What housekeeping did: runs that lost their details (healthy ones; ``repeats`` said what others say as well), readings
    that became hours, looks and messages that went.
    """

    runs: int = 0
    repeats: int = 0
    readings: int = 0
    own_sides: int = 0
    messages: int = 0


Step = tuple[str, Callable[[Any], int]]
"""What it counts (a field of :class:`Tidied`), and what to do in one transaction; it returns how many."""


def tidy(
    archive: Archive, keep: Keep, now_us: int, *, pause_s: float = 0.02, longest_s: float | None = LONGEST_S
) -> Tidied:
    """The daily housekeeping of ``dalel run``, on a thread beside its measurements, for *longest_s* at most.

    Each step is a transaction of some milliseconds, with a pause after it, so that nothing waits behind it. What is not
    done is done the next time, also after a crash. Raises :class:`~storage.errors.StorageError` where the database cannot
    be written. Call it only while the clock is believed: one that is years ahead makes everything old.
    """
    from storage.making_room import Swept

    done = Tidied()
    swept = _swept.setdefault(archive, Swept())
    until = time.monotonic() + (longest_s if longest_s is not None else float("inf"))
    for name, work in _steps(archive.reader.database, keep, now_us, swept):
        count = archive.call(work).result()
        done = replace(done, **{name: getattr(done, name) + count})
        if time.monotonic() >= until:
            break
        time.sleep(pause_s)
    return done


_swept: WeakKeyDictionary[Archive, Swept] = WeakKeyDictionary()
"""How far each open archive was gone through for repeats: a full one is not gone through again every hour."""


def tidy_now(location: Location, keep: Keep, now_us: int) -> Tidied:
    """The same for ``dalel db prune``, one step after the other. Raises :class:`~storage.errors.StorageError`."""
    if location.path is not None:
        require(location.path)
    with Archive.open(location) as archive:
        return tidy(archive, keep, now_us, pause_s=0.0, longest_s=None)


def tidy_due(location: Location, keep: Keep, now_us: int) -> Due:
    """What :func:`tidy_now` would do; ``repeats`` to within a few."""
    from storage import making_room, tidying

    before_us = now_us - keep.details_days * DAY_US
    with Database.open(location, writable=False) as database:
        healthy = tidying.healthy_runs(database, before_us)
        found = tidying.due(database, runs=len(healthy), readings_before_us=now_us - keep.readings_days * DAY_US)
        repeats = making_room.due(database, _room(keep, now_us), healthy)
        return replace(found, repeats=repeats)


def _steps(database: Database, keep: Keep, now_us: int, swept: Swept) -> Iterator[Step]:
    """All that is to be done now, step by step; what to do next is read between the steps, without a lock."""
    from storage import making_room, tidying

    details_before_us = now_us - keep.details_days * DAY_US
    readings_before_us = now_us - keep.readings_days * DAY_US
    ids = tidying.healthy_runs(database, details_before_us)
    for start in range(0, len(ids), tidying.RUNS_AT_ONCE):
        some = ids[start : start + tidying.RUNS_AT_ONCE]
        yield "runs", partial(_shortened, some)
    while hours := tidying.old_hours(database, readings_before_us):
        for keys in hours:
            yield "readings", partial(tidying.roll_up, keys=keys)
    while moments := tidying.old_looks(database, readings_before_us):
        yield "own_sides", partial(tidying.drop_looks, moments=moments)
    yield "messages", partial(tidying.drop_sent, before_us=readings_before_us)
    for some in making_room.steps(database, _room(keep, now_us), swept):
        yield "repeats", partial(_shortened, some)
    yield "messages", _refreshed


def _room(keep: Keep, now_us: int) -> Room:
    from storage.making_room import Room

    return Room(limit=keep.megabytes * MEGABYTE, now_us=now_us, details_us=keep.details_days * DAY_US)


def _shortened(ids: tuple[str, ...], connection: Any) -> int:
    from storage import tidying

    if ids:
        tidying.shorten(connection, ids)
    return len(ids)


def _refreshed(connection: Any) -> int:
    from storage import tidying

    tidying.refresh(connection)
    return 0
