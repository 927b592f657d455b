"""Looking after the database: copies, old runs, free space, and removing everything."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select, text, tuple_

from storage import last_network, schema, spool, sqlite_file
from storage.database import Database
from storage.errors import StorageError
from storage.location import FILE_NAME, Location
from storage.lock import FileLock
from storage.tidying import HOUR_US, corrected
from storage.when import utc_text

_RUNS_AT_ONCE = 50
"""Old runs are removed so many to a transaction, so that checks beside it never wait long."""
_ROWS_AT_ONCE = 2000
"""The same for small rows that belong to no run."""
_LOCK_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows of each table. ``readings`` and ``rollups`` are results in short form."""

    runs: int
    endpoints: int
    observations: int
    verdicts: int
    findings: int
    readings: int = 0
    rollups: int = 0
    own_sides: int = 0
    days: int = 0
    incidents: int = 0
    incident_events: int = 0
    notes: int = 0


# ---------------------------------------------------------------------------------------------------------------------
# copies


def backup(location: Location, *, to: Path | None = None, reason: str = "backup") -> Path:
    """A copy of the database as one file (mode 0600, without WAL); checks may go on meanwhile. Returns where it is.

    Without *to* it goes to the ``backups`` directory with the time in its name. Nothing is ever overwritten.
    """
    path = _sqlite_path(location, "Copy it with pg_dump.")
    target = to if to is not None else _backup_path(location, path, reason)
    partial = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if target.exists():
            raise StorageError(f"{target} is there already and is not overwritten. Name another file.")
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        with closing(
            sqlite3.connect(sqlite_file.uri(path, sqlite_file.reading_mode(path)), uri=True, timeout=30.0)
        ) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
        _sync(partial)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or str(error)
        raise StorageError(
            f"No copy of {path} could be made at {target}: {reason.lower()}. Name another place."
        ) from error
    return target


def _backup_path(location: Location, path: Path, reason: str) -> Path:
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return location.backup_dir / f"{path.stem}-{stamp}-{reason}.db"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sqlite_path(location: Location, instead: str) -> Path:
    if location.path is None:
        raise StorageError(f"{location.shown} is on a PostgreSQL server. {instead}")
    sqlite_file.require(location.path)
    return location.path


# ---------------------------------------------------------------------------------------------------------------------
# old runs and free space


def prune(database: Database, before_us: int, *, dry_run: bool) -> Removed:
    """Remove all that was measured before *before_us*, and incidents that were over by then; *dry_run* only counts."""
    with database.reading() as connection:
        began_us = corrected(schema.runs, "started_us")
        old = select(schema.runs.c.id).where(began_us < before_us).order_by(schema.runs.c.started_us)
        ids = list(connection.execute(old).scalars())
    counts = dict.fromkeys((table.name for table in schema.CHILDREN_FIRST), 0)
    for start in range(0, len(ids), _RUNS_AT_ONCE):
        some = ids[start : start + _RUNS_AT_ONCE]
        with database.reading() if dry_run else database.writing() as connection:
            for table, count in _remove(connection, some, dry_run=dry_run):
                counts[table] += count
    for where, over in _old(before_us):
        counts[where.name] = _remove_old(database, where, over, dry_run=dry_run)
    return Removed(**counts)


def _old(before_us: int) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """What belongs to no run, and which of it is old. Events go before their incidents, for those say when."""
    incidents, events = schema.incidents, schema.incident_events
    later = incidents.alias("later")
    newest = select(func.max(later.c.version)).where(later.c.id == incidents.c.id).scalar_subquery()
    over = select(incidents.c.id).where(incidents.c.version == newest, incidents.c.closed_us < before_us)
    yield schema.readings, corrected(schema.readings) < before_us
    yield schema.rollups, schema.rollups.c.hour_us + HOUR_US <= before_us
    yield schema.own_sides, corrected(schema.own_sides) < before_us
    yield schema.days, schema.days.c.day < utc_text(before_us)[:10]
    yield events, events.c.incident.in_(over)
    yield incidents, incidents.c.id.in_(over)
    yield schema.notes, func.coalesce(schema.notes.c.until_us, schema.notes.c.at_us) < before_us


def _remove_old(database: Database, table: Table, old: ColumnElement[bool], *, dry_run: bool) -> int:
    if dry_run:
        with database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(old)).scalar_one())
    if table is schema.incidents:
        # All versions at once: without its newest one an incident would be another.
        with database.writing() as connection:
            return connection.execute(delete(table).where(old)).rowcount
    keys = tuple(table.primary_key.columns)
    some = select(*keys).where(old).limit(_ROWS_AT_ONCE)
    removed, count = 0, _ROWS_AT_ONCE
    while count == _ROWS_AT_ONCE:
        with database.writing() as connection:
            count = connection.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount
        removed += count
    return removed


def _remove(connection: Connection, ids: Sequence[str], *, dry_run: bool) -> Iterator[tuple[str, int]]:
    for table in schema.CHILDREN_FIRST:
        of_these = (table.c.id if table is schema.runs else table.c.run).in_(ids)
        if dry_run:
            yield table.name, connection.execute(select(func.count()).select_from(table).where(of_these)).scalar_one()
        else:
            yield table.name, connection.execute(delete(table).where(of_these)).rowcount


