"""What an ordinary user would see: the page, or where the way to it ends."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict import fingerprints
from probe.verdict.attempts import Attempt, Stage
from probe.verdict.case import Case
from probe.verdict.facts import http
from probe.verdict.findings.tls import PAGES, complete_neutrals
from probe.verdict.pages import (
    is_led_away,
    is_notice,
    is_order,
    is_ordinary,
    is_own_page,
    is_verified_page,
    page_of,
    sent_on_and_on,
)
from probe.verdict.pairs import Pair, at_neutrals
from probe.verdict.rows import Match, Row, row

DNS_WORDS = {
    "dns_nxdomain_error": "nxdomain",
    "dns_servfail_error": "servfail",
    "dns_refused_error": "refused",
    "dns_no_answer": "no_answer",
    "generic_timeout_error": "timeout",
}
_IP_WORDS = {
    "generic_timeout_error": "timeout",
    "connection_refused": "reset",
    "connection_reset": "reset",
    "connection_aborted": "reset",
}
_TLS_WORDS = {
    "generic_timeout_error": "timeout",
    "connection_reset": "reset",
    "connection_aborted": "reset",
    "eof_error": "eof",
    "connection_already_closed": "eof",
}
_CERTIFICATE_WORDS = {
    "ssl_unknown_authority": "tls.certificate.unknown_issuer",
    "ssl_invalid_hostname": "tls.certificate.wrong_host",
    "ssl_invalid_certificate": "tls.certificate.invalid",
}
_HTTP_WORDS = {
    "generic_timeout_error": "timeout",
    "connection_reset": "reset",
    "connection_aborted": "reset",
    "http_request_failed": "garbled",
}


def pages_put_in(case: Case) -> tuple[Pair, ...]:
    """Neutral pairs in which the name was answered with somebody else's page or redirect, and the other one was not."""
    return tuple(pair for pair in complete_neutrals(case) if not pair.over_tls and pair.manner in PAGES)


def _said_otherwise(case: Case) -> bool:
    """Whether a neutral address, asked for the name, gave an answer of its own: then nobody puts one in by name."""
    return any(pair.target_successes for pair in at_neutrals(case) if not pair.over_tls)


def _pages(case: Case, *, over_verified: bool) -> Iterator[tuple[Attempt, Observation]]:
    for attempt in case.all_baselines:
        page = page_of(attempt)
        if attempt.ok and page is not None and is_verified_page(attempt) == over_verified:
            yield attempt, page


@row(
    "page_over_verified_chain",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} answered with a page (status {status}) over a connection with a valid certificate",
    why="nobody on the way can make a page over a verified chain; the cap",
)
def page_over_verified_chain(case: Case) -> Iterator[Match]:
    for attempt, page in _pages(case, over_verified=True):
        swapped = is_notice(http(page)) and (is_led_away(case, attempt) or is_order(http(page)))
        if is_ordinary(http(page)) and not sent_on_and_on(attempt) and not swapped:
            yield Match(
                observations=(page,), parameters={"host": page.operation.name or case.name, "status": http(page).status}
            )


@row(
    "page_over_plain_http",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} answered over plain HTTP with an ordinary page (status {status})",
    why="anybody on the way could have written it, but block pages are known by their words and places; the cap",
)
def page_over_plain_http(case: Case) -> Iterator[Match]:
    for attempt, page in _pages(case, over_verified=False):
        fact = http(page)
        swapped = is_notice(fact) or fingerprints.is_pay_page(fact) or sent_on_and_on(attempt)
        swapped = swapped or (fingerprints.is_hollow(fact) and not _said_otherwise(case))
        if is_ordinary(fact) and not fact.verified_chain and not swapped:
            yield Match(
                observations=(page,), parameters={"host": page.operation.name or case.name, "status": fact.status}
            )


