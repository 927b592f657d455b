"""Whoever opens connections on a share of the lines: how late he is told of, how late his end, and how often an end that is none.

Deterministic for a seed, and bounded. A stream is the endpoints of several platforms that are on his list, as the daemon looks at
them: one of each platform every ten minutes, all that an open incident holds every five, and bursts after a turn.
"""

from __future__ import annotations

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
_LASTS = 120
"""Minutes that it goes on for at least."""


@dataclass(slots=True)
class Listed:
    """One way out; ``share`` of the connections to what is listed are opened, each for itself."""

    random: Random
    share: float = 0.0
    minute: int = 0
    readings: int = 0
    state: State = field(default_factory=lambda: replace(START, rules=ENDPOINT))
    told: list[tuple[EventKind, Incident]] = field(default_factory=list)
    burst_us: dict[str, int] = field(default_factory=dict)
    whole_us: dict[str, int] = field(default_factory=dict)

    def pass_by(self, minutes: int) -> None:
        """Measure as the daemon does for so many *minutes*."""
        for _ in range(minutes):
            begun = self.minute * MINUTE
            looks = {self._turn(name, count) for name, count in LISTED.items()} if self.minute % _ROUND == 0 else set()
            if self.minute % _INCIDENT == 0:
                looks |= wants(self.state).rounds
            for url in sorted(looks):
                self._read(url, begun, "full")
            for url in sorted(self._others() - looks):
                self.whole_us[url] = begun
                self._read(url, begun + 10 * SECOND, "full")
            bursts = [
                url
                for url in sorted(wants(self.state).bursts)
                if begun - self.burst_us.get(url, -BURST_GAP_US) >= BURST_GAP_US
            ]
            for seconds in BURST_S:
                for url in bursts:
                    self.burst_us[url] = begun
                    self._read(url, begun + seconds * SECOND, "burst")
            self.minute += 1

    def _others(self) -> set[str]:
        """All of a platform's at once as soon as one of them fails."""
        urls = {
            f"https://{name}{place}.example/" for name in wants(self.state).platforms for place in range(LISTED[name])
        }
        return {url for url in urls if self.minute * MINUTE - self.whole_us.get(url, -BURST_GAP_US) >= BURST_GAP_US}

    def _turn(self, name: str, count: int) -> str:
        return f"https://{name}{self.minute // _ROUND % count}.example/"

    def is_told(self) -> bool:
        return any(incident.state == "open" for incident in self.state.incidents.values())

    def _read(self, url: str, at_us: int, kind: Kind) -> None:
        opened = self.random.random() < self.share
        self.readings += 1
        self.state, events = step(
            self.state,
            Reading(
                run=str(at_us),
                endpoint=1,
                url=url,
                platform=url[8:-10],
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
        began, one.share = one.minute, share
        one.pass_by(_LASTS)
        first = next((incident for kind, incident in one.told if kind == "opened"), None)
        if first is None:
            late += 1
        else:
            onsets.append(first.opened_us / MINUTE - began)
            begins += (first.began_after_us or 0) <= began * MINUTE <= first.began_by_us
        hours += _LASTS // 60
        closed += sum(kind == "closed" for kind, _ in one.told)
        while not one.is_told():
            one.pass_by(1)
        ended, one.share = one.minute, 0.0
        while one.is_told():
            one.pass_by(1)
        last = one.told[-1][1]
        recoveries.append((last.closed_us or 0) / MINUTE - ended)
        ends += (last.ended_after_us or 0) <= ended * MINUTE <= (last.ended_by_us or 0)
    return (
        delays_of("onset", "together", share, onsets, late, begins),
        delays_of("recovery", "together", share, recoveries, 0, ends),
        Ends(share=share, hours=hours, ends=closed),
    )
