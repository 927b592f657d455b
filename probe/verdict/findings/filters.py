"""Local filters: this host, household or employer refuses the name. All in the own side's family: they count once.

A lie told by a private-address resolver may be the provider's, passed on; only a proof that it was made on the spot, or
the filter's own word, attributes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.observations import HostFact, HttpFact
from probe.verdict import answers, certificates, fingerprints, questions_way, resolvers
from probe.verdict.case import Case
from probe.verdict.facts import dns, http
from probe.verdict.findings import injected
from probe.verdict.findings.denials import BLOCKED_BY_OPERATOR, FILTERED
from probe.verdict.model import Where
from probe.verdict.rows import Match, Row, row

_FAMILY = re.compile(
    r"parental control|family (filter|protection|shield)|родительск\w+ контрол|детск\w+ интернет|семейн\w+ фильтр"
    r"|ата-ана\w* бақылау",
    re.IGNORECASE,
)
"""What providers call the service that a household orders. A state's notice speaks of an order."""


def _match(case: Case, where: Where, observations: tuple[object, ...], **parameters: object) -> Match:
    return Match(
        observations=observations,  # type: ignore[arg-type]
        parameters={"host": case.name, **parameters},
        method="filter",
        signature="network.filter",
        where=where,
    )


@row(
    "filter_hosts_file",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="this computer's own list of names (the hosts file) sends {host} to {addresses}",
    why="the host's own file outranks every resolver; the cap",
    signatures=("network.filter",),
)
def filter_hosts_file(case: Case) -> Iterator[Match]:
    for o in case.of("baseline", "host"):
        fact = o.fact
        if isinstance(fact, HostFact) and fact.hosts_file_addresses and not any(a.ok for a in case.all_baselines):
            yield _match(case, "host", (o,), addresses=", ".join(fact.hosts_file_addresses))


@row(
    "filter_on_this_computer",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="this computer itself sends {host} to {addresses}, while its DNS answers properly",
    why="the C library and the resolver it asks disagree, so the lie is made on this host; the cap",
    signatures=("network.filter",),
)
def filter_on_this_computer(case: Case) -> Iterator[Match]:
    # Where it was asked as the library asks, without EDNS, only that counts: some on the way lie to such questions alone.
    replies = answers.asked_like_the_library(case) or answers.main_replies(case)
    honest = tuple(o for o in replies if any(not case.bogon(a) for a in dns(o).addresses))
    for o in case.library_replies:
        found = dns(o).addresses
        if honest and found and all(case.bogon(a) for a in found):
            yield _match(case, "host", (o, *honest), addresses=", ".join(found))


@row(
    "filter_local_resolver",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="the DNS of the household or company refuses {host} by itself: it treats advertising or names that nobody ever "
    "asked for in the same way",
    why="made on the spot: an ad-domain canary, or a fresh label answered faster than any forwarder could ask; the cap",
    signatures=("network.filter",),
)
def filter_local_resolver(case: Case) -> Iterator[Match]:
    proofs = answers.local_proofs(case, inside=questions_way.answered_inside(case) is not None)
    if proofs:
        yield _match(case, "lan", (*answers.lies(case), *proofs))


@row(
    "filter_chosen_resolver",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="{host} is refused by a filtering DNS service ({resolver}) that somebody here has chosen",
    why="a public filter refuses names because its users asked it to; the cap",
    signatures=("network.filter",),
)
def filter_chosen_resolver(case: Case) -> Iterator[Match]:
    told = answers.lies(case)
    if told and all(resolvers.is_filter(o.operation.address) for o in told):
        name = (resolvers.known(told[0].operation.address) or "").removesuffix("-filter")
        yield _match(case, "lan", told, resolver=name)


@row(
    "filter_by_request",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="the DNS service says that it refuses {host} because its customer asked for that",
    why="RFC 8914 code 17: the operator's own word; the cap",
    signatures=("network.filter",),
)
def filter_by_request(case: Case) -> Iterator[Match]:
    told = tuple(o for o in answers.main_replies(case) if FILTERED in dns(o).extended_errors)
    if told and not any(case.right(a) for o in answers.main_replies(case) for a in dns(o).addresses):
        yield _match(case, "lan", told)


