"""``make soak``, or ``python -m tests.lab.soak [--only day|hour] [--minutes N]``: a day of skipped time and a real hour.

They run side by side, in labs of their own, for an hour. Exit code 1 if a figure is not met.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import sqlite3
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.lab.soak import report
from tests.lab.soak.day import DAY, TROUBLED, day
from tests.lab.soak.hour import hour
from tests.lab.soak.process import Sample

_DAY = """A day of which idle time is skipped and everything else runs at the daemon's own pace: eight minutes in which six
platforms are blocked by name, and six without any Internet. Samples are taken whenever nothing runs."""
_HOUR = (
    """The installed command, as a unit starts it, with its page of metrics; all is well. Samples every ten seconds."""
)


def main() -> int:
    """Run, write the report, say where it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.soak", description=__doc__)
    parser.add_argument("--only", choices=("day", "hour"))
    parser.add_argument("--minutes", type=float, default=60, help="of the real hour")
    parser.add_argument("--keep", type=Path, required=False, help="leave databases and logs here")
    options = parser.parse_args()
    began = dt.datetime.now(dt.UTC)
    keep = options.keep or report.REPORTS / f"{began:%Y-%m-%d-%H%M}-soak"
    keep.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(run, keep, options.minutes)
            for name, run in (("day", _day), ("hour", _hour))
            if options.only in (None, name)
        ]
        parts = [future.result() for future in futures]
    text = report.render(parts)
    path = report.REPORTS / f"{began:%Y-%m-%d-%H%M}-soak.md"
    path.write_text(text)
    print(text)
    print(f"written to {path}", file=sys.stderr)
    return 0 if all(figure.met for _, _, found, _ in parts for figure in found) else 1


Part = tuple[str, str, list[report.Figure], list[Sample]]


def _day(keep: Path, _minutes: float) -> Part:
    replayed, samples = day(keep, tell=_say)
    _write(samples, keep / "soak_day.json")
    spent = _spent(replayed.database)
    found = report.figures(samples, bugs=_bugs(replayed.log), code=replayed.code, spent=spent, troubled=TROUBLED)
    return DAY.title, f"{_DAY} It took {replayed.seconds / 60:.0f} real minutes.", found, samples


def _hour(keep: Path, minutes: float) -> Part:
    ran = hour(keep, seconds=60 * minutes, tell=_say)
    _write(ran.samples, keep / "soak_hour.json")
    found = report.figures(ran.samples, bugs=_bugs(ran.log), code=ran.code, spent=_spent(ran.database))
    return f"{ran.seconds / 60:.0f} real minutes", _HOUR, found, ran.samples


def _write(samples: Sequence[Sample], path: Path) -> None:
    path.write_text(json.dumps([dataclasses.asdict(one) | {"at": one.at.isoformat()} for one in samples]))


def _bugs(log: str) -> int:
    return sum(json.loads(line).get("event") == "bug" for line in log.splitlines() if line.startswith("{"))


def _spent(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT coalesce(sum(bytes_sent + bytes_received), 0) FROM days").fetchone()[0])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
