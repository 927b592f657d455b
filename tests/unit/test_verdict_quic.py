"""What is said of QUIC beside a page: one word, never a block; and what of a site that is QUIC is no proof."""

import pytest

from tests.unit import verdict_scenarios_quic as stories
from tests.unit.facts import NEUTRALS, SITE, TIMEOUT
from tests.unit.verdict_scenarios_quic import V1, beside, greeting, here, let_go, neutrals, ping, site, turns


def partly():
    """Greetings in one datagram are lost, one in two is answered."""
    facts = greeting(here(beside()), "long", "target", None)
    return greeting(facts, "own", "target", TIMEOUT, round=1)


@pytest.mark.parametrize(
    ("story", "told"),
    [
        (lambda: beside(None), []),
        (lambda: neutrals(here(beside())), ["quic_blocked"]),
        (lambda: turns(neutrals(here(beside()), 1), "control:Helsinki", None), ["quic_blocked"]),
        (lambda: neutrals(here(beside()), 1), ["quic_unanswered"]),
        (lambda: neutrals(here(beside()), rounds=5), ["quic_unanswered"]),
        (lambda: neutrals(here(beside()), innocuous=TIMEOUT), ["quic_unanswered"]),
        (lambda: turns(neutrals(here(beside()), 1), "neutral/2", SITE), ["quic_unanswered"]),
        (lambda: neutrals(here(beside()), target="host_unreachable"), ["quic_unanswered"]),
        (lambda: neutrals(here(beside()), target=None, rounds=1), ["quic_unanswered"]),
        (lambda: greeting(neutrals(here(beside())), "own", "target", None, round=2), []),
        (partly, ["quic_partly"]),
        (lambda: greeting(here(beside()), "long", "target", None), []),
        (lambda: stories.filtered(beside()), ["quic_filtered"]),
        (lambda: stories.version_stopped(beside()), ["quic_version_filtered"]),
        (lambda: here(beside(), TIMEOUT, places=stories.PLACES[:1]), []),
        (lambda: beside("interrupted"), []),
    ],
)
def test_what_is_told_of_quic_beside_a_page(story, told):
    """The page is accessible, whatever its QUIC does."""
    verdict = story().healthy("after", 1).verdict()
    assert verdict.status == "accessible"
    assert [code for code in verdict.impairments if code.startswith("quic_")] == told


def test_one_answered_ping_is_no_version_that_is_stopped():
    """Two places must say that they speak it."""
    facts = here(beside(), TIMEOUT)
    verdict = ping(facts, V1).healthy("after", 1).verdict()
    assert "quic_filtered" in verdict.impairments


def test_another_target_that_is_answered_shows_that_quic_passes():
    """Though the places that were asked are all silent."""
    facts = here(beside(), TIMEOUT)
    greeting(facts, "own", "target", None, name="www.example.org", endpoint=2, address="192.0.2.200")
    assert "quic_unanswered" in facts.healthy("after", 1).verdict().impairments


@pytest.mark.parametrize(
    ("story", "proven"),
    [
        (lambda facts: let_go(facts, 2), True),
        (lambda facts: let_go(facts, 1, 2, 3, 4), True),
        (lambda facts: let_go(facts, 3, hop_is="shared"), True),
        (lambda facts: let_go(facts, 2, spoken=(1, 2, 4)), True),
        (let_go, False),
        (lambda facts: let_go(facts, 1), False),
        (lambda facts: let_go(facts, 1, 2, 3, 4, 5), False),
        (lambda facts: let_go(facts, 1, 2, 3, 4, 5, 6), False),
        (lambda facts: let_go(facts, 2, spoken=(1, 2)), False),
        (lambda facts: let_go(facts, 2, once=(4,)), True),
        (lambda facts: let_go(facts, 2, once=(5,)), False),
        (lambda facts: let_go(facts, once=(2,)), False),
        (lambda facts: let_go(facts, 2, hop_is="private"), False),
        (lambda facts: let_go(facts, 2, times=1), False),
        (lambda facts: let_go(facts, 2, code=13), False),
    ],
)
def test_only_what_is_stopped_beyond_the_household_is_blocked(story, proven):
    """A router behind the own one has had the very name, both times, and a farther one never, but every other name."""
    verdict = story(neutrals(here(site()))).healthy("after", 1).verdict()
    assert verdict.status == ("blocked" if proven else "inconclusive")


def test_a_refusal_at_a_neutral_place_is_an_answer():
    """Whoever knows neither name may refuse either."""
    verdict = let_go(stories.refused_elsewhere(), 2, 3).healthy("after", 1).verdict()
    assert verdict.status == "inconclusive"
    assert "quic_neutral_pass" in {f.code for f in (*verdict.findings, *verdict.against)}


def test_half_an_answer_is_none():
    """A device may let the first packets pass and begin to drop then."""
    facts = neutrals(here(site()), first_reply_us=40_000)
    assert let_go(facts, 2, 3).healthy("after", 1).verdict().status == "blocked"


def test_two_places_of_one_operator_are_one():
    """One operator may refuse a name everywhere."""
    near = NEUTRALS[0].rpartition(".")[0] + ".77"
    facts = turns(turns(here(site()), "neutral/1", NEUTRALS[0]), "neutral/2", near)
    assert let_go(facts, 2, 3).healthy("after", 1).verdict().status == "inconclusive"