@row(
    "filter_page",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="DNS sends {host} to a page that says that a family's protection refuses it, which somebody here has ordered",
    why="the filter's own word; a page that names an order or a register is none of these; the cap",
    signatures=("network.filter",),
)
def filter_page(case: Case) -> Iterator[Match]:
    led_to = {a for o in answers.lying_replies(case) for a in dns(o).addresses}
    for o in case.of("dns_answers", "http"):
        if o.operation.address in led_to and o.failure is None and not http(o).verified_chain and _is_familys(http(o)):
            yield _match(case, "access", (o,))


def _is_familys(fact: HttpFact) -> bool:
    page = fingerprints.read(fact)
    ordered = page is not None and page.blocks and page.certain
    text = f"{fact.title or ''}\n{(fact.body or '')[: fingerprints.HEAD_CHARACTERS]}"
    return not ordered and _FAMILY.search(text) is not None


@row(
    "filter_says_blocked",
    speaks_for="no_network",
    weight=1.0,
    family="dns_local",
    basis="behaviour",
    sentence="a DNS service in this household or company says that it refuses {host}",
    why="household filters use code 15 too, and a forwarder may pass on the provider's; a leaning",
    signatures=("network.filter",),
)
def filter_says_blocked(case: Case) -> Iterator[Match]:
    told = tuple(
        o for o in answers.main_replies(case) if BLOCKED_BY_OPERATOR in dns(o).extended_errors and answers.is_private(o)
    )
    if told:
        yield _match(case, "lan", told)


@row(
    "filter_takes_questions",
    speaks_for="no_network",
    weight=1.0,
    family="dns_local",
    basis="behaviour",
    sentence="a question about {host} that was sent far away was answered from beside: most likely the household's router "
    "keeps a list of names",
    why="parental lists of home routers do so for listed names only; as fast as the gateway, but not the filter's own word",
    signatures=("network.filter",),
)
def filter_takes_questions(case: Case) -> Iterator[Match]:
    told = tuple(
        o
        for o in case.of("dns_answers", "dns", "no_resolver")
        if dns(o).role == "no_resolver" and o.arm != "innocuous" and dns(o).rcode is not None
        if answers.from_beside(case, o)
    )
    if told and case.failing is not None:
        yield _match(case, "lan", told)


@row(
    "filter_refuses_advertising",
    speaks_for="no_network",
    weight=1.0,
    family="dns_local",
    basis="behaviour",
    sentence="whoever answers for this network's DNS refuses {host} in the same way as advertising ({other}): so do filters "
    "that a household has chosen, such as a family's, whose router may send all questions to one",
    why="orders to block list no advertising, and parental services do; a provider's own may be nobody's choice: a reason only",
    signatures=("network.filter",),
)
def filter_refuses_advertising(case: Case) -> Iterator[Match]:
    told = tuple(o for o in answers.lies(case) if not answers.is_private(o))
    alike = answers.refused_as_advertising(case, told)
    # Whoever puts answers in is no resolver that somebody has chosen; and one that denies everything keeps no list.
    if alike and not answers.is_unsteady(case, told) and not injected.put_in(case)[0]:
        yield _match(case, "lan", (*told, *alike), other=dns(alike[0]).qname)


@row(
    "filter_product",
    speaks_for="no_network",
    weight=1.0,
    family="certificate_local",
    basis="artefact",
    sentence="the certificate shown for {host} was made by a filtering product (“{issuer}”), as is usual with {users}",
    why="the product's own name; providers buy some of them as well, so a reason only",
    signatures=("network.filter",),
)
def filter_product(case: Case) -> Iterator[Match]:
    for o in case.handshakes:
        issuer = certificates.unknown_issuer(o.fact)
        if issuer is not None and certificates.product(issuer) is not None:
            where: Where = "host" if certificates.is_antivirus(issuer) else "lan"
            yield _match(case, where, (o,), issuer=issuer, users=certificates.users_of(issuer))


ROWS: tuple[Row, ...] = (
    filter_hosts_file,
    filter_on_this_computer,
    filter_local_resolver,
    filter_chosen_resolver,
    filter_by_request,
    filter_page,
    filter_says_blocked,
    filter_takes_questions,
    filter_refuses_advertising,
    filter_product,
)
