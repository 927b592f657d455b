"""Lines, servers and bundles of links that know no name, as little as it takes to say when a packet arrives; see ``simulate``."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from targets.loader import load_canaries

HOST = "www.facebook.com"


@dataclass(slots=True)
class Flow:
    """One connection: what it is greeted with, where, and what its world keeps of it."""

    name: str
    place: str
    slow: bool = False
    bucket: tuple[float, float] | None = None
    since: float | None = None


class World:
    """Everything arrives after half a round trip. ``source`` draws what differs between two worlds of a kind."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.rtt = source.choice((0.03, 0.08, 0.2))

    def flow(self, name: str, place: str) -> Flow:
        return Flow(name, place)

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        """When a packet that is sent *now* arrives; ``None``: it is lost."""
        return now + self.rtt / 2


def _passes(bucket: tuple[float, float] | None, size: int, now: float, rate: float, burst: float) -> tuple[bool, Any]:
    """Whether a token bucket of so many bits a second lets it by, and the bucket after that."""
    tokens, at = bucket or (burst, now)
    tokens = min(burst, tokens + (now - at) * rate / 8)
    return tokens >= size, (tokens - size if tokens >= size else tokens, now)


class Policed(World):
    """No innocent one: what comes on flows with the name is cut down to 100 to 400 kbit/s."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.rate = source.uniform(100_000, 400_000)

    def is_slow(self, flow: Flow) -> bool:
        return flow.name == HOST

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        if not down or not self.is_slow(flow):
            return now + self.rtt / 2
        passed, flow.bucket = _passes(flow.bucket, size, now, self.rate, 8_000)
        return now + self.rtt / 2 if passed else None


class Bundle(Policed):
    """Several links, one or more of them narrow: which one a flow takes its port says, and ports count upwards."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.port, self.links = source.randrange(64), source.choice((2, 4, 8, 16))
        self.narrow, self.by_port = source.choice((0.25, 0.5, 0.75)), source.random() < 0.5

    def flow(self, name: str, place: str) -> Flow:
        self.port += 1
        link = (self.port ^ self.port >> 1) % self.links / self.links if self.by_port else self.source.random()
        return Flow(name, place, slow=link < self.narrow)

    def is_slow(self, flow: Flow) -> bool:
        return flow.slow


class RoundRobin(Bundle):
    """Flows take the links in turn, one by one or some at a time, everywhere or at each place."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.pattern = source.choice(("01", "0011", "0110", "01101001", "001", "011", "0111", "00001111"))
        self.each, self.seen, self.begun = source.random() < 0.5, dict[str, int](), source.randrange(8)

    def flow(self, name: str, place: str) -> Flow:
        key = place if self.each else ""
        self.seen[key] = self.seen.get(key, self.begun) + 1
        return Flow(name, place, slow=self.pattern[self.seen[key] % len(self.pattern)] == "1")


class Visits(Policed):
    """Servers that give each visitor one quick connection in so many seconds."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.every, self.last = source.choice((1, 2, 3, 4, 5, 8)), dict[str, float]()

    def is_slow(self, flow: Flow) -> bool:
        return flow.slow

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        if flow.since is None:
            flow.since, flow.slow = now, now - self.last.get(flow.place, -math.inf) < self.every
            if not flow.slow:
                self.last[flow.place] = now
        return super().arrives(flow, size, now, down=down)


