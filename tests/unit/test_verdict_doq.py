"""What is said of a resolver over QUIC: inside of its own connection, in its place, and where the way is closed."""

from __future__ import annotations

from typing import Any

import pytest

from probe.observations import AppFact
from tests.unit.facts import HOST, SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios_quic import greeting, here, let_go, neutrals

NOT_DOQ = "unknown_failure: not doq"
BAD_HANDSHAKE = "ssl_failed_handshake"


def resolver(failure: str | None, *, shaken: str | None = None, expected: bool | None = None, **quic: Any) -> Facts:
    """One handshake (*shaken*: how it failed) and the question in it."""
    facts = greeting(Facts(f"doq://{HOST}").context().healthy().dns(SITE), "own", "target", shaken, **quic)
    fact = AppFact(
        protocol="doq", transport="udp", sent="a question", answered=failure != TIMEOUT, expected=expected, detail="x"
    )
    return facts.add(fact, purpose="baseline", group="v4", failure=failure, name=HOST, address=SITE, port=853)


def answered() -> Facts:
    return resolver(None, expected=True, alpn="doq")


def refused() -> Facts:
    """An error, in a connection whose certificate verified."""
    return resolver(NOT_DOQ, expected=False, alpn="doq")


def stranger() -> Facts:
    """Somebody else's certificate."""
    return resolver(BAD_HANDSHAKE, shaken=BAD_HANDSHAKE, expected=False)


def silent() -> Facts:
    return resolver(TIMEOUT, shaken=TIMEOUT)


def codes(facts: Facts) -> set[str]:
    return {finding.code for finding in facts.healthy("after", 1).verdict().findings}


def test_an_answer_is_access():
    """To the question, in a connection that verified."""
    verdict = answered().healthy("after", 1).verdict()
    assert verdict.status == "accessible"


@pytest.mark.parametrize("story", [refused, stranger, silent])
def test_nothing_of_one_resolver_alone_is_a_block(story):
    """An error, a stranger, and silence: inconclusive."""
    assert story().healthy("after", 1).verdict().status == "inconclusive"


def test_what_is_said_inside_of_the_connection_is_the_resolvers_own():
    """An error of its, and silence after the handshake; a stranger says nothing in there."""
    assert "app_failed_inside" in codes(refused())
    assert "app_other_answer" not in codes(refused())
    assert "app_failed_inside" in codes(resolver(TIMEOUT, shaken=TIMEOUT, completed=True, alpn="doq"))
    assert "app_failed_inside" not in codes(stranger())
    assert "app_other_answer" in codes(stranger())
    assert "app_failed_inside" not in codes(silent())


def test_a_handshake_of_the_web_at_that_place_is_not_inside():
    """The comparisons of names offer the web's protocol, and verify nothing."""
    facts = greeting(silent(), "own", "innocuous", None, alpn="h3", round=1)
    assert "app_failed_inside" not in codes(facts)


def test_a_name_that_is_stopped_over_quic_is_blocked():
    """At places that have nothing to do with it, in turn, and behind this network's own router."""
    verdict = let_go(neutrals(here(silent())), 2, 3).healthy("after", 1).verdict()
    assert (verdict.status, verdict.method, verdict.signature) == ("blocked", "quic", "quic.timeout.sni")
    assert let_go(neutrals(here(silent()), 1), 2, 3).healthy("after", 1).verdict().status == "inconclusive"


def test_the_same_over_quic_and_an_answer_is_access():
    """One answer withdraws it."""
    facts = let_go(neutrals(here(answered())), 2, 3).healthy("after", 1)
    assert facts.verdict().status == "accessible"
