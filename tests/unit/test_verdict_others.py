"""Unrelated names that are stopped as the one in question is: no block of this one, and not to be seen where there is none."""

import pytest

from tests.unit.facts import NEUTRALS, RESET, TIMEOUT, Facts
from tests.unit.verdict_scenarios_handshakes import early_reset, sni_block
from tests.unit.verdict_scenarios_tariffs import others, used_up


def test_a_used_up_tariff_is_no_block_of_this_name() -> None:
    verdict = used_up().verdict()
    assert verdict.status == "inconclusive"
    assert "others_stopped_too" in verdict.gates
    assert "paid_line" in verdict.settle


def canary_reset(name: str) -> Facts:
    """One name at a neutral place, and a site abroad that is broken off by its own name."""
    facts = others(early_reset(), 0, "www.kelmora.org")
    return facts.tls(NEUTRALS[2], sni=name, failure=RESET, **facts.own(f"foreign/{name}", "after", 1))


def test_names_of_canaries_count_as_well() -> None:
    assert canary_reset("www.kernel.org").verdict().status == "inconclusive"


def test_a_canary_that_passed_in_the_run_does_not_count() -> None:
    """It did so in the round before."""
    assert canary_reset("www.gnu.org").verdict().status == "blocked"


@pytest.mark.parametrize(
    "story",
    [
        # One place alone: its server may know some names and refuse others.
        lambda: others(early_reset(), 0, "www.kelmora.org", "www.moma.org"),
        # Broken off in another way: a line that loses packets.
        lambda: others(others(early_reset(), 0, "www.kelmora.org", how=TIMEOUT), 1, "www.moma.org", how=TIMEOUT),
        # Servers that break off every name but their own.
        lambda: others(others(early_reset(), 0, "www.kew.org", passes=False), 1, "www.moma.org", passes=False),
        # A block of this name, and every other one passes.
        sni_block,
    ],
)
def test_a_block_of_this_name_stays_one(story: object) -> None:
    facts = story()  # type: ignore[operator]
    assert isinstance(facts, Facts)
    verdict = facts.verdict()
    assert verdict.status == "blocked"
    assert "others_stopped_too" not in verdict.gates
