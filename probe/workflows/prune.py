"""Old runs are removed: one decision, said before it is done."""

from __future__ import annotations

from storage.database import Database
from storage.location import Location
from storage.maintenance import Removed
from storage.maintenance import prune as remove


def prune(location: Location, before_us: int, *, dry_run: bool) -> Removed:
    """Remove the runs that started before *before_us* (UTC microseconds); *dry_run* only counts.

    Raises :class:`~storage.errors.StorageError` where there is no database.
    """
    with Database.open(location, writable=not dry_run and _exists(location)) as database:
        return remove(database, before_us, dry_run=dry_run)


def _exists(location: Location) -> bool:
    """A database is not made only to find it empty."""
    return location.path is None or location.path.exists()
