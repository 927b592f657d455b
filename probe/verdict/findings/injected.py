"""Names: answers that somebody on the way put in, whoever was asked.

Shown by answers from where no resolver runs, and by two answers to one question. See ``dns`` for the lies of a resolver.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import DnsFact, Observation
from probe.verdict import answers
from probe.verdict.answers import kind_of_lie, shown
from probe.verdict.case import Case
from probe.verdict.facts import dns
from probe.verdict.rows import Match, Row, row

_NOBODY_LISTENS = "connection_refused"
"""ICMP port unreachable: the machine itself says that no resolver runs there."""
_POLICY = ("dns_nxdomain_error", "dns_refused_error")
"""How lists deny; silence and SERVFAIL are a zone's or a resolver's own trouble more often."""
_INJECTIONS = ("dns.injection.bogon", "dns.injection.block_page", "dns.injection.other")


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
    signatures=_INJECTIONS,
)
def dns_injected_no_resolver(case: Case) -> Iterator[Match]:
    wrong, silent = put_in(case)
    if wrong and silent:
        yield Match(
            observations=(*wrong, *silent),
            parameters={"host": case.name, "addresses": shown(wrong)},
            method="dns",
            signature=kind_of_lie(case, wrong),
            where="unknown",
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

    Not where the user's own resolver gave an address that nothing speaks against, was silent or failed: what then fails is
    something else, or got lost. What programs are given without EDNS is what the user is given.
    """
    if answers.lies_like_the_librarys(case):
        return True
    made = {a for o in (*forged, *answers.overtook_the_truth(case)) for a in dns(o).addresses}
    replies = answers.main_replies(case)
    # Where our own question got lost, the C library's may not have been.
    told = replies if any(dns(o).addresses for o in replies) else case.library_replies
    given = {a for o in told for a in dns(o).addresses}
    if not given:
        return any(o.failure in _POLICY for o in replies)
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
    signatures=_INJECTIONS,
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
                        signature=kind_of_lie(case, (bad,)),
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


ROWS: tuple[Row, ...] = (
    dns_injected_no_resolver,
    dns_injected_denial,
    dns_no_resolver_answered,
    dns_two_replies,
)
