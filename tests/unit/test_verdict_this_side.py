"""What the household's or company's own devices do to names is no word against the provider."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest

from probe.experiments import gateway
from probe.observations import HttpFact, Observation, Operation
from probe.verdict.findings.located import may_be_inside, place_of, places
from probe.verdict.view import View
from tests.unit.facts import SITE, Facts
from tests.unit.verdict_scenarios import CODES
from tests.unit.verdict_scenarios_located import blocked_and_followed, followed, named_in_vain
from tests.unit.verdict_scenarios_this_side import (
    answers_taken,
    at_routers,
    beside,
    listed_at_home,
    listed_inside,
    second_router,
    silent_behind_the_own_router,
)


def told(facts: Facts, code: str) -> bool:
    """Whether the verdict has the finding, for or against."""
    verdict = facts.verdict()
    return any(found.code == code for found in (*verdict.findings, *verdict.against))


@pytest.mark.parametrize("story", [second_router, silent_behind_the_own_router, listed_inside])
def test_what_may_be_inside_leans_and_says_what_to_do(story: object) -> None:
    """It still looks like a block, and another line would tell: no word, a leaning, and how to settle it."""
    verdict = story().verdict()  # type: ignore[operator]
    assert (verdict.status, verdict.leaning) == ("inconclusive", "blocked")
    assert "this_side" in verdict.gates
    assert "without_own_routers" in verdict.settle


def test_a_place_that_may_be_inside_is_told_as_that() -> None:
    """The finding names the routers, and the one for a provider's place is not there."""
    facts = second_router()
    assert told(facts, "greeting_stopped_inside")
    assert not told(facts, "greeting_stopped")
    assert told(blocked_and_followed(device=2), "greeting_stopped")


def test_a_filters_list_leans_to_this_side() -> None:
    """The name that was not followed fails as one that is stopped at home."""
    verdict = listed_at_home().verdict()
    assert (verdict.status, verdict.leaning) == ("inconclusive", "no_network")
    assert any(found.parameters.get("other") == "www.instagram.com" for found in verdict.findings)


def test_other_proof_stands_wherever_names_are_stopped() -> None:
    """A private address told by the provider's DNS is no work of a router that drops greetings."""
    facts = followed(CODES["dns_bogon"]().neutrals(), device=2)
    assert at_routers(facts, hop2="private").word() == "blocked/dns/dns.injection.bogon"


@pytest.mark.parametrize(
    ("device", "scopes", "inside"),
    [
        (2, {"hop2": "private"}, True),
        (3, {"hop2": "private", "hop3": "private"}, True),
        (3, {"hop2": "private"}, False),
        (3, {"hop3": "private"}, False),  # a provider's inner routers, behind one that customers see
        (2, {"hop2": "shared"}, False),
        (2, {}, False),
        (1, {}, False),  # the own router itself, which is told by another finding
    ],
)
def test_which_routers_are_outside(device: int, scopes: dict[str, str], inside: bool) -> None:
    """One router that had the name and has an address of nobody's building shows that it went out."""
    facts = at_routers(blocked_and_followed(device=device), **scopes)  # type: ignore[arg-type]
    (found,) = places(View(facts.observations, (facts.asked,)).case(facts.asked))
    assert may_be_inside(found) is inside


@pytest.mark.parametrize(
    "story",
    [
        lambda: answers_taken("answer", "answer", ttl=1),  # nobody outside had the name
        lambda: answers_taken("answer", "answer", came="nothing"),  # nobody says that the name got there
        lambda: answers_taken("answer"),
        lambda: answers_taken("answer", "answer", "nothing", "nothing"),
        lambda: at_routers(answers_taken("answer", "answer"), hop2="private"),
        lambda: answers_taken("fin", "fin", "reset"),
    ],
)
def test_an_answer_shows_only_what_had_the_name_before_it(story: Callable[[], Facts]) -> None:
    """Twice, and oftener than not, a real answer to the other name; and a router outside had the target's."""
    assert story().word() == "inconclusive/tls.timeout.sni"


def test_what_takes_answers_beyond_home_is_blocked_beside_others() -> None:
    """A name that was not followed goes by one whose answers are taken: somewhere, or beyond home."""
    near, beyond = answers_taken(), answers_taken("answer", "answer", "answer")
    assert beside(named_in_vain(), near).healthy("after", 2).verdict().status == "inconclusive"
    assert beside(named_in_vain(), beyond).healthy("after", 2).verdict().status == "blocked"


def test_a_place_of_another_name_is_not_told_as_this_ones() -> None:
    """The report of a name that was not followed shows no routers."""
    assert place_of(listed_at_home().verdict().findings) is None


@pytest.mark.parametrize(
    "resolver",
    [
        "193.58.251.251",
        "195.46.39.39",
        "156.154.70.3",
        "2a02:6b8::feed:a11",
        "2606:4700:4700::1113",
        "2a07:a8c0::1b:2c3d",
    ],
)
def test_a_filter_that_somebody_pointed_the_router_at_is_no_providers(resolver: str) -> None:
    """Services that refuse names by request, at all of their addresses; what nobody knows is taken for the provider's."""

    def lied(server: str) -> Facts:
        facts = Facts().context().healthy().dns("0.0.0.0", server=server).foreign(SITE).tried(SITE)
        return facts.healthy("after", 1)

    assert lied(resolver).word() == "no_network/filter/network.filter"
    assert lied("92.46.1.1").word() == "blocked/dns/dns.injection.bogon"


@pytest.mark.parametrize(("took_us", "near"), [(15_000, True), (60_000, False)])
def test_the_router_is_asked_how_far_it_is_where_a_plain_page_came_at_once(took_us: int, near: bool) -> None:
    """Else nobody could tell its page from a provider's; not for encrypted ones, which nobody can write."""

    def met(url: str) -> Any:
        fact = HttpFact(method="GET", url=url, verified_chain=False, status=302)
        operation = Operation(fact=fact, started_us=1, duration_us=took_us)
        told = Observation(
            number=1, operation=operation, purpose="neutral_pair", endpoint=1, group="neutral/1", arm="target"
        )
        recorder = types.SimpleNamespace(observations=[told])
        return types.SimpleNamespace(number=1, suspicions={}, session=types.SimpleNamespace(recorder=recorder))

    assert gateway.broke_off_at_once(met("http://www.facebook.com/")) is near
    assert gateway.broke_off_at_once(met("https://www.facebook.com/")) is False
