"""Results one at a time, as they come: ``csv`` (RFC 4180) and ``jsonl``. Each row is written out at once."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import TextIO

from probe.observations import Observation
from probe.report.document import json_text, result_line, timestamp
from probe.report.groups import strongest
from probe.report.safe import safe, safe_cell
from probe.verdict import sentences
from probe.verdict.model import EndpointResult, Finding

_CELL_LIMIT = 4000

Row = Callable[[EndpointResult, Sequence[Observation]], None]


def _probability(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _text(result: EndpointResult, lang: str) -> str:
    found = strongest(result.verdict.findings)
    return " ".join(dict.fromkeys(sentences.render(finding, lang) for finding in found[:3]))


def _codes(findings: Sequence[Finding]) -> str:
    return " ".join(dict.fromkeys(finding.code for finding in findings))


# The names are those of `dalel export verdicts`; "text" says in words what "evidence" says in codes.
_COLUMNS: dict[str, Callable[[EndpointResult, str], object]] = {
    "endpoint": lambda result, _: result.number,
    "started_at": lambda result, _: timestamp(result.started_us),
    "target": lambda result, _: result.target,
    "platform": lambda result, _: result.platform,
    "service": lambda result, _: result.service,
    "url": lambda result, _: result.url,
    "status": lambda result, _: result.verdict.status,
    "method": lambda result, _: result.verdict.method,
    "signature": lambda result, _: result.verdict.signature,
    "confidence": lambda result, _: _probability(result.verdict.confidence),
    "basis": lambda result, _: result.verdict.basis,
    "where": lambda result, _: result.verdict.where,
    "leaning": lambda result, _: result.verdict.leaning,
    "impairments": lambda result, _: " ".join(result.verdict.impairments),
    "evidence": lambda result, _: _codes(result.verdict.findings),
    "against": lambda result, _: _codes(result.verdict.against),
    "text": _text,
    "profile": lambda result, _: result.profile,
    "duration_us": lambda result, _: result.duration_us,
    "bytes_sent": lambda result, _: result.bytes_sent,
    "bytes_received": lambda result, _: result.bytes_received,
    "ruleset": lambda result, _: result.verdict.ruleset,
}


def csv_rows(file: TextIO, run_id: Callable[[], str], lang: str = "en") -> Row:
    """Writes the header now and one row a result; an empty cell is *not measured*. *file* needs ``newline=""``."""
    writer = csv.writer(file)
    writer.writerow(["run", *_COLUMNS])

    def write(result: EndpointResult, _observations: Sequence[Observation]) -> None:
        writer.writerow([run_id(), *(_cell(column(result, lang)) for column in _COLUMNS.values())])
        file.flush()

    return write


def _cell(value: object) -> str:
    if value is None:
        return ""
    return safe_cell(safe(value, _CELL_LIMIT)) if isinstance(value, str) else str(value)


def json_lines(file: TextIO, run_id: Callable[[], str], lang: str = "en") -> Row:
    """Writes one JSON object a result (``probe/schema/result.json``)."""

    def write(result: EndpointResult, observations: Sequence[Observation]) -> None:
        file.write(json_text(result_line(run_id(), result, observations, lang=lang)) + "\n")
        file.flush()

    return write
