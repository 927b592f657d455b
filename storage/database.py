"""One open database, SQLite or PostgreSQL, at this program's schema. The only place where engines are made."""

from __future__ import annotations

import functools
import importlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    NullPool,
    Table,
    bindparam,
    create_engine,
    event,
    insert,
    text,
    update,
)
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    NotSupportedError,
    ProgrammingError,
)

from storage import schema, sqlite_file
from storage.errors import StorageError
from storage.location import Location
from storage.lock import FileLock
from storage.opening import make_current, settle
from storage.rows import Changes, Insert


class Database:
    """An open database. Connections are made for the thread that asks; the lock is held until :meth:`close`."""

    def __init__(self, location: Location, engine: Engine, lock: FileLock | None) -> None:
        self.location = location
        self.engine = engine
        self._lock = lock

    @classmethod
    def open(cls, location: Location, *, writable: bool, wait_s: float = sqlite_file.BUSY_TIMEOUT_S) -> Self:
        """Open *location*; made if *writable* and not there, upgraded if behind. Raises :class:`StorageError`.

        *wait_s* bounds the wait for another process that is upgrading or emptying it.
        """
        if location.path is None:
            engine = _postgresql_engine(location)
            try:
                make_current(location, engine, create=writable)
            except BaseException:
                engine.dispose()
                raise
            return cls(location, engine, None)
        engine = _sqlite_engine(location, writable=writable)
        return cls(location, engine, settle(location, engine, writable=writable, wait_s=wait_s))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading: one snapshot for as long as it is open.

        Raises :class:`StorageError` where the database cannot be read (damaged, locked for too long, gone).
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            if not is_trouble(error):
                raise
            hint = " `dalel db check` tells more." if "malformed" in str(error.orig) else ""
            raise StorageError(f"{self.location.shown} cannot be read: {error.orig}.{hint}") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: committed at the end, or nothing of it."""
        with self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


_BUGS = (IntegrityError, DataError, ProgrammingError, NotSupportedError)


def is_trouble(error: Exception) -> bool:
    """Whether the database cannot (full, locked for too long, gone, damaged), rather than our asking wrongly."""
    return isinstance(error, DBAPIError) and not isinstance(error, _BUGS)


def apply(connection: Connection, changes: Changes, *, again: bool = False) -> None:
    """Do *changes* in the transaction of *connection*. *again*: rows that are there already are left as they are."""
    for change in changes:
        if isinstance(change, Insert):
            dialect = connection.dialect.name if again or change.known else None
            connection.execute(_insert(change.table, dialect), list(change.rows))
            continue
        key = {f"key_{name}": value for name, value in change.key.items()}
        done = connection.execute(_update(change.table, tuple(change.key), tuple(change.values)), key | change.values)
        if done.rowcount != 1:
            raise LookupError(f"no row of {change.table} has the key {change.key}")


# Statements are built once: building one costs as much as SQLite needs to run it.


@functools.cache
def _insert(name: str, lenient_dialect: str | None) -> Executable:
    """*lenient_dialect*: rows that are there already are no error, in the words of that dialect."""
    table = schema.metadata.tables[name]
    if lenient_dialect is None:
        return insert(table)
    lenient: Executable = insert_of(lenient_dialect)(table).on_conflict_do_nothing()
    return lenient


def insert_of(dialect: str) -> Callable[[Table], Any]:
    """The ``insert`` of a dialect (``Connection.dialect.name``), which has words for rows that are there already.

    The other one is not imported: that of PostgreSQL takes 2 MB for as long as the process lives.
    """
    found: Callable[[Table], Any] = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert
    return found


@functools.cache
def _update(name: str, key: tuple[str, ...], values: tuple[str, ...]) -> Executable:
    table = schema.metadata.tables[name]
    matches = [table.c[column] == bindparam(f"key_{column}") for column in key]
    return update(table).where(*matches).values({column: bindparam(column) for column in values})


def _sqlite_engine(location: Location, *, writable: bool) -> Engine:
    path = location.path
    assert path is not None
    mode = "rw" if writable else sqlite_file.reading_mode(path)

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            sqlite_file.uri(path, mode), uri=True, timeout=sqlite_file.BUSY_TIMEOUT_S, isolation_level=None
        )

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout = {int(sqlite_file.BUSY_TIMEOUT_S * 1000)}")
        connection.execute("PRAGMA foreign_keys = ON")
        # With WAL, NORMAL never corrupts; a loss of power can take the last commits, a killed process none.
        connection.execute("PRAGMA synchronous = NORMAL")
        if writable:
            # Whoever writes does it for months, and a round's rows are on a dozen pages; 2 MB would fill up with others.
            connection.execute("PRAGMA cache_size = -500")
        else:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes its place at once: upgrading a read transaction fails where another has written meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writable else "BEGIN")

    return engine


def _postgresql_engine(location: Location) -> Engine:
    try:
        engine = create_engine(location.url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    except (ImportError, NoSuchModuleError) as error:
        raise StorageError("PostgreSQL needs one more part: pip install 'dalel[postgresql]'.") from error
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError as error:
        raise StorageError(f"{location.shown} does not answer: {str(error.orig).strip()}") from error
    return engine
