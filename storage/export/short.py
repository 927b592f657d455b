"""Verdicts in short form (``readings``) as rows of an export, between those with details, in the order of time.

The columns' SQL speaks of a run, an endpoint and a verdict; here it is told where a short row has the same. What it does
not have is NULL.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from storage.schema import CLOCK_SLACK_US, MISDATED

if TYPE_CHECKING:
    from storage.export.query import Selection

FROM = "readings q CROSS JOIN places p CROSS JOIN sources s"
JOIN = ("p.id = q.place", "s.id = q.source")
ORDER = "q.at_us, q.place"
_ALIASES = re.compile(r'\b([rev])\.("?\w+"?)')
_PLACES = ("target", "platform", "service", "url", "rule", "named_as_url")
_SOURCES = ("country", "asn", "software", "catalogue", "trust")
_READINGS = ("status", "method", "signature", "confidence", "basis", '"where"', "leaning", "impairments")
_HERE = {
    **{f"e.{name}": f"p.{name}" for name in _PLACES},
    **{f"r.{name}": f"s.{name}" for name in _SOURCES},
    **{f"v.{name}": f"q.{name}" for name in _READINGS},
    **{f"e.{name}": f"q.{name}" for name in ("duration_us", "bytes_sent", "bytes_received")},
    "e.started_us": "q.at_us",
    "r.clock_offset_us": "q.clock_offset_us",
    # A round with trouble on the own side keeps its details.
    "r.network_status": "'ok'",
    "v.ruleset": "s.ruleset",
    "v.judged_us": "(q.at_us + q.duration_us)",
    "v.version": "1",
}


def here(sql: str) -> str:
    """A column's SQL, or a condition's, as it is for a short row."""
    return _ALIASES.sub(lambda match: _HERE.get(match[0], "NULL"), sql)


def conditions(selection: Selection) -> Iterator[str]:
    """What narrows the search by time; the exact limits are those of the detailed rows."""
    if selection.since_us is not None:
        yield f"(q.at_us >= :since - {CLOCK_SLACK_US} OR q.{MISDATED})"
    if selection.until_us is not None:
        yield f"(q.at_us < :until + {CLOCK_SLACK_US} OR q.{MISDATED})"


def merged(
    detailed: Iterable[Sequence[Any]], short: Iterable[Sequence[Any]], size: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """Both, each in order of its last cell, as one in batches of *size*, without that cell."""
    both = heapq.merge(detailed, short, key=itemgetter(-1))
    while batch := [row[:-1] for row in itertools.islice(both, size)]:
        yield batch
