"""Pages: known false positives first, then pages put in on the way, then what the site itself says by its status.

A page over a verified chain is the site's own, whatever it says: refusals are ``denied``, server errors are ``outage``.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import HttpFact, Observation
from probe.verdict import fingerprints
from probe.verdict.case import Case
from probe.verdict.facts import http, verified
from probe.verdict.pages import is_order, is_ordinary, is_own_page, page_of
from probe.verdict.rows import Match, Row, row

_SITE_REFUSES = {451: "legal", 429: "ratelimit"}


def _pages(case: Case) -> Iterator[Observation]:
    """Pages that a user would see: of each hop of the baseline and of the retries."""
    for o in (*case.of("baseline", "http"), *case.of("retry", "http")):
        if o.failure is None and http(o).status is not None:
            yield o


def _put_in(case: Case, *, certain: bool, redirect: bool) -> Iterator[Match]:
    for o in _pages(case):
        fact = http(o)
        page = fingerprints.read(fact)
        away = page is not None and page.name.startswith("location_")
        if page is None or not page.blocks or page.certain != certain or away != redirect:
            continue
        yield Match(
            observations=(o,),
            parameters={
                "host": o.operation.name or case.name,
                "fingerprint": page.name,
                "title": fact.title or "",
                "location": fact.location or "",
                "verified_chain": fact.verified_chain,
            },
            method="http",
            signature="http.redirect.any" if redirect else "http.block_page.any",
            where="unknown",
        )


@row(
    "block_page",
    speaks_for="blocked",
    weight=1.5,
    family="http",
    basis="artefact",
    sentence="instead of {host} came a page that says access is closed by an order (“{title}”)",
    why="names an order or a register, which few sites have reason to name; but a short news item quotes such notices and a "
    "hosting company shows its own, so that only the same page at unrelated addresses proves a block",
    signatures=("http.block_page.any",),
)
def block_page(case: Case) -> Iterator[Match]:
    yield from _put_in(case, certain=True, redirect=False)


@row(
    "block_page_likely",
    speaks_for="blocked",
    weight=0.7,
    family="http",
    basis="artefact",
    sentence="instead of {host} came a page that talks of blocking (“{title}”)",
    why="hosts and site owners use the same words; a leaning",
    signatures=("http.block_page.any",),
)
def block_page_likely(case: Case) -> Iterator[Match]:
    yield from _put_in(case, certain=False, redirect=False)


@row(
    "redirect_to_block_page",
    speaks_for="blocked",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="instead of {host} came a redirect to a known kind of blocking notice ({location})",
    why="a register of blocked addresses, or a notice by a state, over plain HTTP: no site sends its visitors there; the cap",
    signatures=("http.redirect.any",),
)
def redirect_to_block_page(case: Case) -> Iterator[Match]:
    yield from _put_in(case, certain=True, redirect=True)


@row(
    "redirect_likely",
    speaks_for="blocked",
    weight=0.7,
    family="http",
    basis="artefact",
    sentence="instead of {host} came a redirect that may lead to a blocking notice ({location})",
    why="sites redirect their own visitors to such addresses too; a leaning",
    signatures=("http.redirect.any",),
)
def redirect_likely(case: Case) -> Iterator[Match]:
    yield from _put_in(case, certain=False, redirect=True)


def _own_words(case: Case) -> Iterator[tuple[Observation, HttpFact]]:
    """Final pages over a verified chain, if nobody but the site led there."""
    for attempt in case.baseline:
        page = page_of(attempt)
        if attempt.ok and page is not None and is_own_page(case, attempt):
            yield page, http(page)


def _refusal(fact: HttpFact) -> str | None:
    """Why the site says it refuses, as a method of ``denied``; ``None`` if it does not."""
    status = fact.status
    if status in _SITE_REFUSES:
        if status == 429 and fingerprints.is_challenge(fact):
            return "antibot"
        return _SITE_REFUSES[status or 0]
    if status == 403:
        return "geo" if fingerprints.is_country_refusal(fact) else "antibot"
    return "antibot" if status == 503 and fingerprints.is_challenge(fact) else None


def _denied(case: Case, method: str) -> Iterator[Match]:
    for page, fact in _own_words(case):
        if _refusal(fact) == method:
            yield Match(
                observations=(page,),
                parameters={"host": page.operation.name or case.name, "status": fact.status},
                method=method,
                signature=f"http.denied.{method}",
                where="far_side",
            )


@row(
    "site_refuses_by_law",
    speaks_for="denied",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="{host} itself says that it may not serve this page for legal reasons (status {status})",
    why="RFC 7725 over a verified chain: the site's own word; the cap",
    signatures=("http.denied.legal",),
)
def site_refuses_by_law(case: Case) -> Iterator[Match]:
    yield from _denied(case, "legal")


@row(
    "site_shows_order",
    speaks_for="denied",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="{host} itself, over a connection with a valid certificate, shows a notice that access is closed by an order "
    "(“{title}”)",
    why="nobody on the way can write into a verified chain: the site, or who serves it, obeys an order; the cap",
    signatures=("http.denied.legal",),
)
def site_shows_order(case: Case) -> Iterator[Match]:
    for page, fact in _own_words(case):
        if is_order(fact) and is_ordinary(fact):
            yield Match(
                observations=(page,),
                parameters={"host": page.operation.name or case.name, "title": fact.title or ""},
                method="legal",
                signature="http.denied.legal",
                where="far_side",
            )


@row(
    "site_refuses_country",
    speaks_for="denied",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="{host} itself says that it does not serve visitors from this country (status {status})",
    why="the site's own word over a verified chain; the cap",
    signatures=("http.denied.geo",),
)
def site_refuses_country(case: Case) -> Iterator[Match]:
    yield from _denied(case, "geo")


@row(
    "site_refuses_visitor",
    speaks_for="denied",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="{host} itself turns this visitor away (status {status}): most often because it takes it for a robot",
    why="the site's own word over a verified chain; the cap",
    signatures=("http.denied.antibot",),
)
def site_refuses_visitor(case: Case) -> Iterator[Match]:
    yield from _denied(case, "antibot")


@row(
    "site_refuses_rate",
    speaks_for="denied",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="{host} itself says that too many requests come from here (status {status})",
    why="the site's own word over a verified chain; the cap",
    signatures=("http.denied.ratelimit",),
)
def site_refuses_rate(case: Case) -> Iterator[Match]:
    yield from _denied(case, "ratelimit")


@row(
    "server_error",
    speaks_for="outage",
    weight=2.0,
    family="http",
    basis="artefact",
    proves=True,
    sentence="{host} itself says that it is in trouble (status {status}), over a connection with a valid certificate",
    why="the site's own word over a verified chain; the cap",
    signatures=("http.server_error",),
)
def server_error(case: Case) -> Iterator[Match]:
    for page, fact in _own_words(case):
        if fact.status is not None and fact.status >= 500 and not is_ordinary(fact) and _refusal(fact) is None:
            yield Match(
                observations=(page,),
                parameters={"host": page.operation.name or case.name, "status": fact.status},
                method="http",
                signature="http.server_error",
                where="far_side",
            )


@row(
    "server_error_unverified",
    speaks_for="outage",
    weight=0.8,
    family="http",
    basis="behaviour",
    sentence="an answer over plain HTTP says that the server is in trouble (status {status}); anybody could have written it",
    why="most often true, but not the site's proven word; a leaning",
    signatures=("http.server_error",),
)
def server_error_unverified(case: Case) -> Iterator[Match]:
    for attempt in case.baseline:
        page = page_of(attempt)
        if attempt.ok and page is not None and not is_own_page(case, attempt) and (http(page).status or 0) >= 500:
            yield Match(
                observations=(page,),
                parameters={"status": http(page).status},
                method="http",
                signature="http.server_error",
                where="unknown",
            )


@row(
    "refusal_unverified",
    speaks_for="denied",
    weight=0.7,
    family="http",
    basis="behaviour",
    sentence="an answer over plain HTTP turns this visitor away (status {status}); anybody could have written it",
    why="not the site's proven word; a leaning",
    signatures=("http.denied.antibot", "http.denied.geo", "http.denied.legal", "http.denied.ratelimit"),
)
def refusal_unverified(case: Case) -> Iterator[Match]:
    for attempt in case.baseline:
        page = page_of(attempt)
        method = _refusal(http(page)) if page is not None else None
        if attempt.ok and page is not None and method is not None and not is_own_page(case, attempt):
            yield Match(
                observations=(page,),
                parameters={"status": http(page).status},
                method=method,
                signature=f"http.denied.{method}",
                where="unknown",
            )


@row(
    "http_no_answer",
    speaks_for="blocked",
    weight=0.2,
    family="http",
    basis="behaviour",
    sentence="{host} was reached and named, and then no answer came",
    why="a slow or broken server looks the same; a hint",
    signatures=("http.timeout.any", "http.reset.any"),
)
def http_no_answer(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "http" or attempt.last is None:
        return
    word = {"generic_timeout_error": "timeout", "connection_reset": "reset"}.get(attempt.failure or "")
    if word is not None:
        yield Match(
            observations=(attempt.last,),
            parameters={"host": case.name},
            method="http",
            signature=f"http.{word}.any",
            where="unknown",
        )


@row(
    "answer_is_garbled",
    speaks_for="outage",
    weight=0.8,
    family="http",
    basis="behaviour",
    sentence="what {host} answered, over a connection with a valid certificate, is nothing that a browser can read",
    why="the site's own bytes, for nobody on the way can make any; but no word of trouble, and another program may read it, so "
    "a leaning",
    signatures=("http.garbled.any",),
)
def answer_is_garbled(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "http" or attempt.last is None or attempt.failure != "http_request_failed":
        return
    if http(attempt.last).verified_chain and any(verified(o.fact) for o in attempt.of("tls")):
        yield Match(
            observations=(attempt.last,),
            parameters={"host": attempt.last.operation.name or case.name},
            method="http",
            signature="http.garbled.any",
            where="far_side",
        )


ROWS: tuple[Row, ...] = (
    block_page,
    block_page_likely,
    redirect_to_block_page,
    redirect_likely,
    site_refuses_by_law,
    site_shows_order,
    site_refuses_country,
    site_refuses_visitor,
    site_refuses_rate,
    server_error,
    server_error_unverified,
    refusal_unverified,
    http_no_answer,
    answer_is_garbled,
)
