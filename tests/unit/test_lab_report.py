"""What the lab's report says of a handful of made-up trials."""

from __future__ import annotations

import json

from tests.lab import report
from tests.lab.baselines import BASELINES, Said
from tests.lab.report import Result
from tests.lab.scenarios import Scenario, Words
from tests.lab.score import OURS, Unit
from tests.lab.trials import Trial

URL = "https://site.example/"
FINDING = {
    "code": "neutral_flip",
    "weight": 2.0,
    "for": "blocked",
    "text": "Only this name fails there.",
    "against": False,
}


def scenario(name, *acceptable, **more):
    return Scenario(name=name, tells=f"what {name} is", acceptable=acceptable, exit_codes=(0, 1), proofs=(), **more)


def trial(row, *words, code=1, network="ok", error="", bug=""):
    """One trial of one endpoint; our call in words, the others' always ``accessible``."""
    if error:
        return Trial(scenario=row, seed=1, error=error)
    said = {OURS: Said(words[0], "".join(words[1:]) or None, 0.9), **{name: Said("accessible") for name in BASELINES}}
    unit = Unit(
        scenario=row.name, family="f", seed=1, url=URL, acceptable=row.acceptable, said=said, seconds=1.5, bytes=4000,
        evidence=(FINDING,),
    )  # fmt: skip
    facts = [{"kind": "bug", "fact": {"experiment": "retry", "error": bug}}] if bug else []
    document = {
        "network": {"status": network, "method": None, "observations": facts},
        "platforms": [{"status": words[0]}],
        "results": [],
    }
    return Trial(scenario=row, seed=1, code=code, document=document, units=(unit,))


def result(*trials, **more):
    return Result(trials=trials, not_yet=more.pop("not_yet", ()), seeds=(1,), jobs=1, seconds=60, **more)


OUTAGE = scenario("server_is_dead", Words("outage"), Words("inconclusive"))
BLOCK = scenario("name_is_dropped", Words("blocked", "tls"))


def test_a_wrong_call_is_shown_with_its_evidence():
    """The scenario, what was said and what is right, and every finding in words; false blocked and missed by name."""
    text = report.text(result(trial(OUTAGE, "blocked", "tls"), trial(BLOCK, "inconclusive")))
    assert "False `blocked`: server_is_dead. Missed: name_is_dropped. Otherwise wrong: none." in text
    assert "### server_is_dead, seed 1: what server_is_dead is" in text
    assert f"- **false blocked** {URL}: said blocked tls (0.9000); right: outage, inconclusive" in text
    assert "  - for: `neutral_flip` +2.0 (blocked): Only this name fails there." in text
    assert "- a platform is said to be blocked" in text
    assert "100.0% (1 of 1; 20.7% to 100.0%)" in text


def test_all_is_well():
    """A run without a wrong call says so, and a zero carries what it leaves possible."""
    good = result(trial(OUTAGE, "outage"), trial(BLOCK, "blocked", "tls"))
    text = report.text(good)
    assert "## Wrong\n\nNothing." in text
    assert "0.0% (0 of 1; 0.0% to 79.3%; 3/n 100.0%)" in text
    assert report.is_met(good)
    assert not report.is_met(result())


def test_the_run_is_red_for_each_kind_of_wrong():
    """One wrong call, a wrong word on the own side, a wrong exit code, a scenario that did not prove itself: each is enough."""
    good = trial(BLOCK, "blocked", "tls")
    for bad in (
        trial(OUTAGE, "blocked", "tls"),
        trial(BLOCK, "blocked", "dns"),
        trial(OUTAGE, "outage", network="no_network"),
        trial(OUTAGE, "outage", code=3),
        trial(OUTAGE, "outage", bug="NameError: x"),
        trial(OUTAGE, error="LabError: the scenario does not do what it says"),
    ):
        assert not report.is_met(result(good, bad, partial=True))
        assert bad.scenario.name in report.text(result(good, bad))
    assert report.is_met(result(good, partial=True))


def test_rows_that_wait_for_experiments_are_listed():
    """They are counted by what they need, and in no figure."""
    row = scenario("handshake_over_udp", Words("blocked", "quic"), needs=("quic",))
    text = report.text(result(trial(BLOCK, "blocked", "tls"), not_yet=(row,)))
    assert "## Not yet: quic 1" in text
    assert "- handshake_over_udp (needs quic): what handshake_over_udp is" in text
    assert "0.0% (0 of 1; 0.0% to 79.3%; 3/n 100.0%)" in text


def test_units_are_plain_json():
    """Every unit is one line that a program can read: the call, the truth, what decided it."""
    (unit,) = trial(OUTAGE, "blocked", "tls").units
    row = json.loads(json.dumps(unit.row()))
    assert row["right"] is False
    assert row["said"][OURS] == {"status": "blocked", "method": "tls", "confidence": 0.9}
    assert row["acceptable"] == ["outage", "inconclusive"]
    assert row["evidence"] == [["neutral_flip", 2.0]]


def test_a_row_may_ask_for_findings():
    """A word that is right is not enough where the row says what must be told besides; other endpoints need not have it."""
    row = scenario("name_is_dropped", Words("blocked", "tls"), check=(URL,), finds=("neutral_flip", "neutral_flip"))
    assert trial(row, "blocked", "tls").is_right
    other = scenario("name_is_dropped", Words("blocked", "tls"), check=(URL,), finds=("residual_memory",))
    assert trial(other, "blocked", "tls").complaints == (f"{URL}: nothing is told of residual_memory",)
    elsewhere = scenario("x", Words("blocked", "tls"), check=("https://other.example/",), finds=("residual_memory",))
    assert trial(elsewhere, "blocked", "tls").is_right