class Tariff(World):
    """One bucket for the customer, or for each server's visitors, with bursts of up to several pages."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.rate = source.choice((32e3, 64e3, 128e3, 256e3, 512e3))
        self.burst = source.choice((6e3, 20e3, 40e3, 60e3, 80e3, 120e3, 200e3))
        self.each, self.buckets = source.random() < 0.5, dict[str, Any]()

    def is_free(self, flow: Flow) -> bool:
        return False

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        if not down or self.is_free(flow):
            return now + self.rtt / 2
        key = flow.place if self.each else ""
        passed, self.buckets[key] = _passes(self.buckets.get(key), size, now, self.rate, self.burst)
        return now + self.rtt / 2 if passed else None


class FreeNames(Tariff):
    """A used-up tariff that leaves a third of the innocuous names free."""

    names = frozenset(sorted(load_canaries().innocuous)[::3])

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.rate, self.burst, self.each = source.choice((64e3, 128e3)), 8e3, False

    def is_free(self, flow: Flow) -> bool:
        return flow.name in self.names


class Unrated(Policed):
    """Every name that a box has no rating for is policed, the one in question among them; it knows all well-known ones."""

    names = frozenset(load_canaries().innocuous)

    def is_slow(self, flow: Flow) -> bool:
        return flow.name not in self.names


class Stalls(World):
    """Nothing passes for a while, again and again; what was sent meanwhile waits, or is lost."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        times = (0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
        self.on, self.off, self.phase = source.choice(times), source.choice(times), source.uniform(0, 20)
        self.keeps = source.random() < 0.5

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        at = (now + self.phase) % (self.on + self.off)
        if at >= self.on:
            return now + self.rtt / 2
        return now + self.on - at + self.rtt / 2 if self.keeps else None


class BusyInTurns(Stalls):
    """A queue that is served quickly for a while and slowly for a while: a neighbour's backup."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.on, self.off = source.uniform(0.3, 6), source.uniform(0.3, 6)
        self.low, self.free_at = source.choice((32e3, 64e3, 128e3, 256e3)), 0.0

    def rate(self, at: float) -> float:
        return self.low if (at + self.phase) % (self.on + self.off) < self.on else 20e6

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        if not down:
            return now + self.rtt / 2
        begins = max(now, self.free_at)
        if begins - now > 2:
            return None
        self.free_at = begins + size * 8 / self.rate(begins)
        return self.free_at + self.rtt / 2


class Wandering(BusyInTurns):
    """The same queue on a mobile cell: its rate wanders over powers of ten, in half a second or in some."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.lasts, self.spread = source.choice((0.5, 1, 3, 6)), source.choice((1, 1.5, 2))
        self.base, self.at, self.level = source.choice((2e5, 5e5, 2e6)), 0.0, 0.0

    def rate(self, at: float) -> float:
        kept = math.exp(-max(0.0, at - self.at) / self.lasts)
        self.level = self.level * kept + self.source.gauss(0, self.spread) * math.sqrt(1 - kept * kept)
        self.at = at
        return self.base * math.exp(self.level)


class BadTimes(World):
    """A radio with good and bad times of random lengths; in bad ones a third to all is lost (Gilbert, 1960)."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        lengths = (0.5, 1, 2, 4)
        self.good, self.bad, self.loss = (
            source.choice(lengths),
            source.choice(lengths),
            source.choice((0.3, 0.5, 0.8, 1)),
        )
        self.is_bad, self.until = False, 0.0

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        while now >= self.until:
            self.is_bad = not self.is_bad
            self.until += self.source.expovariate(1 / (self.bad if self.is_bad else self.good))
        lost = self.source.random() < (self.loss if self.is_bad else 0.001)
        return None if lost else now + self.rtt / 2


class Sleeping(World):
    """A radio that sleeps a moment after it has sent, and hears what waited for it at beacons."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(source)
        self.listens, self.beacon = source.choice((0.03, 0.05, 0.1)), source.choice((0.1, 0.307, 1.0))
        self.phase, self.awake = source.random(), -math.inf

    def arrives(self, flow: Flow, size: int, now: float, *, down: bool) -> float | None:
        at = now + self.rtt / 2
        if down and at - self.awake > self.listens:
            at = math.ceil((at + self.phase) / self.beacon) * self.beacon - self.phase
        self.awake = max(self.awake, at if down else now)
        return at


INNOCENT: Mapping[str, Callable[[random.Random], World]] = {
    kind.__name__: kind
    for kind in (
        Bundle,
        RoundRobin,
        Visits,
        Tariff,
        FreeNames,
        Unrated,
        Stalls,
        BusyInTurns,
        Wandering,
        BadTimes,
        Sleeping,
    )
}
