"""Names: lies of the network's DNS, and everything that only looks like one.

The same question put to resolvers abroad is the neutral contrast of this layer: one variable changed, who is asked. So a
denial proves something only when it was said twice, by the provider's own resolver, while an answer from abroad verified
for the name by its certificate. SERVFAIL, silence and empty answers stay leanings: zones refuse resolvers and countries,
resolvers lose their trust anchors, and none of that is the network's doing.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import DnsFact, HttpFact, Observation, TcpFact
from probe.verdict import addresses, answers, fingerprints, resolvers
from probe.verdict.model import Where
from probe.verdict.rows import Match, Row, row
from probe.verdict.view import Case, dns, http

_NOBODY_LISTENS = "connection_refused"
"""ICMP port unreachable: the machine itself says that no resolver runs there."""
INJECTIONS = ("dns.injection.bogon", "dns.injection.block_page", "dns.injection.other")
_BLOCKED_BY_OPERATOR, _CENSORED, _FILTERED = 15, 16, 17
"""RFC 8914 §4.16–4.18."""
_TRUST_TROUBLE = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 11, 12})
"""RFC 8914: the info-codes about DNSSEC."""


def _shown(observations: tuple[Observation, ...]) -> str:
    return ", ".join(sorted({a for o in observations for a in dns(o).addresses}))


def _where(observations: tuple[Observation, ...]) -> Where:
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


# ---------------------------------------------------------------------------------------------------------------------
# forged answers


@row(
    "dns_bogon",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="the provider's DNS gave {host} an address that no public site can have ({addresses}), and other DNS gave a "
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
            parameters={"host": case.name, "addresses": _shown(told)},
            method="dns",
            signature="dns.injection.bogon",
            where=_where(told),
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
            parameters={"host": case.name, "addresses": _shown(told)},
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
    wrong, silent = _put_in(case)
    if wrong and silent:
        yield Match(
            observations=(*wrong, *silent),
            parameters={"host": case.name, "addresses": _shown(wrong)},
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
            parameters={"host": case.name, "addresses": _shown(told)},
            signature="dns.injection.bogon",
        )


def _put_in(case: Case) -> tuple[tuple[Observation, ...], tuple[Observation, ...]]:
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
            where=_where(told),
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
            parameters={"host": case.name, "addresses": _shown(told)},
            method="dns",
            signature="dns.injection.block_page",
            where=_where(told),
        )


@row(
    "dns_wrong_address",
    speaks_for="blocked",
    weight=0.6,
    family="dns",
    basis="behaviour",
    sentence="DNS gave {host} an address ({addresses}) where its certificate is not, and other DNS gave a right one",
    why="an old address after a move looks the same; a leaning",
    signatures=("dns.injection.other",),
)
def dns_wrong_address(case: Case) -> Iterator[Match]:
    told = tuple(o for o in answers.lying_replies(case) if not any(case.bogon(a) for a in dns(o).addresses))
    if told and answers.proven_truths(case):
        yield Match(
            observations=(*told, *answers.proven_truths(case)),
            parameters={"host": case.name, "addresses": _shown(told)},
            method="dns",
            signature="dns.injection.other",
            where="unknown",
        )


# ---------------------------------------------------------------------------------------------------------------------
# denials


@row(
    "dns_operator_says_blocked",
    speaks_for="blocked",
    weight=2.0,
    family="dns",
    basis="artefact",
    proves=True,
    sentence="the provider's DNS itself says that it refuses {host} because it was told to (code {code})",
    why="RFC 8914 codes 15 and 16: the operator's own word; the cap",
    signatures=(
        "dns.nxdomain",
        "dns.servfail",
        "dns.refused",
        "dns.no_answer",
        "dns.injection.bogon",
        "dns.injection.other",
    ),
)
def dns_operator_says_blocked(case: Case) -> Iterator[Match]:
    for o in answers.main_replies(case):
        code = next((c for c in dns(o).extended_errors if c in (_BLOCKED_BY_OPERATOR, _CENSORED)), None)
        if code is not None and answers.from_provider((o,)):
            yield Match(
                observations=(o,),
                parameters={"host": case.name, "code": code},
                method="dns",
                signature=_denial_signature(case, o),
                where=_where((o,)),
            )


def _denial_signature(case: Case, o: Observation) -> str:
    words = {
        "dns_nxdomain_error": "dns.nxdomain",
        "dns_servfail_error": "dns.servfail",
        "dns_refused_error": "dns.refused",
        "dns_no_answer": "dns.no_answer",
    }
    bogon = bool(dns(o).addresses) and all(case.bogon(a) for a in dns(o).addresses)
    return words.get(o.failure or "", "dns.injection.bogon" if bogon else "dns.injection.other")


def _contradicted(case: Case, failure: str, *, proven: bool) -> tuple[Observation, ...]:
    """Denials by the provider's resolver that a proven answer from abroad contradicts, with what contradicts them."""
    told = answers.denied(case, failure)
    if not answers.from_provider(told):
        return ()
    against = answers.proven_truths(case) if proven else answers.contradictions(case)
    return (*told, *answers.repeats(case, failure), *against) if against else ()


def _twice(case: Case, failure: str) -> bool:
    """Said more than once by one resolver: both families, or again with checking disabled."""
    return len(answers.denied(case, failure)) + len(answers.repeats(case, failure)) >= 2


def is_healthy_resolver(case: Case) -> bool:
    """Whether the system's resolver answers for other names, as the own side saw around the failure."""
    number = next((o.number for o in answers.main_replies(case)), 0)
    around = case.own.around(number)
    return bool(around) and all(r.alive("system", "foreign", "domestic") for r in around)


