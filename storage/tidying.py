"""Housekeeping: what says that all is well becomes shorter with time, in steps that nobody has to wait for.

A run that is wholly healthy loses its details and leaves one short reading an endpoint; much later the short readings of
an hour become one row. Runs with anything that was not well, and checks by hand, are never touched. Reading happens on a
snapshot, without any lock; each step writes for some milliseconds.

How old a thing is, and in which hour it was, is told by the corrected clock: that of a board without a battery says 1970.
"""

from __future__ import annotations

import functools
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    union_all,
)

from probe.verdict.model import STATUSES, EndpointResult, Verdict
from storage import readings as short_form
from storage import rows, schema
from storage.database import apply, insert_of

if TYPE_CHECKING:
    from storage.database import Database

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
RUNS_AT_ONCE = 10
"""Runs that become short in one step: some hundred rows each, about 10 ms on a small board's card."""
ROWS_AT_ONCE = 2000
"""Small rows that are removed in one step."""
READINGS_AT_ONCE = 10_000
"""Short readings that are looked for at once, of a day at most: with the default list those are four thousand."""
Key = tuple[int, int]
"""``at_us`` and ``place`` of a short reading."""


def corrected(table: Table, column: str = "at_us") -> ColumnElement[int]:
    """When something in *table* was, by a clock that is right."""
    moment: ColumnElement[int] = table.c[column] + func.coalesce(table.c.clock_offset_us, 0)
    return moment


# ---------------------------------------------------------------------------------------------------------------------
# from details to short readings


def healthy_runs(database: Database, before_us: int) -> tuple[str, ...]:
    """The daemon's runs that began before *before_us* and in which all was well, oldest first."""
    runs, endpoints, verdicts = schema.runs, schema.endpoints, schema.verdicts
    of_run = endpoints.c.run == runs.c.id
    of_endpoint = and_(verdicts.c.run == endpoints.c.run, verdicts.c.endpoint == endpoints.c.number)
    told = [verdicts.c[name].is_not(None) for name in ("impairments", "gates", "also", "against", "settle", "leaning")]
    telling = or_(verdicts.c.status.is_(None), verdicts.c.status != "accessible", *told)
    worth = or_(endpoints.c.kind.is_(None), endpoints.c.started_us.is_(None), telling)
    query = (
        select(runs.c.id)
        .where(corrected(runs, "started_us") < before_us, runs.c.finished_us.is_not(None))
        .where(or_(runs.c.network_status.is_(None), runs.c.network_status == "ok"))
        .where(exists().where(of_run))
        .where(~exists().where(of_run, worth).select_from(endpoints.outerjoin(verdicts, of_endpoint)))
        .order_by(runs.c.started_us, runs.c.id)
    )
    with database.reading() as connection:
        return tuple(connection.execute(query).scalars())


def shorten(connection: Connection, ids: Sequence[str]) -> int:
    """The runs *ids*, of which nobody needs the details any more, leave short readings and go. Returns how many readings
    they left.
    """
    made: list[rows.Change] = []
    runs = connection.execute(select(schema.runs).where(schema.runs.c.id.in_(ids))).mappings().all()
    by_id = {row["id"]: rows.run_from(row) for row in runs}
    count = 0
    for row in connection.execute(_newest_of(ids)).mappings():
        made += short_form.short(by_id[row["run"]], _result(row), kind=row["kind"], interface=row["interface"])
        count += 1
    apply(connection, tuple(made))
    for table in schema.CHILDREN_FIRST:
        connection.execute(delete(table).where((table.c.id if table is schema.runs else table.c.run).in_(ids)))
    return count


def _newest_of(ids: Sequence[str]) -> Any:
    endpoints, verdicts = schema.endpoints, schema.verdicts
    later = verdicts.alias("later")
    newest = select(func.max(later.c.version)).where(
        later.c.run == verdicts.c.run, later.c.endpoint == verdicts.c.endpoint
    )
    return (
        select(endpoints, *(verdicts.c[name] for name in (*short_form.WORDS, "leaning", "impairments")))
        .join(verdicts, and_(verdicts.c.run == endpoints.c.run, verdicts.c.endpoint == endpoints.c.number))
        .where(endpoints.c.run.in_(ids), verdicts.c.version == newest.scalar_subquery())
    )


def _result(row: Mapping[Any, Any]) -> EndpointResult:
    verdict = Verdict(
        endpoint=row["number"],
        leaning=row["leaning"],
        impairments=rows.words_from(row["impairments"]),
        **{name: row[name] for name in short_form.WORDS},
    )
    return EndpointResult(
        **{name: row[name] for name in ("number", "target", "url", "platform", "service", "rule")},
        **{name: row[name] for name in rows.MEASURED_COLUMNS},
        named_as_url=bool(row["named_as_url"]),
        verdict=verdict,
        observations=(),
    )


# ---------------------------------------------------------------------------------------------------------------------
# from short readings to hours


