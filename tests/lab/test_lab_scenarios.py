"""Every scenario does what it says, seen with curl, dig and openssl. The probe is not run."""

from __future__ import annotations

import pytest

from tests.lab.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario_proves_itself(scenario: Scenario):
    """The network does what the row says, before anybody is judged by it."""
    with scenario.lab() as lab:
        for proof in scenario.proofs:
            proof(lab)


def test_rows_are_consistent():
    """Names are unique, and no row allows both a block and its absence."""
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        assert {words.status == "blocked" for words in scenario.acceptable} == {scenario.is_block}
