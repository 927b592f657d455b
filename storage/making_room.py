"""What is done when the database is larger than its owner wants it: runs that only repeat others lose their details.

Nothing is done before that, and no more than is needed. Old runs come first, and of what says the same for months an example
a day keeps its details; if that is not enough one a week, then one a month (``storage.repeats`` says which), and then what is
younger than the settings say has its turn, but for a week. What to do is read on snapshots, some days at a time, and each step
removes what some milliseconds suffice for.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, or_, select, text, union_all

from storage import repeats, schema
from storage.readings import WORDS
from storage.repeats import DAY_US, Look
from storage.tidying import corrected

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from storage.database import Database

ENOUGH = 0.95
"""Of the limit. So a full database is not gone through again for each run that is added."""
YOUNGEST_US = 7 * DAY_US
"""What is younger keeps its details, whatever the settings say of how large and how old."""
STAGES = ((DAY_US, False), (7 * DAY_US, False), (30 * DAY_US, False), (DAY_US, True))
"""How far apart examples are, and whether it is the turn of younger runs; one after the other until it is enough."""
OBSERVATIONS_AT_ONCE = 1500
"""That are removed in one step: some 30 ms on a small computer. One run may have more."""
_WINDOW_US = 3 * DAY_US
"""What is looked through at once: a few thousand looks a day."""
_AROUND_US = 2 * DAY_US
"""What is looked at before and after, to see what is said for a day."""
_OVERHEAD = 330
"""Bytes that an observation takes besides its fact: other columns, the key once more, its part of verdicts and findings."""
_BOUND_AT_ONCE = 500


@dataclass(slots=True)
class Swept:
    """Until when runs were gone through at each stage: what was not found to repeat itself is not looked through again by the
    same process.
    """

    until_us: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many bytes may be in use (0: any), now, and how old runs should be before they become short; microseconds."""

    limit: int
    now_us: int
    details_us: int

    def before_us(self, *, young: bool) -> int:
        return self.now_us - (min(self.details_us, YOUNGEST_US) if young else self.details_us)


