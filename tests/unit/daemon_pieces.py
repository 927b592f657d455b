"""A clock that jumps, work that takes as long as it is told, and what a daemon over them did."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from random import Random
from typing import Literal

from probe.daemon.daemon_jobs import Came, Jobs, WatchSet
from probe.daemon.plan import Pace, Watched
from probe.incidents.model import OwnSide, Wants
from probe.settings import Settings
from targets.model import Asked, Canaries, Endpoint


class JumpingClock:
    """Time passes only while everybody waits for it, and then at once; ``wall_s`` is how far the wall clock is ahead."""

    def __init__(self, until: float = float("inf")) -> None:
        self.now, self.until, self.wall_s = 1000.0, 1000.0 + until, 0.0
        self.gaps: list[tuple[float, float]] = []
        self.over = asyncio.Event()
        self._works = 0

    def now_us(self) -> int:
        return int((self.now + self.wall_s + 1.7e9) * 1e6)

    def monotonic(self) -> float:
        return self.now

    async def sleep_until(self, monotonic: float) -> None:
        idle = 0
        while idle < 10:  # what has just ended may begin something else
            await asyncio.sleep(0)
            idle = 0 if self._works else idle + 1
        if monotonic > self.until:
            self.over.set()
            await asyncio.Event().wait()
        for gap in [gap for gap in self.gaps if self.now <= gap[0] < monotonic]:
            self.gaps.remove(gap)
            monotonic = max(monotonic, sum(gap))
        self.now = max(self.now, monotonic)

    @contextlib.contextmanager
    def working(self):
        self._works += 1
        try:
            yield
        finally:
            self._works -= 1


class FakeWork:
    """Notes what it is asked for; ``wants`` is what the machine wishes after each time."""

    def __init__(self, clock: JumpingClock) -> None:
        self.clock = clock
        self.own_sides: list[tuple[float, bool]] = []
        self.measured: list[tuple[float, tuple]] = []
        self.told: list[float] = []
        self.kept: list[float] = []
        self.status: Literal["ok", "no_network", "inconclusive"] = "ok"
        self.bytes = 1000
        self.wants = Wants()
        self.takes: asyncio.Event | None = None
        self.breaks: Exception | None = None
        self.at_once = self.most_at_once = 0

    async def own_side(self, _watch: WatchSet, *, full: bool) -> Came:
        self.own_sides.append((self.clock.now, full))
        look = OwnSide(run="", at_us=self.clock.now_us(), status=self.status, kind="full" if full else "cheap")
        return Came(facts=(look,), bytes_sent=1000)

    async def measure(self, _watch: WatchSet, looks) -> Came:
        self.measured.append((self.clock.now, tuple(looks)))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.breaks is not None:
                raise self.breaks
            if self.takes is not None:
                await self.takes.wait()
            await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        return Came(bytes_received=self.bytes * len(looks))

    async def conclude(self, _facts) -> Wants:
        return self.wants

    async def tell(self) -> None:
        self.told.append(self.clock.now)

    async def keep(self) -> None:
        self.kept.append(self.clock.now)


class Lines(list):
    """What the daemon says: (event, words)."""

    def __call__(self, event: str, words: str, **_facts: object) -> None:
        self.append((event, words))

    @property
    def events(self) -> list[str]:
        return [event for event, _words in self]


def watch_set(directory: Path, count: int = 3, *, settings: Settings | None = None, every: float = 600.0) -> WatchSet:
    """So many endpoints of one platform, a service each."""
    urls = [f"https://e{number}.example/" for number in range(count)]
    return WatchSet(
        settings=settings if settings is not None else Settings(),
        asked=tuple(Asked(number=n, endpoint=Endpoint(url), target=url) for n, url in enumerate(urls)),
        watched=tuple(
            Watched(number=n, url=url, platform="p", service=f"s{n}", every=every) for n, url in enumerate(urls)
        ),
        pace=Pace(),
        kill_switch=directory / "stop",
        canaries=Canaries(members=()),
        catalogue="test",
    )


def jobs_over(watch: WatchSet, work: FakeWork, clock: JumpingClock, lines: Lines) -> Jobs:
    return Jobs(watch, work, clock, lines, random=Random(1))
