"""The table of scenarios holds together, and its proofs can fail. The probe is not run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.scenarios import SCENARIOS, Scenario
from tests.lab.test_lab_slice import lab_of

TROUBLED = tuple(scenario for scenario in SCENARIOS if scenario.name != "healthy")


@pytest.fixture(scope="module")
def healthy():
    """A lab in which nothing is wrong."""
    with lab_of("healthy") as lab:
        yield lab


@pytest.mark.parametrize("scenario", TROUBLED, ids=lambda scenario: scenario.name)
def test_proofs_can_fail(healthy, scenario: Scenario):
    """In a healthy network no other scenario can prove that it is what it says."""
    with pytest.raises(LabError, match="does not do what it says"):
        scenario.prove(healthy)


def test_rows_are_consistent():
    """Names are unique, a block is never acceptable beside its absence, and the own side's rows ask for no block."""
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
    for scenario in SCENARIOS:
        assert {words.status == "blocked" for words in scenario.acceptable} == {scenario.is_block}
        assert not (scenario.is_own_side and scenario.is_block)


def test_servers_run_inside_a_user_namespace():
    """In ``unshare -Urnm`` real nginx and unbound serve the same world, and the proofs hold."""
    program = (
        "from tests.lab.test_lab_slice import SCENARIOS\n"
        "for scenario in SCENARIOS:\n"
        "    if scenario.name in ('healthy', 'captive_portal'):\n"
        "        with scenario.lab() as lab:\n            scenario.prove(lab)\n"
        "            print(scenario.name, 'proved')\n"
    )
    done = subprocess.run(
        ["unshare", "-Urnm", sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.stdout == "healthy proved\ncaptive_portal proved\n", done.stderr
