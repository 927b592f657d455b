"""Thirty days of a healthy but noisy line, through the daemon's own jobs, scheduler, incident machine and archive.

Only measuring is replaced: each look draws a verdict that the lab measured. The line has a *weather*, one healthy scenario of
the lab at a time, and all looks of that time draw from its rows: what fails together in the lab fails together here. Calm
scenarios and noisy ones (in which the lab saw anything but "accessible": loss, limits, restarts, odd pages) take turns; now
and then the line blinks, for a minute or two. Whatever the machine opens here is false.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from probe.daemon.daemon_jobs import Came, Jobs, WatchSet
from probe.daemon.plan import Look, Pace, Watched
from probe.daemon.scheduler import Scheduler
from probe.incidents.model import Event, Fact, Kind, OwnSide, Reading, Wants
from probe.settings import Settings
from probe.verdict.model import EndpointResult, Run, Verdict
from probe.workflows.incidents import Incidents
from storage import own_sides, rounds
from storage.archive import Archive
from storage.location import parse
from storage.rounds import Looked
from targets.loader import load_catalogue
from targets.model import Asked, Canaries
from targets.select import resolve
from tests.unit.daemon_pieces import JumpingClock, Lines

LAB = Path(__file__).parents[1] / "lab" / "reports"
DAY_S = 86_400.0
NOISY = 0.3
"""Share of the time in which the weather is a noisy scenario."""
WEATHER_S = 1800.0
"""How long one weather lasts, on the average."""
BLINK_EVERY_S, BLINK_S = 8 * 3600.0, (5.0, 110.0)
STRAY_OWN_SIDE = 0.002
"""Looks at the own side that fail for no reason at all."""
BURST_AFTER_S = (10.0, 35.0)

Word = tuple[str, str | None, float | None]
"""Status, method and confidence, as the lab's report has them."""


@dataclass(frozen=True, slots=True)
class Weathers:
    """The lab's healthy scenarios, each with the words that were said in it, and the report that they are from."""

    report: str
    calm: tuple[tuple[Word, ...], ...]
    noisy: tuple[tuple[Word, ...], ...]


def newest_lab() -> Path:
    return max(LAB.glob("*-lab.jsonl.gz"))


def weathers(path: Path) -> Weathers:
    """Scenarios in which endpoints are well by the truth, or look odd: none is blocked, refused, down or cut off."""
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            by_name[row["scenario"]].append(row)
    calm: list[tuple[Word, ...]] = []
    noisy: list[tuple[Word, ...]] = []
    for _, rows in sorted(by_name.items()):
        truth = {word.split(".")[0] for row in rows for word in row["acceptable"]}
        if not truth <= {"accessible", "inconclusive", "denied"} or any(
            "accessible" not in r["acceptable"] for r in rows
        ):
            continue
        said = [row["said"]["dalel"] for row in rows]
        words = tuple((one["status"], one.get("method"), one.get("confidence")) for one in said)
        (calm if {word[0] for word in words} == {"accessible"} else noisy).append(words)
    return Weathers(path.name, tuple(calm), tuple(noisy))


