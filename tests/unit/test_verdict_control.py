"""When a control is heard, and what it is heard to say, at each layer where this network failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from probe.observations import HttpFact
from probe.verdict.view import View
from tests.unit.facts import EOF, HOST, OTHER_SITE, SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios_addresses import (
    control,
    control_elsewhere,
    control_finds_address_dead,
    dead_in_two_countries,
    proxy_reaches,
    refused_address,
    silent_address,
)
from tests.unit.verdict_scenarios_begin import healthy_site

HELSINKI, OSLO = "control:Helsinki", "control:Oslo"
REACHES, ELSEWHERE, FAILS = "control_reaches", "control_reaches_elsewhere", "control_fails_too"
DOWN, DEAD = "down_in_two_countries", "control_finds_address_dead"


def said(facts: Facts) -> set[str]:
    """The codes of what counts of the controls' word."""
    verdict = facts.verdict()
    return {f.code for f in (*verdict.findings, *verdict.against) if f.family == "control" and f.weight}


def nothing_answered() -> Facts:
    """The provider's DNS is silent about the name."""
    return healthy_site().dns(failure=TIMEOUT)


def no_page() -> Facts:
    """A good greeting, and no page behind it."""
    return healthy_site().dns(SITE).tcp().tls().http(failure=TIMEOUT)


def no_plain_page() -> Facts:
    """A plain page that never comes."""
    return healthy_site(f"http://{HOST}/").dns(SITE).tcp(port=80).http(failure=TIMEOUT)


def bare_address() -> Facts:
    """A bare connection that is not taken."""
    return healthy_site(f"tcp://{SITE}:443").tcp(failure=TIMEOUT)


