"""What a page is: a site's own or somebody else's, an ordinary answer, a refusal or a notice. No finding, and no weight."""

from __future__ import annotations

from probe.observations import HttpFact, Observation
from probe.verdict import fingerprints
from probe.verdict.attempts import Attempt
from probe.verdict.case import Case
from probe.verdict.facts import http, verified

_REFUSALS = (403, 429, 451)
_NOBODY_SERVED = (418, 421)
"""Answers that serve nobody and do not say why: a joke that guards use (RFC 9110 §15.5.19), and a front end without a
server for the name (§15.5.20)."""


def page_of(attempt: Attempt) -> Observation | None:
    """The response that the attempt ended with, the body's if there are two."""
    pages = [o for o in attempt.of("http") if o.failure is None and http(o).status is not None]
    return next((o for o in reversed(pages) if http(o).body is not None), pages[-1] if pages else None)


def is_verified_page(attempt: Attempt) -> bool:
    """Whether the page came over a chain that the shipped store verifies."""
    page = page_of(attempt)
    return page is not None and http(page).verified_chain and any(verified(o.fact) for o in attempt.of("tls"))


def is_own_page(case: Case, attempt: Attempt) -> bool:
    """Whether a verified page is the word of the site that was asked for, not only of the host that it is verified for: a
    redirect to another site that came over plain HTTP may be anybody's.
    """
    return is_verified_page(attempt) and not is_led_away(case, attempt)


def is_led_away(case: Case, attempt: Attempt) -> bool:
    """Whether the walk ended at another site than it was meant for, and a hop that left was not verified."""
    page = page_of(attempt)
    if page is None or fingerprints.site_of(http(page).url) == fingerprints.site_of(case.asked.endpoint.url):
        return False
    earlier = [o for o in case.of("baseline", group=attempt.group) if o.hop < attempt.hop]
    proven = {o.hop for o in earlier if verified(o.fact)}
    return any(
        isinstance(o.fact, HttpFact)
        and fingerprints.leads_elsewhere(o.fact)
        and not (o.fact.verified_chain and o.hop in proven)
        for o in earlier
    )


def is_ordinary(fact: HttpFact) -> bool:
    """Whether an answer is one that a site gives to everybody: a client error of our request is an answer too."""
    if fact.method == "HEAD" and fact.status == 501:  # RFC 9110 §9.1: a method that this server does not have
        return True
    # What cannot be unpacked at all, no browser shows.
    if fact.malformed is not None and not fact.body_length:
        return False
    return fact.status is not None and fact.status < 500 and fact.status not in (*_REFUSALS, *_NOBODY_SERVED)


_ON_AND_ON = 5
"""Redirects in a row. Browsers follow twenty, this program ten (a setting); ordinary sites have up to three."""


def sent_on_and_on(attempt: Attempt) -> bool:
    """Whether redirect followed redirect until nobody followed any more, so that no page ever came."""
    page = page_of(attempt)
    if page is None or attempt.hop < _ON_AND_ON:
        return False
    return is_redirect(http(page))


def is_redirect(fact: HttpFact) -> bool:
    return fact.status is not None and 300 <= fact.status < 400 and fact.location is not None


def is_notice(fact: HttpFact) -> bool:
    """Whether a page reads as a notice of blocking."""
    known = fingerprints.read(fact)
    return known is not None and known.blocks


def is_order(fact: HttpFact) -> bool:
    """Whether a page is nothing but a notice of an order: whoever shows it, even the site itself, lets nobody in."""
    known = fingerprints.read(fact)
    return known is not None and known.blocks and known.certain and fingerprints.is_nothing_but_a_notice(fact)
