"""Hours: one row an hour and address, of everything that was measured, in whatever form it is kept now.

What was rolled up long ago is in ``rollups``; the rest is counted from short readings and from verdicts with details. A look
is in one of the three, and counts in the hour in which it was, by the corrected clock.

All three are read side by side in the order of their keys, so nothing is sorted and only a few hours are in memory: a clock
that was wrong by less than :data:`~storage.schema.CLOCK_SLACK_US` puts a look that far from its place at most. The others,
few or none, are sorted by the database.
"""

from __future__ import annotations

import heapq
import itertools
import statistics
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, text

from probe.verdict.model import STATUSES
from storage.export.columns import Column
from storage.export.query import FROM_SERVER, JOIN, ORDER, Selection, bind, rows_of
from storage.schema import CLOCK_SLACK_US, MISDATED
from storage.tidying import HOUR_US
from storage.when import utc_text

BATCH = 500

Address = tuple[bool, str, str, str]
"""Whether it has no platform (those come last); platform, service, URL."""
Part = tuple[int, int, str | None, str | None, str, str, int, int | None, int | None, int | None, int]
"""What adds to an hour: a moment, no later part being from before; when it was; platform, service, URL; status, how many
looks of it, their duration or median; bytes sent and received; how many of the looks are rolled up. Microseconds.
"""


@dataclass(slots=True)
class Sums:
    """What there is of an address in an hour."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUSES, 0))
    durations: list[int] = field(default_factory=list)
    """Of the accessible ones. The median of looks that were rolled up stands for each of them."""
    bytes_sent: int = 0
    bytes_received: int = 0
    rolled_up: int = 0

    def add(self, status: str, many: int, duration_us: int | None) -> None:
        self.counts[status] += many
        if status == "accessible" and duration_us is not None:
            self.durations += [duration_us] * many


def batches(
    connection: Connection, selection: Selection, columns: Sequence[Column]
) -> Generator[Sequence[Sequence[Any]], None, None]:
    """The selected hours, some hundred rows at a time, in order of time, then platform, service and URL.

    An hour belongs to a selection as a whole, or not: both ends of it are taken back to the full hour. ``statuses`` are
    those of which an hour has at least one look.
    """
    whole = replace(selection, since_us=_full_hour(selection.since_us), until_us=_full_hour(selection.until_us))
    parts = heapq.merge(*_parts(connection, whole), key=itemgetter(0))
    wanted = itemgetter(*(column.sql for column in columns), "hour")
    rows = (
        wanted(row)[:-1]
        for row in _rows(parts)
        if not selection.statuses or any(row[status] for status in selection.statuses)
    )
    while batch := list(itertools.islice(rows, BATCH)):
        yield batch


def rolled_up(connection: Connection, selection: Selection) -> tuple[int, int] | None:
    """From when to when there are hours in *selection* of whose healthy looks only sums are left; ``None`` for nowhere."""
    # An hour that it begins or ends in is missing as well.
    query, values = _rollups(replace(selection, since_us=_full_hour(selection.since_us)))
    ends = text(f"SELECT min(h.low_us), max(h.low_us) FROM ({query}) h")  # noqa: S608 - all of it is ours; values are bound
    first, last = connection.execute(ends, values).one()
    return None if first is None else (first, last + HOUR_US)


def _full_hour(moment_us: int | None) -> int | None:
    return None if moment_us is None else moment_us // HOUR_US * HOUR_US


def _rows(parts: Iterable[Part]) -> Iterator[dict[str, Any]]:
    """Each hour as soon as nothing can be added to it."""
    hours: dict[int, dict[Address, Sums]] = {}
    for low_us, at_us, platform, service, url, status, many, duration_us, sent, received, rolled in parts:
        while hours and (oldest := next(iter(hours))) + HOUR_US <= low_us:
            yield from _of_hour(oldest, hours.pop(oldest))
        hour_us = at_us // HOUR_US * HOUR_US
        if hour_us not in hours:
            hours = dict(sorted({**hours, hour_us: {}}.items()))
        address = (platform is None, platform or "", service or "", url)
        if (sums := hours[hour_us].get(address)) is None:
            sums = hours[hour_us][address] = Sums()
        sums.add(status, many, duration_us)
        sums.bytes_sent += sent or 0
        sums.bytes_received += received or 0
        sums.rolled_up += rolled
    for hour_us, addresses in hours.items():
        yield from _of_hour(hour_us, addresses)


def _of_hour(hour_us: int, addresses: dict[Address, Sums]) -> Iterator[dict[str, Any]]:
    hour = f"{utc_text(hour_us)[:-4]}Z"
    for address, sums in sorted(addresses.items(), key=itemgetter(0)):
        _own, platform, service, url = address
        yield {
            "hour": hour,
            "platform": platform or None,
            "service": service or None,
            "url": url,
            "looks": sum(sums.counts.values()),
            **sums.counts,
            "median_us": round(statistics.median(sums.durations)) if sums.durations else None,
            "bytes_sent": sums.bytes_sent,
            "bytes_received": sums.bytes_received,
            "rolled_up": sums.rolled_up,
        }


# ---------------------------------------------------------------------------------------------------------------------
# where looks are, each kept form in order of its first cell

_NEAR = f"BETWEEN -{CLOCK_SLACK_US} AND {CLOCK_SLACK_US}"
_LOOK = "1, e.duration_us, e.bytes_sent, e.bytes_received, 0"

_DETAILED_AT = "e.started_us + COALESCE(r.clock_offset_us, 0)"
# A clock that was set back during a run has dated endpoints before it.
_DETAILED_IN_ORDER = f"(COALESCE(r.clock_offset_us, 0) {_NEAR} AND e.started_us >= r.started_us)"
_SHORT_AT = "q.at_us + COALESCE(q.clock_offset_us, 0)"


def _parts(connection: Connection, selection: Selection) -> Iterator[Iterator[Part]]:
    yield _expanded(_streamed(connection, *_rollups(selection)))
    for in_order in (True, False):
        yield _streamed(connection, *_detailed(selection, in_order=in_order))
        yield _streamed(connection, *_short(selection, in_order=in_order))


def _streamed(connection: Connection, query: str, values: dict[str, Any]) -> Iterator[Any]:
    streaming = connection.execution_options(stream_results=True, yield_per=FROM_SERVER)
    result = streaming.execute(text(query), values)
    try:
        yield from rows_of(result)
    finally:
        result.close()


def _expanded(rollups: Iterable[Any]) -> Iterator[Part]:
    """A part for each status that an hour's sums have; the bytes with the first of them."""
    for hour_us, low_us, platform, service, url, median_us, sent, received, *counts in rollups:
        amount = (sent, received)
        for status, many in zip(STATUSES, counts, strict=True):
            if many:
                yield low_us, hour_us, platform, service, url, status, many, median_us, *amount, many
                amount = (0, 0)


