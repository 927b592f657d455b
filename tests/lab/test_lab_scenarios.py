"""The table of scenarios holds together, and its proofs can fail. The probe is not run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from probe.verdict.model import METHODS, STATUSES
from tests.lab.namespaces import LabError
from tests.lab.net import REPOSITORY
from tests.lab.scenarios import Scenario
from tests.lab.table import ALL, SLICE
from tests.lab.test_lab_slice import lab_of

TROUBLED = tuple(scenario for scenario in SLICE if scenario.name != "healthy")


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


def test_names_are_unique():
    """A scenario is asked for by its name."""
    names = [scenario.name for scenario in ALL]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_row_is_consistent(scenario: Scenario):
    """``blocked`` is acceptable only where it is the truth, and then with its method; every row can be proven."""
    statuses = [words.status for words in scenario.acceptable]
    assert set(statuses) <= set(STATUSES)
    assert scenario.proofs
    assert scenario.exit_codes
    if "blocked" in statuses:
        assert statuses[0] == "blocked"
        assert not scenario.is_own_side
    for words in scenario.acceptable:
        assert words.method is None or words.method in METHODS[words.status]  # type: ignore[index]
        if words.status == "blocked":
            assert words.method
            besides = {"mitm": "tls", "protocol": "app"}
            roots = {words.method, besides.get(words.method, words.method)}
            assert (words.signature or words.method).split(".")[0] in roots


def test_a_seed_is_the_same_every_time_and_another_is_not():
    """What is drawn depends on the row and the seed alone; seed 1 is the row as written."""
    first, second = (repr([row.uncensored(seed)[0].addresses() for row in ALL[:3]]) for seed in (1, 2))
    assert first != second
    assert repr([row.uncensored(2)[0].addresses() for row in ALL[:3]]) == second
    assert all(row.drawn(1) is row for row in ALL)
    for row in ALL:
        assert row.drawn(3).check == row.drawn(3).check
        assert row.drawn(3).name == row.name


def test_servers_run_inside_a_user_namespace():
    """In ``unshare -Urnm`` real nginx and unbound serve the same world, and the proofs hold."""
    program = (
        "from tests.lab.scenarios import SCENARIOS\n"
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
