"""Names: answers that somebody on the way, or the provider's resolver, forged.

An answer is right if TLS at it verifies for the name, and that is tried before anything is called a lie. See ``denials`` for
answers that there is none, and ``lookalikes`` for what only looks like a lie.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import DnsFact, HttpFact, Observation, TcpFact
from probe.verdict import answers, fingerprints, resolvers
from probe.verdict.model import Where
from probe.verdict.rows import Match, Row, row
from probe.verdict.view import Case, dns, http

_NOBODY_LISTENS = "connection_refused"
"""ICMP port unreachable: the machine itself says that no resolver runs there."""
INJECTIONS = ("dns.injection.bogon", "dns.injection.block_page", "dns.injection.other")


def shown(observations: tuple[Observation, ...]) -> str:
    return ", ".join(sorted({a for o in observations for a in dns(o).addresses}))


def told_where(observations: tuple[Observation, ...]) -> Where:
    """A public unfiltered resolver abroad does not lie: somebody on the way to it did. The provider's is near."""
    known = any(resolvers.known(o.operation.address) for o in observations)
    return "unknown" if known else "access"


def _serves_block_page(case: Case, found: tuple[str, ...]) -> bool:
    for o in (*case.of("baseline", "http"), *case.of("dns_answers", "http")):
        if o.operation.address in found and o.failure is None and not http(o).verified_chain:
            page = fingerprints.read(http(o))
            if page is not None and page.blocks:
                return True
    return False


