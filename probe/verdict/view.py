"""The facts of a run as the judge reads them: indexed once, up to a horizon, and cut into one case an endpoint.

Nothing in here weighs anything. Order of the given observations does not matter: numbers do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from ipaddress import IPv6Network
from typing import TYPE_CHECKING

from probe.observations import ContextFact, DnsFact, Observation, QuicFact
from probe.verdict import addresses
from probe.verdict.case import Case
from probe.verdict.facts import verified

if TYPE_CHECKING:
    from probe.verdict.network import OwnSide
    from targets.model import Asked


class View:
    """The observations of one run up to *horizon* (a number; everything without one), read-only."""

    def __init__(self, observations: Iterable[Observation], asked: Sequence[Asked], horizon: int | None = None) -> None:
        seen = sorted((o for o in observations if horizon is None or o.number <= horizon), key=lambda o: o.number)
        self.asked = tuple(asked)
        self.horizon = horizon if horizon is not None else max((o.number for o in seen), default=0)
        by_endpoint: dict[int | None, list[Observation]] = defaultdict(list)
        for observation in seen:
            by_endpoint[observation.endpoint].append(observation)
        self._by_endpoint = by_endpoint
        self._cases: dict[int, Case] = {}

    @cached_property
    def context(self) -> ContextFact | None:
        """What the run says of itself."""
        return next((o.fact for o in self._by_endpoint.get(None, ()) if isinstance(o.fact, ContextFact)), None)

    @cached_property
    def own_observations(self) -> tuple[Observation, ...]:
        """The local observations of the own side."""
        return tuple(o for o in self._by_endpoint.get(None, ()) if o.purpose == "own_side" and o.vantage == "local")

    @cached_property
    def asked_of_controls(self) -> tuple[Observation, ...]:
        """How controls were asked in this run, about whichever endpoint: one that gave no answer is asked once."""
        return tuple(
            o
            for observations in self._by_endpoint.values()
            for o in observations
            if o.purpose == "control" and o.vantage == "local"
        )

    @cached_property
    def quic_here(self) -> tuple[Observation, ...]:
        """What sites that are nobody's target said over QUIC."""
        return tuple(
            o for o in self._by_endpoint.get(None, ()) if isinstance(o.fact, QuicFact) and o.vantage == "local"
        )

    @cached_property
    def quic_shaken(self) -> tuple[Observation, ...]:
        """What was asked over QUIC for all endpoints, at their own addresses or elsewhere."""
        return tuple(
            o
            for number, observations in self._by_endpoint.items()
            if number is not None
            for o in observations
            if isinstance(o.fact, QuicFact) and o.vantage == "local"
        )

    @cached_property
    def control_countries(self) -> dict[str, str]:
        """Vantage of each control that said, or of which the user said, in which country it is; always the same one."""
        told: dict[str, set[str]] = defaultdict(set)
        for o in self.asked_of_controls:
            kind, _, country = (o.group or "").partition("/")
            if kind == "country" and o.member is not None:
                told[o.member].add(country)
        return {member: countries.pop() for member, countries in told.items() if len(countries) == 1}

    @cached_property
    def contradicted_controls(self) -> frozenset[str]:
        """Vantages of controls that missed a site which was reached here at that time, or reached one that nobody has."""
        by_question: dict[tuple[str, str], list[Observation]] = defaultdict(list)
        for o in self._by_endpoint.get(None, ()):
            if o.purpose == "control" and o.vantage != "local" and o.group is not None:
                by_question[o.vantage, o.group].append(o)
        return frozenset(
            vantage
            for (vantage, group), found in by_question.items()
            if any(verified(o.fact) for o in found) is not group.startswith("known/")
        )

    @cached_property
    def own_side(self) -> OwnSide:
        from probe.verdict.network import read_own_side

        return read_own_side(self)

    def everywhere(self, purpose: str, kind: str, group: str) -> tuple[Observation, ...]:
        """Local observations of all endpoints, made for one purpose, of one kind and group."""
        return tuple(
            o
            for number, observations in self._by_endpoint.items()
            if number is not None
            for o in observations
            if o.purpose == purpose and o.group == group and o.operation.kind == kind and o.vantage == "local"
        )

    @cached_property
    def prefixes(self) -> tuple[IPv6Network, ...]:
        """Translation prefixes of this network."""
        told = tuple(
            address
            for o in self.own_observations
            if isinstance(o.fact, DnsFact) and o.fact.qname.rstrip(".").lower() == "ipv4only.arpa"
            for address in o.fact.addresses
        )
        return addresses.prefixes_of(told)

    @cached_property
    def system_answers(self) -> dict[str, frozenset[str]]:
        """Address → registrable-looking names that the system's resolvers gave it for, over the whole run."""
        found: dict[str, set[str]] = defaultdict(set)
        for observations in self._by_endpoint.values():
            for o in observations:
                fact = o.fact
                if isinstance(fact, DnsFact) and fact.role == "system" and o.vantage == "local":
                    site = ".".join(fact.qname.rstrip(".").lower().split(".")[-2:])
                    for address in fact.addresses:
                        found[address].add(site)
        return {address: frozenset(names) for address, names in found.items()}

    @cached_property
    def known_issuers(self) -> frozenset[str]:
        """Names of authorities that signed for a site whose chain the shipped store verified in this run."""
        return frozenset(
            o.fact.chain[0].issuer
            for observations in self._by_endpoint.values()
            for o in observations
            if o.vantage == "local" and verified(o.fact) and o.fact.chain
        )

    def case(self, asked: Asked) -> Case:
        """Everything of one endpoint; built once."""
        if asked.number not in self._cases:
            self._cases[asked.number] = Case(self, asked, self._by_endpoint.get(asked.number, ()))
        return self._cases[asked.number]

    def cases(self) -> tuple[Case, ...]:
        """The cases of all endpoints that were asked for."""
        return tuple(self.case(asked) for asked in self.asked)
