"""What a device remembers and whether it puts pieces together: said for what it is, and never a reason for a word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.facts import RESET, TIMEOUT
from tests.unit.verdict_scenarios_deep import (
    BLOCKED,
    CHINESE,
    FOUR_OF_SIX,
    KAZAKH,
    blocked,
    exchange,
    in_pieces,
    not_blocked,
    on_some_paths,
    remembered,
    said,
)

MEMORY, PASSES, STOPPED = "residual_memory", "split_passes", "split_stopped"


def test_a_memory_of_both_ports_has_its_length() -> None:
    """Still there after 110 seconds and gone after 130."""
    told = said(remembered(KAZAKH), MEMORY)
    assert (told["scope"], told["lasts"]) == (
        "from the same port of this computer to the same server",
        "from 110 to 130 seconds",
    )


def test_a_memory_of_the_server_that_outlasts_the_wait() -> None:
    """Nothing is said of what was not waited for."""
    told = said(remembered(CHINESE), MEMORY)
    assert (told["scope"], told["lasts"]) == ("to the same server, from any port", "110 seconds at least")


@pytest.mark.parametrize(
    ("told", "lasts"),
    [
        ({"same/0": TIMEOUT, "same/20": None}, "less than 20 seconds"),
        ({"same/0": TIMEOUT}, "longer than was waited for"),
    ],
)
def test_a_short_memory_has_an_upper_end_only(told: dict[str, str | None], lasts: str) -> None:
    """Nothing is said of a time that was not measured."""
    assert said(remembered(told), MEMORY)["lasts"] == lasts


@pytest.mark.parametrize(
    ("told", "references"),
    [
        pytest.param({}, {}, id="nothing is remembered"),
        pytest.param(KAZAKH, {"again": TIMEOUT}, id="the server or the own router lets no port be used again"),
        pytest.param(KAZAKH, {"reference": RESET}, id="the place answers no harmless name"),
        pytest.param(KAZAKH, {"other": TIMEOUT}, id="the other place answers nobody"),
        pytest.param(KAZAKH, {"trigger": None}, id="the name passed"),
        pytest.param({**CHINESE, "address/0": TIMEOUT}, {}, id="everything fails by now"),
    ],
)
def test_no_memory_is_said_where_it_was_not_seen(told: dict[str, str | None], references: dict[str, Any]) -> None:
    """Each of these has another reason."""
    assert MEMORY not in remembered(told, **references).codes()


def test_a_pass_before_a_failure_is_no_end() -> None:
    """What failed after 80 seconds was not over after 50."""
    facts = remembered({"same/0": TIMEOUT, "same/50": None, "same/80": TIMEOUT})
    assert said(facts, MEMORY)["lasts"] == "80 seconds at least"


@pytest.mark.parametrize(
    ("target", "pieces"),
    [
        ({"segments": None}, "two packets"),
        ({"segments": None, "both": None}, "two packets and in two packets with a TLS record each"),
    ],
)
def test_pieces_that_pass_are_named(target: dict[str, None], pieces: str) -> None:
    """Only the forms in which the name passed every time."""
    assert said(in_pieces(**target), PASSES)["pieces"] == pieces


def test_pieces_that_are_stopped_are_named() -> None:
    """Those that the device puts together."""
    assert (
        said(in_pieces(segments=None), STOPPED)["pieces"] == "two TLS records and in two packets with a TLS record each"
    )


@pytest.mark.parametrize("code", [PASSES, STOPPED])
def test_a_place_that_does_not_understand_pieces_tells_nothing(code: str) -> None:
    """A harmless name must pass in the same form."""
    assert code not in in_pieces(innocuous=TIMEOUT, segments=None).codes()


def test_a_whole_greeting_that_passes_there_tells_nothing() -> None:
    """The block may have ended, or is not on the way to that place."""
    facts = in_pieces(whole=None, segments=None)
    assert PASSES not in facts.codes()


def test_one_try_is_too_few() -> None:
    """A form is asked twice, of either name."""
    facts = blocked()
    exchange(facts, "split", "segments", "innocuous", None)
    exchange(facts, "split", "segments", "target", None)
    exchange(facts, "split", "whole/segments", "target", TIMEOUT)
    assert not facts.codes() & {PASSES, STOPPED}


def test_one_of_two_is_neither() -> None:
    """A form in which the name passed once and was stopped once is not said to be either."""
    facts = in_pieces(segments=None)
    exchange(facts, "split", "segments", "target", TIMEOUT, 3)
    assert PASSES not in facts.codes()


def test_what_is_deep_changes_no_word_and_no_probability() -> None:
    """Of the family of the comparison that it was made after, and weaker than it."""
    plain = blocked().verdict()
    for facts in (remembered(KAZAKH), in_pieces(segments=None), in_pieces()):
        deep = facts.verdict()
        assert facts.word() == BLOCKED
        assert (deep.confidence, deep.basis) == (plain.confidence, plain.basis)


def test_a_name_that_passes_in_pieces_has_not_passed() -> None:
    """No browser goes that way: it withdraws nothing."""
    assert "neutral_flip" in in_pieces(segments=None, records=None, both=None).codes()


def test_a_name_that_passes_whole_withdraws_what_was_learnt() -> None:
    """Later success of the name withdraws the comparison and all that followed from it."""
    facts = remembered(KAZAKH)
    in_pieces(facts, segments=None)
    facts.retry_tls(None)
    assert not facts.codes() & {"neutral_flip", MEMORY, PASSES, STOPPED}


def test_nothing_deep_is_proof() -> None:
    """All of it together, without a comparison, stays a leaning."""
    facts = remembered(KAZAKH, not_blocked())
    in_pieces(facts, segments=None)
    assert facts.verdict().status == "inconclusive"


# ---------------------------------------------------------------------------------------------------------------------
# several paths


def test_the_share_of_paths_is_told() -> None:
    """Each arm has a port of its own: four of six."""
    told = said(on_some_paths(*FOUR_OF_SIX), "some_paths")
    assert (told["failed"], told["paths"]) == (4, 6)


@pytest.mark.parametrize(
    ("target", "innocuous"),
    [
        pytest.param(FOUR_OF_SIX, TIMEOUT, id="the other name fails as well"),
        pytest.param((TIMEOUT,) * 6, None, id="no path is left: that is what the comparison says"),
        pytest.param((None,) * 6, None, id="no path has a device"),
        pytest.param((TIMEOUT, None), None, id="two paths are too few"),
        pytest.param((None, None, None, None, None, TIMEOUT), None, id="one failure of six may be chance"),
    ],
)
def test_chance_is_no_share(target: tuple[str | None, ...], innocuous: str | None) -> None:
    """Where the other name fails too, or little failed, nothing is said of paths."""
    assert "some_paths" not in on_some_paths(*target, innocuous=innocuous).codes()


def test_a_share_of_paths_is_no_block() -> None:
    """The name got through, and that outweighs it."""
    assert on_some_paths(*FOUR_OF_SIX).verdict().status == "inconclusive"
