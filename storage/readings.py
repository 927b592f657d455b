"""Readings in short form: what a healthy look leaves, one row instead of fifty.

``place`` (which endpoint) and ``source`` (by which program, rules and network) are hashes of what they stand for, so a row
is made without asking a database. See ARCHITECTURE.md, "Storage for years".
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from probe.verdict.model import EndpointResult, Run, Verdict
from storage.rows import Changes, Insert, Row, storable

if TYPE_CHECKING:
    from probe.incidents.model import Kind

_ID_BYTES = 6
"""Six bytes are the most that SQLite keeps in six; among ten thousand places two are alike once in five million archives."""
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
