"""Names: wrong addresses that this network's resolvers give, and whose word they are.

An answer is right if TLS at it verifies for the name, and that is tried before anything is called a lie. See ``injected`` for
answers that were put in on the way, ``denials`` for answers that there is none, and ``lookalikes`` for what only looks like a
lie.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import HttpFact, Observation, TcpFact
from probe.verdict import answers, resolvers
from probe.verdict.answers import kind_of_lie, serves_block_page, shown, told_where
from probe.verdict.case import Case
from probe.verdict.facts import dns
from probe.verdict.findings import injected
from probe.verdict.rows import Match, Row, row


@row(
    "dns_bogon",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="the provider's DNS gave {host} an address that no public site can have ({addresses}), and DNS elsewhere gave a "
    "real one",
    why="nothing honest answers so, once tunnels, translation prefixes and the catalogue's exceptions are out; the cap",
    signatures=("dns.injection.bogon",),
)
def dns_bogon(case: Case) -> Iterator[Match]:
    told = answers.bogus_replies(case)
    against = answers.contradictions(case)
    if answers.from_provider(told) and against:
        yield Match(
            observations=(*told, *against),
            parameters={"host": case.name, "addresses": shown(told)},
            method="dns",
            signature="dns.injection.bogon",
            where=told_where(told),
        )


@row(
    "dns_bogon_unconfirmed",
    speaks_for="blocked",
    weight=0.6,
    family="dns",
    basis="behaviour",
    sentence="DNS gave {host} an address that no public site can have ({addresses}); no trustworthy answer is there to "
    "compare",
    why="owners publish such addresses for retired names too; a leaning",
    signatures=("dns.injection.bogon",),
)
def dns_bogon_unconfirmed(case: Case) -> Iterator[Match]:
    told = answers.bogus_replies(case)
    if told and not answers.contradictions(case) and not _published_bogon(case):
        yield Match(
            observations=told,
            parameters={"host": case.name, "addresses": shown(told)},
            method="dns",
            signature="dns.injection.bogon",
            where="unknown",
        )


def _published_bogon(case: Case) -> tuple[Observation, ...]:
    """Encrypted answers of two operators that give such addresses as well."""
    found = tuple(
        o
        for o in case.foreign_replies
        if dns(o).transport in ("doh", "dot") and dns(o).addresses and all(case.bogon(a) for a in dns(o).addresses)
    )
    return found if len(answers.unresolved(found)) >= 2 else ()


@row(
    "dns_published_bogon",
    speaks_for="outage",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="{host}'s own zone gives an address that no public site can have, and says so to everybody",
    why="two operators abroad say the same over encrypted connections: the zone's own word; the cap",
    signatures=("dns.published_bogon",),
)
def dns_published_bogon(case: Case) -> Iterator[Match]:
    told, published = answers.bogus_replies(case), _published_bogon(case)
    if told and published:
        yield Match(
            observations=(*told, *published),
            parameters={"host": case.name},
            method="dns",
            signature="dns.published_bogon",
            where="far_side",
        )


@row(
    "dns_misleads_programs",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="programs on this computer are sent to {addresses} for {host}; only who asks DNS in a newer way than theirs gets "
    "an address of the site",
    why="as dns_failed: ours is not the way that programs ask in, so what we reach they do not",
    signatures=("dns.injection.bogon",),
)
def dns_misleads_programs(case: Case) -> Iterator[Match]:
    told = answers.lies_like_the_librarys(case)
    if told:
        yield Match(
            observations=(*case.library_replies, *told),
            parameters={"host": case.name, "addresses": shown(told)},
            signature="dns.injection.bogon",
        )


@row(
    "dns_sinkhole",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="the provider's DNS gives {host} and unrelated sites one and the same wrong address ({addresses})",
    why="one wrong address for unrelated operators' names, while names that do not exist stay so; the cap",
    signatures=("dns.injection.block_page", "dns.injection.other"),
)
def dns_sinkhole(case: Case) -> Iterator[Match]:
    told = tuple(o for o in answers.lying_replies(case) if not any(case.bogon(a) for a in dns(o).addresses))
    honest = [o for o in case.of("dns_answers", "dns", "random_label") if o.failure == "dns_nxdomain_error"]
    shared = {a for o in told for a in dns(o).addresses if _others_there(case, a) and _was_looked_at(case, a)}
    if answers.from_provider(told) and shared and honest and answers.proven_truths(case):
        yield Match(
            observations=(*told, *honest, *answers.proven_truths(case)),
            parameters={"host": case.name, "addresses": ", ".join(sorted(shared))},
            method="dns",
            signature=kind_of_lie(case, told),
            where=told_where(told),
        )


def _was_looked_at(case: Case, address: str) -> bool:
    """Whether a page there was read, or there is nobody to show one: the page may be a family's own filter's."""
    there = [o for o in case.observations if o.operation.address == address and o.failure is None]
    connected = any(isinstance(o.fact, TcpFact) for o in there)
    return not connected or any(isinstance(o.fact, HttpFact) for o in there)


def _others_there(case: Case, address: str) -> set[str]:
    """Other operators' names that the system's resolvers send to *address* in this run, wrongly as far as is known."""
    mine = resolvers.operator_of(case.name)
    names = {resolvers.operator_of(site) for site in case.view.system_answers.get(address, frozenset())} - {mine}
    rightly = any(other.right(address) for other in case.view.cases())
    return set() if rightly else names


@row(
    "dns_block_page_address",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="the provider's DNS sends {host} to an address ({addresses}) that serves a blocking notice",
    why="a wrong address and a notice of an order there: two artefacts that agree; the cap",
    signatures=("dns.injection.block_page",),
)
def dns_block_page_address(case: Case) -> Iterator[Match]:
    told = tuple(o for o in answers.lying_replies(case) if serves_block_page(case, dns(o).addresses))
    if answers.from_provider(told) and answers.contradictions(case):
        yield Match(
            observations=told,
            parameters={"host": case.name, "addresses": shown(told)},
            method="dns",
            signature="dns.injection.block_page",
            where=told_where(told),
        )


@row(
    "dns_wrong_address",
    speaks_for="blocked",
    weight=0.6,
    family="dns",
    basis="behaviour",
    sentence="DNS gave {host} an address ({addresses}) where its certificate is not, and DNS elsewhere gave a right one",
    why="an old address after a move looks the same; a leaning",
    signatures=("dns.injection.other",),
)
def dns_wrong_address(case: Case) -> Iterator[Match]:
    told = tuple(o for o in answers.lying_replies(case) if not any(case.bogon(a) for a in dns(o).addresses))
    if told and answers.proven_truths(case):
        yield Match(
            observations=(*told, *answers.proven_truths(case)),
            parameters={"host": case.name, "addresses": shown(told)},
            method="dns",
            signature="dns.injection.other",
            where="unknown",
        )


ROWS: tuple[Row, ...] = (
    dns_bogon,
    dns_bogon_unconfirmed,
    dns_published_bogon,
    dns_misleads_programs,
    dns_sinkhole,
    dns_block_page_address,
    dns_wrong_address,
)


def proves_a_lie(case: Case) -> bool:
    """Whether what is known so far proves that the name's addresses were forged, whoever is there."""
    rows = (one for one in (*ROWS, *injected.ROWS) if one.proves and one.speaks_for == "blocked")
    return any(one.findings(case) for one in rows)
