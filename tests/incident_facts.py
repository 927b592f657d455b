"""Readings and looks at the own side for tests of incidents, in minutes since midnight of a Sunday."""

from __future__ import annotations

from probe.incidents.machine import START, State, run
from probe.incidents.model import Event, Fact, Incident, Kind, OwnSide, Reading
from probe.verdict.model import Status

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
TAKES = 3_000_000
"""How long one measurement takes here."""
METHODS = {"blocked": "tls", "outage": "server", "denied": "geo", "no_network": "filter"}


def at(minutes: float) -> int:
    return round(minutes * MINUTE)


def reading(
    minutes: float,
    status: Status = "accessible",
    *,
    of: str = "alpha",
    method: str | None = None,
    kind: Kind = "full",
    service: str | None = None,
    rule: str | None = "each",
    url: str | None = None,
    interface: str | None = None,
    confidence: float | None = 0.97,
    signature: str | None = None,
) -> Reading:
    """A reading of platform *of* that begins *minutes* in, and has the usual method of its status."""
    return Reading(
        run=f"{minutes:.4f}",
        endpoint=1,
        url=url or f"https://{of}.example/",
        platform=of,
        service=service,
        rule=rule,
        at_us=at(minutes),
        until_us=at(minutes) + TAKES,
        status=status,
        method=method or METHODS.get(status),
        signature=signature,
        confidence=None if status == "inconclusive" else confidence,
        where="access" if status == "blocked" else None,
        kind=kind,
        interface=interface,
    )


def look(
    minutes: float,
    method: str | None = None,
    *,
    kind: Kind = "full",
    holes: tuple[str, ...] = (),
    interface: str | None = None,
) -> OwnSide:
    """A look at the own side: well, or broken by *method*."""
    return OwnSide(
        run=f"own {minutes:.4f}",
        at_us=at(minutes),
        status="no_network" if method else "ok",
        method=method,
        holes=holes,
        interface=interface,
        kind=kind,
    )


def known_us(fact: Fact) -> int:
    return fact.until_us if isinstance(fact, Reading) else fact.at_us


def told(*facts: Fact) -> tuple[State, tuple[Event, ...]]:
    """What the machine makes of *facts*, given in any order."""
    return run(START, sorted(facts, key=known_us))


def only(state: State) -> Incident:
    """The one incident that there is."""
    (incident,) = state.incidents.values()
    return incident


def burst(minutes: float, status: Status = "blocked", *, of: str = "alpha", method: str | None = None) -> list[Reading]:
    """A first failure and the two rounds that confirm it."""
    return [
        reading(minutes, status, of=of, method=method),
        reading(minutes + 0.4, status, of=of, method=method, kind="burst"),
        reading(minutes + 0.8, status, of=of, method=method, kind="burst"),
    ]


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [event.kind for event in events]
