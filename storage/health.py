"""Whether the archive is sound, and whether the daemon that writes it is alive: cheap questions, asked often.

No SQLAlchemy for SQLite: a health check every few minutes must cost next to nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from storage import days, sqlite_file
from storage.errors import StorageError
from storage.location import Location

_STEPS = 20_000
"""Virtual machine steps of SQLite between two looks at the clock: some milliseconds."""
_PROBLEMS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What was found wrong with a database, in SQLite's words; ``whole``: whether all of it was looked at."""

    problems: tuple[str, ...]
    whole: bool

    @property
    def sound(self) -> bool:
        return not self.problems


def look_over(location: Location, *, seconds: float | None, thorough: bool = False) -> Soundness:
    """Look for damage for at most *seconds* (``None``: to the end). *thorough* compares indexes with their tables too.

    On a PostgreSQL server it is the server's business: nothing is looked at. Raises :class:`StorageError` where there is
    no database or it cannot be opened.
    """
    if location.path is None:
        return Soundness(problems=(), whole=True)
    sqlite_file.require(location.path)
    question = f"PRAGMA {'integrity_check' if thorough else 'quick_check'}({_PROBLEMS})"
    try:
        with _opened(location, None if seconds is None else time.monotonic() + seconds) as connection:
            said = [str(row[0]) for row in connection.execute(question)]
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            return Soundness(problems=(), whole=False)
        raise StorageError(f"{location.shown} cannot be read: {error}.") from error
    except sqlite3.DatabaseError as error:
        return Soundness(problems=(str(error),), whole=False)
    return Soundness(problems=tuple(line for line in said if line != "ok"), whole=True)


@contextmanager
def _opened(location: Location, deadline: float | None) -> Iterator[sqlite3.Connection]:
    path = location.path
    assert path is not None
    mode = sqlite_file.reading_mode(path)
    with closing(sqlite3.connect(sqlite_file.uri(path, mode), uri=True, timeout=5.0)) as connection:
        if deadline is not None:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        yield connection


def advice(location: Location) -> str:
    """What to do about damage, in plain words."""
    return (
        f"The database {location.shown} is damaged: a disk or memory card that fails, or a power cut. Stop dalel run, then "
        "`dalel db repair` saves what can be read into a new file. `dalel db check` tells more."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What the daemon has left: the version of the last consent, the last look of any kind, and the bytes of 24 hours."""

    consent: str | None
    last_us: int | None
    bytes_lately: int


def pulse(location: Location, now_us: int) -> Pulse:
    """Read it. Looks from the future are left out: they were made by a clock that was wrong.

    Raises :class:`StorageError` where the database cannot be read.
    """
    limit_us = now_us + 60_000_000
    of_looks = (
        f"SELECT max(at_us) FROM own_sides WHERE at_us <= {limit_us:d}",  # noqa: S608 - numbers of ours
        f"SELECT max(at_us) FROM readings WHERE at_us <= {limit_us:d}",  # noqa: S608
        f"SELECT started_us FROM runs WHERE started_us <= {limit_us:d} ORDER BY started_us DESC LIMIT 1",  # noqa: S608
    )
    of_consent = "SELECT version FROM consents ORDER BY id DESC LIMIT 1"
    consent, own_side, reading, run, *spent = _asked(location, (of_consent, *of_looks, *days.questions(now_us)))
    return Pulse(
        consent=str(consent[0][0]) if consent else None,
        last_us=max((int(at_us) for (at_us,) in (*own_side, *reading, *run) if at_us is not None), default=None),
        bytes_lately=sum(count for _end_us, count in days.by_hour(spent, now_us)),
    )


def _asked(location: Location, questions: tuple[str, ...]) -> list[Sequence[Sequence[Any]]]:
    """The rows of each answer."""
    if location.path is None:
        from storage.database import Database

        with Database.open(location, writable=False) as database, database.reading() as connection:
            return [connection.exec_driver_sql(question).all() for question in questions]
    sqlite_file.require(location.path)
    sqlite_file.check_state(location.shown, *sqlite_file.read_state(location.path))
    try:
        with _opened(location, time.monotonic() + 5.0) as connection:
            return [connection.execute(question).fetchall() for question in questions]
    except sqlite3.Error as error:
        raise StorageError(f"{location.shown} cannot be read: {error}.") from error
