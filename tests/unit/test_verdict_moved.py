"""A host that changes its network in the middle of a run: what it met is of two networks, and no block of either."""

from dataclasses import replace
from typing import Any

import pytest

from probe.verdict import word_gates
from tests.unit.facts import PROVIDER, Facts
from tests.unit.verdict_scenarios_handshakes import sni_block
from tests.unit.verdict_scenarios_throttling import policed


def between(facts: Facts, before: dict[str, Any], after: dict[str, Any]) -> Facts:
    """The host says *before* of itself at first, and *after* in the end."""
    return facts.machine("before", 0, **before).machine("after", 1, **after)


HOME: dict[str, Any] = {"nameservers": (), "nameservers_private": True}
MOBILE: dict[str, Any] = {"nameservers": (PROVIDER,), "nameservers_private": False}
MOVES = [
    ("a VPN is switched on", {}, {"tunnels": ("wg",)}),
    ("a VPN is switched off", {"tunnels": ("wg",)}, {}),
    ("Wi-Fi gives way to a mobile line", HOME, MOBILE),
    ("another provider", {"nameservers": ("92.46.1.1",)}, {"nameservers": ("95.56.1.1",)}),
]
STAYS = [
    ("a VPN all the while", {"tunnels": ("wg",)}, {"tunnels": ("wg",)}),
    ("a resolver more", {"nameservers": ("92.46.1.1",)}, {"nameservers": ("92.46.1.1", "92.46.1.2")}),
    ("a moment without any resolver", {}, {"nameservers": (), "nameservers_private": None}),
]


def quiet(story: Facts) -> Facts:
    """The story without what its host says of itself."""
    story.observations = [o for o in story.observations if o.member != "host"]
    return story


@pytest.mark.parametrize("story", [sni_block, policed])
@pytest.mark.parametrize(("before", "after"), [row[1:] for row in MOVES], ids=[row[0] for row in MOVES])
def test_nothing_is_blocked_in_two_networks(
    story: Any, before: dict[str, Any], after: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = between(quiet(story()), before, after)
    verdict = facts.verdict()
    assert verdict.status == "inconclusive"
    assert "host_moved" in verdict.gates
    assert "stay_here" in verdict.settle
    gate = word_gates.WORD_GATES["host_moved"]
    monkeypatch.setitem(word_gates.WORD_GATES, "host_moved", replace(gate, stops=lambda _c, _d: False))
    assert facts.verdict().status == "blocked"


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in STAYS], ids=[row[0] for row in STAYS])
def test_who_stays_may_be_told(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert between(quiet(sni_block()), before, after).verdict().status == "blocked"
