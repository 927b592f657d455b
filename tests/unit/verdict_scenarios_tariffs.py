"""Stories of a line that goes by a list: some unrelated names pass, and all others are broken off as the target's is."""

from __future__ import annotations

from tests.unit.facts import NEUTRALS, RESET, Facts
from tests.unit.verdict_scenarios_handshakes import early_reset

FREE = "www.lego.com"


def others(facts: Facts, where: int, *failed: str, how: str = RESET, rounds: int = 2, passes: bool = True) -> Facts:
    """One neutral place: a free name passes first, then the target's and the names that *failed* take turns."""
    place = {"purpose": "neutral_pair", "group": f"neutral/{where + 1}", "round": 0}
    address = NEUTRALS[where]
    facts.tls(address, sni=FREE, verify=False, failure=None if passes else how, arm="innocuous", **place)  # type: ignore[arg-type]
    for number in range(rounds):
        facts.arm("neutral_pair", f"neutral/{where + 1}", address, "target", RESET, number)
        for name in failed[number : number + 1]:
            place["round"] = number + 1
            facts.tls(address, sni=name, verify=False, failure=how, arm="innocuous", **place)  # type: ignore[arg-type]
    return facts


def used_up() -> Facts:
    """A tariff is used up: what is not free is broken off on the way, too early for any server."""
    facts = others(early_reset(), 0, "www.kelmora.org", "www.moma.org")
    return others(facts, 1, "www.badokem.com", "www.kew.org")
