"""Pages that are put in by somebody in the own network: as quickly as its router answers, or leading to a place inside it.

A household's router and a company's gateway put in pages by name at every address, as a provider does. So what came that soon,
or leads there, is no word against the provider; a provider's page on a private address is let off with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import HttpFact, Observation
from probe.verdict import addresses, fingerprints
from probe.verdict.case import Case
from probe.verdict.findings.baseline import pages_put_in
from probe.verdict.findings.resets import is_pretended, own_network_us
from probe.verdict.rows import Match, Row, row

_TWICE = 2


def _put_in(case: Case) -> Iterator[tuple[Observation, HttpFact]]:
    """Answers to the name at unrelated addresses that were another one's."""
    for pair in pages_put_in(case):
        for o in pair.target_failures:
            if isinstance(o.fact, HttpFact) and o.failure is None:
                yield o, o.fact


def from_beside(case: Case) -> tuple[Observation, ...]:
    """Those that came as soon as this network's own router could have sent them; two at least, as nothing makes one early."""
    if is_pretended(case):
        return ()
    limit, _measured = own_network_us(case)
    found = tuple(o for o, fact in _put_in(case) if fact.first_byte_us is not None and fact.first_byte_us <= limit)
    return found if len(found) >= _TWICE else ()


def leading_inside(case: Case) -> tuple[Observation, ...]:
    """Those that send the visitor to an address that only machines of somebody's own network have."""
    found = tuple(o for o, fact in _put_in(case) if addresses.is_inside(fingerprints.host_of(fact.location) or ""))
    return found if len(found) >= _TWICE else ()


def _match(case: Case, observations: tuple[Observation, ...]) -> Match:
    return Match(
        observations=observations,
        parameters={"host": case.name, "times": len(observations)},
        method="filter",
        signature="network.filter",
        where="lan",
    )


@row(
    "page_from_beside",
    speaks_for="no_network",
    weight=1.5,
    family="http_local",
    basis="artefact",
    sentence="another page in place of {host}'s came {times} times as quickly as this network's own router answers, wherever "
    "it was asked for: this computer or its own network put it in",
    why="as reset_from_beside: home routers and company gateways put in pages by name; not proof, for some providers are near",
    signatures=("network.filter",),
)
def page_from_beside(case: Case) -> Iterator[Match]:
    found = from_beside(case)
    if found:
        yield _match(case, found)


@row(
    "page_leads_inside",
    speaks_for="no_network",
    weight=1.2,
    family="http_local",
    basis="artefact",
    sentence="who asks for {host}, wherever, is sent to an address that only machines inside a house, company or provider have",
    why="routers at home and gateways show their own page so; some providers' pages are at such addresses too, so no proof",
    signatures=("network.filter",),
)
def page_leads_inside(case: Case) -> Iterator[Match]:
    found = leading_inside(case)
    if found:
        yield _match(case, found)


ROWS: tuple[Row, ...] = (page_from_beside, page_leads_inside)
