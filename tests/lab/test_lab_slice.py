"""The installed command with its default settings, in sealed networks where the truth is known.

Only ``SSL_CERT_FILE`` is set. Each scenario first proves itself with other programs; what the command then says must be in
the row's acceptable set, and ``blocked`` must appear nowhere that is not a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.lab.lab import Lab
from tests.lab.run import ask, run_one
from tests.lab.scenarios import SCENARIOS, Scenario
from tests.lab.table import SLICE
from tests.lab.trials import Trial

SIDE_BY_SIDE = 3
"""Labs at once: most of a check's time is waiting."""


def lab_of(name: str) -> Lab:
    return next(scenario for scenario in SCENARIOS if scenario.name == name).lab()


@pytest.fixture(scope="module")
def trials(request) -> Iterator[dict[str, Future[Trial]]]:
    """What came of the rows that were asked for, as it comes: they run several at a time, ahead of their tests."""
    wanted = [
        item.callspec.params["row"] for item in request.session.items if item.name.startswith("test_says_what_is_true[")
    ]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {row.name: pool.submit(run_one, row) for row in wanted}
        pool.shutdown(cancel_futures=True)


def brief(result: dict[str, Any]) -> str:
    """One result with the evidence that decided it, for an assertion's message."""
    evidence = ", ".join(f"{finding['code']} {finding['weight']:+}" for finding in result["evidence"])
    against = ", ".join(f"{finding['code']} {finding['weight']:+}" for finding in result.get("against", ()))
    words = [result.get(key) for key in ("url", "status", "method", "signature", "confidence", "leaning", "gates")]
    return f"{words} for: {evidence or '-'}; against: {against or '-'}"


@pytest.mark.parametrize("row", SLICE, ids=lambda row: row.name)
def test_says_what_is_true(trials: dict[str, Future[Trial]], row: Scenario):
    """Status, method and signature are acceptable, the own side is judged rightly, and the exit code follows."""
    trial = trials[row.name].result()
    if trial.error:
        pytest.fail(trial.error, pytrace=False)
    if not trial.is_right:
        network, results = trial.document["network"], trial.document["results"]
        wrong = [brief(result) for result in results if not row.is_right(result)]
        seen = [row.tells, *trial.complaints, f"network: {brief(network)}", f"{len(wrong)} of {len(results)} wrong:"]
        pytest.fail("\n".join([*seen, *wrong[:10]]), pytrace=False)
    assert trial.units


def test_whole_catalogue_is_accessible():
    """On a healthy path every endpoint of the default list is accessible, and nothing is suspected of anything."""
    with lab_of("healthy") as lab:
        done, document = ask(lab)
    assert not [brief(result) for result in document["results"] if result["status"] != "accessible"]
    assert {platform["status"] for platform in document["platforms"]} == {"accessible"}
    assert done.returncode == 0
    purposes = {observation["purpose"] for result in document["results"] for observation in result["observations"]}
    assert purposes == {"baseline"}
