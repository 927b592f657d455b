"""Whoever opens connections on a share of the lines: how late he is told of, how late his end, and how often an end that is none.

Deterministic for a seed, and bounded. A stream is the endpoints of several platforms that are on his list, as the daemon looks at
them: one of each platform every ten minutes; of what an open incident holds one of each platform every five, in turn; bursts
after a turn, and the others of it at once when it may be over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random

from probe.incidents.evidence import ENDPOINT
from probe.incidents.machine import START, State, step, wants
from probe.incidents.model import EventKind, Incident, Kind, Reading
from tests.bench.incident_streams import BURST_GAP_US, BURST_S, MINUTE, SECOND, TAKES_US, Delays, delays_of

LISTED = {"social": 3, "search": 2, "photos": 2, "messages": 2, "birds": 2, "videos": 2}
"""Platforms and how many of their endpoints are on the list, much as in July 2019."""
_ROUND, _INCIDENT = 10, 5
"""Minutes."""
PLATFORM_GAP_US = 5 * MINUTE
"""Between two looks at all of a platform."""
_AT_ONCE = 4
"""Sites in one burst."""
_LASTS = 120
"""Minutes that it goes on for at least."""


@dataclass(slots=True)
class Listed:
    """One way out; ``share`` of the connections to what is listed are opened, each for itself."""

    random: Random
    share: float = 0.0
    minute: int = 0
    us: int = 0
    readings: int = 0
    state: State = field(default_factory=lambda: replace(START, rules=ENDPOINT))
    told: list[tuple[EventKind, Incident]] = field(default_factory=list)
    looked_us: dict[str, int] = field(default_factory=dict)
    burst_us: dict[str, int] = field(default_factory=dict)
    other_us: dict[str, int] = field(default_factory=dict)
    whole_us: dict[str, int] = field(default_factory=dict)
    troubled: set[str] = field(default_factory=set)

    @property
    def now_us(self) -> int:
        """When the next reading begins at the soonest."""
        return max(self.us, self.minute * MINUTE)

    def pass_by(self, minutes: int) -> None:
        """Measure as the daemon does for so many *minutes*."""
        for _ in range(minutes):
            self.us = self.now_us
            looks = {self._turn(name, count) for name, count in LISTED.items()} if self.minute % _ROUND == 0 else set()
            if self.minute % _INCIDENT == 0:
                looks |= self._one_of_each(wants(self.state).rounds)
            self._read_all(looks, "full")
            while self._grant():
                pass
            self.minute += 1

    def _one_of_each(self, urls: Iterable[str]) -> set[str]:
        """Of each platform the one that was looked at longest ago."""
        first: dict[str, str] = {}
        for url in sorted(urls, key=lambda url: (self.looked_us.get(url, 0), url)):
            first.setdefault(_platform(url), url)
        return set(first.values())

    def _grant(self) -> bool:
        """What is wished for and may be had: the others of an incident that may be over, bursts at a few, then all of the
        platforms that trouble has newly come to.
        """
        others = {
            url for url in wants(self.state).others if self.us - self.other_us.get(url, -BURST_GAP_US) >= BURST_GAP_US
        }
        self.other_us |= dict.fromkeys(others, self.us)
        self._read_all(others, "full")
        rested = [
            url
            for url in sorted(wants(self.state).bursts)
            if self.us - self.burst_us.get(url, -BURST_GAP_US) >= BURST_GAP_US
        ][:_AT_ONCE]
        begun = self.us
        self.burst_us |= dict.fromkeys(rested, begun)
        for seconds in BURST_S if rested else ():
            self.us = begun + seconds * SECOND
            self._read_all(rested, "burst")
        platforms = self._platforms()
        self._read_all(
            (f"https://{name}{place}.example/" for name in platforms for place in range(LISTED[name])), "full"
        )
        return bool(others or rested or platforms)

    def _platforms(self) -> set[str]:
        wished = wants(self.state)
        self.troubled &= wished.platforms
        fresh = {
            name
            for name in wished.platforms - self.troubled
            if self.us - self.whole_us.get(name, -PLATFORM_GAP_US) >= PLATFORM_GAP_US
        }
        self.troubled |= fresh
        self.whole_us |= dict.fromkeys(fresh, self.us)
        return fresh

    def _read_all(self, urls: Iterable[str], kind: Kind) -> None:
        """Side by side, and nothing else until all is there."""
        begun = self.us
        for url in sorted(urls):
            self._read(url, begun, kind)
            self.us = begun + TAKES_US

    def _turn(self, name: str, count: int) -> str:
        return f"https://{name}{self.minute // _ROUND % count}.example/"

    def is_told(self) -> bool:
        return any(incident.state == "open" for incident in self.state.incidents.values())

    def _read(self, url: str, at_us: int, kind: Kind) -> None:
        opened = self.random.random() < self.share
        self.readings += 1
        self.looked_us[url] = at_us
        self.state, events = step(
            self.state,
            Reading(
                run=str(at_us),
                endpoint=1,
                url=url,
                platform=_platform(url),
                at_us=at_us,
                until_us=at_us + TAKES_US,
                status="blocked" if opened else "accessible",
                method="mitm" if opened else None,
                signature="tls.mitm.known_ca" if opened else None,
                confidence=0.94,
                kind=kind,
            ),
        )
        self.told += [(event.kind, self.state.incidents[event.incident]) for event in events]


def _platform(url: str) -> str:
    return url[8:-10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Ends that were told while it went on, an hour of it."""

    share: float
    hours: int
    ends: int


def opened(share: float, *, streams: int, seed: int) -> tuple[Delays, Delays, Ends]:
    """Well for two hours, then opened for two, then well again, each from a random minute on."""
    onsets: list[float] = []
    recoveries: list[float] = []
    late = begins = ends = hours = closed = 0
    for number in range(streams):
        chance = Random(f"{seed}/opened/{share}/{number}")
        one = Listed(chance)
        one.pass_by(120 + chance.randrange(_ROUND))
        began_us, one.share = one.now_us, share
        one.pass_by(_LASTS)
        first = next((incident for kind, incident in one.told if kind == "opened"), None)
        if first is None:
            late += 1
        else:
            onsets.append((first.opened_us - began_us) / MINUTE)
            begins += (first.began_after_us or 0) <= began_us <= first.began_by_us
        hours += _LASTS // 60
        closed += sum(kind == "closed" for kind, _ in one.told)
        while not one.is_told():
            one.pass_by(1)
        ended_us, one.share = one.now_us, 0.0
        while one.is_told():
            one.pass_by(1)
        last = one.told[-1][1]
        recoveries.append(((last.closed_us or 0) - ended_us) / MINUTE)
        ends += (last.ended_after_us or 0) <= ended_us <= (last.ended_by_us or 0)
    return (
        delays_of("onset", "together", share, onsets, late, begins),
        delays_of("recovery", "together", share, recoveries, 0, ends),
        Ends(share=share, hours=hours, ends=closed),
    )