@row(
    "connected",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{address} took the connection on port {port}",
    why="all that can be asked of a bare address; void behind a transparent proxy; the cap",
)
def connected(case: Case) -> Iterator[Match]:
    if case.scheme != "tcp":
        return
    for attempt in case.all_baselines:
        if attempt.ok and attempt.last is not None:
            operation = attempt.last.operation
            yield Match(observations=(attempt.last,), parameters={"address": operation.address, "port": operation.port})


def _failed_at(case: Case, stage: Stage) -> Iterator[tuple[Attempt, Observation]]:
    attempt = case.failing
    if attempt is not None and attempt.stage == stage and attempt.last is not None:
        yield attempt, attempt.last


@row(
    "dns_failed",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="this network's DNS gave no usable address for {host}: {failure}",
    why="a user who gets no address gets no page; just below the cap, so that one working family outweighs it",
    signatures=tuple(f"dns.{word}" for word in (*DNS_WORDS.values(), "other")),
)
def dns_failed(case: Case) -> Iterator[Match]:
    for attempt, last in _failed_at(case, "dns"):
        word = DNS_WORDS.get(attempt.failure or "", "other")
        yield Match(
            observations=(last,), parameters={"host": case.name, "failure": attempt.failure}, signature=f"dns.{word}"
        )


@row(
    "tcp_failed",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="no connection to {host} at {address}: {failure}",
    why="as dns_failed: whoever gets no further gets no page",
    signatures=("ip.timeout", "ip.reset", "ip.unreachable"),
)
def tcp_failed(case: Case) -> Iterator[Match]:
    for attempt, last in _failed_at(case, "tcp"):
        word = _IP_WORDS.get(attempt.failure or "", "unreachable")
        parameters = {"host": case.name, "address": last.operation.address, "failure": attempt.failure}
        yield Match(observations=(last,), parameters=parameters, signature=f"ip.{word}")


@row(
    "tls_failed",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="the connection to {host} opened, but the greeting that begins encryption (TLS) failed: {failure}",
    why="as dns_failed: whoever gets no further gets no page",
    signatures=(*(f"tls.{word}.any" for word in ("timeout", "reset", "eof", "alert")), *_CERTIFICATE_WORDS.values()),
)
def tls_failed(case: Case) -> Iterator[Match]:
    for attempt, last in _failed_at(case, "tls"):
        failure = attempt.failure or ""
        plain = f"tls.{_TLS_WORDS.get(failure, 'alert')}.any"
        yield Match(
            observations=(last,),
            parameters={"host": case.name, "failure": failure},
            signature=_CERTIFICATE_WORDS.get(failure, plain),
        )


@row(
    "http_failed",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="{host} took the request and no complete answer came: {failure}",
    why="as dns_failed: whoever gets no further gets no page",
    signatures=tuple(f"http.{word}.any" for word in ("timeout", "reset", "eof", "garbled")),
)
def http_failed(case: Case) -> Iterator[Match]:
    for attempt, last in _failed_at(case, "http"):
        word = _HTTP_WORDS.get(attempt.failure or "", "eof")
        parameters = {"host": case.name, "failure": attempt.failure}
        yield Match(observations=(last,), parameters=parameters, signature=f"http.{word}.any")


@row(
    "nothing_reached",
    speaks_for="accessible",
    weight=-1.0,
    family="baseline",
    basis="behaviour",
    sentence="the measurement of {host} ended before anything was reached",
    why="a wait that was cut off, or a name that leads nowhere: a working site answers sooner, most of the time; a reason",
)
def nothing_reached(case: Case) -> Iterator[Match]:
    begun = case.of("baseline")
    if begun and case.failing is None and not any(attempt.ok for attempt in case.all_baselines):
        yield Match(observations=begun[-1:], parameters={"host": case.name})


@row(
    "page_is_no_content",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="{host} answered, but not with what a visitor comes for (status {status})",
    why="as dns_failed: a refusal, an error of the server and a page by somebody else keep the visitor out alike",
)
def page_is_no_content(case: Case) -> Iterator[Match]:
    for attempt in case.all_baselines:
        page = page_of(attempt)
        if not attempt.ok or page is None:
            continue
        fact = http(page)
        if not is_ordinary(fact) or (is_notice(fact) and (is_order(fact) or not is_own_page(case, attempt))):
            yield Match(observations=(page,), parameters={"host": case.name, "status": fact.status})


