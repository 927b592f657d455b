"""Stories of answers that somebody puts in, and of proxies for questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.unit.facts import (
    NEUTRALS,
    REFUSED,
    SITE,
    TIMEOUT,
    Facts,
)
from tests.unit.verdict_scenarios_begin import NO_RESOLVER, healthy_site


def injected(failure: str = "dns_nxdomain_error") -> Facts:
    """The user's own resolver fails so, and where no resolver runs a forgery answers for the name alone."""
    facts = healthy_site().dns(failure=failure).foreign(SITE).tried(SITE)
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **NO_RESOLVER)
    return facts.dns("10.10.34.36", arm="target", **NO_RESOLVER)


def injected_where_nobody_listens(address: str = "4.36.66.178") -> Facts:
    """A machine says itself that it is no resolver, and yet "answers" for this name; the user got the same dead address."""
    facts = healthy_site().dns(address).tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE)
    facts.dns(failure=REFUSED, name="www.wikipedia1.org", arm="innocuous", rcode=None, **NO_RESOLVER)
    return facts.dns(address, arm="target", **NO_RESOLVER)


def refused_before_injected(address: str = "4.36.66.178") -> Facts:
    """The machine's own word that it is no resolver comes first, the forgery after it."""
    facts = healthy_site().dns(address).tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE)
    at: dict[str, Any] = {"role": "no_resolver", "server": NEUTRALS[0]}
    asked: dict[str, Any] = {"purpose": "dns_answers", "group": "no_resolver", "failure": REFUSED, "rcode": None}
    facts.dns(name="www.wikipedia1.org", arm="innocuous", **asked, **at).dns(arm="target", **asked, **at)
    return facts.dns(address, purpose="late", group=None, reply_index=1, **at)


def injected_by_volleys(address: str = "4.36.66.178", elsewhere: str = "8.7.198.45", ttl: int = 52) -> Facts:
    """As before, but each forgery names another silent stranger; the truth comes last, and from another distance (*ttl*)."""
    facts = healthy_site().dns(address, reply_ttl=57)
    facts.dns(SITE, purpose="late", group=None, reply_index=1, reply_ttl=ttl)
    facts.observations[-1] = replace(
        facts.observations[-1],
        operation=replace(facts.observations[-1].operation, started_us=facts.observations[-2].operation.started_us),
    )
    facts.tcp(address, failure=TIMEOUT).foreign(SITE).tried(SITE)
    facts.dns(failure=REFUSED, name="www.wikipedia1.org", arm="innocuous", rcode=None, **NO_RESOLVER)
    return facts.dns(elsewhere, arm="target", **NO_RESOLVER)


def injected_denial(failure: str = "dns_servfail_error", rcode: int = 2) -> Facts:
    """The provider fails, an address without a resolver fails alike for this name only, and abroad the truth verifies."""
    facts = healthy_site().dns(failure=failure).foreign(SITE).tried(SITE)
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **NO_RESOLVER)
    return facts.dns(failure=failure, arm="target", rcode=rcode, **NO_RESOLVER)


def answered_where_no_resolver_is() -> Facts:
    facts = healthy_site().dns(failure=TIMEOUT)
    facts.dns(failure=TIMEOUT, name="www.wikipedia1.org", arm="innocuous", rcode=None, **NO_RESOLVER)
    return facts.dns("4.36.66.178", arm="target", **NO_RESOLVER)


def proxy_for_all_dns() -> Facts:
    facts = healthy_site().no_greeting()
    facts.dns("208.80.154.224", name="www.wikipedia1.org", arm="innocuous", **NO_RESOLVER)
    return facts.dns(SITE, arm="target", **NO_RESOLVER)


def two_replies() -> Facts:
    facts = healthy_site().dns("10.10.34.35").tcp("10.10.34.35", failure=TIMEOUT).foreign(SITE).tried(SITE)
    return facts.dns(SITE, purpose="late", group=None, reply_index=1)
