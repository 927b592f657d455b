"""The true place is found by an ordinary program on the probe's machine, without any capability."""

from __future__ import annotations

import pytest

from tests.lab.locating import sweep
from tests.lab.scenarios_located import SCENARIOS

_TRIES = 3
"""A machine that is too busy for the routers to speak in time is no fault of what hears them."""
_ROWS = ("located_reset_beside_the_way", "located_silent_routers_around", "located_blackhole_in_transit")


@pytest.mark.parametrize("name", _ROWS)
def test_the_true_interval_is_found(name: str) -> None:
    """What drops, breaks off beside the way, or takes an address away is between the hops that it is between."""
    row = next(row for row in SCENARIOS if row.name == name)
    trials = []
    for _ in range(_TRIES):
        trials.append(sweep(row, 1, scale=2.0))
        if trials[-1].is_right:
            break
    assert trials[-1].is_right, trials
