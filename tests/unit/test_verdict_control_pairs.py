"""What a control's own sink is worth: a neutral place's flip beside another one, a leaning alone, and never a word by itself."""

from __future__ import annotations

from typing import Any

import pytest

from probe.verdict.view import View
from tests.unit.facts import EOF, NEUTRALS, RESET, SITE, TIMEOUT, Facts
from tests.unit.verdict_scenarios_sinks import (
    ALTERED,
    GONE,
    NOTHING,
    VANTAGE,
    answer_lost,
    at_sink,
    liar_beside_passing_neutral,
    lying_ledger,
    never_arrived,
    silent_site,
    sink_and_neutral_flip,
    sink_flips,
    sink_passes,
    told,
)

OURS = frozenset(
    {
        "neutral_and_control_flip",
        "control_flip",
        "control_flip_elsewhere",
        "control_pass",
        "control_never_arrived",
        "control_answer_lost",
        "control_altered",
    }
)


def said(facts: Facts) -> set[str]:
    """The codes of what counts of a control's sink."""
    verdict = facts.verdict()
    return {f.code for f in (*verdict.findings, *verdict.against) if f.code in OURS and f.weight}


# ---------------------------------------------------------------------------------------------------------------------
# what may make a word


def test_a_sink_beside_one_neutral_place_is_a_second_one() -> None:
    """Two places in two networks, one of which this program chose."""
    verdict = sink_and_neutral_flip().verdict()
    assert (verdict.status, verdict.signature, verdict.basis) == ("blocked", "tls.timeout.sni", "contrast")
    assert verdict.confidence is not None
    assert verdict.confidence < 0.999


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(lambda: sink_and_neutral_flip(port=10443), id="another port"),
        pytest.param(lambda: sink_and_neutral_flip(trusted=False), id="a certificate of its own"),
        pytest.param(lambda: sink_and_neutral_flip(trusted=None), id="a certificate that nobody looked at"),
        pytest.param(lambda: sink_and_neutral_flip(abroad="KZ"), id="the same country"),
        pytest.param(lambda: sink_and_neutral_flip(abroad=None), id="an unknown country"),
        pytest.param(lambda: sink_and_neutral_flip(home=None), id="an unknown country here"),
        pytest.param(lambda: sink_and_neutral_flip(rounds=5), id="too few tries"),
        pytest.param(lambda: sink_and_neutral_flip(target=RESET), id="another manner than at the neutral place"),
        pytest.param(lambda: sink_and_neutral_flip().control_tried("known", failure=TIMEOUT), id="caught lying"),
        pytest.param(lambda: at_sink(silent_site()).healthy("after", 1), id="no neutral place"),
        pytest.param(lambda: at_sink(silent_site().neutrals(1, rounds=5)), id="a neutral place tried too little"),
        pytest.param(lambda: at_sink(silent_site().neutrals(1).neutrals(2, target=None, rounds=1)), id="one passes"),
        pytest.param(
            lambda: at_sink(
                silent_site().pair("neutral_pair", "neutral/2", NEUTRALS[1], target=None, rounds=1).neutrals(1)
            ),
            id="one has passed before",
        ),
    ],
)
def test_anything_less_is_no_word(facts: Any) -> None:
    """Each condition by itself keeps it from being more than a leaning."""
    verdict = facts().verdict()
    assert verdict.status == "inconclusive"
    assert "neutral_and_control_flip" not in {f.code for f in (*verdict.findings, *verdict.against)}


def test_a_control_that_is_censored_itself_is_no_neutral_place() -> None:
    """The name fails at unrelated addresses from there too: what acts on it may stand before the control."""
    facts = sink_and_neutral_flip()
    for n in range(2):
        facts.pair("neutral_pair", f"neutral/{n}", NEUTRALS[n], target=TIMEOUT)
    away = [o for o in facts.observations if o.purpose == "neutral_pair"][-26 * 2 :]
    import dataclasses

    known = {o.number for o in away}
    facts.observations = [
        dataclasses.replace(o, vantage=VANTAGE) if o.number in known else o for o in facts.observations
    ]
    assert "neutral_and_control_flip" not in said(facts)
    assert facts.verdict().status == "inconclusive"


def test_a_neutral_place_of_the_target_network_is_none() -> None:
    """The one neutral must be one by itself: in the site's own network it may be the site's."""
    facts = at_sink(silent_site().pair("neutral_pair", "neutral/1", "157.240.1.1"))
    assert facts.verdict().status == "inconclusive"


