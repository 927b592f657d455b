"""Between the frozen types and plain rows of the tables. Pure: no database, no clock.

Lists of codes are words with spaces between them, other lists and objects are JSON text; an empty list is NULL.
A *change* is what one transaction does to one table; a list of changes is what the writer commits, and, one line each,
what the spool keeps when it cannot.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probe.observations import Observation
from probe.observations.as_json import observation_from_json, observation_to_json
from probe.verdict.model import EndpointResult, Finding, Run, Verdict
from targets.model import Asked, Endpoint

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows to add to a table; all have the same keys. *known*: rows that are there already are left as they are."""

    table: str
    rows: tuple[Row, ...]
    known: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """New values for the one row that *key* names."""

    table: str
    key: Row
    values: Row


Change = Insert | Update
Changes = tuple[Change, ...]

RUN_COLUMNS = (
    "id",
    "started_us",
    "software",
    "ruleset",
    "catalogue",
    "trust",
    "profile",
    "country",
    "asn",
    "clock_offset_us",
    "finished_us",
    "network_status",
    "network_method",
    "interrupted",
)
ASKED_WORDS = ("platform", "service", "rule", "named_as_url")
_EXPECTED = {
    field.name: field.default
    for field in dataclasses.fields(Asked)
    if field.name not in ("number", "endpoint", "target", *ASKED_WORDS)
}
MEASURED_COLUMNS = ("profile", "started_us", "duration_us", "bytes_sent", "bytes_received")
VERDICT_WORDS = ("status", "method", "signature", "confidence", "basis", "where", "leaning", "horizon", "ruleset")
VERDICT_LISTS = ("impairments", "settle", "gates", "also")
FINDING_WORDS = ("code", "speaks_for", "weight", "family", "basis", "method", "signature", "where")


# ---------------------------------------------------------------------------------------------------------------------
# what a run does to the tables


def begin(run: Run, asked: Sequence[Asked]) -> Changes:
    """A run has begun: its row, and one for each endpoint asked."""
    runs = Insert("runs", (run_row(run),))
    return (runs, Insert("endpoints", tuple(asked_row(run.id, one) for one in asked))) if asked else (runs,)


def save(
    run: str,
    result: EndpointResult,
    observations: Iterable[Observation],
    *,
    kind: str | None = None,
    interface: str | None = None,
) -> Changes:
    """One endpoint has its verdict: all of it together, or nothing. *kind*: as of :class:`probe.incidents.model.Reading`."""
    measured = Update(
        "endpoints",
        {"run": run, "number": result.number},
        {name: getattr(result, name) for name in MEASURED_COLUMNS} | {"kind": kind, "interface": interface},
    )
    judged_us = result.started_us + result.duration_us
    return (measured, *add_observations(run, observations), *add_verdict(run, result.verdict, 1, judged_us))


def add_observations(run: str, observations: Iterable[Observation]) -> Changes:
    rows = tuple(observation_row(run, observation) for observation in observations)
    return (Insert("observations", rows),) if rows else ()


def add_verdict(run: str, verdict: Verdict, version: int, judged_us: int) -> Changes:
    """A verdict and its findings; *version* 1 is the first verdict of that endpoint, the highest is the one that counts."""
    rows = tuple(
        finding_row(run, verdict.endpoint, version, position, finding, against=position > len(verdict.findings))
        for position, finding in enumerate((*verdict.findings, *verdict.against), start=1)
    )
    added = Insert("verdicts", (verdict_row(run, verdict, version, judged_us),))
    return (added, Insert("findings", rows)) if rows else (added,)


def finish(run: Run) -> Changes:
    """A run has ended, and knows now what it did not know at its start."""
    row = run_row(run)
    return (Update("runs", {"id": row.pop("id")}, row),)


# ---------------------------------------------------------------------------------------------------------------------
# to rows


def run_row(run: Run) -> Row:
    return {name: getattr(run, name) for name in RUN_COLUMNS}


def asked_row(run: str, asked: Asked) -> Row:
    return {
        "run": run,
        "number": asked.number,
        "url": storable(asked.endpoint.url),
        "target": storable(asked.target),
        **{name: getattr(asked, name) for name in ASKED_WORDS},
        "expected": _expected(asked),
    }


def _expected(asked: Asked) -> str | None:
    """All that the catalogue says of an endpoint besides its place; what it does not say is left out."""
    said = {name: getattr(asked, name) for name, default in _EXPECTED.items() if getattr(asked, name) != default}
    return _json(said) if said else None


def observation_row(run: str, observation: Observation) -> Row:
    row = observation_to_json(observation)
    row["run"] = run
    row["fact"] = _json(row["fact"])
    row["name"] = storable(row["name"])
    row["member"] = storable(row["member"])
    return row