def vacuum(location: Location) -> tuple[int, int]:
    """Give the space of removed rows back to the disk; bytes before and after. Nobody else may use the database."""
    if location.path is None:
        with Database.open(location, writable=True) as database:
            return _vacuum_postgresql(database)
    path = _sqlite_path(location, "")
    # Before there is a lock file beside it: a database of somebody else's is left as it is.
    sqlite_file.check_state(location.shown, *sqlite_file.read_state(path))
    with alone(location):
        before = size(location)
        try:
            with closing(sqlite3.connect(sqlite_file.uri(path, "rw"), uri=True, timeout=30.0)) as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            # It writes all of it anew, so a disk that is nearly full is the likeliest reason.
            raise StorageError(
                f"{path} cannot be made smaller: {error}. As much room as it takes must be free; `dalel db check` looks "
                "for damage."
            ) from error
        return before, size(location)


def _vacuum_postgresql(database: Database) -> tuple[int, int]:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        measure = text("SELECT pg_database_size(current_database())")
        before = connection.execute(measure).scalar_one()
        for table in schema.metadata.sorted_tables:
            connection.execute(text(f"VACUUM {table.name}"))
        return before, connection.execute(measure).scalar_one()


def size(location: Location) -> int:
    """Bytes on the disk of a SQLite database, the write-ahead log included."""
    assert location.path is not None
    return sum(path.stat().st_size for path in _files(location.path) if path.exists())


def _files(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal"))


# ---------------------------------------------------------------------------------------------------------------------
# everything


@contextmanager
def alone(location: Location) -> Iterator[None]:
    """Hold the lock of a SQLite database alone; :class:`StorageError` where another dalel uses it."""
    if location.lock_path is None or not location.lock_path.parent.exists():
        yield
        return
    with FileLock(location.lock_path) as lock:
        lock.acquire(alone=True, wait_s=_LOCK_WAIT_S)
        yield


@dataclass(frozen=True, slots=True)
class Belonging:
    """Something that belongs to the archive: a file and its size, or a table and its rows."""

    name: str
    amount: int
    path: Path | None = None


def belongings(location: Location) -> tuple[Belonging, ...]:
    """All that ``dalel purge`` removes: database, -wal, -shm, locks, spool, copies; on a server, the tables."""
    spooled = [last_network.path_of(location), *spool.files(location.spool_dir, location.identity)]
    if location.path is None:
        return (*_tables(location), *_sized(spooled))
    assert location.lock_path is not None
    _refuse_strangers(location.path)
    rejected = sorted(location.spool_dir.glob(f"*{spool.REJECTED}"))
    copies = sorted(location.backup_dir.glob(f"{location.path.stem}-*.db"))
    watching = location.path.with_name(f"{location.path.name}.run")
    repaired = (damaged_path(location.path), saved_path(location.path))
    saved = [file for path in repaired for file in (*_files(path), path.with_name(f"{path.name}.lock"))]
    return _sized([*_files(location.path), location.lock_path, watching, *spooled, *rejected, *copies, *saved])


def saved_path(path: Path) -> Path:
    """Where ``dalel db repair`` saves what can be read of *path*, unless somebody names another place."""
    return path.with_name(f"{path.stem}-repaired.db")


def damaged_path(path: Path) -> Path:
    """What the damaged one is called from then on, by the command that ``dalel db repair`` prints."""
    return path.with_name(f"{path.name}.damaged")


def _refuse_strangers(path: Path) -> None:
    """Whatever ``--database`` names is not removed unless it is ours; a damaged file must at least have our name."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        state, stamp = sqlite_file.read_state(path)
    except StorageError:
        if path.name != FILE_NAME:
            raise
        return
    if state == "foreign":
        sqlite_file.check_state(str(path), state, stamp)


def _sized(paths: Sequence[Path]) -> tuple[Belonging, ...]:
    return tuple(Belonging(str(path), path.stat().st_size, path) for path in paths if path.exists())


def _tables(location: Location) -> tuple[Belonging, ...]:
    with Database.open(location, writable=True) as database, database.reading() as connection:
        return tuple(
            Belonging(table.name, connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in reversed(schema.metadata.sorted_tables)
        )


def purge(location: Location) -> tuple[Belonging, ...]:
    """Remove all of :func:`belongings`, and directories of ours that are empty then. Returns what was removed.

    The lock is held alone: a check that is running makes this fail, and nothing is removed.
    """
    with alone(location):
        found = belongings(location)
        if location.path is None:
            _drop(location)
        # The lock file last: while it is there, a check that starts now waits for us.
        for item in sorted(found, key=lambda item: item.path == location.lock_path):
            if item.path is not None:
                item.path.unlink(missing_ok=True)
    for directory in (location.spool_dir, location.backup_dir):
        if directory.is_dir() and not any(directory.iterdir()):
            directory.rmdir()
    return found


def _drop(location: Location) -> None:
    with Database.open(location, writable=True) as database, database.writing() as connection:
        schema.metadata.drop_all(connection)
        schema.stamp.metadata.drop_all(connection)
