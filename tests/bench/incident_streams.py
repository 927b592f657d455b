"""Synthetic streams through the incident machine: how often it is wrong, and how late it is right.

Deterministic for a seed, and bounded. A stream is one endpoint, measured in rounds, with the daemon's bursts after a first
failure (two readings within 45 s, five minutes apart at least).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from probe.incidents.evidence import ENDPOINT, Rules
from probe.incidents.machine import START, State, step
from probe.incidents.model import Incident, Kind, Reading
from probe.incidents.track import Track
from probe.verdict.model import Status

SECOND = 1_000_000
MINUTE = 60 * SECOND
BURST_S = (22, 45)
BURST_GAP_US = 5 * MINUTE
TAKES_US = 2 * SECOND
RULES = {
    "3 of 4": replace(ENDPOINT, open_at=math.inf),
    "change point": replace(ENDPOINT, need=0),
    "both": ENDPOINT,
}


@dataclass(slots=True)
class Stream:
    """One endpoint in one state of the machine; ``share`` of its readings fails, each for itself."""

    rules: Rules
    random: Random
    share: float = 0.0
    us: int = 0
    state: State = START
    burst_us: int = -BURST_GAP_US
    opened: Incident | None = None
    closed: Incident | None = None
    readings: int = 0

    def __post_init__(self) -> None:
        self.state = replace(START, rules=self.rules)

    def round(self, after_us: int, *, status: Status | None = None) -> None:
        """One reading, *after_us* later than the one before, and the burst that it may bring."""
        self.us += after_us
        self._read("full", status)
        if self.track.wants_burst and self.us - self.burst_us >= BURST_GAP_US:
            self.burst_us = begun = self.us
            for seconds in BURST_S:
                self.us = begun + seconds * SECOND
                self._read("burst", status)

    def forget(self) -> None:
        """What was said so far does not count."""
        self.opened = self.closed = None

    @property
    def track(self) -> Track:
        (track,) = self.state.tracks.values()
        return track

    @property
    def is_quiet(self) -> bool:
        """Whether more good readings would change nothing."""
        return bool(self.state.tracks) and not self.track.suspicions and self.track.held is None

    def _read(self, kind: Kind, status: Status | None) -> None:
        if status is None:
            status = "blocked" if self.random.random() < self.share else "accessible"
        self.readings += 1
        fact = Reading(
            run=str(self.readings),
            endpoint=1,
            url="https://one.example/",
            at_us=self.us,
            until_us=self.us + TAKES_US,
            status=status,
            method="tls" if status == "blocked" else None,
            confidence=0.97,
            kind=kind,
        )
        self.state, events = step(self.state, fact)
        for event in events:
            incident = self.state.incidents[event.incident]
            if event.kind == "opened":
                self.opened = incident
            elif event.kind == "closed":
                self.closed = incident


# ---------------------------------------------------------------------------------------------------------------------
# false alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """False alarms of *streams* endpoints over *days* each, of which a *share* of readings fails by chance."""

    rule: str
    share: float
    streams: int
    days: int
    alarms: int

    @property
    def per_year(self) -> float:
        """Of one endpoint."""
        return self.alarms / (self.streams * self.days) * 365

    @property
    def at_most(self) -> float:
        """The upper end of the 95 % interval of that (Poisson, Wilson and Hilferty's approximation)."""
        count = self.alarms + 1
        upper = count * (1 - 1 / (9 * count) + 1.96 / (3 * math.sqrt(count))) ** 3 if self.alarms else 3.0
        return upper / (self.streams * self.days) * 365


def false_alarms(rule: str, share: float, *, streams: int, days: int, seed: int) -> Alarms:
    """Endpoints that are well, read hourly; each alarm ends its stream's counting until it is over."""
    alarms = 0
    for number in range(streams):
        chance = Random(f"{seed}/{rule}/{share}/{number}")
        stream = Stream(RULES[rule], chance)
        for gap in _gaps(chance, share, days * 24):
            left = gap
            while left and not stream.is_quiet:
                stream.round(60 * MINUTE, status="accessible")
                left -= 1
            stream.us += left * 60 * MINUTE
            stream.share, stream.opened = share, None
            _failure(stream)
            alarms += stream.opened is not None
    return Alarms(rule=rule, share=share, streams=streams, days=days, alarms=alarms)


def _failure(stream: Stream) -> None:
    """A stray failure in the next round, and what its burst reads."""
    chance, stream.random = stream.random, _FirstFails(stream.random)
    stream.round(60 * MINUTE)
    stream.random = chance


class _FirstFails(Random):
    """The first draw fails; the others are the stream's own."""

    def __init__(self, then: Random) -> None:
        super().__init__(0)
        self._then: Random = then
        self._used = False

    def random(self) -> float:
        if self._used:
            return self._then.random()
        self._used = True
        return 0.0


def _gaps(chance: Random, share: float, readings: int) -> Iterator[int]:
    """Good readings before each stray failure (geometric), as many as fit."""
    left = readings
    while share > 0:
        gap = int(math.log(1 - chance.random()) / math.log(1 - share))
        left -= gap + 1
        if left < 0:
            return
        yield gap


# ---------------------------------------------------------------------------------------------------------------------
# delays


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How late (minutes) the machine said what had happened, and how often its interval holds the truth.

    ``missed``: not said within a day. Quantiles are of those that were said.
    """

    what: str
    rule: str
    share: float
    streams: int
    median: float
    most_of: float
    worst: float
    missed: int
    covered: float


def onset(rule: str, share: float, *, streams: int, seed: int, every_us: int = 10 * MINUTE) -> Delays:
    """Well for two hours; from a random moment on a *share* of readings fails; read every ten minutes."""
    delays: list[float] = []
    covered = missed = 0
    for number in range(streams):
        chance = Random(f"{seed}/onset/{rule}/{share}/{number}")
        stream = Stream(RULES[rule], chance)
        for _ in range(12):
            stream.round(every_us)
        began_us = stream.us + round(chance.random() * every_us)
        stream.share = share
        for _ in range(144):
            stream.round(every_us)
            if stream.opened is not None:
                break
        if stream.opened is None:
            missed += 1
            continue
        one = stream.opened
        delays.append((one.opened_us - began_us) / MINUTE)
        covered += (one.began_after_us is None or one.began_after_us <= began_us) and began_us <= one.began_by_us
    return delays_of("onset", rule, share, delays, missed, covered)


def recovery(rule: str, share: float, *, streams: int, seed: int, every_us: int = 5 * MINUTE) -> Delays:
    """Open for an hour, then well from a random moment on; read every five minutes, as incidents are."""
    delays: list[float] = []
    covered = missed = 0
    for number in range(streams):
        chance = Random(f"{seed}/recovery/{rule}/{share}/{number}")
        stream = Stream(RULES[rule], chance, share=share)
        for _ in range(2000):
            stream.round(every_us)
            if stream.opened is not None:
                break
        for _ in range(12):
            stream.round(every_us)
        stream.forget()
        while not any(track.held for track in stream.state.tracks.values()):
            stream.round(every_us)  # a lucky row had closed it, which the onset's figures count
        stream.round(every_us, status="blocked")
        ended_us = stream.us + round(chance.random() * every_us)
        stream.share = 0.0
        for _ in range(288):
            stream.round(every_us)
            if stream.closed is not None:
                break
        if stream.closed is None:
            missed += 1
            continue
        one = stream.closed
        delays.append(((one.closed_us or 0) - ended_us) / MINUTE)
        covered += (one.ended_after_us or 0) <= ended_us <= (one.ended_by_us or 0)
    return delays_of("recovery", rule, share, delays, missed, covered)


def delays_of(what: str, rule: str, share: float, delays: list[float], missed: int, covered: int) -> Delays:
    """*delays* in minutes; *covered* of them came with an interval that holds the truth."""
    ordered = sorted(delays) or [math.nan]
    return Delays(
        what=what,
        rule=rule,
        share=share,
        streams=len(delays) + missed,
        median=statistics.median(ordered),
        most_of=ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)],
        worst=ordered[-1],
        missed=missed,
        covered=covered / max(1, len(delays)),
    )