def old_hours(database: Database, before_us: int) -> tuple[tuple[Key, ...], ...]:
    """The short readings of the oldest hours that ended before *before_us*, hour by hour: whole hours, some at a time."""
    table = schema.readings
    near = func.coalesce(table.c.clock_offset_us, 0).between(-schema.CLOCK_SLACK_US, schema.CLOCK_SLACK_US)
    with database.reading() as connection:
        oldest = connection.execute(select(table.c.at_us).where(near).order_by(table.c.at_us).limit(1)).scalar()
        # After years nobody wants to look through all of them for some.
        until_us = min(before_us, before_us if oldest is None else oldest + DAY_US) // HOUR_US * HOUR_US
        was_us = corrected(table)
        old = select(table.c.at_us, table.c.place, was_us.label("was_us")).where(was_us < until_us)
        # Two questions, for each has an index of its own.
        in_order = old.where(near, table.c.at_us < until_us + schema.CLOCK_SLACK_US)
        both = union_all(in_order, old.where(text(schema.MISDATED)))
        found = connection.execute(both.order_by("was_us").limit(READINGS_AT_ONCE)).all()
    grouped: dict[int, list[Key]] = {}
    for at_us, place, true_us in found:
        grouped.setdefault(true_us // HOUR_US, []).append((at_us, place))
    if len(found) == READINGS_AT_ONCE and len(grouped) > 1:
        # Of the last one there may be more.
        grouped.popitem()
    return tuple(map(tuple, grouped.values()))


def roll_up(connection: Connection, keys: Sequence[Key]) -> int:
    """The short readings *keys* become one row an hour and place. Returns how many there were."""
    table = schema.readings
    found: list[Mapping[Any, Any]] = []
    for start in range(0, len(keys), _BOUND_AT_ONCE):
        some = set(keys[start : start + _BOUND_AT_ONCE])
        of_these = select(table).where(table.c.at_us.in_({at_us for at_us, _place in some}))
        rows_there = connection.execute(of_these).mappings()
        found += [row for row in rows_there if (row["at_us"], row["place"]) in some]
    if found:
        gone = delete(table).where(table.c.at_us == bindparam("old_at_us"), table.c.place == bindparam("old_place"))
        connection.execute(_add_hours(connection.dialect.name), list(hours(found)))
        connection.execute(gone, [{"old_at_us": row["at_us"], "old_place": row["place"]} for row in found])
    return len(found)


_BOUND_AT_ONCE = 500


def hours(found: Iterable[Mapping[Any, Any]]) -> Iterator[rows.Row]:
    """Rows of ``rollups`` from rows of ``readings``: each counts in the hour in which it was, by the corrected clock."""
    grouped: dict[tuple[int, int], list[Mapping[Any, Any]]] = {}
    for row in found:
        hour_us = (row["at_us"] + (row["clock_offset_us"] or 0)) // HOUR_US * HOUR_US
        grouped.setdefault((hour_us, row["place"]), []).append(row)
    for (hour_us, place), members in grouped.items():
        well = [row["duration_us"] for row in members if row["status"] == "accessible"]
        yield {
            "hour_us": hour_us,
            "place": place,
            **{status: sum(row["status"] == status for row in members) for status in STATUSES},
            "median_us": round(statistics.median(well)) if well else None,
            "bytes_sent": sum(row["bytes_sent"] for row in members),
            "bytes_received": sum(row["bytes_received"] for row in members),
        }


@functools.cache
def _add_hours(dialect: str) -> Executable:
    """Add to an hour that has a row already (a clock that was set back, or a spool that came late); its median stays.

    Built once: building it for each row took longer than all the rest, with the database locked.
    """
    table = schema.rollups
    more = insert_of(dialect)(table)
    sums = {name: table.c[name] + more.excluded[name] for name in (*STATUSES, "bytes_sent", "bytes_received")}
    sums["median_us"] = func.coalesce(table.c.median_us, more.excluded.median_us)
    statement: Executable = more.on_conflict_do_update(index_elements=["hour_us", "place"], set_=sums)
    return statement


# ---------------------------------------------------------------------------------------------------------------------
# small things


def old_looks(database: Database, before_us: int) -> tuple[int, ...]:
    """Some of the looks from before *before_us* at an own side that was well."""
    table = schema.own_sides
    old = select(table.c.at_us).where(corrected(table) < before_us, table.c.status == "ok").limit(ROWS_AT_ONCE)
    with database.reading() as connection:
        return tuple(connection.execute(old).scalars())


def drop_looks(connection: Connection, moments: Sequence[int]) -> int:
    """The looks of these *moments* at an own side that was well go; ``days`` has their number. Returns how many went."""
    table = schema.own_sides
    return connection.execute(delete(table).where(table.c.at_us.in_(moments), table.c.status == "ok")).rowcount


def drop_sent(connection: Connection, before_us: int) -> int:
    """Messages that were sent before go. Returns how many."""
    return connection.execute(delete(schema.outbox).where(schema.outbox.c.sent_us < before_us)).rowcount


def refresh(connection: Connection) -> None:
    """Let SQLite look at its indexes again, a few hundred rows of each; PostgreSQL does so by itself."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA analysis_limit = 400")
        connection.exec_driver_sql("PRAGMA optimize")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What housekeeping would do: healthy runs that would become short, some that only repeat others (roughly: enough of them
    to make room), readings that would become hours, looks to remove.
    """

    runs: int
    repeats: int = 0
    readings: int
    own_sides: int


def due(database: Database, *, runs: int, readings_before_us: int) -> Due:
    """Count what is old enough, without changing anything; of the healthy runs it is known already."""
    readings, own_sides = schema.readings, schema.own_sides
    hour_us = readings_before_us // HOUR_US * HOUR_US
    old = select(func.count()).select_from(readings).where(corrected(readings) < hour_us)
    looks = (
        select(func.count())
        .select_from(own_sides)
        .where(corrected(own_sides) < readings_before_us, own_sides.c.status == "ok")
    )
    with database.reading() as connection:
        return Due(
            runs=runs,
            readings=connection.execute(old).scalar_one(),
            own_sides=connection.execute(looks).scalar_one(),
        )
