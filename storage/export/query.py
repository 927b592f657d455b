"""The one SELECT of an export, and its rows in batches: nothing is sorted or collected, so memory stays as it is.

Rows come in order of runs, then endpoints or observations, which is the order of the primary keys. ``CROSS JOIN`` keeps
SQLite to that order of tables; PostgreSQL chooses for itself.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, text

from storage.export import short
from storage.export.columns import Column, What

BATCH: dict[What, int] = {"verdicts": 500, "observations": 8, "incidents": 100}
"""Rows made into text at once. A verdict has some hundred bytes, an observation may have a page in it."""

FROM_SERVER = 100
"""Rows that a server sends at once, so that a distant one is not asked for every few."""

_FROM: dict[What, str] = {
    "verdicts": "runs r CROSS JOIN endpoints e CROSS JOIN verdicts v",
    "observations": "runs r CROSS JOIN observations o LEFT JOIN endpoints e ON e.run = o.run AND e.number = o.endpoint",
    "incidents": "incidents i",
}
_NO_NEWER = (
    "NOT EXISTS (SELECT 1 FROM verdicts n"
    " WHERE n.version > 1 AND n.run = v.run AND n.endpoint = v.endpoint AND n.version > v.version)"
)
JOIN: dict[What, tuple[str, ...]] = {
    "verdicts": (
        "e.run = r.id",
        "v.run = e.run",
        "v.endpoint = e.number",
        _NO_NEWER,
    ),
    "observations": ("o.run = r.id",),
    "incidents": ("NOT EXISTS (SELECT 1 FROM incidents n WHERE n.id = i.id AND n.version > i.version)",),
}
ORDER: dict[What, str] = {
    "verdicts": "r.started_us, r.id, e.number",
    "observations": "r.started_us, r.id, o.number",
    "incidents": "i.began_by_us, i.id",
}
_STARTED: dict[What, str] = {"verdicts": "e.started_us", "observations": "o.started_us"}

_TIME = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%fZ', {0} / 1000 / 1000.0, 'unixepoch')",
    "postgresql": "to_char(timestamp 'epoch' + {0} * interval '1 microsecond', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which rows: measured from *since_us* (included) to *until_us* (not included), of *targets* (as asked for, platform
    or URL) and with *statuses*; empty means all.
    """

    what: What
    since_us: int | None = None
    until_us: int | None = None
    targets: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()


def batches(
    connection: Connection, selection: Selection, columns: Sequence[Column], *, raw: bool
) -> Generator[Sequence[Sequence[Any]], None, None]:
    """The selected rows, a :data:`BATCH` at a time. *raw*: lists and flags as they are stored, not as text for a cell."""
    if selection.what == "verdicts" and connection.execute(text("SELECT 1 FROM readings LIMIT 1")).first():
        yield from _with_short_ones(connection, selection, columns, raw=raw)
        return
    query, values = statement(connection.dialect.name, selection, columns, raw=raw)
    size = BATCH[selection.what]
    streaming = connection.execution_options(stream_results=True, yield_per=max(size, FROM_SERVER))
    result = streaming.execute(text(query), values)
    rows = rows_of(result)
    while batch := rows.fetchmany(size):
        yield batch
    result.close()


def rows_of(result: CursorResult[Any]) -> Any:
    """What gives the rows of *result*, one or many at a time.

    For SQLite it is the driver's own cursor: its tuples are all that is needed, and a million of them come a third sooner.
    """
    return result.cursor if result.dialect.name == "sqlite" else result


def _with_short_ones(
    connection: Connection, selection: Selection, columns: Sequence[Column], *, raw: bool
) -> Iterator[Sequence[Sequence[Any]]]:
    """The same where the daemon has left readings in short form: both kinds in the order of time."""
    dialect, size = connection.dialect.name, BATCH[selection.what]
    detailed, values = statement(dialect, selection, (*columns, _DETAILED_KEY), raw=raw)
    brief = short_statement(dialect, selection, (*columns, _SHORT_KEY), raw=raw)
    streaming = connection.execution_options(stream_results=True, yield_per=FROM_SERVER)
    results = [streaming.execute(text(query), values) for query in (detailed, brief)]
    long_rows, short_rows = map(rows_of, results)
    yield from short.merged(long_rows, short_rows, size)
    for result in results:
        result.close()


