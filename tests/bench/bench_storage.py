"""What the archive costs: storing a result, and giving a million verdicts back as CSV.

``python -m tests.bench.bench_storage [--seed N] [--verdicts N]`` writes ``tests/bench/reports/DATE-storage.md``. Beside every
rate of an export stands that of a plain ``csv.writer`` loop over the raw driver on the same file, taken in turn with it.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from probe.workflows.export import ExportRequest, export
from storage.archive import Archive
from storage.export.columns import choose
from storage.export.query import Selection, statement
from storage.location import parse
from tests.storage_samples import fill_verdicts, sample_asked, sample_observations, sample_result, sample_run

REPORTS = Path(__file__).with_name("reports")
REPOSITORY = Path(__file__).parents[2]
CHILD = (
    "import sys, probe.cli as cli\n"
    "cli.run(sys.argv[1:])\n"
    "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])\n"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report; ``met`` is ``None`` where nothing was promised."""

    what: str
    value: str
    promise: str = ""
    met: bool | None = None


# ---------------------------------------------------------------------------------------------------------------------
# storing


def storing(directory: Path, results: int) -> Iterator[Row]:
    """Ten observations a result, each result acknowledged before the next: alone, then beside a busy thread."""
    alone = _stored_a_second(directory / "alone.db", results)
    yield Row("one-endpoint transactions, observations a second", f"{alone:,.0f}", "≥ 2,000", alone >= 2000)
    with _busy_thread():
        beside = _stored_a_second(directory / "beside.db", results)
    yield Row("the same beside a thread that computes half of the time", f"{beside:,.0f}", "≥ 2,000", beside >= 2000)


def _stored_a_second(path: Path, results: int) -> float:
    run, asked = sample_run(), sample_asked(results)
    with Archive.open(str(path)) as archive:
        archive.begin(run, asked).result()
        number, start = 1, time.perf_counter()
        for one in asked:
            seen = [
                observation
                for index in range(3)
                for observation in sample_observations(number + 4 * index, one.number, run.started_us)
            ][:10]
            number += len(seen)
            archive.save(run.id, sample_result(one, run, seen), seen).result()
        return (number - 1) / (time.perf_counter() - start)


@contextmanager
def _busy_thread() -> Iterator[None]:
    """What a check is beside it: a millisecond of computing, a millisecond of waiting."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            until = time.perf_counter() + 0.001
            while time.perf_counter() < until:
                pass
            time.sleep(0.001)

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


# ---------------------------------------------------------------------------------------------------------------------
# giving back


def giving_back(path: Path, out: Path, rounds: int) -> Iterator[Row]:
    """CPU seconds of this process, for other processes come and go; each rate is the median of its rounds."""
    columns = choose("verdicts", ())
    selection = Selection(what="verdicts")

    def ours() -> int:
        with out.open("wb") as file:
            return export(ExportRequest(location=parse(str(path)), selection=selection, columns=columns), file)

    query, _values = statement("sqlite", selection, columns, raw=False)
    runs: dict[str, Callable[[], int]] = {
        "dalel export": ours,
        "same": lambda: plain(path, out, query),
        "all": lambda: plain(path, out, "SELECT * FROM verdicts"),
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            rates[name].append(run() / (time.process_time() - start))
    median = {name: statistics.median(values) for name, values in rates.items()}
    yield Row("dalel export, rows a second of CPU", f"{median['dalel export']:,.0f}")
    for name, words in (("same", "the same rows and columns"), ("all", "SELECT * FROM verdicts, no join")):
        share = median["dalel export"] / median[name]
        yield Row(f"plain csv.writer loop, {words}", f"{median[name]:,.0f}")
        promised = name == "same"
        yield Row(
            "  dalel export, of that", f"{share:.0%}", "≥ 60 %" if promised else "", share >= 0.6 if promised else None
        )


def plain(path: Path, out: Path, query: str) -> int:
    """What anybody would write with the standard library."""
    count = 0
    with closing(sqlite3.connect(path)) as connection, out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        cursor = connection.execute(query)
        writer.writerow([column[0] for column in cursor.description])
        for row in cursor:
            writer.writerow(row)
            count += 1
    return count


def memory(path: Path, empty: Path) -> Iterator[Row]:
    """Peak resident size of the command, exporting everything, over that of exporting nothing."""

    def peak(database: Path) -> int:
        command = [
            sys.executable,
            "-c",
            CHILD,
            "export",
            "--database",
            str(database),
            "-o",
            str(path.with_suffix(".csv")),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        return int(done.stdout.split()[-1])

    start, full = peak(empty), peak(path)
    grown = (full - start) / 1024
    yield Row("peak memory over an export of nothing", f"{grown:.1f} MB", "< 30 MB", grown < 30)
    yield Row("peak memory in all", f"{full / 1024:.0f} MB")


# ---------------------------------------------------------------------------------------------------------------------


def write_report(sections: dict[str, list[Row]], seed: int, verdicts: int) -> Path:
    """A table a section, with commit, seed and machine; its path."""
    now = dt.datetime.now(dt.UTC)
    lines = ["# The archive's costs", "", _machine(now, seed, verdicts)]
    for name, rows in sections.items():
        lines += ["", f"## {name}", "", "| what | value | promised | met |", "|---|---|---|---|"]
        lines += [f"| {r.what} | {r.value} | {r.promise} | {_met(r.met)} |" for r in rows]
    REPORTS.mkdir(exist_ok=True)
    path = REPORTS / f"{now:%Y-%m-%d-%H%M}-storage.md"
    path.write_text("\n".join(lines) + "\n")
    return path


def _met(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "**no**"


def _machine(now: dt.datetime, seed: int, verdicts: int) -> str:
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    return (
        f"{now:%Y-%m-%d %H:%M} UTC · commit {commit} · seed {seed} · {verdicts:,} verdicts · {os.cpu_count()} × {platform.machine()} · "
        f"{platform.system()} {platform.release()} · Python {platform.python_version()} · SQLite {sqlite3.sqlite_version} · "
        f"load {os.getloadavg()[0]:.1f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verdicts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    sections: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory(prefix="dalel-bench-") as name:
        directory = Path(name)
        sections["Storing"] = list(storing(directory, 1000))
        full, empty = directory / "full.db", directory / "empty.db"
        fill_verdicts(full, options.verdicts, seed=options.seed)
        fill_verdicts(empty, 0, seed=options.seed)
        sections["Giving back as CSV"] = [
            *giving_back(full, directory / "out.csv", options.rounds),
            *memory(full, empty),
        ]
    path = write_report(sections, options.seed, options.verdicts)
    print(path.read_text())
    return 1 if any(row.met is False for rows in sections.values() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
