"""The figures of the lab's report, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.lab.figures import (
    Hierarchical,
    Proportion,
    ancestors,
    brier,
    hierarchical,
    quantile,
    reliability,
    rule_of_three,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        # z = 1.96: z² = 3.8416. 0 of 10: high = 3.8416 / 13.8416.
        (0, 10, 0.0, 0.27754),
        (10, 10, 0.72246, 1.0),
        # 5 of 10: middle 0.5 whatever z is; half = 1.96 × sqrt(0.025 + 0.009604) / 1.38416.
        (5, 10, 0.23659, 0.76341),
        # 1 of 100: (0.01 + 0.019208 ∓ 1.96 × sqrt(0.000099 + 0.00009604)) / 1.038416.
        (1, 100, 0.00177, 0.05449),
    ],
)
def test_wilson_is_what_the_formula_gives_by_hand(hits, total, low, high):
    """Both ends agree with the hand-computed ones, and the ends of the scale are exact."""
    assert wilson(hits, total, z=1.96) == pytest.approx((low, high), abs=1e-4)


def test_wilson_of_nothing_knows_nothing():
    """No trials leave everything possible; more hits than trials are a mistake of ours."""
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no proportion"):
        wilson(3, 2)


def test_a_zero_carries_three_over_n():
    """A zero is shown with what it leaves possible; other figures are not."""
    assert rule_of_three(300) == 0.01
    assert rule_of_three(2) == rule_of_three(0) == 1.0
    assert str(Proportion(0, 300)) == "0.0% (0 of 300; 0.0% to 1.3%; 3/n 1.0%)"
    assert "3/n" not in str(Proportion(1, 300))
    assert str(Proportion(0, 0)) == "- (0 of 0)"


def test_brier_is_the_mean_square():
    """(0.9 - 1)² = 0.01, (0.8 - 0)² = 0.64, (1 - 1)² = 0: the mean is 0.65 / 3."""
    assert brier([(0.9, True), (0.8, False), (1.0, True)]) == pytest.approx(0.65 / 3)
    assert brier([]) is None


def test_ancestors_of_a_dotted_node():
    """A node counts with everything above it, and no signature with nothing."""
    assert ancestors("tls.reset.sni") == {"tls", "tls.reset", "tls.reset.sni"}
    assert ancestors("") == frozenset()


def test_hierarchical_precision_and_recall():
    """Said tls.reset.sni for tls.timeout.sni shares one of three nodes; tls.reset for tls.reset.sni two of two and three."""
    found = hierarchical([("tls.reset.sni", "tls.timeout.sni"), ("tls.reset", "tls.reset.sni")])
    assert found == Hierarchical(common=3, said=5, true=6)
    assert found.precision == pytest.approx(0.6)
    assert found.recall == pytest.approx(0.5)
    nothing = hierarchical([("", "dns.nxdomain")])
    assert (nothing.precision, nothing.recall) == (None, 0.0)


def test_reliability_puts_each_call_in_one_bin():
    """Edges belong to the bin above, 1 to the last; a bin's confidence is the mean of what is in it."""
    calls = [(0.8, True), (0.85, False), (0.9, True), (1.0, True)]
    bins = reliability(calls)
    assert [(b.low, b.right.hits, b.right.total) for b in bins] == [(0.8, 1, 2), (0.9, 1, 1), (0.99, 1, 1)]
    assert bins[0].confidence == pytest.approx(0.825)
    assert sum(b.right.total for b in bins) == len(calls)


def test_quantile_is_a_value_that_was_seen():
    """The nearest rank: half of four values do not exceed the second."""
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile([1, 2, 3], 0.9) == 3
    assert math.isclose(quantile([7.5], 0.5), 7.5)
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
