"""Names: what only looks like a lie. Broken for everyone, without DNSSEC's trust, stale, rewritten, a tunnel's own address."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict import addresses, answers
from probe.verdict.answers import shown
from probe.verdict.case import Case
from probe.verdict.facts import dns
from probe.verdict.findings.injected import put_in
from probe.verdict.rows import Match, Row, row

_TRUST_TROUBLE = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 11, 12})
"""RFC 8914: the info-codes about DNSSEC."""


# ---------------------------------------------------------------------------------------------------------------------
# broken for everyone


def _everywhere(case: Case, failure: str) -> tuple[Observation, ...]:
    """The same failure at the zone's own servers, or at two operators abroad of whom one was asked over encryption."""
    told = answers.denied(case, failure)
    zone = tuple(o for o in case.of("dns_answers", "dns", "zone") if dns(o).role == "zone" and o.failure == failure)
    abroad = tuple(o for o in case.foreign_replies if o.failure == failure)
    contrary = any(dns(o).addresses for o in case.foreign_replies)
    encrypted = any(dns(o).transport in ("doh", "dot") for o in abroad)
    enough = len(answers.unresolved(abroad)) >= 2 and encrypted
    return (*told, *zone, *abroad) if told and not contrary and (zone or enough) else ()


@row(
    "dns_nowhere",
    speaks_for="outage",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="{host} does not exist anywhere: DNS abroad says so too (withdrawn at the registry or expired; by whom cannot "
    "be seen from here)",
    why="the zone's parent says so to everybody: operators abroad, over encryption, saw it from where they are; the cap",
    signatures=("dns.nxdomain",),
)
def dns_nowhere(case: Case) -> Iterator[Match]:
    shown = _everywhere(case, "dns_nxdomain_error")
    if shown:
        yield Match(
            observations=shown,
            parameters={"host": case.name},
            method="dns",
            signature="dns.nxdomain",
            where="far_side",
        )


@row(
    "dns_broken_everywhere",
    speaks_for="outage",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="{host}'s own DNS is broken: DNS abroad gets no address out of it either",
    why="as dns_nowhere, for failures and empty answers",
    signatures=("dns.servfail", "dns.no_answer", "dns.refused"),
)
def dns_broken_everywhere(case: Case) -> Iterator[Match]:
    for failure, word in (
        ("dns_servfail_error", "servfail"),
        ("dns_no_answer", "no_answer"),
        ("dns_refused_error", "refused"),
    ):
        shown = _everywhere(case, failure)
        if shown:
            yield Match(
                observations=shown,
                parameters={"host": case.name},
                method="dns",
                signature=f"dns.{word}",
                where="far_side",
            )


# ---------------------------------------------------------------------------------------------------------------------
# what only looks like a lie


@row(
    "dns_trust_broken",
    speaks_for="blocked",
    weight=-1.5,
    family="dns_excuse",
    basis="behaviour",
    sentence="DNS fails for {host} only where signatures are checked: a broken signature or a resolver's wrong trust, not "
    "a refusal",
    why="an answer with checking disabled, or codes that say so: somebody who blocks gives no answer at all",
)
def dns_trust_broken(case: Case) -> Iterator[Match]:
    told = answers.denied(case, "dns_servfail_error")
    unchecked = tuple(
        o for o in case.of("dns_answers", "dns", "cd") if any(not case.bogon(a) for a in dns(o).addresses)
    )
    coded = tuple(o for o in told if _TRUST_TROUBLE & set(dns(o).extended_errors))
    if told and (unchecked or coded):
        yield Match(observations=(*told, *unchecked), parameters={"host": case.name})


@row(
    "dns_rewrites_missing",
    speaks_for="blocked",
    weight=-1.0,
    family="dns_excuse",
    basis="behaviour",
    sentence="DNS here sends every name that does not exist to the same address ({addresses}), so that address says nothing",
    why="advertising in place of denials: every dead name looks alike",
)
def dns_rewrites_missing(case: Case) -> Iterator[Match]:
    mine = {a for o in answers.main_replies(case) for a in dns(o).addresses}
    rewritten = tuple(
        o for o in case.of("dns_answers", "dns", "random_label") if dns(o).addresses and set(dns(o).addresses) & mine
    )
    if rewritten:
        yield Match(observations=rewritten, parameters={"addresses": shown(rewritten)})


@row(
    "dns_stale_address",
    speaks_for="blocked",
    weight=-1.0,
    family="dns_excuse",
    basis="behaviour",
    sentence="at the address that DNS gave for {host}, a stranger shows a valid certificate of its own: an old address",
    why="whoever forges an answer does not send visitors to a stranger's shop; moved sites do",
)
def dns_stale_address(case: Case) -> Iterator[Match]:
    if all(put_in(case)):
        return  # where no resolver runs nothing can have grown old
    for o in answers.lying_replies(case):
        strangers = tuple(w for a in dns(o).addresses if (w := case.wrong(a)) is not None)
        if strangers and all(w.failure == "ssl_invalid_hostname" for w in strangers):
            yield Match(observations=(o, *strangers), parameters={"host": case.name})


@row(
    "dns_parents_denial",
    speaks_for="blocked",
    weight=-1.0,
    family="dns_excuse",
    basis="behaviour",
    sentence="the denial of {host} bears the mark of the true zone {zone}, as a resolver remembers it from before a name was "
    "there",
    why="lists deny without a zone's mark or with their own; honest resolvers remember denials for minutes to hours",
)
def dns_parents_denial(case: Case) -> Iterator[Match]:
    shown = answers.parents_denials(case)
    if shown and answers.contradictions(case):
        zone = next(soa.zone for o in shown if (soa := dns(o).soa) is not None)
        yield Match(observations=shown, parameters={"host": case.name, "zone": zone})


@row(
    "dns_proxy",
    speaks_for="blocked",
    weight=-0.3,
    family="dns_excuse",
    basis="behaviour",
    sentence="an address where no DNS service runs answers for every name: somebody on the way answers all DNS questions",
    why="a router that takes all DNS to itself is ordinary; what looked like abroad may not have been",
)
def dns_proxy(case: Case) -> Iterator[Match]:
    asked = case.of("dns_answers", "dns", "no_resolver")
    told = tuple(o for o in asked if dns(o).role == "no_resolver" and dns(o).addresses)
    if any(o.arm == "innocuous" for o in told):
        yield Match(observations=told)


@row(
    "dns_tunnel_address",
    speaks_for="no_network",
    weight=0.8,
    family="dns",
    basis="behaviour",
    sentence="DNS here gave {host} an address that VPN and circumvention programs make up ({addresses}), and it does not work",
    why="198.18/15 and 100.64/10 are what such programs answer: theirs is broken, most likely; a leaning",
    signatures=("network.filter",),
)
def dns_tunnel_address(case: Case) -> Iterator[Match]:
    told = tuple(
        o
        for o in answers.main_replies(case)
        if dns(o).addresses and all(addresses.is_tunnel(a) and not case.right(a) for a in dns(o).addresses)
    )
    if told and case.failing is not None:
        yield Match(
            observations=told,
            parameters={"host": case.name, "addresses": shown(told)},
            method="filter",
            signature="network.filter",
            where="host",
        )


ROWS: tuple[Row, ...] = (
    dns_nowhere,
    dns_broken_everywhere,
    dns_trust_broken,
    dns_rewrites_missing,
    dns_stale_address,
    dns_parents_denial,
    dns_proxy,
    dns_tunnel_address,
)
