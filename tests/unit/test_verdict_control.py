"""When a control is heard, and what it is heard to say, at each layer where this network failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from probe.observations import HttpFact
from probe.verdict.view import View
from tests.unit.facts import EOF, HOST, OTHER_SITE, SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios import _healthy, control, control_elsewhere, refused_address, silent_address

HELSINKI, OSLO = "control:Helsinki", "control:Oslo"
REACHES, ELSEWHERE, FAILS = "control_reaches", "control_reaches_elsewhere", "control_fails_too"


def said(facts: Facts) -> set[str]:
    """The codes of what counts of the controls' word."""
    verdict = facts.verdict()
    return {f.code for f in (*verdict.findings, *verdict.against) if f.family == "control" and f.weight}


def nothing_answered() -> Facts:
    """The provider's DNS is silent about the name."""
    return _healthy().dns(failure=TIMEOUT)


def no_page() -> Facts:
    """A good greeting, and no page behind it."""
    return _healthy().dns(SITE).tcp().tls().http(failure=TIMEOUT)


def no_plain_page() -> Facts:
    """A plain page that never comes."""
    return _healthy(f"http://{HOST}/").dns(SITE).tcp(port=80).http(failure=TIMEOUT)


def bare_address() -> Facts:
    """A bare connection that is not taken."""
    return _healthy(f"tcp://{SITE}:443").tcp(failure=TIMEOUT)


Story = Callable[[], Facts]
STEPS: list[tuple[str, Story, dict[str, Any], set[str]]] = [
    ("a silent address, greeted there", silent_address, {"tls": None}, {REACHES}),
    ("a silent address, connected to and no more", silent_address, {"tcp": None}, set()),
    ("a silent address, silent there", silent_address, {"tcp": TIMEOUT}, {FAILS}),
    ("a refusing address, greeted there", refused_address, {"tls": None}, {REACHES}),
    ("no greeting, connected to there", lambda: _healthy().no_greeting(EOF), {"tcp": None}, set()),
    ("no greeting, greeted there", lambda: _healthy().no_greeting(EOF), {"tls": None}, {REACHES}),
    ("no greeting there either", lambda: _healthy().no_greeting(EOF), {"tls": EOF}, {FAILS}),
    ("no page, greeted there", no_page, {"tls": None}, set()),
    ("no page, a page there", no_page, {"http": None}, {REACHES}),
    ("no page there either", no_page, {"http": TIMEOUT}, {FAILS}),
    ("no plain page, a plain page there", no_plain_page, {"http": None}, {REACHES}),
    ("a silent name, an answer there and no more", nothing_answered, {"dns": None}, set()),
    ("a silent name, greeted there", nothing_answered, {"tls": None}, {REACHES}),
    ("a silent name there too", nothing_answered, {"dns": TIMEOUT}, {FAILS}),
    ("a bare address, taken there", bare_address, {"tcp": None}, {REACHES}),
    ("a bare address, silent there", bare_address, {"tcp": TIMEOUT}, {FAILS}),
]


@pytest.mark.parametrize(("name", "story", "there", "expected"), STEPS, ids=[row[0] for row in STEPS])
def test_like_is_compared_with_like(name: str, story: Story, there: dict[str, Any], expected: set[str]) -> None:
    """A control speaks only of the step that failed here, or of one that needs it."""
    facts = story().control_line()
    for step, failure in there.items():
        getattr(facts, step)(failure=failure, vantage=HELSINKI)
    assert said(facts) == expected
    assert facts.verdict().status == "inconclusive"


def test_a_control_whose_own_line_is_not_known_says_nothing() -> None:
    """One well-known site, or none, or two that fail: it may be cut off itself."""
    for line in ({"failure": TIMEOUT}, {}):
        facts = silent_address().control_line("www.debian.org").control_line("www.gnu.org", **line)
        assert said(facts.tls(failure=TIMEOUT, vantage=HELSINKI)) == ({FAILS} if not line else set())
    assert said(silent_address().tls(vantage=HELSINKI)) == set()


def test_one_controls_line_does_not_speak_for_another() -> None:
    """Each shows its own."""
    assert said(silent_address().control_line(vantage=OSLO).tls(vantage=HELSINKI)) == set()


def test_a_server_error_is_no_page() -> None:
    """What answers 503 elsewhere too is in trouble."""
    facts = no_page().control_line()
    assert said(facts.http(503, vantage=HELSINKI)) == {FAILS}


def test_a_missing_newer_address_is_no_failure() -> None:
    """Most names have no AAAA record."""
    facts = nothing_answered().control_line()
    assert said(facts.dns(failure="dns_no_answer", qtype="AAAA", vantage=HELSINKI)) == set()


def test_a_plain_page_says_nothing_about_an_encrypted_one() -> None:
    """Whoever stands in the way writes plain pages."""
    facts = no_page().control_line()
    assert said(facts.http(200, verified_chain=False, vantage=HELSINKI)) == set()


def test_another_name_there_says_nothing() -> None:
    """A greeting of somebody else is no greeting of this one."""
    facts = silent_address().control_line()
    assert said(facts.tls(sni="www.example.org", vantage=HELSINKI)) == set()


def test_one_that_reaches_silences_those_that_do_not() -> None:
    """A site that is up for somebody is not down for everybody."""
    facts = silent_address().control_line().control_line(vantage=OSLO)
    facts.tls(failure=TIMEOUT, vantage=HELSINKI).tls(vantage=OSLO)
    assert said(facts) == {REACHES}


def test_only_the_same_address_is_the_same_question() -> None:
    """A control that another point of presence serves leans less than one that is let in where we are not."""
    assert said(control_elsewhere()) == {ELSEWHERE}
    both = control_elsewhere().tls(SITE, vantage=HELSINKI)
    assert said(both) == {REACHES}


def test_certificates_that_a_control_claims_make_no_issuer_known() -> None:
    """What a stranger says of an authority is no reason to believe one here."""
    facts = Facts().control_line()
    assert View(facts.observations, (facts.asked,)).known_issuers == frozenset()


def test_a_control_that_spoke_is_not_asked_for_again() -> None:
    """What would settle it is then another provider here; one that was silent is named."""
    assert control(None).verdict().settle[-1] == "another_provider"
    facts = silent_address()
    fact = HttpFact(method="POST", url="/v1/measure", verified_chain=False)
    facts.add(fact, purpose="control", failure=TIMEOUT, name="Helsinki", member=HELSINKI)
    verdict = facts.verdict()
    assert verdict.settle[-2:] == ("control_silent", "another_vantage")
    assert verdict.status == "inconclusive"
    assert said(facts) == set()


def test_asking_a_control_is_no_fact_about_the_site() -> None:
    """The exchange with a control that serves under the very name in question is no success of that name."""
    facts = _healthy().no_greeting(TIMEOUT)
    facts.tls(OTHER_SITE, purpose="control", group=None)
    case = View(facts.observations, (facts.asked,)).case(facts.asked)
    assert case.target_successes == ()
