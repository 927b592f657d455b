"""The installed command with its default settings, in sealed networks where the truth is known.

Only ``SSL_CERT_FILE`` is set. Each scenario first proves itself with other programs; what the command then says must be in
the row's acceptable set, and ``blocked`` must appear nowhere that is not a block.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lab.lab import Lab
from tests.lab.scenarios import SCENARIOS, Scenario

LONGEST_S = 90
"""Far more than any of it should take: times belong in reports, a hang belongs in a test."""


def lab_of(name: str) -> Lab:
    return next(scenario for scenario in SCENARIOS if scenario.name == name).lab()


def check(lab: Lab, scenario: Scenario) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON document of ``dalel check`` in this scenario."""
    done = lab.dalel("check", *scenario.asked, "--format", "json", "--no-save", "-q", timeout=LONGEST_S)
    if not done.stdout.startswith("{"):
        pytest.fail(f"exit {done.returncode} after {done.seconds:.1f} s\n{done.stderr[-4000:]}", pytrace=False)
    return done.returncode, json.loads(done.stdout)


def brief(result: dict[str, Any]) -> str:
    """One result with the evidence that decided it, for an assertion's message."""
    evidence = ", ".join(f"{finding['code']} {finding['weight']:+}" for finding in result["evidence"])
    against = ", ".join(f"{finding['code']} {finding['weight']:+}" for finding in result.get("against", ()))
    words = [result.get(key) for key in ("url", "status", "method", "signature", "confidence", "leaning", "gates")]
    return f"{words} for: {evidence or '-'}; against: {against or '-'}"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_says_what_is_true(scenario: Scenario):
    """Status, method and signature are acceptable, the own side is judged rightly, and the exit code follows."""
    with scenario.lab() as lab:
        scenario.prove(lab)
        code, document = check(lab, scenario)
    network, results = document["network"], document["results"]
    wrong = [brief(result) for result in results if not scenario.is_right(result)]
    seen = f"{scenario.tells}\nnetwork: {brief(network)}\n{len(wrong)} of {len(results)} wrong:\n" + "\n".join(
        wrong[:10]
    )
    if wrong or not scenario.network_is_right(network):
        pytest.fail(seen, pytrace=False)
    assert code in scenario.exit_codes
    assert results
    if not scenario.is_block:
        assert "blocked" not in {platform["status"] for platform in document["platforms"]}


def test_whole_catalogue_is_accessible():
    """On a healthy path every endpoint of the default list is accessible, and nothing is suspected of anything."""
    with lab_of("healthy") as lab:
        done = lab.dalel("check", "--format", "json", "--no-save", "-q", timeout=LONGEST_S)
    document = json.loads(done.stdout)
    assert not [brief(result) for result in document["results"] if result["status"] != "accessible"]
    assert {platform["status"] for platform in document["platforms"]} == {"accessible"}
    assert done.returncode == 0
    purposes = {observation["purpose"] for result in document["results"] for observation in result["observations"]}
    assert purposes == {"baseline"}
