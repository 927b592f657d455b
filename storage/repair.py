"""What can still be read of a damaged SQLite file goes to a new one; what cannot is counted and named.

A page that failed takes the rows on it, and nothing else. So each table is read in the order of its key until reading
fails, and then the rest of the keys is halved again and again around what fails. What an index still names and no table
gives is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, Table

from storage import schema, sqlite_file
from storage.database import Database
from storage.errors import StorageError
from storage.location import Location, parse

_HEX = 2**128
_MOST = 2**63 - 1
_NAMED = 20
_TRIES = 20_000
"""Of one table. Around a page that failed some sixty are needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One table: rows in the new file, rows that are known to be lost, and the first of those by their keys.

    ``lost`` is ``None`` where something could not be read and nothing says how much that was.
    """

    table: str
    rows: int
    lost: int | None
    named: tuple[str, ...] = ()


def repair(location: Location, to: Path) -> tuple[Saved, ...]:
    """Save what can be read to the new file *to*; the damaged one stays as it is.

    Nobody may write to it meanwhile: hold its lock (``storage.maintenance.alone``). Raises :class:`StorageError` where
    *to* is there already, or where not even the list of tables can be read.
    """
    assert location.path is not None
    sqlite_file.require(location.path)
    if to.exists():
        raise StorageError(f"{to} is there already and is not overwritten. Name another file.")
    state, stamp = sqlite_file.read_state(location.path)
    sqlite_file.check_state(location.shown, state, stamp)
    if state != "current":
        raise StorageError(f"{location.shown} is not at this version's schema. `dalel db upgrade` first.")
    Database.open(parse(str(to)), writable=True).close()
    uri = sqlite_file.uri(location.path, sqlite_file.reading_mode(location.path))
    with closing(sqlite3.connect(uri, uri=True)) as old, closing(sqlite3.connect(to)) as new:
        new.execute("PRAGMA synchronous = OFF")
        saved = tuple(_save(old, new, table) for table in schema.metadata.sorted_tables)
        new.commit()
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return saved


def _save(old: sqlite3.Connection, new: sqlite3.Connection, table: Table) -> Saved:
    names = [column.name for column in table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    insert = f"INSERT OR IGNORE INTO {table.name} ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - ours
    reading = _Reading(old, table, columns)
    for row in reading.rows():
        new.execute(insert, row)
    kept = new.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]  # noqa: S608
    if not reading.failed:
        return Saved(table=table.name, rows=kept, lost=0)
    lost, named = _missing(old, new, table)
    return Saved(table=table.name, rows=kept, lost=lost, named=named)


class _Reading:
    """One table, read around what cannot be read. ``failed``: whether there was such a thing."""

    def __init__(self, connection: sqlite3.Connection, table: Table, columns: str) -> None:
        self._connection = connection
        self.failed = False
        self._tries = 0
        key = next(iter(table.primary_key.columns))
        rowid = table.dialect_options["sqlite"]["with_rowid"] is not False
        self._key = "rowid" if rowid else f'"{key.name}"'
        self._spell, self._highest = _keys(key, rowid=rowid)
        self._query = (
            f"SELECT {columns}, {self._key} FROM {table.name} "  # noqa: S608 - ours
            f"WHERE {self._key} BETWEEN ? AND ? ORDER BY {self._key}"
        )

    def rows(self) -> Iterator[Sequence[Any]]:
        ranges = [(0 if self._highest == _HEX else -_MOST, self._highest - 1)]
        while ranges and self._tries < _TRIES:
            low, high = ranges.pop()
            self._tries += 1
            last = low - 1
            try:
                for *row, key in self._connection.execute(self._query, (self._spell(low), self._spell(high))):
                    yield row
                    last = _number(key)
            except sqlite3.DatabaseError:
                self.failed = True
                ranges += _rest(low, high, last)

    # A range that fails is read up to where it fails; what is left of it is halved, so that what lies beyond is found.


def _rest(low: int, high: int, last: int) -> list[tuple[int, int]]:
    start = max(low, last)
    if start >= high:
        return []
    middle = (start + high) // 2
    # The upper half first on the stack, so that rows come in order.
    return [(middle + 1, high), (start, middle)] if middle < high else []


def _keys(key: Column[Any], *, rowid: bool) -> tuple[Callable[[int], Any], int]:
    """How a number between 0 and the highest is spelt as a key of the table."""
    if rowid or isinstance(key.type, Integer):
        return lambda number: number, _MOST
    return lambda number: f"{number:032x}", _HEX


def _number(key: int | str) -> int:
    if isinstance(key, int):
        return key
    return int((key + "0" * 32)[:32], 16) if _is_hex(key) else 0


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)


def _missing(old: sqlite3.Connection, new: sqlite3.Connection, table: Table) -> tuple[int | None, tuple[str, ...]]:
    """How many keys an index still names that the new file has not, and the first of them."""
    keys = [column.name for column in table.primary_key.columns]
    listed = ", ".join(f'"{name}"' for name in keys)
    match = " AND ".join(f'"{name}" = ?' for name in keys)
    for index in _indexes(old, table.name):
        count = 0
        named: list[str] = []
        try:
            for key in old.execute(f"SELECT {listed} FROM {table.name} INDEXED BY {index}"):  # noqa: S608 - ours
                if new.execute(f"SELECT 1 FROM {table.name} WHERE {match}", key).fetchone() is None:  # noqa: S608
                    count += 1
                    if len(named) < _NAMED:
                        named.append(" ".join(map(str, key)))
        except sqlite3.Error:
            # This index is damaged too, is partial, or has not all of the key.
            continue
        return count, tuple(named)
    return None, ()


def _indexes(connection: sqlite3.Connection, table: str) -> list[str]:
    """The table's own indexes, whole ones, but not the one that is the table."""
    found = connection.execute(f"PRAGMA index_list({table})").fetchall()
    whole = [row[1] for row in found if not row[4]]
    rowid = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    if "WITHOUT ROWID" in rowid.upper():
        whole = [name for name in whole if not name.startswith("sqlite_autoindex")]
    return whole