@dataclass(slots=True)
class Line:
    """A work of the daemon that measures nothing. ``stray``: share of full readings that say ``blocked`` for no reason; the
    next reading of that endpoint within two minutes says so again with an even chance.
    """

    archive: Archive
    clock: JumpingClock
    weathers: Weathers
    random: Random
    stray: float = 0.0
    words: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    told: list[Event] = field(default_factory=list)
    incidents: Incidents | None = None
    runs: int = 0
    _weather: tuple[Word, ...] = ()
    _until: float = 0.0
    _blink: tuple[float, float] = (0.0, 0.0)
    _strayed: dict[str, float] = field(default_factory=dict)

    def load(self) -> Wants:
        self.incidents, missed = Incidents.load(self.archive, self.clock.now_us())
        return missed.wants

    def _is_blinking(self) -> bool:
        now = self.clock.now
        if now > self._blink[1]:
            begins = now + self.random.expovariate(1 / BLINK_EVERY_S)
            self._blink = (begins, begins + self.random.uniform(*BLINK_S))
        return self._blink[0] <= now

    def _word(self, url: str, kind: Kind) -> Word:
        now = self.clock.now
        if now >= self._until:
            chosen = self.weathers.noisy if self.random.random() < NOISY else self.weathers.calm
            self._weather = self.random.choice(chosen)
            self._until = now + self.random.expovariate(1 / WEATHER_S)
        if self._is_blinking():
            return "no_network", "upstream", 0.95
        again = now - self._strayed.get(url, -1e9) < 120.0 and self.random.random() < 0.5
        if self.stray and (again or (kind != "cheap" and self.random.random() < self.stray)):
            self._strayed[url] = now
            return "blocked", "tls", 0.95
        return self.random.choice(self._weather)

    # what the daemon calls

    async def own_side(self, _watch: WatchSet, *, full: bool) -> Came:
        # A small look that fails is followed by a whole one at once.
        bad = self._is_blinking() or self.random.random() < STRAY_OWN_SIDE
        self.own["no_network" if bad else "ok"] += 1
        look = OwnSide(
            run="",
            at_us=self.clock.now_us(),
            status="no_network" if bad else "ok",
            method="upstream" if bad else None,
            kind="full" if full or bad else "cheap",
        )
        own_sides.save(self.archive, look).result(timeout=60)
        return Came(facts=(look,), bytes_sent=1000)

    async def measure(self, watch: WatchSet, looks: Sequence[Look]) -> Came:
        asked = {one.number: one for one in watch.asked}
        facts: list[Fact] = []
        if any(look.kind == "burst" for look in looks):
            for after in BURST_AFTER_S:
                self.clock.now += after
                facts += self._round(asked, looks)
        else:
            facts += self._round(asked, looks)
        return Came(facts=tuple(facts), bytes_received=1000 * len(looks))

    def _round(self, asked: dict[int, Asked], looks: Sequence[Look]) -> list[Reading]:
        self.runs += 1
        now_us = self.clock.now_us()
        run = Run(
            id=f"{self.runs:032x}",
            started_us=now_us,
            software="dalel",
            ruleset="1",
            catalogue="1",
            trust="mozilla",
            profile="light",
            finished_us=now_us + 2_000_000,
            network_status="ok",
        )
        looked, readings = [], []
        for look in looks:
            one = asked[look.number]
            status, method, confidence = self._word(one.endpoint.url, look.kind)
            kind: Kind = "full" if look.kind == "cheap" and status != "accessible" else look.kind
            self.words[status if method is None else f"{status} {method}"] += 1
            self.kinds[kind] += 1
            verdict = Verdict(
                endpoint=one.number,
                status=status,  # type: ignore[arg-type]
                method=method,
                confidence=confidence,
                ruleset="1",
            )
            result = EndpointResult(
                number=one.number,
                target=one.target,
                url=one.endpoint.url,
                platform=one.platform,
                service=one.service,
                rule=one.rule,
                profile="light",
                verdict=verdict,
                observations=(),
                started_us=now_us,
                duration_us=2_000_000,
                bytes_sent=500,
                bytes_received=1100,
            )
            looked.append(Looked(asked=one, kind=kind, result=result))
            readings.append(_reading(run, result, kind))
        self.archive.put(rounds.changes(run, looked)).result(timeout=60)
        return readings

    async def conclude(self, facts: Sequence[Fact]) -> Wants:
        assert self.incidents is not None
        conclusion = self.incidents.take(facts)
        self.told += [event for _, event in conclusion.told]
        if (future := self.incidents.keep(conclusion)) is not None:
            future.result(timeout=60)
        return conclusion.wants

    async def tell(self) -> None:
        return

    async def keep(self) -> None:
        return


def _reading(run: Run, result: EndpointResult, kind: Kind) -> Reading:
    verdict = result.verdict
    return Reading(
        run=run.id,
        endpoint=result.number,
        url=result.url,
        platform=result.platform,
        service=result.service,
        rule=result.rule,
        at_us=result.started_us,
        until_us=result.started_us + result.duration_us,
        status=verdict.status,
        method=verdict.method,
        confidence=verdict.confidence,
        kind=kind,
    )


def live(directory: Path, days: float, *, seed: int, stray: float = 0.0, table: Weathers | None = None) -> Line:
    """Let the daemon watch the default platforms for so many days of its clock."""
    watch = _watch_set(directory)
    with Archive.open(parse(str(directory / "dalel.db"), data_dir=directory)) as archive:
        clock = JumpingClock(days * DAY_S)
        line = Line(archive, clock, table or weathers(newest_lab()), Random(seed), stray)
        wants = line.load()
        asyncio.run(_run(watch, line, clock, wants, seed))
    return line


async def _run(watch: WatchSet, line: Line, clock: JumpingClock, wants: Wants, seed: int) -> None:
    broken: list[BaseException] = []

    def bug(_name: str, error: BaseException) -> None:
        broken.append(error)
        clock.over.set()

    async with asyncio.TaskGroup() as group:
        scheduler = Scheduler(clock, group, bug)
        Jobs(watch, line, clock, Lines(), random=Random(seed), wants=wants).plan_on(scheduler)
        serving = group.create_task(scheduler.serve(late=lambda _seconds: None))
        await clock.over.wait()
        scheduler.shutdown()
        serving.cancel()
    if broken:
        raise broken[0]


def _watch_set(directory: Path) -> WatchSet:
    asked = resolve(["@default"], load_catalogue(None))
    return WatchSet(
        settings=Settings(),
        asked=asked,
        watched=tuple(
            Watched(
                number=one.number,
                url=one.endpoint.url,
                platform=one.platform or one.endpoint.host,
                service=one.service or "",
            )
            for one in asked
        ),
        pace=Pace(),
        kill_switch=directory / "stop",
        canaries=Canaries(members=()),
        catalogue="bench",
    )
