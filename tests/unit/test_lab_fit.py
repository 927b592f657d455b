"""Weights fitted on made-up trials, and trials that are kept and read again."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from probe.verdict import evidence
from tests.lab.baselines import Said
from tests.lab.fit import fit, half, table_with
from tests.lab.scenarios import Words
from tests.lab.score import OURS, Unit
from tests.lab.table import ALL
from tests.lab.trials import Kept, Trial

ROW = next(row for row in ALL if row.name == "sni_reset")
FLIP = {"code": "neutral_flip", "weight": 2.0, "for": "blocked", "text": "…", "against": False}


def unit(scenario: str, truth: str, *codes: str, url: str = "https://site.example/", weight: float = 1.0) -> Unit:
    found = tuple({**FLIP, "code": code, "weight": weight} for code in codes)
    said = {OURS: Said("inconclusive")}
    return Unit(
        scenario=scenario, family="f", seed=1, url=url, acceptable=(Words(truth),), said=said, evidence=found
    )  # fmt: skip


def test_a_weight_is_a_ratio_of_shares_of_scenarios():
    """Nine of nine blocks against one of nineteen others: log10 of (9.5 / 10) / (1.5 / 20)."""
    blocks = [unit(f"b{n}", "blocked", "own_flip") for n in range(9)]
    others = [unit(f"o{n}", "outage", *(["own_flip"] if n == 0 else [])) for n in range(19)]
    fitted = fit([*blocks, *others])["own_flip"]
    assert fitted.weight == pytest.approx(math.log10((9.5 / 10) / (1.5 / 20)))


def test_a_scenario_with_many_endpoints_weighs_as_much_as_one():
    """A hundred endpoints of one scenario are one piece of news."""
    many = [unit("whole_list", "outage", "own_flip", url=f"https://{n}.example/") for n in range(100)]
    fitted = fit([*many, *(unit(f"b{n}", "blocked", "own_flip") for n in range(4))])["own_flip"]
    assert fitted.other_hits == pytest.approx(1)
    assert fitted.other_total == pytest.approx(1)


def test_what_was_set_aside_or_cannot_be_known_teaches_nothing():
    """A finding of weight 0 was set aside by a gate; a row whose truth is unknown has no truth to learn from."""
    units = [unit(f"b{n}", "blocked", "own_flip", weight=0) for n in range(5)]
    units += [unit(f"i{n}", "inconclusive", "own_flip") for n in range(5)]
    fitted = fit(units)["own_flip"]
    assert (fitted.true_hits, fitted.other_total) == (0, 0)
    assert fitted.weight == evidence.TABLE["own_flip"].weight


def test_a_finding_that_was_never_wrong_stays_within_the_cap():
    """A thousand scenarios without one mistake are no proof of more than a hundredfold."""
    units = [unit(f"b{n}", "blocked", "own_flip") for n in range(1000)] + [unit(f"o{n}", "outage") for n in range(1000)]
    assert fit(units)["own_flip"].weight == 2.0


def test_the_table_is_itself_again_afterwards():
    """Other weights hold inside the block only."""
    before = evidence.TABLE["own_flip"].weight
    with table_with({"own_flip": 1.25}):
        assert evidence.TABLE["own_flip"].weight == 1.25
    assert evidence.TABLE["own_flip"].weight == before


def test_halves_are_about_equal():
    """Neither half of the scenarios is much larger than the other."""
    ones = sum(half(row.name) for row in ALL)
    assert 0.4 < ones / len(ALL) < 0.6


def test_a_kept_trial_is_read_as_it_was(tmp_path):
    """All but the observations; and the truth beside it is the row's of today."""
    document = {
        "network": {"status": "ok", "method": None, "observations": [{"kind": "dns"}]},
        "platforms": [{"status": "blocked"}],
        "results": [{"observations": [{"kind": "bug", "fact": {"experiment": "retry", "error": "oops"}}]}],
    }
    one = replace(
        unit(ROW.name, "outage", url=ROW.check[0]), said={OURS: Said("blocked", "tls", 0.9, "", "tls.reset.sni")}
    )
    kept = Kept(tmp_path / "trials")
    kept.save(Trial(scenario=ROW, seed=1, code=1, document=document, units=(one,), seconds=2.5))
    trial = kept.load(ROW, 1)
    assert trial is not None
    assert trial.units == (replace(one, acceptable=ROW.acceptable),)
    assert trial.complaints == ("a bug of ours: retry: oops",)
    assert (trial.code, trial.seconds, kept.seeds_of(ROW.name)) == (1, 2.5, [1])


def test_a_trial_that_did_not_run_is_run_again(tmp_path):
    """An error is kept for the eyes only."""
    kept = Kept(tmp_path)
    kept.save(Trial(scenario=ROW, seed=4, error="LabError: no room"))
    assert kept.load(ROW, 4) is None
    assert kept.load(ROW, 5) is None
