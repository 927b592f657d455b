"""What each day cost: bytes and rounds, counted where they are made. Days are those of UTC."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.archive import Archive
    from storage.database import Database

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


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

    def plus(self, more: Day) -> Day:
        """The sums of both; *more* is of the same day."""
        return Day(day=self.day, **{name: getattr(self, name) + getattr(more, name) for name in _COUNTS})


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


# ---------------------------------------------------------------------------------------------------------------------
# the last 24 hours

Spent = tuple[tuple[int, int], ...]
"""For each hour the moment when it ended (that of asking for the one that goes on; UTC microseconds), and its bytes."""


def lately(database: Database, now_us: int) -> Spent:
    """What was spent in the last 24 hours, by this host's own clock, as near as it is known: see :func:`by_hour`."""
    with database.reading() as connection:
        answers = [connection.exec_driver_sql(question).all() for question in questions(now_us)]
    return by_hour(answers, now_us)


def questions(now_us: int) -> tuple[str, str, str]:
    """What :func:`by_hour` has to know, in SQL: bytes of days, and those of looks by the hour, in short form and in full."""
    since_us = now_us // DAY_US * DAY_US - DAY_US
    since = f"BETWEEN {since_us:d} AND {now_us:d}"
    # Dates and numbers of ours are all that is put in.
    of_days = f"SELECT day, bytes_sent + bytes_received FROM days WHERE day >= '{day_of(since_us)}'"  # noqa: S608
    short = f"SELECT at_us / {HOUR_US}, sum(bytes_sent + bytes_received) FROM readings WHERE at_us {since} GROUP BY 1"  # noqa: S608
    detailed = (
        f"SELECT e.started_us / {HOUR_US}, sum(e.bytes_sent + e.bytes_received) "  # noqa: S608
        f"FROM runs r JOIN endpoints e ON e.run = r.id WHERE r.started_us {since} "
        "AND e.started_us IS NOT NULL AND e.kind IS NOT NULL GROUP BY 1"
    )
    return of_days, short, detailed


def by_hour(answers: Sequence[Sequence[Sequence[Any]]], now_us: int) -> Spent:
    """The hours that ended less than 24 hours ago, oldest first. Pure.

    What looks at endpoints took is known by the hour. The rest of a day (looks at the own side, resolvers, controls) is taken
    to lie evenly in it.
    """
    days, *forms = answers
    totals = {str(day): int(count) for day, count in days}
    looks: Counter[int] = Counter()
    for form in forms:
        looks.update({int(hour): int(count) for hour, count in form})
    made: list[tuple[int, int]] = []
    today_us = now_us // DAY_US * DAY_US
    for day_us in (today_us - DAY_US, today_us):
        starts = range(day_us, min(day_us + DAY_US, now_us + 1), HOUR_US)
        known = [looks[start // HOUR_US] for start in starts]
        rest = max(totals.get(day_of(day_us), 0) - sum(known), 0)
        for index, (start, count) in enumerate(zip(starts, known, strict=True)):
            share = rest * (index + 1) // len(starts) - rest * index // len(starts)
            made.append((min(start + HOUR_US, now_us), count + share))
    return tuple((end_us, count) for end_us, count in made if end_us > now_us - DAY_US)
