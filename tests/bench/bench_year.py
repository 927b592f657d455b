"""A year of `dalel run` with the default schedule, written as the daemon writes it: how large, and how long to read.

``python -m tests.bench.bench_year [--days N] [--seed N] [--only ordinary|blocked]`` writes
``tests/bench/reports/DATE-year.md``. The schedule is the daemon's own plan on a clock that jumps; the sizes of observations are
those that the lab's replays left. What housekeeping has made short by then is written short at once; the last month has its
details, and all incidents have all of theirs. In the blocked year twenty addresses are blocked from the first day to the last:
what is older than ten days is written as if there had been room for an example a day, and housekeeping does the rest.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from probe.daemon.plan import Pace, Plan, Watched
from probe.incidents.model import Event, Incident, OwnSide
from probe.observations import HttpFact, Observation, Operation, TlsFact
from probe.settings.keep import Keep
from probe.verdict.model import EndpointResult, Run
from probe.workflows.prune import tidy
from storage import days, incidents, making_room, own_sides, readings, rounds
from storage.archive import Archive
from storage.database import Database
from storage.location import parse
from storage.maintenance import size
from storage.rows import Change
from targets.loader import load_catalogue
from targets.model import Asked
from tests.bench.bench_storage import REPORTS, Row, _machine, _met
from tests.storage_samples import sample_finding, sample_verdict

DAY_S, DAY_US = 86_400.0, 86_400_000_000
ROUND_S = 600.0
HEALTHY, CHEAP, FAILING, BESIDE, BESIDE_SHUT = (5, 600), (3, 500), (80, 400), (12, 500), (50, 600)
"""Observations and bytes of each one's fact, as the lab's replays of May 2016 and January 2022 left them."""
BLOCKED = ("facebook", "instagram", "messenger", "signal", "twitter")
"""Platforms with twenty addresses together, of which the plan makes 1,600 looks a day."""
BLOCKED_WHOLE_DAYS = 10


@dataclass(slots=True)
class Year:
    """What is being written. Times of the plan are seconds from ``start_us`` on."""

    start_us: int
    length_s: float
    chance: random.Random
    asked: tuple[Asked, ...]
    detailed_from_s: float
    counts: dict[str, int] = field(default_factory=dict)
    blocked: frozenset[int] = frozenset()
    """Numbers of the addresses that are blocked all the time."""
    _shown: set[tuple[int, int]] = field(default_factory=set)

    def count(self, what: str, many: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + many

    def run(self, at_s: float) -> Run:
        at_us = self.start_us + int(at_s * 1e6)
        return Run(
            id=f"{self.chance.getrandbits(128):032x}",
            started_us=at_us,
            software="dalel 0.1.0",
            ruleset="2026.11.22",
            catalogue="2026-11-22",
            trust="mozilla",
            profile="light",
            country="KZ",
            asn=9198,
            clock_offset_us=self.chance.randrange(-5000, 5000),
            finished_us=at_us + 9_000_000,
            network_status="ok",
        )

    def is_example(self, at_us: int, blocked: frozenset[int]) -> bool:
        """Whether one of *blocked* is looked at for the first time in this day."""
        fresh = {(at_us // DAY_US, number) for number in blocked} - self._shown
        self._shown |= fresh
        return bool(fresh)

    def observations(self, run: Run, first: int, endpoint: int | None, like: tuple[int, int]) -> list[Observation]:
        many, length = like
        made = []
        for index in range(many):
            pad = f"{self.chance.getrandbits(length * 2):x}"
            fact = (
                TlsFact(sni=pad, verify=True)
                if index % 2
                else HttpFact(method="HEAD", url=f"https://{pad}/", verified_chain=True)
            )
            operation = Operation(fact=fact, started_us=run.started_us + index, duration_us=90_000, address="192.0.2.7")
            purpose = "baseline" if endpoint else "own_side"
            made.append(Observation(number=first + index, operation=operation, purpose=purpose, endpoint=endpoint))  # type: ignore[arg-type]
        return made

    def result(self, run: Run, asked: Asked, status: str) -> EndpointResult:
        verdict = sample_verdict(asked.number, status=status, horizon=100)
        if status == "accessible":
            verdict = type(verdict)(
                endpoint=asked.number,
                status="accessible",
                confidence=0.98 + self.chance.random() / 50,
                basis="behaviour",
                ruleset=run.ruleset,
                horizon=100,
                findings=(sample_finding("page.verified", 3),),
            )
        return EndpointResult(
            number=asked.number,
            target=asked.target,
            url=asked.endpoint.url,
            platform=asked.platform,
            service=asked.service,
            rule=asked.rule,
            profile="light",
            verdict=verdict,
            observations=(),
            started_us=run.started_us + self.chance.randrange(10_000_000),
            duration_us=self.chance.randrange(90_000, 900_000),
            bytes_sent=self.chance.randrange(900, 2500),
            bytes_received=self.chance.randrange(1500, 9000),
        )


def default_endpoints() -> tuple[Asked, ...]:
    """What `dalel run` watches when nothing is named."""
    made: list[Asked] = []
    for platform in load_catalogue().lists()["default"]:
        for service in platform.services:
            for endpoint in service.endpoints:
                made.append(
                    Asked(
                        number=len(made) + 1,
                        endpoint=endpoint,
                        target="@default",
                        platform=platform.id,
                        service=service.name,
                        rule=service.rule,
                    )
                )
    return tuple(made)


def write(path: Path, year: Year) -> None:
    """The whole year, a day a transaction: the daemon makes one of each round, which only costs more time."""
    plan = Plan(
        tuple(
            Watched(number=a.number, url=a.endpoint.url, platform=a.platform or "", service=a.service or "")
            for a in year.asked
        ),
        Pace(),
        year.chance,
    )
    with Archive.open(str(path)) as archive:
        at_s = own_s = 0.0
        day = 0
        while at_s < year.length_s:
            until_s = (day + 1) * DAY_S
            changes: list[Change] = []
            while at_s < min(until_s, year.length_s):
                changes += round_of(year, plan, at_s)
                at_s += plan.until_round(ROUND_S)
            own_s, more = looks_at_own_side(year, plan, own_s, until_s)
            archive.put(rounds.together((*changes, *more))).result()
            days.add(archive, days.Day(day=days.day_of(year.start_us + int(day * DAY_S * 1e6)), rounds=144)).result()
            day += 1
        trouble(archive, year)


def round_of(year: Year, plan: Plan, at_s: float) -> list[Change]:
    by_number = {one.number: one for one in year.asked}
    run = year.run(at_s)
    looks, number = [], 1
    beside: list[Observation] = []
    planned = plan.round(ROUND_S, at_s)
    blocked = year.blocked & {look.number for look in planned}
    is_example = year.is_example(run.started_us, blocked)
    is_whole = bool(blocked) and (is_example or at_s >= year.length_s - BLOCKED_WHOLE_DAYS * DAY_S)
    for look in planned:
        asked = by_number[look.number]
        kind = look.kind if at_s >= year.detailed_from_s else "cheap"
        like = HEALTHY if kind != "cheap" else CHEAP
        if look.number in blocked:
            kind, like = "full", FAILING
        year.count("blocked all year" if look.number in blocked else look.kind)
        seen: list[Observation] = []
        if is_whole or (kind != "cheap" and not blocked):
            if not beside:
                beside = year.observations(run, number, None, BESIDE)
                number += len(beside)
            seen = year.observations(run, number, asked.number, like)
            number += len(seen)
        result = year.result(run, asked, "blocked" if look.number in blocked else "accessible")
        looks.append(rounds.Looked(asked=asked, kind=kind, result=result, observations=tuple(seen)))
    if blocked and not is_whole:
        # As housekeeping leaves what repeats itself.
        return [change for look in looks for change in readings.short(run, look.result, kind=look.kind)]
    return list(rounds.changes(run, looks, beside))


def looks_at_own_side(year: Year, plan: Plan, own_s: float, until_s: float) -> tuple[float, list[Change]]:
    made: list[Change] = []
    while own_s < min(until_s, year.length_s):
        look = OwnSide(run="", at_us=year.start_us + int(own_s * 1e6), status="ok", kind="cheap")
        made += own_sides.changes(look, year.chance.randrange(-5000, 5000))
        own_s += plan.until_own_side()
        year.count("own side")
    return own_s, made


def trouble(archive: Archive, year: Year) -> None:
    """Twenty evenings of two hours on which a platform is blocked, and three days of shutdown; a hundred incidents in all."""
    blocked = [asked for asked in year.asked if asked.platform == "facebook"][:3]
    for evening in range(20):
        start_s = (evening * 17 + 5) * DAY_S % year.length_s
        for minute in range(0, 120, 5):
            run = year.run(start_s + minute * 60)
            number, looks = 51, []
            for asked in blocked:
                seen = year.observations(run, number, asked.number, FAILING)
                number += len(seen)
                result = year.result(run, asked, "blocked")
                looks.append(rounds.Looked(asked=asked, kind="full", result=result, observations=tuple(seen)))
            beside = year.observations(run, 1, None, BESIDE_SHUT)
            archive.put(rounds.changes(run, looks, beside)).result()
            year.count("blocked", len(looks))
    for look in range(3 * 960):
        run = year.run(year.length_s * 0.6 + look * 90)
        archive.begin(run, ())
        archive.save_observations(run.id, year.observations(run, 1, None, BESIDE_SHUT)).result()
        own_sides.save(archive, OwnSide(run=run.id, at_us=run.started_us, status="no_network", method="shutdown"))
        year.count("shut")
    for number in range(100):
        at_us = year.start_us + int(number / 100 * year.length_s * 1e6)
        one = Incident(
            id=f"{number:08x}", status="blocked", platforms=("facebook",), began_by_us=at_us, opened_us=at_us,
            changed_us=at_us, closed_us=at_us + 7200_000_000, ended_by_us=at_us + 7200_000_000, state="closed",
        )  # fmt: skip
        for version in range(1, 5):
            event = Event(incident=one.id, number=version, kind="widened", at_us=at_us)
            archived = type(one)(
                **{name: getattr(one, name) for name in one.__dataclass_fields__} | {"events": version}
            )
            incidents.save(archive, archived, [event]).result()


# ---------------------------------------------------------------------------------------------------------------------
# reading


def timed(database: Path, *words: str, rounds: int = 3) -> tuple[float, int]:
    """Best of some runs of the command as a whole process, in seconds, and the lines of its output."""
    command = [str(Path(sys.executable).with_name("dalel")), *words, "--database", str(database)]
    best, lines = float("inf"), 0
    for _ in range(rounds):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        best = min(best, time.perf_counter() - start)
        assert done.returncode in {0, 1, 3}, done.stderr
        lines = done.stdout.count("\n")
    return best, lines


def reading(path: Path, year: Year) -> Iterator[Row]:
    since = days.day_of(year.start_us + int((year.length_s - 31 * DAY_S) * 1e6))
    month = path.with_suffix(".csv")
    for words, limit in (
        (("status",), 1.0),
        (("incidents",), 1.0),
        (("export", "--since", since, "-o", str(month)), 10.0),
        (("export", "incidents", "-o", str(path.with_suffix(".incidents.csv"))), 10.0),
        (("export", "hours", "--since", since, "-o", str(path.with_suffix(".hours.csv"))), 10.0),
    ):
        seconds, _lines = timed(path, *words, rounds=1 if "export" in words else 3)
        yield Row(
            f"`dalel {' '.join(words[: words.index('-o')][:3]) if 'export' in words else words[0]}`",
            f"{seconds:.2f} s",
            f"< {limit:g} s",
            seconds < limit,
        )
    with month.open("rb") as file:
        yield Row("  rows of the last month", f"{sum(1 for _ in file) - 1:,}")


def keeping(path: Path, year: Year, keep: Keep, what: str) -> Iterator[Row]:
    """Housekeeping on it, and how long any step held the database."""
    longest = steps = 0.0
    with Archive.open(str(path)) as archive:
        put = archive.call

        def call(work):
            def measured(connection):
                nonlocal longest, steps
                start = time.perf_counter()
                done = work(connection)
                longest, steps = max(longest, time.perf_counter() - start), steps + 1
                return done

            return put(measured)

        archive.call = call  # type: ignore[method-assign]
        start = time.perf_counter()
        now_us = year.start_us + int((year.length_s + DAY_S) * 1e6)
        done = tidy(archive, keep, now_us, pause_s=0.0, longest_s=None)
        seconds = time.perf_counter() - start
        many, held = steps, longest
        start = time.process_time()
        tidy(archive, keep, now_us + 3_600_000_000, pause_s=0.0, longest_s=None)
        again = time.process_time() - start
    told = f"{what} ({done.runs + done.repeats:,} runs become short, {done.readings:,} readings sums)"
    yield Row(told, f"{seconds:.1f} s in {many:.0f} steps")
    yield Row("  longest hold on the database", f"{held * 1000:.0f} ms", "< 500 ms", held < 0.5)
    yield Row("  an hour later, when nothing is left to do", f"{again:.2f} s of CPU")


def room(path: Path, when: str, *, promised: bool) -> Row:
    """What of the database holds something."""
    with Database.open(parse(str(path)), writable=False) as database:
        used = making_room.in_use(database) or 0
    limit = Keep().megabytes * 1_000_000
    text = f"< {limit / 1e6:,.0f} MB"
    return Row(f"in use {when}", f"{used / 1e6:,.0f} MB", *((text, used < limit) if promised else ()))


def hours(path: Path, what: str) -> Iterator[Row]:
    """An export of all hours of the year."""
    file = path.with_suffix(".hours.csv")
    seconds, _lines = timed(path, "export", "hours", "-o", str(file), rounds=1)
    yield Row(f"`dalel export hours`, {what}", f"{seconds:.1f} s")
    with file.open("rb") as rows:
        yield Row("  rows", f"{sum(1 for _ in rows) - 1:,}")


def sizes(path: Path, year: Year) -> Iterator[Row]:
    total = size(parse(str(path)))
    share = total * 365 * DAY_S / year.length_s
    yield Row("the database", f"{total / 1e6:,.0f} MB", "< 1,000 MB", total < 1e9)
    if year.length_s < 364 * DAY_S:
        yield Row("  as a year", f"{share / 1e6:,.0f} MB at most")
    with closing(sqlite3.connect(path)) as connection:
        try:
            found = connection.execute(
                "SELECT name, sum(pgsize) FROM dbstat GROUP BY 1 ORDER BY 2 DESC LIMIT 8"
            ).fetchall()
        except sqlite3.OperationalError:  # this SQLite has no dbstat
            found = []
        yield from (Row(f"  {name}", f"{amount / 1e6:,.1f} MB") for name, amount in found)
        rows = connection.execute("SELECT count(*) FROM readings").fetchone()[0]
        yield Row("short readings", f"{rows:,}")
    for what, many in sorted(year.counts.items()):
        yield Row(f"  written: {what}", f"{many:,}")


def write_report(sections: dict[str, list[Row]], year: Year, seed: int) -> Path:
    now = time.gmtime()
    machine = _machine(dt.datetime.now(dt.UTC), seed, sum(year.counts.values())).replace("verdicts", "looks")
    lines = [f"# {year.length_s / DAY_S:.0f} days of `dalel run`", "", machine, "", __doc__.split("\n\n", 1)[1].strip()]
    for name, rows in sections.items():
        lines += ["", f"## {name}", "", "| what | value | promised | met |", "|---|---|---|---|"]
        lines += [f"| {r.what} | {r.value} | {r.promise} | {_met(r.met)} |" for r in rows]
    path = REPORTS / f"{time.strftime('%Y-%m-%d-%H%M', now)}-year.md"
    path.write_text("\n".join(lines) + "\n")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("ordinary", "blocked"))
    options = parser.parse_args(arguments)
    sections: dict[str, list[Row]] = {}
    years = [
        (measured, _year(options.days, options.seed, blocked))
        for name, measured, blocked in (("ordinary", ordinary, ()), ("blocked", blocked_throughout, BLOCKED))
        if options.only in (None, name)
    ]
    for measured, year in years:
        with tempfile.TemporaryDirectory(prefix="dalel-year-") as name:
            path = Path(name) / "dalel.db"
            start = time.perf_counter()
            write(path, year)
            sections |= measured(path, year, [Row("writing all of it", f"{time.perf_counter() - start:.0f} s")])
    report = write_report(sections, years[0][1], options.seed)
    print(report.read_text())
    print(json.dumps([year.counts for _measured, year in years]))
    return 1 if any(row.met is False for rows in sections.values() for row in rows) else 0


def _year(length: int, seed: int, blocked: Sequence[str]) -> Year:
    length_s = length * DAY_S
    asked = default_endpoints()
    return Year(
        start_us=int((time.time() - length_s) * 1e6),  # noqa: TID251 - the month before now is what `--since` means
        length_s=length_s,
        chance=random.Random(seed),
        asked=asked,
        detailed_from_s=length_s - 31 * DAY_S,
        blocked=frozenset(one.number for one in asked if one.platform in blocked),
    )


def ordinary(path: Path, year: Year, written: list[Row]) -> dict[str, list[Row]]:
    return {
        "Size": [*sizes(path, year), *written],
        "Reading": list(reading(path, year)),
        "Looking after": list(keeping(path, year, Keep(), "a day's housekeeping")),
        "Hours of the year": [
            *hours(path, "all readings kept"),
            *keeping(path, year, Keep(readings_days=31), "rolling up eleven months"),
            *hours(path, "eleven months rolled up"),
        ],
    }


def blocked_throughout(path: Path, year: Year, written: list[Row]) -> dict[str, list[Row]]:
    before = room(path, "before housekeeping", promised=False)
    kept = list(keeping(path, year, Keep(), "making room"))
    after = room(path, "after housekeeping", promised=True)
    looks = [Row(f"  written: {what}", f"{many:,}") for what, many in sorted(year.counts.items())]
    return {
        "Twenty addresses blocked all year": [before, *kept, after, *looks, *written],
        "Reading the blocked year": list(reading(path, year)),
        "The blocked year with less room than it needs": [
            *keeping(path, year, Keep(megabytes=100), "making all the room there is"),
            room(path, "after that", promised=False),
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