@pytest.mark.parametrize("home", ["KZ", None])
@pytest.mark.parametrize("failure", [TIMEOUT, RESET, EOF])
@pytest.mark.parametrize(
    "lie", [NOTHING, GONE, ALTERED, {"acknowledged": False}], ids=["empty", "gone", "altered", "lost"]
)
def test_no_control_makes_a_word_by_itself(home: str | None, failure: str, lie: dict[str, Any]) -> None:
    """Whoever runs it may drop the name, break it off, and tell anything: a site that is down is not blocked for that.

    With as much of a leaning as there can be besides: the name fails at its own address too, and not other names.
    """
    for neutrals in (0, 1):
        facts = silent_site(home, failure=failure)
        if neutrals:
            facts.neutrals(1, target=None, rounds=1)
        facts.own_pair(target=failure)
        told(at_sink(facts, target=failure), target=lie).tls(SITE, vantage=VANTAGE).healthy("after", 1)
        verdict = facts.verdict()
        assert verdict.status == "inconclusive"
        assert verdict.confidence is None


def test_resets_at_a_sink_are_no_early_ones() -> None:
    """A control can answer slowly and break off quickly: its sink's times are no artefact."""
    facts = at_sink(silent_site(failure=RESET), target=RESET)
    case = View(facts.observations, (facts.asked,)).case(facts.asked)
    assert not [o for o in case.observations if o.purpose == "control_pair"]
    assert facts.verdict().status == "inconclusive"


@pytest.mark.parametrize("target", [TIMEOUT, None])
def test_a_sink_takes_nothing_from_what_is_proven(target: str | None) -> None:
    """A name that fails at two neutral places is blocked, whether a control answers it, drops it, or tells stories."""
    facts = at_sink(silent_site().neutrals(), target=target)
    if target is not None:
        told(facts, target=NOTHING)
    verdict = facts.healthy("after", 1).verdict()
    assert verdict.status == "blocked"
    assert verdict.confidence == silent_site().neutrals().healthy("after", 1).verdict().confidence


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (NOTHING, "control_never_arrived"),
        ({"acknowledged": False}, "control_answer_lost"),
        (ALTERED, "control_altered"),
    ],
)
def test_a_proven_block_tells_of_the_other_side(lie: dict[str, Any], code: str) -> None:
    """It weighs nothing there, and is said; what a later success has withdrawn is not."""
    facts = told(at_sink(silent_site().neutrals()), target=lie).healthy("after", 1)
    verdict = facts.verdict()
    assert (verdict.status, verdict.also) == ("blocked", (code,))
    assert code not in {f.code for f in verdict.findings if f.weight}
    alone = told(at_sink(silent_site()), target=lie).verdict()
    assert alone.also == ()


def test_a_sink_takes_nothing_from_a_site_that_answers() -> None:
    """What came over a verified chain is as certain beside a control that drops the name."""
    plain = Facts().context(country="KZ").healthy().works().verdict()
    beside = told(at_sink(Facts().context(country="KZ").healthy().works()), target=NOTHING).verdict()
    assert (beside.status, beside.confidence) == (plain.status, plain.confidence) == ("accessible", plain.confidence)


def test_a_name_that_is_answered_at_a_sink_withdraws_nothing() -> None:
    """A control that answers a forbidden name may be beside the way: only what was seen elsewhere withdraws."""
    facts = at_sink(silent_site().neutrals(), target=None, rounds=1)
    assert "late_success_withdraws" not in facts.verdict().gates


def test_a_later_success_withdraws_a_sinks_flip() -> None:
    """What failed there and got through here afterwards is no block."""
    facts = at_sink(silent_site()).healthy("after", 1)
    assert "control_flip" in said(facts)
    facts.retry_tls(None, 4)
    assert "late_success_withdraws" in facts.verdict().gates
    assert not said(facts)


# ---------------------------------------------------------------------------------------------------------------------
# what leans


def test_a_sink_alone_leans() -> None:
    """As strong as it can be, and no word."""
    verdict = sink_flips().verdict()
    assert (verdict.status, verdict.leaning) == ("inconclusive", "blocked")
    assert said(sink_flips()) == {"control_flip"}


@pytest.mark.parametrize("sink", [{"port": 10443}, {"trusted": False}, {"rounds": 2}])
def test_an_unlikely_sink_leans_less(sink: dict[str, Any]) -> None:
    """Another port, its own certificate, few tries: a hint."""
    assert said(sink_flips(**sink)) == {"control_flip_elsewhere"}


