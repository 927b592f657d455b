"""Readings in short form: what a healthy look leaves, one row instead of fifty.

``place`` (which endpoint) and ``source`` (by which program, rules and network) are hashes of what they stand for, so a row
is made without asking a database. See ARCHITECTURE.md, "Storage for years".
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from probe.verdict.model import EndpointResult, Run, Verdict
from storage.rows import Changes, Insert, Row, storable, words_to

if TYPE_CHECKING:
    from sqlalchemy import CompoundSelect, RowMapping, Select

    from probe.incidents.model import Kind, Reading
    from storage.database import Database

_ID_BYTES = 6
"""Six bytes are the most that SQLite keeps in six; among ten thousand places two are alike once in five million archives."""
PLACE_WORDS = ("url", "platform", "service", "rule")
WORDS = ("status", "method", "signature", "confidence", "basis", "where")


def is_healthy(verdict: Verdict) -> bool:
    """Whether nothing but "all is well" would be lost with the details of *verdict*."""
    telling = (verdict.impairments, verdict.gates, verdict.also, verdict.against, verdict.settle, verdict.leaning)
    return verdict.status == "accessible" and not any(telling)


def short(run: Run, result: EndpointResult, *, kind: Kind, interface: str | None = None) -> Changes:
    """*result* in short form. ``(at_us, place)`` is its key: the same reading given twice is kept once."""
    place, source = place_row(result), source_row(run)
    reading: Row = {
        "at_us": result.started_us,
        "place": place["id"],
        "source": source["id"],
        "kind": kind,
        **{name: getattr(result.verdict, name) for name in WORDS},
        "duration_us": result.duration_us,
        "bytes_sent": result.bytes_sent,
        "bytes_received": result.bytes_received,
        "clock_offset_us": run.clock_offset_us,
        "interface": interface,
        "leaning": result.verdict.leaning,
        "impairments": words_to(result.verdict.impairments),
    }
    return (
        Insert("places", (place,), known=True),
        Insert("sources", (source,), known=True),
        Insert("readings", (reading,), known=True),
    )


def place_row(result: EndpointResult) -> Row:
    """Which endpoint it is: its URL, and what it was measured for."""
    said: Row = {
        "url": storable(result.url),
        "target": storable(result.target),
        "platform": result.platform,
        "service": result.service,
        "rule": result.rule,
        "named_as_url": result.named_as_url,
    }
    return {"id": _number(said), **said}


def source_row(run: Run) -> Row:
    """Who measured: what all readings have in common until an update."""
    said: Row = {name: getattr(run, name) for name in ("software", "ruleset", "catalogue", "trust", "country", "asn")}
    return {"id": _number(said), **said}


def _number(said: Row) -> int:
    text = json.dumps(list(said.values()), ensure_ascii=True).encode()
    # One bit less than the bytes have, for SQLite's integers have a sign.
    return int.from_bytes(hashlib.blake2b(text, digest_size=_ID_BYTES).digest()) >> 1


# ---------------------------------------------------------------------------------------------------------------------
# reading


def between(database: Database, since_us: int, until_us: int | None = None) -> Iterator[Reading]:
    """What the daemon read from *since_us* (included) to *until_us* (not included), in the order of its verdicts.

    Times are corrected by the clock offsets that were learned. Verdicts are the first ones: a machine that is fed with
    them again says what it said then, whatever ``dalel reclassify`` has added. A short reading has no run (``""``, 0);
    checks by hand are left out, for no machine saw them.
    """
    with database.reading() as connection:
        detailed = [_detailed(row) for row in connection.execute(_detailed_query(since_us, until_us)).mappings()]
        short_ones = [_short(row) for row in connection.execute(_short_query(since_us, until_us)).mappings()]
    yield from heapq.merge(sorted(detailed, key=_order), sorted(short_ones, key=_order), key=_order)


def _order(reading: Reading) -> tuple[int, int, str]:
    return reading.until_us, reading.at_us, reading.url


def _detailed_query(since_us: int, until_us: int | None) -> Select[Any]:
    from sqlalchemy import and_, func, select

    from storage.schema import endpoints, runs, verdicts

    offset_us = func.coalesce(runs.c.clock_offset_us, 0)
    at_us = endpoints.c.started_us + offset_us
    query = (
        select(endpoints, *(verdicts.c[name] for name in WORDS), offset_us.label("offset_us"))
        .select_from(runs)
        .join(endpoints, endpoints.c.run == runs.c.id)
        .join(verdicts, and_(verdicts.c.run == endpoints.c.run, verdicts.c.endpoint == endpoints.c.number))
        .where(verdicts.c.version == 1, endpoints.c.kind.is_not(None), at_us >= since_us)
    )
    return query if until_us is None else query.where(at_us < until_us)


def _short_query(since_us: int, until_us: int | None) -> CompoundSelect[Any]:
    from sqlalchemy import func, select, text, union_all

    from storage.schema import CLOCK_SLACK_US, MISDATED, places, readings

    offset_us = func.coalesce(readings.c.clock_offset_us, 0)
    at_us = readings.c.at_us + offset_us
    chosen = select(readings, *(places.c[name] for name in PLACE_WORDS), offset_us.label("offset_us")).join(
        places, places.c.id == readings.c.place
    )
    chosen = chosen.where(at_us >= since_us)
    if until_us is not None:
        chosen = chosen.where(at_us < until_us)
    ordinary = chosen.where(
        func.coalesce(readings.c.clock_offset_us, 0).between(-CLOCK_SLACK_US, CLOCK_SLACK_US),
        readings.c.at_us >= since_us - CLOCK_SLACK_US,
    )
    if until_us is not None:
        ordinary = ordinary.where(readings.c.at_us < until_us + CLOCK_SLACK_US)
    return union_all(ordinary, chosen.where(text(MISDATED)))


def _detailed(row: RowMapping) -> Reading:
    return _reading(row, run=row["run"], endpoint=row["number"], at_us=row["started_us"])


def _short(row: RowMapping) -> Reading:
    return _reading(row, run="", endpoint=0, at_us=row["at_us"])


def _reading(row: RowMapping, *, run: str, endpoint: int, at_us: int) -> Reading:
    from probe.incidents.model import Reading

    at_us += row["offset_us"]
    return Reading(
        run=run,
        endpoint=endpoint,
        **{name: row[name] for name in PLACE_WORDS},
        at_us=at_us,
        until_us=at_us + row["duration_us"],
        **{name: row[name] for name in WORDS},
        kind=row["kind"],
        interface=row["interface"],
    )
