"""What is due when. Pure: no clock, no network, no file; ``now`` is passed in, and the random source too.

One endpoint of each platform and service is measured in every *round*, in turn, so that each of them is measured at least
hourly whatever the jitter does; every sixth round of a service is full. What the incident machine wishes comes on top:
bursts at once, open incidents every five minutes, deep tests hourly, all of a platform's endpoints when one fails.

Times are seconds of the daemon's own timeline (``Clock.monotonic``). A gap in it (sleep, a stopped machine, a kill switch)
makes nothing more due than one round: who was measured longest ago is next, and how long ago does not matter.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from probe.incidents.model import Wants

Kind = Literal["cheap", "full", "deep", "burst"]

HOUR = 3600.0
DAY = 24 * HOUR
JITTER = 0.05
"""Of every interval, up and down: probes that were started together do not stay together."""
OWN_SIDE_JITTER = 1 / 3
FULL_EVERY = 6
"""Rounds of a service. A ticket of an old session hides what only the certificate, or the page, would show."""
BURST_GAP = 300.0
"""Between two bursts, or two deep tests, at one endpoint: a verdict that flaps must not make a flood."""
BURST_AT_ONCE = 16
"""What one burst may take of the connections of two minutes, or it would wait for them: a site counts ``SITE_COSTS``, because
its name is compared at neutral places, and a bare connection one."""
SITE_COSTS = 4
JUST_NOW = 300.0
"""What was looked at to the full so lately is left out where the whole platform is looked at."""
PLATFORM_GAP = 300.0
"""Between two looks at all of a platform's endpoints."""
OWN_SIDE_GAP = 20.0
"""Between two looks at the own side that somebody wished for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An endpoint that is watched: its ``number`` among those asked, and the ``platform`` (for a URL of one's own: its
    host) and service that take turns. ``every``: seconds between two rounds of that service. ``rests``: for so many seconds
    after a look there is none, whoever wishes for it: it is somebody else's server, and no web site.
    """

    number: int
    url: str
    platform: str
    service: str = ""
    every: float = 600.0
    rests: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """One endpoint to be measured now, and how."""

    number: int
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The intervals that hold for all endpoints together, in seconds; ``stretch`` makes all of them longer (thrift)."""

    own_side: float = 90.0
    incident: float = 300.0
    deep: float = HOUR
    stretch: float = 1.0
    may_deep: bool = False


def share(members: int, every: float) -> int:
    """How many of a service's *members* a round must take, so that each has its turn within an hour (or, where a round
    itself comes less often than that, in every round).
    """
    rounds = max(1, math.floor(HOUR / (every * (1 + JITTER))))
    return -(-members // rounds)


@dataclass(slots=True)
class _Service:
    """The endpoints that take turns, and how often they had one."""

    members: tuple[Watched, ...]
    rounds: int = 0


@dataclass(slots=True)
class _Memory:
    """When an endpoint was last looked at, ``-inf`` for never, in all ways and in particular ones."""

    looked: float = -math.inf
    full: float = -math.inf
    burst: float = -math.inf
    deep: float = -math.inf
    other: float = -math.inf


@dataclass(slots=True)
class Plan:
    """The schedule of some endpoints. Whoever asks for looks is taken to make them."""

    watched: tuple[Watched, ...]
    pace: Pace
    random: Random
    slower: float = 1.0
    """How many times rarer than its pace everything but the own side is looked at for now."""
    _services: dict[tuple[str, str, float], _Service] = field(init=False)
    _memory: dict[str, _Memory] = field(init=False)
    _by_url: dict[str, Watched] = field(init=False)
    _platforms: dict[str, float] = field(default_factory=dict)
    _troubled: set[str] = field(default_factory=set)
    _own_side: float = -math.inf

    def __post_init__(self) -> None:
        grouped: dict[tuple[str, str, float], list[Watched]] = {}
        for one in self.watched:
            grouped.setdefault((one.platform, one.service, one.every), []).append(one)
        self._services = {place: _Service(tuple(members)) for place, members in grouped.items()}
        self._memory = {one.url: _Memory() for one in self.watched}
        self._by_url = {one.url: one for one in self.watched}

    def remember(self, earlier: Plan) -> None:
        """Take over what *earlier* knew: after a reload nobody loses a turn, and nobody gets one twice."""
        self._memory |= {url: memory for url, memory in earlier._memory.items() if url in self._memory}
        for place, service in self._services.items():
            if place in earlier._services:
                service.rounds = earlier._services[place].rounds
        self._platforms |= earlier._platforms
        self._troubled |= earlier._troubled
        self._own_side = earlier._own_side

    def seen(self, times: Mapping[str, float]) -> None:
        """Endpoints (by URL) that were measured before this plan was made, and when on its timeline."""
        for url, at in times.items():
            if url in self._memory:
                self._memory[url].looked = max(self._memory[url].looked, at)

    # when

    @property
    def rhythms(self) -> tuple[float, ...]:
        """The different intervals between rounds, shortest first: each is a row of rounds of its own."""
        return tuple(sorted({one.every for one in self.watched}))

    def until_round(self, every: float) -> float:
        """Seconds from one round of the rhythm *every* to the next."""
        return self._jittered(every * self.pace.stretch * self.slower)

    def until_own_side(self) -> float:
        return self._jittered(self.pace.own_side, OWN_SIDE_JITTER)

    def until_incident_round(self) -> float:
        return self._jittered(self.pace.incident * self.pace.stretch * self.slower)

    def until_deep(self) -> float:
        return self._jittered(self.pace.deep * self.pace.stretch * self.slower)

    def _jittered(self, interval: float, by: float = JITTER) -> float:
        return interval * self.random.uniform(1 - by, 1 + by)

    # what

    def round(self, every: float, now: float) -> tuple[Look, ...]:
        """One round of the rhythm *every*, in an order that no observer can learn."""
        looks = [
            look
            for service in self._services.values()
            if service.members[0].every == every
            for look in self._turn(service)
        ]
        self.random.shuffle(looks)
        return self._made(looks, now)

    def _turn(self, service: _Service) -> list[Look]:
        """Who is next: those who waited longest. In a full round also who waited longest for a full look, or else a
        service of two would show the same one each time.
        """
        full = service.rounds % FULL_EVERY == 0
        service.rounds += 1
        members = sorted(service.members, key=lambda one: self._memory[one.url].looked)
        chosen = members[: share(len(members), service.members[0].every)]
        if full:
            neglected = min(members, key=lambda one: self._memory[one.url].full)
            chosen = [*chosen, *([neglected] if neglected not in chosen else [])]
        return [Look(one.number, "full" if full else "cheap") for one in chosen]

    def platforms(self, wants: Wants, now: float) -> tuple[Look, ...]:
        """All endpoints of the platforms that trouble has newly come to. One in which it stays is not looked at as a whole
        again, and one that flaps not at once.
        """
        self._troubled &= wants.platforms
        fresh = {
            name
            for name in wants.platforms - self._troubled
            if now - self._platforms.get(name, -math.inf) >= PLATFORM_GAP
        }
        self._troubled |= fresh
        self._platforms |= dict.fromkeys(fresh, now)
        return self._made(
            [
                Look(one.number, "full")
                for one in self.watched
                if one.platform in fresh
                and now - max(self._memory[one.url].full, self._memory[one.url].burst) >= JUST_NOW
            ],
            now,
        )

    def bursts(self, wants: Wants, now: float) -> tuple[Look, ...]:
        """The first failures (and first successes) that more rounds at once would settle: a few, of many platforms.
        The others get theirs when they are asked for again.
        """
        return self._rested(wants.bursts, "burst", now, few=True)

    def incident_round(self, wants: Wants, now: float) -> tuple[Look, ...]:
        """Of what open incidents hold, one endpoint of each platform and service, in turn: to see whether it is over, one is
        enough, and each of them costs minutes and a lot of bytes. Old incidents are content with their hourly turn.
        """
        waiting = sorted(self._among(wants.rounds - wants.old), key=lambda one: self._memory[one.url].looked)
        return self._made([Look(one.number, "full") for one in _one_of_each(waiting)], now)

    def others(self, wants: Wants, now: float) -> tuple[Look, ...]:
        """Where one of a platform is well again, the others that went down with it: each in five minutes once."""
        due = [one for one in self._among(wants.others) if now - self._memory[one.url].other >= BURST_GAP]
        for one in due:
            self._memory[one.url].other = now
        return self._made([Look(one.number, "full") for one in due], now)

    def deep_round(self, wants: Wants, now: float) -> tuple[Look, ...]:
        """What is to be asked how it is blocked, where the user has agreed to it; of old incidents once a day."""
        if not self.pace.may_deep:
            return ()
        due = [url for url in wants.deep if url not in wants.old or self._since_deep(url, now) >= DAY]
        return self._rested(due, "deep", now)

    def _since_deep(self, url: str, now: float) -> float:
        return now - self._memory[url].deep if url in self._memory else 0.0

    def may_look_at_own_side(self, now: float) -> bool:
        """Whether a look that somebody wishes for may be made; then it is taken to be made."""
        if now - self._own_side < OWN_SIDE_GAP:
            return False
        self._own_side = now
        return True

    def _rested(
        self, urls: Iterable[str], kind: Literal["burst", "deep"], now: float, *, few: bool = False
    ) -> tuple[Look, ...]:
        rested = [one for one in self._among(urls) if now - getattr(self._memory[one.url], kind) >= BURST_GAP]
        if few:
            lately = Counter(one.platform for one in self.watched if now - self._memory[one.url].burst < BURST_GAP)
            rested = list(_within(BURST_AT_ONCE, _by_turns(rested, lately)))
        return self._made([Look(one.number, kind) for one in rested], now)

    def _among(self, urls: Iterable[str]) -> Sequence[Watched]:
        return [self._by_url[url] for url in sorted(urls) if url in self._by_url]

    def _has_rested(self, url: str, now: float) -> bool:
        return now - self._memory[url].looked >= self._by_url[url].rests

    def _made(self, looks: Sequence[Look], now: float) -> tuple[Look, ...]:
        by_number = {one.number: one.url for one in self.watched}
        looks = [look for look in looks if self._has_rested(by_number[look.number], now)]
        for look in looks:
            memory = self._memory[by_number[look.number]]
            memory.looked = now
            if look.kind == "full":
                memory.full = now
            elif look.kind in ("burst", "deep"):
                setattr(memory, look.kind, now)
        return tuple(looks)


def _one_of_each(waiting: Iterable[Watched]) -> list[Watched]:
    """The first of each platform and service."""
    first: dict[tuple[str, str], Watched] = {}
    for one in waiting:
        first.setdefault((one.platform, one.service), one)
    return list(first.values())


def _by_turns(waiting: Iterable[Watched], had: Mapping[str, int]) -> list[Watched]:
    """One of each platform, then a second one; platforms that *had* some lately after those that had none."""
    turns: Counter[str] = Counter(had)
    ranked: list[tuple[int, Watched]] = []
    for one in waiting:
        ranked.append((turns[one.platform], one))
        turns[one.platform] += 1
    return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]


def _within(most: int, waiting: Iterable[Watched]) -> Iterator[Watched]:
    """The first of *waiting* that cost no more than *most* together, and one in any case."""
    spent = 0
    for one in waiting:
        spent += SITE_COSTS if one.url.startswith("http") else 1
        if spent > most and spent > SITE_COSTS:
            return
        yield one
