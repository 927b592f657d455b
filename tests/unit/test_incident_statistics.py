"""The incident machine on synthetic streams, and on a healthy line: the bench's figures, in small."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.bench import healthy_line
from tests.bench.healthy_line import Weathers, live, newest_lab, weathers
from tests.bench.incident_streams import RULES, false_alarms, onset, recovery

SEED = 3


@pytest.mark.parametrize("rule", RULES)
def test_stray_failures_are_no_incident(rule):
    """A hundred endpoints, read for a month, of whose readings one in three hundred is a stray failure."""
    assert false_alarms(rule, 0.003, streams=100, days=30, seed=SEED).alarms == 0


def test_stray_failures_do_make_an_incident_where_they_are_no_longer_stray():
    """The harness can count: where a third of the readings fails there are alarms."""
    assert false_alarms("both", 0.3, streams=5, days=10, seed=SEED).alarms > 0


def test_what_fails_always_is_told_in_time_and_its_end_too():
    """Declared within 12.5 minutes at a round of ten, recovered within ten minutes; and the intervals hold the truth."""
    began = onset("both", 1.0, streams=100, seed=SEED)
    ended = recovery("both", 1.0, streams=100, seed=SEED)
    assert (began.missed, ended.missed) == (0, 0)
    assert began.worst <= 12.5
    assert ended.worst <= 10
    assert (began.covered, ended.covered) == (1.0, 1.0)


def test_the_change_point_sees_sooner_what_fails_now_and_then():
    """Of what fails every third time: 95 % are told sooner by the sum than by three of four."""
    by_sum = onset("change point", 0.3, streams=80, seed=SEED)
    by_count = onset("3 of 4", 0.3, streams=80, seed=SEED)
    assert by_sum.most_of < by_count.most_of
    assert by_sum.covered > 0.7


def test_what_fails_always_is_told_sooner_by_three_of_four():
    """The burst settles it in the first round; the sum wants one failure more."""
    assert onset("3 of 4", 1.0, streams=50, seed=SEED).median < onset("change point", 1.0, streams=50, seed=SEED).median


def test_a_healthy_but_noisy_day_has_no_incident(tmp_path):
    """Through the daemon's jobs, scheduler, machine and archive, with verdicts as the lab has them."""
    line = live(tmp_path, 0.5, seed=SEED)
    assert line.told == []
    assert sum(line.words.values()) > 500
    assert line.words["inconclusive"] > 0
    assert line.own["ok"] > 300


def test_an_unhealthy_day_has_some(tmp_path):
    """The same harness over a weather in which everything is blocked: it can see."""
    blocked = Weathers("made up", ((("blocked", "tls", 0.97),),), ((("blocked", "tls", 0.97),),))
    line = live(tmp_path, 0.05, seed=SEED, table=blocked)
    assert "opened" in {event.kind for event in line.told}


def test_weathers_are_scenarios_in_which_all_is_well(tmp_path):
    """Whatever may be called blocked, refused or down by the truth is no healthy weather."""
    path = tmp_path / "x-lab.jsonl.gz"
    rows = [
        ("calm", ["accessible"], "accessible"),
        ("noisy", ["accessible", "inconclusive"], "inconclusive"),
        ("blocked", ["blocked.tls"], "blocked"),
        ("partly", ["accessible", "blocked"], "accessible"),
        ("down", ["outage"], "outage"),
        ("cut", ["accessible", "no_network"], "no_network"),
    ]
    with gzip.open(path, "wt") as file:
        for scenario, acceptable, said in rows:
            row = {
                "scenario": scenario,
                "acceptable": acceptable,
                "said": {"dalel": {"status": said, "confidence": 0.9}},
            }
            file.write(json.dumps(row) + "\n")
    table = weathers(path)
    assert table.calm == ((("accessible", None, 0.9),),)
    assert table.noisy == ((("inconclusive", None, 0.9),),)
    shipped = weathers(newest_lab())
    assert len(shipped.calm) > 50
    assert len(shipped.noisy) > 5
    assert Path(healthy_line.LAB).is_dir()
