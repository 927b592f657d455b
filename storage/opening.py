"""Bring a database to this program's schema: made at once when new, upgraded in a child process when behind.

Alembic is imported only in that child, so that a check on a new or current database never pays for it.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time

from sqlalchemy import Connection, Engine, inspect, select, text
from sqlalchemy.exc import DBAPIError

from storage import schema, sqlite_file
from storage.errors import StorageError
from storage.location import Location
from storage.lock import FileLock
from storage.revisions import ADVISORY_LOCK, HEAD, State, state_of

UPGRADE_TIMEOUT_S = 3600.0
"""An upgrade of a database of years on a small board may take long; for ever it may not."""


def settle(location: Location, engine: Engine, *, writable: bool, wait_s: float) -> FileLock | None:
    """Bring a SQLite file to the current schema and hold its lock shared.

    ``None`` where the lock file cannot be made, which is no obstacle to reading from a read-only place.
    """
    path, lock_path = location.path, location.lock_path
    assert path is not None
    assert lock_path is not None
    if writable:
        sqlite_file.make(path)
    else:
        sqlite_file.require(path)
    lock = FileLock(lock_path)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            lock.acquire(alone=False, wait_s=max(0.0, deadline - time.monotonic()))
        except OSError as error:
            if writable:
                raise sqlite_file.cannot_write(path, error.strerror or str(error)) from error
            _check_read_only(location)
            return None
        try:
            state = _checked_state(location)
        except BaseException:
            lock.discard()
            raise
        if state == "current":
            return lock
        lock.release()
        with lock:
            lock.acquire(alone=True, wait_s=max(0.0, deadline - time.monotonic()))
            _advance(location, engine, create=writable)


def _checked_state(location: Location) -> State:
    assert location.path is not None
    state, stamp = sqlite_file.read_state(location.path)
    sqlite_file.check_state(location.shown, state, stamp)
    return state


def _check_read_only(location: Location) -> None:
    if _checked_state(location) != "current":
        raise StorageError(
            f"The database {location.shown} is older than this Dalel, and in a place that is read-only. Copy it to where it "
            "can be written, and name the copy with --database."
        )


def _advance(location: Location, engine: Engine, *, create: bool) -> None:
    """Create or upgrade; the lock is held alone. The state is read again, for another may have been faster."""
    state = _checked_state(location)
    if state == "new":
        if not create:
            raise StorageError(f"There are no results yet: {location.shown} is empty. Run `dalel check` first.")
        _create_sqlite(location, engine)
    elif state == "behind":
        from storage.maintenance import backup

        backup(location, reason=f"before-{HEAD}")
        upgrade_in_child(location)


def _create_sqlite(location: Location, engine: Engine) -> None:
    assert location.path is not None
    try:
        # The journal mode is kept in the file; it cannot be changed inside a transaction.
        raw = sqlite3.connect(location.path, isolation_level=None, timeout=sqlite_file.BUSY_TIMEOUT_S)
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        finally:
            raw.close()
        with engine.begin() as connection:
            create_all(connection)
    except (sqlite3.Error, DBAPIError) as error:
        raise sqlite_file.cannot_write(location.path, str(getattr(error, "orig", error))) from error


def create_all(connection: Connection) -> None:
    """All tables and the stamp, in the transaction of *connection*."""
    if connection.dialect.name == "postgresql":
        schema.for_postgresql()
    schema.metadata.create_all(connection)
    schema.stamp.metadata.create_all(connection)
    connection.execute(schema.stamp.insert(), {"version_num": HEAD})


def make_current(location: Location, engine: Engine, *, create: bool) -> None:
    """The same for PostgreSQL, whose DDL is transactional; an advisory lock lets one process at a time create."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        state, stamp = _inspected(connection)
        sqlite_file.check_state(location.shown, state, stamp)
        if state == "new":
            if not create:
                raise StorageError(f"There are no results yet in {location.shown}. Run `dalel check` first.")
            create_all(connection)
    if state == "behind":
        upgrade_in_child(location)


def _inspected(connection: Connection) -> tuple[State, str | None]:
    tables = frozenset(inspect(connection).get_table_names())
    stamp: str | None = None
    if "alembic_version" in tables:
        stamp = connection.execute(select(schema.stamp.c.version_num)).scalar_one_or_none()
    return state_of(tables, stamp), stamp


def upgrade_in_child(location: Location) -> None:
    """Run the migrations in a process of their own; the URL goes through its standard input, where no list shows it."""
    command = [sys.executable, "-P", "-m", "storage.upgrade"]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command,
            input=json.dumps({"url": location.url}),
            capture_output=True,
            text=True,
            timeout=UPGRADE_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StorageError(f"The upgrade of {location.shown} took more than an hour and was stopped.") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise StorageError(
            f"The database {location.shown} could not be brought to schema {HEAD}: {reason} "
            f"A copy from before is in {location.backup_dir}."
            if location.path is not None
            else f"The database {location.shown} could not be brought to schema {HEAD}: {reason}"
        )
