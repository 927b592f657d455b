"""Simulated worlds: what slows the name down is found, and what knows no name is not said to."""

from __future__ import annotations

import random

import pytest

from tests.lab.simulate import said
from tests.lab.slow_worlds import FreeNames, Policed, RoundRobin, Unrated


def test_a_policer_by_name_is_found() -> None:
    """Of a hundred kbit/s, of four hundred, or between."""
    for seed in range(12):
        slower = said(Policed, seed)
        assert slower is not None
        assert slower.manner == "rate"


@pytest.mark.parametrize("begun", range(4))
def test_links_that_are_taken_in_turn_know_no_name(begun: int) -> None:
    """Two quick flows, two slow ones, at each place from its first: whatever order of names is fixed, some turn keeps time."""

    def world(source: random.Random) -> RoundRobin:
        made = RoundRobin(source)
        made.pattern, made.each, made.begun, made.rtt = "0110", True, begun, 0.08
        return made

    assert [said(world, seed) for seed in range(6)] == [None] * 6


def test_a_tariff_that_leaves_some_names_free_is_no_policer() -> None:
    """The name is as slow as all others that are not free."""
    assert [said(FreeNames, seed) for seed in range(24)] == [None] * 24


def test_a_box_that_slows_what_it_has_no_rating_for_is_no_policer_of_this_name() -> None:
    """It knows all well-known names, so that a made-up one must be asked for."""
    assert [said(Unrated, seed) for seed in range(24)] == [None] * 24