_DETAILED_KEY = Column("key", "r.started_us", "")
_SHORT_KEY = Column("key", "q.at_us", "")


def short_statement(dialect: str, selection: Selection, columns: Sequence[Column], *, raw: bool) -> str:
    """The SELECT of the short rows; what is bound is the same as for the detailed ones."""
    conditions, _values = _conditions(selection)
    # A short row has no run that began earlier and ended later.
    mine = [short.here(one) for one in conditions if "r.started_us" not in one and "r.finished_us" not in one]
    chosen = ", ".join(short.here(_expression(dialect, column, raw=raw)) for column in columns)
    where = " AND ".join((*short.JOIN, *short.conditions(selection), *mine))
    return f"SELECT {chosen} FROM {short.FROM} WHERE {where} ORDER BY {short.ORDER}"  # noqa: S608 - as above


def statement(
    dialect: str, selection: Selection, columns: Sequence[Column], *, raw: bool
) -> tuple[str, dict[str, Any]]:
    """The SELECT for *dialect* and the values that are bound in it."""
    conditions, values = _conditions(selection)
    chosen = ", ".join(_expression(dialect, column, raw=raw) for column in columns)
    query = (
        f"SELECT {chosen} FROM {_FROM[selection.what]} "  # noqa: S608 - all of it is ours; values are bound
        f"WHERE {' AND '.join((*JOIN[selection.what], *conditions))} ORDER BY {ORDER[selection.what]}"
    )
    return query, values


def _expression(dialect: str, column: Column, *, raw: bool) -> str:
    if column.kind == "time":
        return _TIME[dialect].format(column.sql)
    if raw:
        return column.sql
    if column.kind == "flag":
        return f"CASE WHEN {column.sql} THEN 'true' WHEN NOT {column.sql} THEN 'false' END"
    return column.sql


def _conditions(selection: Selection) -> tuple[list[str], dict[str, Any]]:
    if selection.what == "incidents":
        return _incident_conditions(selection)
    conditions: list[str] = []
    values: dict[str, Any] = {}
    started = f"{_STARTED[selection.what]} + COALESCE(r.clock_offset_us, 0)"
    if selection.since_us is not None:
        # A run that ended before has nothing from later.
        conditions += [
            "(r.finished_us IS NULL OR r.finished_us + COALESCE(r.clock_offset_us, 0) >= :since)",
            f"{started} >= :since",
        ]
        values["since"] = selection.since_us
    if selection.until_us is not None:
        conditions += ["r.started_us + COALESCE(r.clock_offset_us, 0) < :until", f"{started} < :until"]
        values["until"] = selection.until_us
    if selection.targets:
        names = bind(values, "target", selection.targets)
        conditions.append(f"(e.target IN ({names}) OR e.platform IN ({names}) OR e.url IN ({names}))")
    if selection.statuses:
        conditions.append(f"v.status IN ({bind(values, 'status', selection.statuses)})")
    return conditions, values


def _incident_conditions(selection: Selection) -> tuple[list[str], dict[str, Any]]:
    """Incidents that were under way at some moment of the selection. Their times are corrected ones already."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if selection.since_us is not None:
        conditions.append("(i.state = 'open' OR COALESCE(i.ended_by_us, i.closed_us) >= :since)")
        values["since"] = selection.since_us
    if selection.until_us is not None:
        conditions.append("COALESCE(i.began_after_us, i.began_by_us) < :until")
        values["until"] = selection.until_us
    if selection.targets:
        patterns = [_listed(target) for target in selection.targets]
        names = bind(values, "target", patterns).split(", ")
        either = (f"i.platforms LIKE {name} ESCAPE '!' OR i.urls LIKE {name} ESCAPE '!'" for name in names)
        conditions.append(f"({' OR '.join(either)})")
    if selection.statuses:
        conditions.append(f"i.status IN ({bind(values, 'status', selection.statuses)})")
    return conditions, values


def _listed(target: str) -> str:
    """A pattern for *target* as a member of a list in JSON."""
    quoted = json.dumps(target, ensure_ascii=False)
    for special in "!%_":
        quoted = quoted.replace(special, f"!{special}")
    return f"%{quoted}%"


def bind(values: dict[str, Any], prefix: str, items: Sequence[str]) -> str:
    names = [f"{prefix}_{index}" for index in range(len(items))]
    values.update(zip(names, items, strict=True))
    return ", ".join(f":{name}" for name in names)