def _denial(case: Case, failure: str, word: str) -> Iterator[Match]:
    shown = _contradicted(case, failure, proven=True)
    if shown and _twice(case, failure) and is_healthy_resolver(case):
        yield Match(
            observations=shown,
            parameters={"host": case.name},
            method="dns",
            signature=f"dns.{word}",
            where=_where(answers.denied(case, failure)),
        )


@row(
    "dns_nxdomain_contradicted",
    speaks_for="blocked",
    weight=1.9,
    family="dns",
    basis="contrast",
    proves=True,
    sentence="the provider's DNS says again and again that {host} does not exist, while DNS abroad gives an address that "
    "shows its valid certificate",
    why="one variable changed, who is asked; a stale denial after a re-registration is the rare exception, so below the cap",
    signatures=("dns.nxdomain",),
)
def dns_nxdomain_contradicted(case: Case) -> Iterator[Match]:
    # Whoever denies innocuous names as well has lost more than this one.
    if not answers.denies_strangers(case, answers.denied(case, "dns_nxdomain_error")):
        yield from _denial(case, "dns_nxdomain_error", "nxdomain")


@row(
    "dns_refused_contradicted",
    speaks_for="blocked",
    weight=1.8,
    family="dns",
    basis="contrast",
    proves=True,
    sentence="the provider's DNS refuses again and again to answer for {host} and answers for other names, while DNS abroad "
    "gives an address that shows its valid certificate",
    why="as dns_nxdomain_contradicted; a rate limit is excluded by asking slowly, in turn with another name, so a little less",
    signatures=("dns.refused",),
)
def dns_refused_contradicted(case: Case) -> Iterator[Match]:
    if _refuses_only_the_name(case):
        yield from _denial(case, "dns_refused_error", "refused")


def _refuses_only_the_name(case: Case) -> bool:
    """Whether in every slow round the other name was answered and this one refused, twice at least."""
    asked = case.of("dns_answers", "dns", "again")
    refused = [o for o in asked if o.arm == "target"]
    others = [o for o in asked if o.arm == "innocuous"]
    return (
        min(len(refused), len(others)) >= 2
        and all(o.failure == "dns_refused_error" for o in refused)
        and all(o.failure is None for o in others)
    )


@row(
    "dns_denial_unconfirmed",
    speaks_for="blocked",
    weight=0.6,
    family="dns",
    basis="behaviour",
    sentence="DNS here says that {host} does not exist or refuses to answer, and other DNS gives an address",
    why="said once, or not proven from abroad, or by a resolver in the own network; a leaning",
    signatures=("dns.nxdomain", "dns.refused"),
)
def dns_denial_unconfirmed(case: Case) -> Iterator[Match]:
    for failure, word in (("dns_nxdomain_error", "nxdomain"), ("dns_refused_error", "refused")):
        told = answers.denied(case, failure)
        against = answers.contradictions(case)
        if told and against:
            yield Match(
                observations=(*told, *against),
                parameters={"host": case.name},
                method="dns",
                signature=f"dns.{word}",
                where="unknown",
            )


def _leaning(case: Case, failure: str, word: str) -> Iterator[Match]:
    shown = _contradicted(case, failure, proven=False)
    if shown:
        yield Match(
            observations=shown,
            parameters={"host": case.name},
            method="dns",
            signature=f"dns.{word}",
            where="unknown",
        )


@row(
    "dns_servfail_contradicted",
    speaks_for="blocked",
    weight=0.4,
    family="dns",
    basis="behaviour",
    sentence="the provider's DNS fails for {host}, and DNS abroad does not",
    why="zones refuse resolvers and countries, and resolvers lose their trust anchor; a hint",
    signatures=("dns.servfail",),
)
def dns_servfail_contradicted(case: Case) -> Iterator[Match]:
    yield from _leaning(case, "dns_servfail_error", "servfail")


@row(
    "dns_no_answer_contradicted",
    speaks_for="blocked",
    weight=0.7,
    family="dns",
    basis="behaviour",
    sentence="the provider's DNS says that {host} has no address, and DNS abroad gives one",
    why="a zone may answer by country; a leaning",
    signatures=("dns.no_answer",),
)
def dns_no_answer_contradicted(case: Case) -> Iterator[Match]:
    yield from _leaning(case, "dns_no_answer", "no_answer")


@row(
    "dns_timeout_contradicted",
    speaks_for="blocked",
    weight=0.5,
    family="dns",
    basis="behaviour",
    sentence="the provider's DNS is silent about {host}, and DNS abroad answers",
    why="a zone's servers may be out of reach of one resolver; a hint",
    signatures=("dns.timeout",),
)
def dns_timeout_contradicted(case: Case) -> Iterator[Match]:
    yield from _leaning(case, "generic_timeout_error", "timeout")


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
        yield Match(observations=rewritten, parameters={"addresses": _shown(rewritten)})


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
    if all(_put_in(case)):
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
            parameters={"host": case.name, "addresses": _shown(told)},
            method="filter",
            signature="network.filter",
            where="host",
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
    dns_operator_says_blocked,
    dns_nxdomain_contradicted,
    dns_refused_contradicted,
    dns_denial_unconfirmed,
    dns_servfail_contradicted,
    dns_no_answer_contradicted,
    dns_timeout_contradicted,
    dns_nowhere,
    dns_broken_everywhere,
    dns_trust_broken,
    dns_rewrites_missing,
    dns_stale_address,
    dns_parents_denial,
    dns_proxy,
    dns_tunnel_address,
)