def in_use(database: Database) -> int | None:
    """Bytes of the database that hold something: pages that were freed are used again.

    ``None`` on a PostgreSQL server: what is free there only its own housekeeping knows, and its disk is its owner's matter.
    """
    if database.location.path is None:
        return None
    with database.reading() as connection:
        pages, free, size = (
            int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


def steps(database: Database, room: Room, swept: Swept) -> Iterator[tuple[str, ...]]:
    """Runs that are to become short in one transaction each, as long as too much is in use; none of them after some days of
    which all must stay. The caller shortens them before it asks for the next.
    """
    used = in_use(database)
    if not room.limit or used is None or used <= room.limit:
        return
    for ids in _groups(database, room, swept, ()):
        yield ids
        if (in_use(database) or 0) < room.limit * ENOUGH:
            return


def due(database: Database, room: Room, healthy: Sequence[str]) -> int:
    """How many runs :func:`steps` would take after those that are *healthy*, to within a few: what a run would free is
    estimated.
    """
    used = in_use(database)
    if not room.limit or used is None or used <= room.limit:
        return 0
    gone = set(healthy)
    for start in range(0, len(healthy), _BOUND_AT_ONCE):
        used -= _bytes_of(database, healthy[start : start + _BOUND_AT_ONCE])
    if used <= room.limit:
        return 0
    for ids in _groups(database, room, Swept(), gone):
        gone.update(ids)
        used -= _bytes_of(database, ids) if ids else 0
        if used < room.limit * ENOUGH:
            break
    return len(gone) - len(healthy)


# ---------------------------------------------------------------------------------------------------------------------
# which, and how many at once


def _groups(database: Database, room: Room, swept: Swept, gone: Collection[str]) -> Iterator[tuple[str, ...]]:
    """All that may become short, in the order in which it should. *gone*: runs that are taken to be short already."""
    with database.reading() as connection:
        misdated = connection.execute(select(exists().where(text(schema.MISDATED)).select_from(schema.runs))).scalar()
    for stage, (every_us, young) in enumerate(STAGES):
        before_us = room.before_us(young=young)
        for since_us, until_us in _windows(database, every_us, swept.until_us.get(stage, 0), before_us):
            with database.reading() as connection:
                candidates, detailed, short = _looks(connection, since_us, until_us, gone, misdated=bool(misdated))
                examples = repeats.examples(detailed, every_us)
                left = [run for run in candidates if run not in examples]
                # Where only examples are left, nobody needs to read what is said between them.
                looks = heapq.merge(detailed, short, key=_WHEN)
                chosen = repeats.choose(looks, left, every_us) if left else set()
                ids = [run for run in candidates if run in chosen]
                many = _observations_of(connection, ids)
            yield from _some_at_once(ids, many) if ids else ((),)
            swept.until_us[stage] = until_us


def _windows(database: Database, every_us: int, from_us: int, before_us: int) -> Iterator[tuple[int, int]]:
    """Whole spans of *every_us* in which there are runs, oldest first."""
    began_us = corrected(schema.runs, "started_us")
    end_us = before_us // every_us * every_us
    query = select(func.distinct(began_us // DAY_US)).where(began_us >= from_us, began_us < end_us)
    with database.reading() as connection:
        days = sorted(connection.execute(query).scalars())
    until_us = from_us
    for day in days:
        if day * DAY_US >= until_us:
            since_us = day * DAY_US // every_us * every_us
            until_us = min(since_us + max(every_us, _WINDOW_US), end_us)
            yield since_us, until_us


def _observations_of(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    of_run = schema.observations.c.run
    found: dict[str, int] = {}
    for start in range(0, len(ids), _BOUND_AT_ONCE):
        some = of_run.in_(ids[start : start + _BOUND_AT_ONCE])
        counted = connection.execute(select(of_run, func.count()).where(some).group_by(of_run))
        found |= {row[0]: row[1] for row in counted}
    return found


def _some_at_once(ids: Sequence[str], many: dict[str, int]) -> Iterator[tuple[str, ...]]:
    group: list[str] = []
    rows = 0
    for run in ids:
        if group and rows + many.get(run, 0) > OBSERVATIONS_AT_ONCE:
            yield tuple(group)
            group, rows = [], 0
        group.append(run)
        rows += many.get(run, 0)
    if group:
        yield tuple(group)


def _bytes_of(database: Database, ids: Sequence[str]) -> int:
    observations = schema.observations
    size = func.coalesce(func.sum(func.length(observations.c.fact) + _OVERHEAD), 0)
    with database.reading() as connection:
        return int(connection.execute(select(size).where(observations.c.run.in_(ids))).scalar_one())


# ---------------------------------------------------------------------------------------------------------------------
# what was said in some days


def _looks(
    connection: Connection, since_us: int, until_us: int, gone: Collection[str], *, misdated: bool
) -> tuple[list[str], list[Look], Iterator[Look]]:
    """Runs of these days that may become short if nothing in them is needed, oldest first; and all looks at places where
    anything was not well, of these days and those around them: those with details, and those that are short (read while
    *connection* is open), each in order of time.
    """
    span = (since_us - _AROUND_US, until_us + _AROUND_US)
    candidates: list[str] = []
    looks: list[Look] = []
    same: dict[Any, Any] = {}
    rows = connection.execute(_detailed_query(*span, misdated=misdated)).mappings()
    for run, of_run in itertools.groupby(rows, key=itemgetter("id")):
        found, fit = _of_run(list(of_run), same, kept=run not in gone)
        looks += found
        if fit is not None and since_us <= fit < until_us and run not in gone:
            candidates.append(run)
    urls = {look.place[0] for look in looks if not look.well}
    detailed = sorted((look for look in looks if look.place[0] in urls), key=_WHEN)
    return candidates, detailed, _short_looks(connection, _short_query(*span, urls), same)


def _short_looks(connection: Connection, query: Any, same: dict[Any, Any]) -> Iterator[Look]:
    """One by one: of a month there are some ten thousand."""
    for row in connection.execute(query).mappings():
        yield _look(row, same, _is_well(row), None)


_WHEN = attrgetter("at_us")


def _of_run(rows: Sequence[RowMapping], same: dict[Any, Any], *, kept: bool) -> tuple[list[Look], int | None]:
    """The daemon's looks in a run; and when it began, if it may become short as far as itself is concerned: finished, with an
    own side that was well, and all of it measured by the daemon and judged one way.
    """
    run = rows[0]
    fit = run["finished_us"] is not None and run["network_status"] in (None, "ok")
    looks: list[Look] = []
    for _number, of_endpoint in itertools.groupby(rows, key=itemgetter("number")):
        versions = list(of_endpoint)
        newest = versions[-1]
        judged = newest["status"] is not None and newest["at_us"] is not None
        fit &= judged and newest["kind"] is not None and len({_said(one) for one in versions}) == 1
        if judged and newest["kind"] is not None:
            looks.append(_look(newest, same, _is_well(newest), run["id"] if kept else None))
    return looks, run["began_us"] if fit else None


def _said(row: RowMapping) -> tuple[Any, ...]:
    return tuple(row[name] for name in (*WORDS, "leaning", "impairments"))


def _is_well(row: RowMapping) -> bool:
    return (
        row["status"] == "accessible" and not row["telling"] and row["leaning"] is None and row["impairments"] is None
    )


def _look(row: RowMapping, same: dict[Any, Any], well: bool, run: str | None) -> Look:
    """*same*: of what is said a thousand times, one."""
    place = (row["url"], row["interface"])
    word = (*(row[name] for name in _WORD), "well" if well else None)
    return Look(
        at_us=row["at_us"],
        place=same.setdefault(place, place),
        word=same.setdefault(word, word),
        well=well,
        cheap=row["kind"] == "cheap",
        run=run,
    )


_WORD = ("status", "method", "signature", "leaning", "impairments")


def _detailed_query(since_us: int, until_us: int, *, misdated: bool) -> Select[Any]:
    runs, endpoints, verdicts = schema.runs, schema.endpoints, schema.verdicts
    began_us = corrected(runs, "started_us")
    at_us = endpoints.c.started_us + func.coalesce(runs.c.clock_offset_us, 0)
    more = (verdicts.c[name].is_not(None) for name in ("gates", "also", "against", "settle"))
    query = (
        select(
            *(runs.c.id, runs.c.finished_us, runs.c.network_status, began_us.label("began_us")),
            *(endpoints.c.number, endpoints.c.url, endpoints.c.interface, endpoints.c.kind, at_us.label("at_us")),
            *(verdicts.c[name] for name in (*WORDS, "leaning", "impairments")),
            or_(*more).label("telling"),
        )
        .select_from(runs)
        .join(endpoints, endpoints.c.run == runs.c.id)
        .outerjoin(verdicts, and_(verdicts.c.run == endpoints.c.run, verdicts.c.endpoint == endpoints.c.number))
        .where(began_us >= since_us, began_us < until_us)
        .order_by(runs.c.started_us, runs.c.id, endpoints.c.number, verdicts.c.version)
    )
    # Where every clock was right the index leads to them.
    return query if misdated else query.where(_near(runs.c.started_us, since_us, until_us))


def _short_query(since_us: int, until_us: int, urls: Collection[str]) -> Any:
    readings, places = schema.readings, schema.places
    at_us = corrected(readings)
    chosen = (
        select(
            *(places.c.url, readings.c.interface, readings.c.kind, at_us.label("at_us")),
            *(readings.c[name] for name in _WORD),
            literal(value=False).label("telling"),
        )
        .join(places, places.c.id == readings.c.place)
        .where(places.c.url.in_(urls), at_us >= since_us, at_us < until_us)
    )
    offset_us = func.coalesce(readings.c.clock_offset_us, 0)
    in_order = offset_us.between(-schema.CLOCK_SLACK_US, schema.CLOCK_SLACK_US)
    near = chosen.where(in_order, _near(readings.c.at_us, since_us, until_us))
    return union_all(near, chosen.where(text(schema.MISDATED))).order_by("at_us")


def _near(column: ColumnElement[int], since_us: int, until_us: int) -> ColumnElement[bool]:
    return column.between(since_us - schema.CLOCK_SLACK_US, until_us + schema.CLOCK_SLACK_US)