def verdict_row(run: str, verdict: Verdict, version: int, judged_us: int) -> Row:
    row: Row = {"run": run, "endpoint": verdict.endpoint, "version": version, "judged_us": judged_us}
    row |= {name: getattr(verdict, name) for name in VERDICT_WORDS}
    row |= {name: words_to(getattr(verdict, name)) for name in VERDICT_LISTS}
    # The codes once more, so that an export of a million verdicts need not look into the findings.
    row["evidence"] = words_to(tuple(finding.code for finding in verdict.findings))
    row["against"] = words_to(tuple(finding.code for finding in verdict.against))
    return row


def finding_row(run: str, endpoint: int, version: int, position: int, finding: Finding, *, against: bool) -> Row:
    row: Row = {"run": run, "endpoint": endpoint, "version": version, "position": position, "against": against}
    row |= {name: getattr(finding, name) for name in FINDING_WORDS}
    row["observations"] = _list(finding.observations)
    row["parameters"] = _json(finding.parameters) if finding.parameters else None
    return row


def words_to(codes: Sequence[str]) -> str | None:
    """Codes with spaces between them; JSON where one is not a single word, so that nothing is lost."""
    if not codes:
        return None
    text = " ".join(codes)
    plain = text.split() == list(codes) and not text.startswith("[") and "\0" not in text and _is_utf8(text)
    return text if plain else _json(list(codes))


def words_from(text: str | None) -> tuple[str, ...]:
    """The codes of such a column."""
    if not text:
        return ()
    return tuple(json.loads(text)) if text.startswith("[") else tuple(text.split())


def _list(values: Sequence[Any]) -> str | None:
    return _json(list(values)) if values else None


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair (a broken name on the command line, binary in a title) is not UTF-8: escape it then.
    return text if _is_utf8(text) else json.dumps(value, separators=(",", ":"))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(text: str | None) -> str | None:
    """*text* as UTF-8 without NUL, which PostgreSQL refuses; what cannot be kept is shown as an escape."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\\x00").encode(errors="backslashreplace").decode()


# ---------------------------------------------------------------------------------------------------------------------
# from rows


def run_from(row: Mapping[Any, Any]) -> Run:
    return Run(**{**{name: row[name] for name in RUN_COLUMNS}, "interrupted": bool(row["interrupted"])})


def asked_from(row: Mapping[Any, Any]) -> Asked:
    # What this version does not know was said by a newer catalogue; the rest still holds.
    said: Row = json.loads(row["expected"]) if row["expected"] else {}
    return Asked(
        number=row["number"],
        endpoint=Endpoint(row["url"]),
        target=row["target"],
        **{name: row[name] for name in ASKED_WORDS[:-1]},
        named_as_url=bool(row["named_as_url"]),
        **{name: _frozen(value) for name, value in said.items() if name in _EXPECTED},
    )


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def observation_from(row: Mapping[Any, Any]) -> Observation:
    return observation_from_json({**row, "fact": json.loads(row["fact"])})


def verdict_from(row: Mapping[Any, Any], findings: Iterable[Mapping[Any, Any]]) -> Verdict:
    """A verdict from its row and the rows of its findings in order of position."""
    sides: tuple[list[Finding], list[Finding]] = ([], [])
    for finding in findings:
        sides[bool(finding["against"])].append(finding_from(finding))
    words: dict[str, Any] = {name: row[name] for name in VERDICT_WORDS}
    words |= {name: words_from(row[name]) for name in VERDICT_LISTS}
    return Verdict(endpoint=row["endpoint"], findings=tuple(sides[0]), against=tuple(sides[1]), **words)


def finding_from(row: Mapping[Any, Any]) -> Finding:
    return Finding(
        **{name: row[name] for name in FINDING_WORDS},
        observations=_tuple(row["observations"]),
        parameters=json.loads(row["parameters"]) if row["parameters"] else {},
    )


def _tuple(text: str | None) -> tuple[Any, ...]:
    return tuple(json.loads(text)) if text else ()


# ---------------------------------------------------------------------------------------------------------------------
# to and from a line of the spool


def changes_to_json(changes: Changes) -> list[dict[str, Any]]:
    return [
        {"insert": change.table, "rows": list(change.rows), "known": change.known}
        if isinstance(change, Insert)
        else {"update": change.table, "key": change.key, "values": change.values}
        for change in changes
    ]


def changes_from_json(data: list[dict[str, Any]]) -> Changes:
    """The inverse; ``KeyError`` or ``TypeError`` for what is no list of changes."""
    return tuple(
        Insert(change["insert"], tuple(change["rows"]), change.get("known", False))
        if "insert" in change
        else Update(change["update"], change["key"], change["values"])
        for change in data
    )
