"""Whether a replay's database lost or misdated anything: what should be there is counted, not believed."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

_SLACK_US = 1_000_000
_QUESTIONS = {
    "runs without an endpoint": (
        "select count(*) from runs where id not in (select run from endpoints)"
        " and id not in (select run from observations)"
    ),
    "runs that never ended": "select count(*) from runs where finished_us is null",
    "endpoints without a verdict": (
        "select count(*) from endpoints e where e.started_us is not null and not exists"
        " (select 1 from verdicts v where v.run = e.run and v.endpoint = e.number)"
    ),
    "runs with a hole in the numbers of their observations": (
        "select count(*) from (select count(*) n, max(number) m from observations group by run) where n != m"
    ),
    "observations outside of the time of their run": (
        "select count(*) from observations o join runs r on r.id = o.run"
        f" where o.started_us < r.started_us - {_SLACK_US} or o.started_us > r.finished_us + {_SLACK_US}"
    ),
    "verdicts given before their endpoint was measured": (
        "select count(*) from verdicts v join endpoints e on e.run = v.run and e.number = v.endpoint"
        " where v.judged_us < e.started_us"
    ),
}
_ROUNDS = (
    "select count(*) from (select finished_us, lag(started_us) over (order by rowid) before from runs)"
    " where before > finished_us"
)


def lacking(database: Path, begins_us: int, ends_us: int, *, clock_is_off: bool = False) -> list[str]:
    """What is wrong with the rows, in words; nothing where all is as it should be.

    ``begins_us``, ``ends_us``: true times between which everything was measured. Rows are written in the order of time (runs
    that overlap in any), unless the host's own clock was off for a while.
    """
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        questions = dict(_QUESTIONS)
        if not clock_is_off:
            questions["runs written out of the order of time"] = _ROUNDS
            questions["runs outside of the replayed time"] = (
                f"select count(*) from runs where started_us < {begins_us} or finished_us > {ends_us}"
            )
        found = {what: connection.execute(question).fetchone()[0] for what, question in questions.items()}
    spooled = sum(1 for _ in (database.parent / "spool").glob("*"))
    return [
        *(f"{count} {what}" for what, count in found.items() if count),
        *([f"{spooled} files that could not be written"] if spooled else []),
    ]
