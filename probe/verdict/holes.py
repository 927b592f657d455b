"""Shut, cut off, or open for a list only: what two looks at the own side and a search for holes say together.

The words are as heavy as "blocked", and an empty prepaid balance, a hotspot and a company's firewall look alike. So two
looks must agree, nobody may have put in a page of his own, and what passes must be such as nobody opens by accident: ports
of which no firewall for offices lets the traffic out, at an address whose other ports are silent. What falls short of that
keeps the word that it had; the holes are told all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import ClockFact, DnsFact, Observation, QuicFact, TcpFact, TlsFact
from probe.verdict import resolvers

if TYPE_CHECKING:
    from probe.verdict.rounds import Round

GROUP = "holes"
_SILENT = "generic_timeout_error"
_REFUSED = "connection_refused"
_SHUT = ("tcp/443", "tcp/22", "tcp/8080")
_QUESTIONS = "udp/53"
_ANSWERED = (0, 3)
"""NOERROR and NXDOMAIN. What says that it cannot, or will not, may be a resolver on the way that is shut in as well."""
_PORTS_OF_NOBODY = ("tcp/179", "tcp/3785", "tcp/5222")
"""Where a machine abroad refuses, because it has no such service: so it would refuse at any port that is not filtered. What
else passes tells nothing: DNS and the time are let out of hotspots and offices too, and a firewall's list may have the rest.
"""

Found = tuple[str, tuple[Observation, ...], dict[str, object]]
"""Method, observations that show it, and what its sentence needs."""


@dataclass(frozen=True, slots=True)
class Address:
    """What came of one address: ``ports`` (``tcp/179`` …) to the observation there."""

    ports: dict[str, Observation]

    def passes(self, port: str) -> bool:
        """Whether packets to *port* and back passed. A refusal counts only where silence is what is met elsewhere."""
        seen = self.ports.get(port)
        if seen is None:
            return False
        if isinstance(seen.fact, TcpFact):
            return seen.failure is None or (seen.failure == _REFUSED and self._is_silent("tcp/443"))
        if isinstance(seen.fact, DnsFact):
            return seen.fact.rcode in _ANSWERED
        return isinstance(seen.fact, ClockFact | QuicFact) and seen.failure is None

    def _is_silent(self, port: str) -> bool:
        seen = self.ports.get(port)
        return seen is not None and seen.failure == _SILENT

    @property
    def is_shut(self) -> bool:
        """Whether the web's port is closed there: else what passes is no hole."""
        return "tcp/443" in self.ports and not self.passes("tcp/443")

    @property
    def takes_all(self) -> bool:
        """Whether ports are open there that nobody would leave open: then it is the web alone that is shut, or somebody on the
        way takes connections in its place.
        """
        return any(self.passes(port) for port in _SHUT)

    @property
    def is_chosen(self) -> bool:
        """Whether what passes was chosen: ordinary ports are silent, and one that nobody serves is heard of."""
        silent = all(self._is_silent(port) for port in _SHUT)
        return silent and any(self.passes(port) for port in _PORTS_OF_NOBODY)


def addresses(observations: Iterable[Observation]) -> dict[str, Address]:
    """Each address that was asked for holes, and what came of it."""
    ports: dict[str, dict[str, Observation]] = defaultdict(dict)
    for o in observations:
        kind, _, rest = (o.member or "").partition("/")
        if o.group == GROUP and kind == "hole" and rest.count("/") == 2:
            transport, port, address = rest.split("/")
            ports[address][f"{transport}/{port}"] = o
    return {address: Address(found) for address, found in ports.items()}


def open_holes(
    observations: Iterable[Observation], *, proxied: bool, no_resolvers: Collection[str] = ()
) -> dict[str, tuple[Observation, ...]]:
    """What stayed open (``udp/53`` …, by transport and number) and what shows it. Somebody who takes every connection
    (*proxied*) makes all of them say nothing, and one who answers questions in the place of *no_resolvers* those answers.
    """
    asked = addresses(observations)
    answered = any(place.passes(_QUESTIONS) for where, place in asked.items() if where in no_resolvers)
    found: dict[str, list[Observation]] = defaultdict(list)
    for address in asked.values():
        for port, seen in address.ports.items():
            told = port not in _SHUT and address.is_shut and address.passes(port)
            doubtful = answered if port == _QUESTIONS else port.startswith("tcp/") and (proxied or address.takes_all)
            if told and not doubtful:
                found[port].append(seen)
    return {port: tuple(found[port]) for port in sorted(found, key=_by_number)}


def _by_number(port: str) -> tuple[str, int]:
    transport, _, number = port.partition("/")
    return transport, int(number)


def read(rounds: list[Round], observations: tuple[Observation, ...]) -> Found | None:
    """What the last two of *rounds* and the search for holes say together; ``None`` where that is no more than each says."""
    last = rounds[-2:]
    if len(last) < 2 or any(m.stage == "page" for r in rounds for m in r.family("portal")):
        return None
    proxied = any(r.proxied for r in rounds)
    tried = (o for r in rounds for m in r.family("foreign") for o in m.observations if isinstance(o.fact, TcpFact))
    sites = {o.operation.address or "" for o in tried}
    holes = open_holes(observations, proxied=proxied, no_resolvers=sites | _listed_at(observations))
    parameters: dict[str, object] = {"holes": ", ".join(holes) or "none"}
    places = addresses(observations).values()
    # Whatever has come back since the looks was no cut.
    cut = all(r.dead("foreign") and r.dead("literal") for r in last) and all(place.is_shut for place in places)
    if cut and places and all(r.alive("domestic") for r in last):
        return "international", _shown(last, holes), parameters
    chosen = any(place.is_chosen for place in places)
    if cut and all(r.dead("domestic") for r in last) and chosen and not proxied:
        return "shutdown", _shown(last, holes), parameters
    listed = _listed(observations)
    unlisted = all(r.dead("foreign") and r.alive("domestic") and r.alive("literal") for r in last)
    if unlisted and not proxied and len(listed) >= 2:
        return "whitelist", tuple(o for shown in listed for o in shown), parameters
    return None


def _listed_at(observations: Iterable[Observation]) -> set[str]:
    """Addresses of sites abroad at which names took turns: those of better times, which no round of now has learned."""
    return {(o.member or "").partition("/")[2] for o in observations if (o.member or "").startswith("listed/")}


def _shown(rounds: list[Round], holes: dict[str, tuple[Observation, ...]]) -> tuple[Observation, ...]:
    failed = (
        o for r in rounds for m in r.family("foreign", "literal", "domestic") for o in m.observations if o.failure
    )
    return (*failed, *(o for shown in holes.values() for o in shown))


def _listed(observations: Iterable[Observation]) -> list[tuple[Observation, ...]]:
    """Addresses abroad, of different operators, where only a name of this country was ever answered, and always."""
    turns: dict[str, list[Observation]] = defaultdict(list)
    for o in observations:
        if o.group == GROUP and (o.member or "").startswith("listed/") and isinstance(o.fact, TlsFact):
            turns[o.member or ""].append(o)
    found: dict[str, tuple[Observation, ...]] = {}
    for shown in turns.values():
        theirs = [o for o in shown if o.arm == "target"]
        ours = [o for o in shown if o.arm == "innocuous"]
        if len(theirs) >= 2 and len(ours) >= 2 and all(_answered(o) for o in ours) and not any(map(_answered, theirs)):
            found[resolvers.operator_of(theirs[0].operation.name or "")] = tuple(shown)
    return list(found.values())


def _answered(observation: Observation) -> bool:
    return isinstance(observation.fact, TlsFact) and observation.fact.server_hello