def test_one_failure_is_not_even_a_hint() -> None:
    """Anybody's line hiccups."""
    assert said(sink_flips(rounds=1)) == set()


def test_a_name_that_passes_there_speaks_against_a_block() -> None:
    """If the sink is as good as a neutral place."""
    assert said(sink_passes()) == {"control_pass"}
    assert said(at_sink(silent_site(), target=None, rounds=1, port=10443)) == set()


def test_a_liar_is_seen_through() -> None:
    """The name passes at an unrelated address: what a control makes of it weighs less than that."""
    verdict = liar_beside_passing_neutral().verdict()
    assert verdict.status == "inconclusive"
    assert verdict.leaning != "blocked"


# ---------------------------------------------------------------------------------------------------------------------
# two sides


def at_two_sides(
    target: dict[str, Any] | None = None, innocuous: dict[str, Any] | None = None, **sink: Any
) -> set[str]:
    facts = told(at_sink(silent_site(), rounds=2, **sink), 2, target=target, innocuous=innocuous)
    return said(facts) - {"control_flip", "control_flip_elsewhere"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (NOTHING, {"control_never_arrived"}),
        (GONE, {"control_never_arrived"}),
        (NOTHING | {"bytes": 200}, {"control_never_arrived"}),
        ({"acknowledged": False}, {"control_answer_lost"}),
        ({"acknowledged": None}, {"control_answer_lost"}),
        ({"acknowledged": True}, set()),
        ({"answered": False}, set()),
        (ALTERED, {"control_altered"}),
        ({"hello_hash": "ee" * 16}, {"control_altered"}),
        ({"bytes": 600}, {"control_altered"}),
        ({"name": None, "named": True}, {"control_altered"}),
        ({"name": None, "named": False}, {"control_altered"}),
    ],
)
def test_what_arrived_says_where_it_was_lost(target: dict[str, Any], expected: set[str]) -> None:
    """On the way there, on the way back, or changed in between; what does not fit together says nothing."""
    assert at_two_sides(target) == expected


def test_a_break_in_the_controls_name_is_an_answer_that_got_lost() -> None:
    """It answered, and the connection was broken off here: the sentence says so."""
    facts = answer_lost(RESET, acknowledged=True)
    assert "control_answer_lost" in said(facts)


def test_what_happens_to_every_name_is_not_about_this_one() -> None:
    """Somebody who changes all greetings (an antivirus), or a ledger that knows of none of them."""
    assert at_two_sides(ALTERED, ALTERED) == set()
    assert at_two_sides(NOTHING, ALTERED) == set()
    assert at_two_sides(NOTHING, NOTHING) == set()
    assert at_two_sides(NOTHING, GONE) == set()


def test_an_arm_whose_other_side_is_unknown_is_no_evidence() -> None:
    """All of the other name's must be found, and two of this one's."""
    facts = at_sink(silent_site(), rounds=2)
    assert said(facts) == {"control_flip_elsewhere"}
    told(facts, 1, target=NOTHING)
    assert "control_never_arrived" not in said(facts)


def test_sentences_say_both_sides() -> None:
    """In words that can be quoted, with the control's name in them."""
    from probe.verdict import sentences

    (found,) = [f for f in never_arrived().verdict().findings if f.code == "control_never_arrived"]
    assert sentences.render(found) == (
        "What named www.facebook.com left here and never arrived at your server Helsinki (2 times); what named another site "
        "arrived every time (3 times)."
    )
    (found,) = [f for f in answer_lost(RESET).verdict().findings if f.code == "control_answer_lost"]
    assert "what came back here was: broken off" in sentences.render(found)


def test_a_lying_ledger_leans_and_no_more() -> None:
    """It says that everything got lost: that is what it says."""
    assert lying_ledger().verdict().status == "inconclusive"


def test_what_arrived_is_shown_in_words() -> None:
    """Of each arm, under the control's name."""
    from probe.observations import ArrivalFact
    from probe.report.details import _came

    assert _came(ArrivalFact(sink="tls", arrived=False)) == "nothing arrived"
    assert _came(ArrivalFact(sink="tls", bytes=0, whole=False)) == "the connection arrived, and nothing in it"
    assert _came(ArrivalFact(sink="tls", bytes=99, whole=False)) == "arrived in part (99 bytes), not answered"
    assert _came(ArrivalFact(sink="tls", bytes=517, whole=True, answered=True)) == "arrived (517 bytes), answered"