@row(
    "redirected_without_end",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="{host} sends visitors on to another address again and again ({count} times here), and no page ever comes",
    why="as dns_failed. A site does it when it is broken, or to programs that keep no cookies: neither is proven",
)
def redirected_without_end(case: Case) -> Iterator[Match]:
    for attempt in case.all_baselines:
        page = page_of(attempt)
        if attempt.ok and page is not None and sent_on_and_on(attempt):
            yield Match(observations=(page,), parameters={"host": case.name, "count": attempt.hop + 1})


@row(
    "page_put_in",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="contrast",
    sentence="what came for {host} over plain HTTP came at unrelated addresses too, for this name only: it is not the site's",
    why="as dns_failed: whoever gets somebody else's page does not get the site's",
)
def page_put_in(case: Case) -> Iterator[Match]:
    found = pages_put_in(case)
    # A cache that takes every plain request gives the site's own page everywhere.
    if (
        found
        and not case.own.proxied_pages
        and not any(attempt.ok and is_own_page(case, attempt) for attempt in case.all_baselines)
    ):
        shown = tuple(o for pair in found for o in pair.target_failures)
        yield Match(observations=shown, parameters={"host": case.name})


@row(
    "page_says_nothing",
    speaks_for="accessible",
    weight=-1.0,
    family="baseline",
    basis="behaviour",
    sentence="{host} answered over plain HTTP with a page that has no word of its own; anybody could have written it",
    why="boxes give empty pages and frames in place of a site's, and few sites have such a front page; a reason",
)
def page_says_nothing(case: Case) -> Iterator[Match]:
    for _, page in _pages(case, over_verified=False):
        if not http(page).verified_chain and fingerprints.is_hollow(http(page)) and not _said_otherwise(case):
            yield Match(observations=(page,), parameters={"host": case.name})


@row(
    "page_over_doubtful_chain",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="a page came for {host}, but over a connection whose certificate only this computer trusts",
    why="somebody reads along and may have written the page; an ordinary host would have been warned",
)
def page_over_doubtful_chain(case: Case) -> Iterator[Match]:
    for attempt, page in _pages(case, over_verified=False):
        if http(page).verified_chain and attempt.of("tls"):
            yield Match(observations=(page,), parameters={"host": page.operation.name or case.name})


@row(
    "answer_is_the_sites_own",
    speaks_for="blocked",
    weight=-2.0,
    family="answered",
    basis="behaviour",
    sentence="the answer came over a connection with a valid certificate for {host}: it is the site's own word",
    why="nobody on the way can make a page over a verified chain; the cap",
)
def answer_is_the_sites_own(case: Case) -> Iterator[Match]:
    for attempt, page in _pages(case, over_verified=True):
        if not is_led_away(case, attempt):
            yield Match(observations=(page,), parameters={"host": page.operation.name or case.name})


@row(
    "answer_proves_the_line",
    speaks_for="no_network",
    weight=-1.9,
    family="own_side",
    basis="behaviour",
    sentence="an answer came back over a connection with a valid certificate, so this network carries traffic",
    why="as own_side_healthy: the answer itself is a canary",
)
def answer_proves_the_line(case: Case) -> Iterator[Match]:
    for _, page in _pages(case, over_verified=True):
        yield Match(observations=(page,))


ROWS: tuple[Row, ...] = (
    page_over_verified_chain,
    page_over_plain_http,
    connected,
    dns_failed,
    tcp_failed,
    tls_failed,
    http_failed,
    nothing_reached,
    page_is_no_content,
    redirected_without_end,
    page_put_in,
    page_says_nothing,
    page_over_doubtful_chain,
    answer_is_the_sites_own,
    answer_proves_the_line,
)
