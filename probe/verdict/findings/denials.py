"""Names: answers that there is no such name or no address, refusals, and silence.

The same question put to resolvers abroad is the neutral contrast of this layer: one variable changed, who is asked. So a
denial proves something only when it was said twice, by the provider's own resolver, while an answer from abroad verified
for the name by its certificate. SERVFAIL, silence and empty answers stay leanings: zones refuse resolvers and countries,
resolvers lose their trust anchors, and none of that is the network's doing.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict import answers
from probe.verdict.answers import told_where
from probe.verdict.case import Case
from probe.verdict.facts import dns
from probe.verdict.rows import Match, Row, row

BLOCKED_BY_OPERATOR, CENSORED, FILTERED = 15, 16, 17
"""RFC 8914 §4.16–4.18."""


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
        code = next((c for c in dns(o).extended_errors if c in (BLOCKED_BY_OPERATOR, CENSORED)), None)
        if code is not None and answers.from_provider((o,)):
            yield Match(
                observations=(o,),
                parameters={"host": case.name, "code": code},
                method="dns",
                signature=_denial_signature(case, o),
                where=told_where((o,)),
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
            where=told_where(answers.denied(case, failure)),
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
    sentence="DNS here says that {host} does not exist or refuses to answer, and DNS elsewhere gives an address",
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
    if case.failing is not None and case.failing.stage != "dns":
        return  # an address was found all the same, and what failed is something else
    yield from _leaning(case, "generic_timeout_error", "timeout")


ROWS: tuple[Row, ...] = (
    dns_operator_says_blocked,
    dns_nxdomain_contradicted,
    dns_refused_contradicted,
    dns_denial_unconfirmed,
    dns_servfail_contradicted,
    dns_no_answer_contradicted,
    dns_timeout_contradicted,
)
