"""The own side as one endpoint sees it: what is broken around its failure, and whether that explains the failure.

A dead resolver explains that a name was not found, a wrong clock that a certificate "expired", nothing more; only a dead
or captured line explains everything. What a broken own side does not explain it does not excuse.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import HttpFact, Observation
from probe.verdict import certificates, holes
from probe.verdict.case import Case
from probe.verdict.facts import tls
from probe.verdict.pages import is_verified_page
from probe.verdict.rounds import WHERE
from probe.verdict.rows import Match, Row, row

_SILENCE = ("generic_timeout_error", "network_unreachable", "host_unreachable", "network_down", "dns_temporary_failure")
_WHY = "the family rule has already asked two operators; the cap"


def _broken(case: Case, method: str) -> Iterator[tuple[tuple[Observation, ...], dict[str, object]]]:
    """Rounds around the failure that say *method*, as (observations, parameters)."""
    number = _failing_number(case)
    numbers = {o.number: o for o in case.own.observations}
    for round_ in case.own.around(number):
        verdict = round_.verdict
        if verdict.status == "no_network" and verdict.method == method:
            found = verdict.findings[0]
            yield tuple(numbers[n] for n in found.observations if n in numbers), dict(found.parameters)


def _failing_number(case: Case) -> int:
    attempt = case.failing
    if attempt is not None and attempt.last is not None:
        return attempt.last.number
    return max((o.number for o in case.observations), default=0)


def _no_success(case: Case) -> bool:
    return not any(attempt.ok for attempt in case.baseline)


def _match(method: str, observations: tuple[Observation, ...], parameters: dict[str, object]) -> Match:
    return Match(
        observations=observations,
        parameters=parameters,
        method=method,
        signature=f"network.{method}",
        where=WHERE[method],
    )


@row(
    "own_link",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="behaviour",
    proves=True,
    sentence="this computer has no connection to any network",
    why=_WHY,
    signatures=("network.link",),
)
def own_link(case: Case) -> Iterator[Match]:
    if _no_success(case):
        yield from (_match("link", *found) for found in _broken(case, "link"))


@row(
    "own_upstream",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="behaviour",
    proves=True,
    sentence="no site outside answers: {families} groups of unrelated well-known sites and addresses are all silent",
    why=_WHY,
    signatures=("network.upstream",),
)
def own_upstream(case: Case) -> Iterator[Match]:
    if _no_success(case):
        yield from (_match("upstream", *found) for found in _broken(case, "upstream"))


@row(
    "own_resolver",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="behaviour",
    proves=True,
    sentence="this network's DNS does not work for unrelated names either, while addresses answer",
    why=_WHY,
    signatures=("network.resolver",),
)
def own_resolver(case: Case) -> Iterator[Match]:
    # Only a name that was not found is explained; whoever got an address got past the resolver.
    if _no_success(case) and all(a.stage in (None, "dns") for a in case.baseline):
        yield from (_match("resolver", *found) for found in _broken(case, "resolver"))


@row(
    "own_captive_portal",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="somebody else answers in place of a well-known test page ({url}): this network wants a login or a payment first",
    why=_WHY,
    signatures=("network.captive_portal",),
)
def own_captive_portal(case: Case) -> Iterator[Match]:
    # A page over a verified chain got past the portal; a plain page may be the portal's.
    if not any(attempt.ok and is_verified_page(attempt) for attempt in case.all_baselines):
        yield from (_match("captive_portal", *found) for found in _broken(case, "captive_portal"))


@row(
    "own_clock",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="behaviour",
    proves=True,
    sentence="this computer's date is wrong by about {days} days, so valid certificates look expired or not yet valid",
    why=_WHY,
    signatures=("network.clock",),
)
def own_clock(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "tls" or attempt.last is None:
        return
    if tls(attempt.last).verify_code in (9, 10):
        yield from (_match("clock", *found) for found in _broken(case, "clock"))


@row(
    "own_international",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="behaviour",
    proves=True,
    sentence="sites in this country answer, and nobody abroad does",
    why=_WHY,
    signatures=("network.international",),
)
def own_international(case: Case) -> Iterator[Match]:
    # Silence is explained, and a refusal that the well-known places abroad meet too. Any other answer came through.
    attempt = case.failing
    for observations, parameters in _broken(case, "international"):
        if attempt is None:
            explained = _no_success(case)
        else:
            explained = attempt.failure in {*_SILENCE, *(o.failure for o in observations if o.failure is not None)}
        if explained:
            yield _match("international", observations, parameters)
            return
    yield from _together(case, "international")


def _together(case: Case, method: str) -> Iterator[Match]:
    """What several rounds and a search for holes say, where this endpoint failed as they did."""
    told = case.own.verdict
    if told.method != method or not _no_success(case):
        return
    attempt = case.failing
    found = told.findings[0]
    numbers = {o.number: o for o in (*case.own.observations, *case.own.searched)}
    observations = tuple(numbers[n] for n in found.observations if n in numbers)
    # An answer that is none of theirs came through.
    theirs = {o.failure for o in observations if o.failure is not None and o.group != holes.GROUP}
    if attempt is None or attempt.failure in {*_SILENCE, *theirs}:
        yield _match(method, observations, dict(found.parameters))


@row(
    "own_shutdown",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="contrast",
    proves=True,
    sentence="nobody at home or abroad answers, and yet some ports pass: {holes}. This line works, and has been shut",
    why="two looks agree, nobody asks for money, and what passes is nothing that a hotspot or an office lets out; the cap",
    signatures=("network.shutdown",),
)
def own_shutdown(case: Case) -> Iterator[Match]:
    yield from _together(case, "shutdown")


@row(
    "own_whitelist",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="contrast",
    proves=True,
    sentence="machines abroad take connections, and only names of this country are let through to them",
    why="one name passes and another does not at the same unrelated addresses, of two operators, in two looks; the cap",
    signatures=("network.whitelist",),
)
def own_whitelist(case: Case) -> Iterator[Match]:
    yield from _together(case, "whitelist")


@row(
    "own_filter",
    speaks_for="no_network",
    weight=2.0,
    family="own_side",
    basis="artefact",
    proves=True,
    sentence="every encrypted connection is opened on the way by “{issuer}”, which this computer was told to trust, "
    "as is usual with {users}",
    why="the host's own store holds the issuer: whoever runs this host agreed to it; the cap",
    signatures=("network.filter",),
)
def own_filter(case: Case) -> Iterator[Match]:
    mine = {certificates.unknown_issuer(o.fact) for o in case.handshakes}
    for observations, parameters in _broken(case, "filter"):
        if parameters.get("issuer") in mine:
            yield _match("filter", observations, parameters)


@row(
    "own_side_healthy",
    speaks_for="no_network",
    weight=-1.9,
    family="own_side",
    basis="behaviour",
    sentence="well-known sites and addresses of other operators answered before and after: this network works",
    why="canaries of several operators in the same minute; just below the cap, so that a local filter found outweighs it",
)
def own_side_healthy(case: Case) -> Iterator[Match]:
    around = case.own.around(_failing_number(case))
    if around and all(r.verdict.status == "ok" for r in around):
        numbers = {o.number: o for o in case.own.observations}
        shown = tuple(
            numbers[n] for r in around for found in r.verdict.findings for n in found.observations if n in numbers
        )
        yield Match(observations=shown)


@row(
    "own_path_unreachable",
    speaks_for="no_network",
    weight=0.6,
    family="own_path",
    basis="behaviour",
    sentence="this computer itself found no way to {address}; nobody on the way said so",
    why="an unreachable error with an empty error queue is the host's own routing table (reproduced); a reason",
)
def own_path_unreachable(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "tcp" or attempt.last is None:
        return
    fact = attempt.last.fact
    local = getattr(fact, "icmp_type", None) is None and not isinstance(fact, HttpFact)
    if local and attempt.failure in ("network_unreachable", "host_unreachable", "network_down"):
        yield Match(observations=(attempt.last,), parameters={"address": attempt.last.operation.address})


ROWS: tuple[Row, ...] = (
    own_link,
    own_upstream,
    own_resolver,
    own_captive_portal,
    own_clock,
    own_international,
    own_shutdown,
    own_whitelist,
    own_filter,
    own_side_healthy,
    own_path_unreachable,
)