Story = Callable[[], Facts]
STEPS: list[tuple[str, Story, dict[str, Any], set[str]]] = [
    ("a silent address, greeted there", silent_address, {"tls": None}, {REACHES}),
    ("a silent address, connected to and no more", silent_address, {"tcp": None}, set()),
    ("a silent address, silent there", silent_address, {"tcp": TIMEOUT}, {FAILS}),
    ("a refusing address, greeted there", refused_address, {"tls": None}, {REACHES}),
    ("no greeting, connected to there", lambda: healthy_site().no_greeting(EOF), {"tcp": None}, set()),
    ("no greeting, greeted there", lambda: healthy_site().no_greeting(EOF), {"tls": None}, {REACHES}),
    ("no greeting there either", lambda: healthy_site().no_greeting(EOF), {"tls": EOF}, {FAILS}),
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
    facts = healthy_site().no_greeting(TIMEOUT)
    facts.tls(OTHER_SITE, purpose="control", group=None)
    case = View(facts.observations, (facts.asked,)).case(facts.asked)
    assert case.target_successes == ()


# ---------------------------------------------------------------------------------------------------------------------
# two vantages in two countries


def both(failure: str = TIMEOUT, there: str | None = None, **more: Any) -> Facts:
    """A greeting that ends so here and, twice, in another country, whose control lets the name pass at a neutral place."""
    facts = Facts().context(country="KZ").healthy().no_greeting(failure).control_line()
    for turn in (0, 1):
        told: dict[str, Any] = {"vantage": HELSINKI, "round": turn}
        facts.control_asked(round=turn).dns(SITE, **told).tcp(**told).tls(failure=there or failure, **told, **more)
    return facts


def arms(facts: Facts, *, target: str | None = None, innocuous: str | None = None) -> Facts:
    """The control's own pair at one neutral address."""
    place: dict[str, Any] = {"purpose": "neutral_pair", "group": "neutral/1", "vantage": HELSINKI, "verify": False}
    facts.tls("198.35.26.96", sni=HOST, arm="target", failure=target, round=0, **place)
    return facts.tls("198.35.26.96", sni="www.nobelprize.org", arm="innocuous", failure=innocuous, round=1, **place)


def word(facts: Facts) -> tuple[str, str | None]:
    """Status and method."""
    verdict = facts.verdict()
    return verdict.status, verdict.method


def test_the_same_failure_in_two_countries_is_an_outage() -> None:
    """At the same address, at each asking, past a clear line: the site is down, and far from here."""
    verdict = dead_in_two_countries().verdict()
    assert (verdict.status, verdict.method, verdict.signature) == ("outage", "server", "ip.timeout")
    assert (verdict.basis, verdict.where) == ("control", "far_side")
    assert word(arms(both())) == ("outage", "server")
    assert word(arms(both(EOF))) == ("outage", "server")


DOUBTS: list[tuple[str, Callable[[], Facts]]] = [
    ("nobody said where this is", lambda: dead_in_two_countries(home=None)),
    ("nobody said where the control is", lambda: dead_in_two_countries(abroad=None)),
    ("asked once", lambda: dead_in_two_countries(rounds=1)),
    ("its line was not shown to let the name pass", both),
    ("it met something else", lambda: arms(both(TIMEOUT, there="connection_reset"))),
    ("it says that the server says no to it", lambda: arms(both("ssl_failed_handshake", alert=40))),
    ("it met it once only", lambda: dead_in_two_countries().tcp(vantage=HELSINKI, round=1)),
    ("a later try here got through", lambda: dead_in_two_countries().tcp(purpose="retry", group="retry/1").tls(
        purpose="retry", group="retry/1")),
    ("one of its addresses was reached", lambda: dead_in_two_countries().tls(OTHER_SITE, vantage=HELSINKI, round=1)),
    ("two words about where it is", lambda: dead_in_two_countries().control_asked("FI", round=2)),
]  # fmt: skip


@pytest.mark.parametrize(("why", "story"), DOUBTS, ids=[row[0] for row in DOUBTS])
def test_a_doubt_leaves_it_a_leaning(why: str, story: Callable[[], Facts]) -> None:
    """Each condition of that word is needed."""
    verdict = story().verdict()
    assert verdict.status in ("inconclusive", "accessible"), why
    assert DOWN not in {f.code for f in (*verdict.findings, *verdict.against)}


def test_an_address_that_only_this_network_knows_is_no_outage() -> None:
    """A resolver here may lie with an address where nobody is: dead for everybody, and not the site."""
    facts = Facts().context(country="KZ").healthy().no_connection().control_line()
    for turn in (0, 1):
        told: dict[str, Any] = {"vantage": HELSINKI, "round": turn}
        facts.control_asked(round=turn).dns(OTHER_SITE, **told).tcp(failure=TIMEOUT, **told)
        facts.tcp(OTHER_SITE, failure=TIMEOUT, **told)
    assert word(facts)[0] == "inconclusive"
    assert word(facts.dns(SITE, purpose="dns_answers", role="foreign", server="8.8.8.8", group="foreign")) == (
        "outage",
        "server",
    )


@pytest.mark.parametrize("story", [dead_in_two_countries, lambda: arms(both())])
def test_one_in_this_country_says_nothing(story: Callable[..., Facts]) -> None:
    """Neither for one side nor for the other: the same law is in force there."""
    facts = dead_in_two_countries(abroad="KZ")
    assert said(facts) == set()
    assert said(silent_address().context(country="KZ").control_asked("KZ").control_line().tls(vantage=HELSINKI)) <= {
        REACHES
    }


def test_a_censored_control_says_nothing() -> None:
    """The name fails at a neutral place there, and another name passes."""
    assert said(arms(both(), target=TIMEOUT)) == set()
    assert said(arms(both(), target=TIMEOUT, innocuous=TIMEOUT)) == {FAILS}


@pytest.mark.parametrize(
    ("kind", "failure", "expected"),
    [
        ("known", None, {DOWN}),
        ("known", TIMEOUT, set()),
        ("nobody", None, set()),
        ("nobody", "dns_nxdomain_error", {DOWN}),
    ],
)
def test_one_that_says_what_cannot_be_is_not_heard(kind: str, failure: str | None, expected: set[str]) -> None:
    """It misses what was reached here, or reaches what nobody has."""
    facts = dead_in_two_countries().control_tried(kind, failure=failure)
    assert said(facts) & {DOWN} == expected
    assert (word(facts)[0] == "outage") is bool(expected)


def test_a_dead_address_among_living_ones_leans_to_an_outage() -> None:
    """It is the site's own, and dead for others as well."""
    assert said(control_finds_address_dead()) == {DEAD}
    assert control_finds_address_dead().verdict().leaning == "outage"


@pytest.mark.parametrize(("icmp", "expected"), [(None, set()), (3, {FAILS, DOWN})])
def test_one_without_a_way_to_that_kind_of_address_says_nothing(icmp: int | None, expected: set[str]) -> None:
    """Its own kernel refuses what it has no version for; a router that says so is another matter."""
    facts = Facts().context(country="KZ").healthy().no_connection().control_line()
    for turn in (0, 1):
        told: dict[str, Any] = {"vantage": HELSINKI, "round": turn}
        facts.control_asked(round=turn).dns(SITE, **told)
        facts.tcp(failure="network_unreachable", icmp_type=icmp, icmp_code=0 if icmp else None, **told)
    assert {f.code for f in facts.verdict().findings if f.family == "control"} == expected


def test_a_proxy_does_not_tell_where() -> None:
    """It reaches the site at no address that is known, which is said so, and is never "other addresses"."""
    assert said(proxy_reaches()) == {"proxy_reaches"}
    assert proxy_reaches().verdict().status == "inconclusive"


REASONS: list[tuple[str, Callable[[], Facts]]] = [
    ("control_silent", lambda: silent_address().control_asked(failure=TIMEOUT)),
    ("control_cut_off", lambda: silent_address().control_asked().tls(vantage=HELSINKI)),
    ("control_same_country", lambda: dead_in_two_countries(abroad="KZ")),
    ("control_censored", lambda: arms(both(), target=TIMEOUT)),
    ("control_contradicted", lambda: dead_in_two_countries().control_tried("known", failure=TIMEOUT)),
]


@pytest.mark.parametrize(("code", "story"), REASONS, ids=[row[0] for row in REASONS])
def test_why_one_is_not_heard_is_told(code: str, story: Callable[[], Facts]) -> None:
    """Beside the verdict, whatever that is; a control that is heard leaves nothing there."""
    told = [found for found in story().verdict().impairments if found.startswith("control_")]
    assert told == [code]
    assert not [found for found in dead_in_two_countries().verdict().impairments if found.startswith("control_")]


def test_countries_that_nobody_told_are_asked_for() -> None:
    """Where the control fails as well, and only that is missing for a word."""
    assert "know_countries" in dead_in_two_countries(home=None).verdict().settle
    assert "know_countries" in dead_in_two_countries(abroad=None).verdict().settle
    assert "know_countries" not in dead_in_two_countries(rounds=1).verdict().settle


def test_the_same_bad_certificate_in_two_countries_is_the_sites() -> None:
    """Another one there was shown by somebody on the way."""
    bad: dict[str, Any] = {"failure": "ssl_unknown_authority"}
    facts = Facts().context(country="KZ").healthy().dns(SITE).tcp().tls(**bad).control_line()
    for turn in (0, 1):
        told: dict[str, Any] = {"vantage": HELSINKI, "round": turn}
        facts.control_asked(round=turn).dns(SITE, **told).tcp(**told).tls(**bad, **told)
    assert word(facts) == ("outage", "certificate")


def test_a_plain_page_that_is_broken_in_two_countries() -> None:
    """The same error of the server, over plain HTTP, for both."""
    facts = Facts(f"http://{HOST}/").context(country="KZ").healthy().dns(SITE).tcp(port=80).http(503).control_line()
    for turn in (0, 1):
        told: dict[str, Any] = {"vantage": HELSINKI, "round": turn}
        facts.control_asked(round=turn).dns(SITE, **told).tcp(port=80, **told).http(503, **told)
    assert word(facts)[0] == "inconclusive"
    assert word(arms(facts)) == ("outage", "http")


def test_a_name_without_answers_in_two_countries() -> None:
    """No resolver there gives an address either, two operators' among them, nor one abroad that was asked from here."""

    def unanswered() -> Facts:
        facts = Facts().context(country="KZ").healthy().dns(failure=TIMEOUT).control_line()
        for turn in (0, 1):
            told: dict[str, Any] = {"vantage": HELSINKI, "round": turn, "failure": TIMEOUT}
            facts.control_asked(round=turn).dns(**told)
            for server in ("8.8.8.8", "9.9.9.9"):
                facts.dns(purpose="dns_answers", group="foreign", role="foreign", server=server, **told)
        return facts

    assert word(unanswered()) == ("outage", "dns")
    abroad = unanswered().dns(SITE, purpose="dns_answers", role="foreign", server="8.8.8.8", group="foreign")
    assert DOWN not in said(abroad)