def _kind(case: Case, observations: tuple[Observation, ...]) -> str:
    found = tuple(a for o in observations for a in dns(o).addresses)
    if found and all(case.bogon(a) for a in found):
        return "dns.injection.bogon"
    return "dns.injection.block_page" if _serves_block_page(case, found) else "dns.injection.other"


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
    "dns_injected_no_resolver",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="an address where no DNS service runs gave a wrong answer for {host} ({addresses}) and none for another name: "
    "it was put in on the way",
    why="whatever answers there was put in; an innocuous name unanswered excludes a proxy, a wrong answer a lucky one; the cap",
    signatures=INJECTIONS,
)
def dns_injected_no_resolver(case: Case) -> Iterator[Match]:
    wrong, silent = put_in(case)
    if wrong and silent:
        yield Match(
            observations=(*wrong, *silent),
            parameters={"host": case.name, "addresses": shown(wrong)},
            method="dns",
            signature=_kind(case, wrong),
            where="unknown",
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


def put_in(case: Case) -> tuple[tuple[Observation, ...], tuple[Observation, ...]]:
    """Of :func:`_no_resolver` the answers that are wrong, and the silences."""
    told, silent = _no_resolver(case)
    # Who says itself that nobody listens is neither a resolver nor behind a proxy: what answers there needs no trial.
    refusing = {o.operation.address for o in silent if o.failure == _NOBODY_LISTENS}
    wrong = tuple(
        o
        for o in told
        if _is_false(case, o) or (o.operation.address in refusing and answers.proven_truths(case) and _used(case, o))
    )
    return (wrong, silent) if _reached_the_user(case, wrong) else ((), silent)


def _used(case: Case, o: Observation) -> bool:
    """Whether the user was given the same addresses, or ones that came before the right one, and none of them is right."""
    found = set(dns(o).addresses)
    same = any(found & set(dns(m).addresses) for m in answers.main_replies(case))
    return (same or bool(answers.overtook_the_truth(case))) and not any(map(case.right, found))


def _reached_the_user(case: Case, forged: tuple[Observation, ...]) -> bool:
    """Whether forgeries seen on the way to others may be why the user failed.

    Not where the user's own resolver gave an address that nothing speaks against: what then fails is something else. What
    programs are given without EDNS is what the user is given.
    """
    if answers.lies_like_the_librarys(case):
        return True
    made = {a for o in (*forged, *answers.overtook_the_truth(case)) for a in dns(o).addresses}
    given = {a for o in answers.main_replies(case) for a in dns(o).addresses}
    return all(a in made or ((case.bogon(a) or case.wrong(a)) and not case.right(a)) for a in given)


def _no_resolver(case: Case) -> tuple[tuple[Observation, ...], tuple[Observation, ...]]:
    """(answers for the name, silences for the innocuous name) at addresses that run no resolver.

    A refusal is left out: it means that a resolver does run there. So is an answer from the own network.
    """
    asked = case.of("dns_answers", "dns", "no_resolver")
    # The machine's own refusal may come before what was put in.
    told = tuple(
        o
        for o in (*asked, *case.of("late", "dns"))
        if o.arm != "innocuous"
        and dns(o).role == "no_resolver"
        and dns(o).addresses
        and not answers.from_beside(case, o)
    )
    innocuous = [o for o in asked if o.arm == "innocuous" and dns(o).role == "no_resolver"]
    silent = tuple(
        o for o in innocuous if o.failure in ("generic_timeout_error", _NOBODY_LISTENS) and dns(o).rcode is None
    )
    places = {o.operation.address for o in silent}
    answered = len(silent) != len(innocuous)
    return tuple(o for o in told if o.operation.address in places), () if answered else silent


@row(
    "dns_injected_denial",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="an address where no DNS service runs denied {host} and was silent about another name, and an answer from abroad "
    "is proven right: the denial was put in on the way",
    why="as dns_injected_no_resolver: whatever answers there was put in, and a certificate proves the denial wrong; the cap",
    signatures=("dns.nxdomain", "dns.servfail", "dns.no_answer"),
)
def dns_injected_denial(case: Case) -> Iterator[Match]:
    asked = case.of("dns_answers", "dns", "no_resolver")
    _told, silent = _no_resolver(case)
    places = {o.operation.address for o in silent}
    truths = answers.proven_truths(case)
    for failure, word in (
        ("dns_nxdomain_error", "nxdomain"),
        ("dns_servfail_error", "servfail"),
        ("dns_no_answer", "no_answer"),
    ):
        put_in = tuple(
            o
            for o in asked
            if o.arm != "innocuous"
            and o.failure == failure
            and o.operation.address in places
            and not answers.from_beside(case, o)
        )
        told = answers.denied(case, failure)
        if put_in and told and truths:
            yield Match(
                observations=(*told, *put_in, *silent, *truths),
                parameters={"host": case.name},
                method="dns",
                signature=f"dns.{word}",
                where="unknown",
            )


@row(
    "dns_no_resolver_answered",
    speaks_for="blocked",
    weight=0.5,
    family="dns",
    basis="behaviour",
    sentence="an address where no DNS service runs answered for {host} and not for another name; whether the answer is "
    "wrong is not known",
    why="one lost packet makes a proxy look so; a leaning until the answer is proven wrong",
    signatures=("dns.injection.other",),
)
def dns_no_resolver_answered(case: Case) -> Iterator[Match]:
    told, silent = _no_resolver(case)
    unjudged = tuple(o for o in told if not any(case.right(a) for a in dns(o).addresses))
    if unjudged and silent:
        yield Match(
            observations=(*unjudged, *silent),
            parameters={"host": case.name},
            method="dns",
            signature="dns.injection.other",
            where="unknown",
        )


@row(
    "dns_two_replies",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="one question about {host} got two different replies, and only one of them is right",
    why="two replies to one question (our own repeats use another number and port), one failing validation; the cap",
    signatures=INJECTIONS,
)
def dns_two_replies(case: Case) -> Iterator[Match]:
    late = [o for o in case.of("late", "dns") if dns(o).reply_index > 0 and dns(o).addresses]
    early = [
        o for o in case.observations if isinstance(o.fact, DnsFact) and o.fact.reply_index == 0 and o.fact.addresses
    ]
    for second in late:
        for first in early:
            if not _one_question(first, second):
                continue
            for good, bad in ((first, second), (second, first)):
                if answers.is_unrouted(bad) or not _reached_the_user(case, (bad,)):
                    continue
                if _is_true(case, good) and _is_false(case, bad):
                    yield Match(
                        observations=(first, second),
                        parameters={"host": case.name},
                        method="dns",
                        signature=_kind(case, (bad,)),
                        where="unknown",
                    )


def _one_question(first: Observation, second: Observation) -> bool:
    a, b = dns(first), dns(second)
    return (a.qname.lower(), a.qtype, a.transport, first.operation.address) == (
        b.qname.lower(),
        b.qtype,
        b.transport,
        second.operation.address,
    )


def _is_true(case: Case, o: Observation) -> bool:
    return any(case.right(a) for a in dns(o).addresses)


def _is_false(case: Case, o: Observation) -> bool:
    return all((case.bogon(a) or case.wrong(a)) and not case.right(a) for a in dns(o).addresses)


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
            signature=_kind(case, told),
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
    told = tuple(o for o in answers.lying_replies(case) if _serves_block_page(case, dns(o).addresses))
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
    dns_injected_no_resolver,
    dns_misleads_programs,
    dns_injected_denial,
    dns_no_resolver_answered,
    dns_two_replies,
    dns_sinkhole,
    dns_block_page_address,
    dns_wrong_address,
)


def proves_a_lie(case: Case) -> bool:
    """Whether what is known so far proves that the name's addresses were forged, whoever is there."""
    rows = (one for one in ROWS if one.proves and one.speaks_for == "blocked")
    return any(one.findings(case) for one in rows)
