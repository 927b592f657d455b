"""The looks at the own side that the daemon takes every minute or two, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

from probe.incidents.model import OwnSide
from storage import days
from storage.rows import Changes, Insert, words_from

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.database import Database


def save(archive: Archive, look: OwnSide, *, clock_offset_us: int | None = None) -> Future[None]:
    """Keep *look*, timed by this host's own clock; *clock_offset_us* is how far that was behind, if it is known.

    ``look.run`` names the run that has the details; empty where none has.
    """
    return archive.put(changes(look, clock_offset_us))


def changes(look: OwnSide, clock_offset_us: int | None) -> Changes:
    """What :func:`save` does; a look that is there already is left as it is."""
    row = {
        "at_us": look.at_us,
        "interface": look.interface or "",
        "kind": look.kind,
        "run": look.run or None,
        "status": look.status,
        "method": look.method,
        "holes": " ".join(look.holes) or None,
        "clock_offset_us": clock_offset_us,
    }
    return (Insert("own_sides", (row,), known=True),)


def last(database: Database, now_us: int) -> tuple[int, int] | None:
    """When a daemon last looked, by this host's own clock, and how far that was behind then; ``None`` if none ever did.

    *now_us*, by the same clock: what is dated later is from one that was wrong, and counts where it was the last all the same.
    """
    from sqlalchemy import func, select

    from storage.schema import own_sides

    newest = select(own_sides.c.at_us, func.coalesce(own_sides.c.clock_offset_us, 0)).limit(1)
    newest = newest.order_by(own_sides.c.at_us.desc())
    with database.reading() as connection:
        queries = (newest, newest.where(own_sides.c.at_us <= now_us))
        found = [row for query in queries if (row := connection.execute(query).first()) is not None]
    return max(((at_us, offset_us) for at_us, offset_us in found), key=sum, default=None)


def is_any_between(database: Database, since_us: int, until_us: int) -> bool:
    """Whether a daemon looked from *since_us* on and before *until_us*. Corrected times; of looks of long ago, which are kept
    no more, there are whole days.
    """
    from sqlalchemy import func, select

    from storage.schema import own_sides

    at_us = own_sides.c.at_us + func.coalesce(own_sides.c.clock_offset_us, 0)
    with database.reading() as connection:
        found = connection.execute(select(at_us).where(at_us >= since_us, at_us < until_us).limit(1)).scalar()
    if found is not None:
        return True
    first, last = days.day_of(since_us + days.DAY_US - 1), days.day_of(max(until_us - days.DAY_US, 0))
    return any(day.own_sides for day in days.between(database, first, last))


def since_at_most(database: Database, since_us: int, most: int) -> int:
    """*since_us*, or later: so late that there are not more than *most* looks since. Corrected times."""
    from sqlalchemy import func, select

    from storage.schema import own_sides

    at_us = own_sides.c.at_us + func.coalesce(own_sides.c.clock_offset_us, 0)
    last = select(at_us).where(at_us >= since_us).order_by(at_us.desc()).offset(most - 1).limit(1)
    with database.reading() as connection:
        found: int | None = connection.execute(last).scalar()
    return since_us if found is None else found


def between(database: Database, since_us: int, until_us: int | None = None) -> Iterator[OwnSide]:
    """The looks from *since_us* (included) to *until_us* (not included), oldest first, their times corrected."""
    from sqlalchemy import func, select

    from storage.schema import own_sides

    at_us = own_sides.c.at_us + func.coalesce(own_sides.c.clock_offset_us, 0)
    query = select(own_sides, at_us.label("corrected_us")).where(at_us >= since_us).order_by(at_us)
    if until_us is not None:
        query = query.where(at_us < until_us)
    with database.reading() as connection:
        found = connection.execute(query).mappings().all()
    for row in found:
        yield OwnSide(
            run=row["run"] or "",
            at_us=row["corrected_us"],
            status=row["status"],
            method=row["method"],
            holes=words_from(row["holes"]),
            interface=row["interface"] or None,
            kind=row["kind"],
        )
