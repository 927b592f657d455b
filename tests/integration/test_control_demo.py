"""The demo's act with a control: a dead site is an outage, one that is cut off from here leans to a block, and no more."""

from dataclasses import replace

import pytest

from probe.demo import patience
from probe.demo.play import Played, play
from probe.demo.scene import Act
from probe.demo.table import PROGRAMME
from probe.demo.table_abroad import ABROAD


def played(act: Act) -> Played:
    return patience.run(play(act, lambda _event: None))


def test_another_country_tells_dead_from_cut_off():
    """Every verdict is right; the same control told both apart, at the address that is silent here."""
    assert ABROAD in PROGRAMME
    outcome = played(ABROAD)
    assert outcome.right, [(j.scene.name, j.result.verdict) for j in outcome.judged]
    found = {j.scene.name: {f.code for f in j.result.verdict.findings} for j in outcome.judged}
    assert "down_in_two_countries" in found["quarry"]
    assert "control_reaches" in found["meadow"]
    assert not [o for o in outcome.outcome.observations if o.operation.address == "24.1.0.10"]


def test_without_the_control_neither_could_be_told():
    """So the act shows the control's work, and nobody else's: two silences look alike from here."""
    outcome = played(replace(ABROAD, control=False))
    words = [(j.scene.name, j.result.verdict.status, j.right) for j in outcome.judged]
    assert words == [
        ("orchard", "accessible", True),
        ("quarry", "inconclusive", False),
        ("meadow", "inconclusive", False),
    ]


@pytest.mark.parametrize("scene", ABROAD.scenes, ids=lambda scene: scene.name)
def test_abroad_nothing_is_done_on_the_way(scene):
    """Of the site itself only its life is the scene's business there."""
    there = replace(scene, lie=None, hosts=("0.0.0.0",), unreachable=True).abroad()
    assert (there.rule, there.lie, there.hosts, there.unreachable, there.host) == (None, None, (), False, scene.host)
    assert (there.server is not None) is (scene.up_abroad or scene.server is not None)