def _rollups(selection: Selection) -> tuple[str, dict[str, Any]]:
    where, values = _conditions(selection, "u.hour_us", "p")
    query = (
        "SELECT u.hour_us, u.hour_us AS low_us, p.platform, p.service, p.url, u.median_us, u.bytes_sent, "  # noqa: S608 - ours
        f"u.bytes_received, {', '.join(f'u.{status}' for status in STATUSES)} FROM rollups u CROSS JOIN places p "
        f"WHERE {' AND '.join(('p.id = u.place', *where))} ORDER BY u.hour_us, u.place"
    )
    return query, values


def _short(selection: Selection, *, in_order: bool) -> tuple[str, dict[str, Any]]:
    where, values = _conditions(selection, _SHORT_AT, "p")
    if in_order:
        where.append(f"COALESCE(q.clock_offset_us, 0) {_NEAR}")
        where += [f"q.at_us >= :since - {CLOCK_SLACK_US}"] if "since" in values else []
        where += [f"q.at_us < :until + {CLOCK_SLACK_US}"] if "until" in values else []
    else:
        where.append(f"q.{MISDATED}")
    low, order = (f"q.at_us - {CLOCK_SLACK_US}", "q.at_us, q.place") if in_order else (_SHORT_AT, "1")
    query = (
        f"SELECT {low}, {_SHORT_AT}, p.platform, p.service, p.url, q.status, {_LOOK.replace('e.', 'q.')} "  # noqa: S608 - ours
        f"FROM readings q CROSS JOIN places p WHERE {' AND '.join(('p.id = q.place', *where))} ORDER BY {order}"
    )
    return query, values


def _detailed(selection: Selection, *, in_order: bool) -> tuple[str, dict[str, Any]]:
    where, values = _conditions(selection, _DETAILED_AT, "e")
    where.append(_DETAILED_IN_ORDER if in_order else f"NOT {_DETAILED_IN_ORDER}")
    if "since" in values:
        where.append("(r.finished_us IS NULL OR r.finished_us + COALESCE(r.clock_offset_us, 0) >= :since)")
    if "until" in values:
        where.append("r.started_us + COALESCE(r.clock_offset_us, 0) < :until")
    low, order = (f"r.started_us - {CLOCK_SLACK_US}", ORDER["verdicts"]) if in_order else (_DETAILED_AT, "1")
    query = (
        f"SELECT {low}, {_DETAILED_AT}, e.platform, e.service, e.url, v.status, {_LOOK} "  # noqa: S608 - ours
        "FROM runs r CROSS JOIN endpoints e CROSS JOIN verdicts v "
        f"WHERE {' AND '.join((*JOIN['verdicts'], *where))} ORDER BY {order}"
    )
    return query, values


def _conditions(selection: Selection, moment: str, place: str) -> tuple[list[str], dict[str, Any]]:
    """What a selection asks of *moment* (SQL) and of the table in which endpoints have their names."""
    where: list[str] = []
    values: dict[str, Any] = {}
    if selection.since_us is not None:
        where.append(f"{moment} >= :since")
        values["since"] = selection.since_us
    if selection.until_us is not None:
        where.append(f"{moment} < :until")
        values["until"] = selection.until_us
    if selection.targets:
        names = bind(values, "target", selection.targets)
        where.append(f"({' OR '.join(f'{place}.{name} IN ({names})' for name in ('target', 'platform', 'url'))})")
    return where, values
