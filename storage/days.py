"""What each day cost: bytes and rounds, counted where they are made. Days are those of UTC."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.archive import Archive
    from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day's sums; ``day`` is written 2026-11-22."""

    day: str
    bytes_sent: int = 0
    bytes_received: int = 0
    rounds: int = 0
    readings: int = 0
    own_sides: int = 0

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.bytes_sent + self.bytes_received


_COUNTS = tuple(field.name for field in dataclasses.fields(Day) if field.name != "day")


def day_of(moment_us: int) -> str:
    """The day in UTC of a moment."""
    return f"{dt.datetime.fromtimestamp(moment_us // 1_000_000, dt.UTC):%Y-%m-%d}"


def add(archive: Archive, more: Day) -> Future[None]:
    """Add *more* to the sums of its day."""
    row = dataclasses.asdict(more)

    def work(connection: Connection) -> None:
        from storage.database import insert_of
        from storage.schema import days

        insert = insert_of(connection.dialect.name)
        sums = {name: days.c[name] + row[name] for name in _COUNTS}
        connection.execute(insert(days).values(row).on_conflict_do_update(index_elements=["day"], set_=sums))

    return archive.call(work)


def of(database: Database, day: str) -> Day:
    """The sums of *day*; zeros for one on which nothing was counted."""
    found = between(database, day, day)
    return found[0] if found else Day(day=day)


def between(database: Database, first: str, last: str) -> tuple[Day, ...]:
    """The days from *first* to *last*, both included, on which something was counted."""
    from sqlalchemy import select

    from storage.schema import days

    query = select(days).where(days.c.day.between(first, last)).order_by(days.c.day)
    with database.reading() as connection:
        return tuple(Day(**row) for row in connection.execute(query).mappings())
