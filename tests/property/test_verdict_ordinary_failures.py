"""Ordinary failures, whatever the name: the judge does not call them blocking."""

from __future__ import annotations

from collections import Counter

from tests.mutants.ordinary_failures import RATES, verdicts

SETS = 5_000
"""The 100,000 of the report take minutes; these take seconds and would show an error of 1 in 1,000 almost surely."""


def test_ordinary_failures_are_not_blocked() -> None:
    """1, 10, 25 and 50 % of flows die, half of the time the server too: ``blocked`` at most once in 5,000 sets."""
    counted = Counter((kind, verdict.status) for kind, verdict in verdicts(SETS, seed=11))
    assert sum(count for (_, word), count in counted.items() if word == "blocked") <= 1
    assert {kind[0] for kind, _ in counted} == set(RATES)
    # The judge is not silent by being blind: at 1 % nearly everything is still called accessible.
    assert counted[((0.01, False), "accessible")] > 0.95 * SETS / 8
