"""Proofs from the control, and what servers show to it alone. The probe is not run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.lab import control, prove, rules
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.rules import When
from tests.lab.run import Controls
from tests.lab.scenarios import FACEBOOK, FACEBOOK_URL, OTHER, SCENARIOS, Scenario
from tests.lab.table import ALL
from tests.lab.world import World, whole_world

ROWS = {row.name: row for row in SCENARIOS}
LEGAL = "https://www.instagram.com/"


def abroad(world: World) -> World:
    """Facebook's 403 is for one country only, and its zone gives that country another address than the rest."""
    other = "157.240.205.9"
    return dataclasses.replace(world.change(FACEBOOK, status=200), lies={"www.nobelprize.org": other})


@pytest.fixture(scope="module")
def lab():
    """Facebook refuses the probe's country; Instagram is down for everybody; Livejournal resets all greetings abroad only."""
    here = whole_world().change(FACEBOOK, status=403).change("www.instagram.com", status=503)
    world = control.with_elsewhere(here, abroad(here))
    assert world is not None
    its = When(remote=(here.sites["www.livejournal.com"].address + "/32",), side="up")
    with Lab(world, abroad=(rules.Reset(when=its, place="far"),)) as lab:
        yield lab


def test_a_site_answers_by_country_and_a_zone_too(lab):
    """The control sees another page and another address than the probe, from the same servers."""
    prove.page(FACEBOOK_URL, 403)(lab)
    control.from_control(prove.page(FACEBOOK_URL), prove.page(f"http://{FACEBOOK}/", 301))(lab)
    prove.truth("www.nobelprize.org")(lab)
    control.from_control(prove.answers("www.nobelprize.org", "157.240.205.9"))(lab)


def test_control_must_get_a_page(lab):
    """A site that resets it, or says 503, is not there; a bare port must take the connection."""
    control.is_there(FACEBOOK_URL)(lab)
    control.is_there("tcp://149.154.167.51:443")(lab)
    for url in (OTHER, LEGAL, "tcp://192.0.2.1:443"):
        with pytest.raises(LabError, match="does not do what it says: from the control"):
            control.is_there(url)(lab)


def test_both_must_meet_the_same(lab):
    """What is 503 for everybody is alike; what is 403 here and a page there, or a reset there only, is not."""
    control.is_alike(LEGAL)(lab)
    for url in (FACEBOOK_URL, OTHER):
        with pytest.raises(LabError, match=r"here .* from the control"):
            control.is_alike(url)(lab)


@pytest.mark.parametrize("values", [
    {"certificate": "expired"}, {"listening": False}, {"https": "location / { return 418; }"},
])  # fmt: skip
def test_what_one_lab_cannot_show_is_left_to_two(values: dict[str, Any]):
    """Another certificate, a machine that does not listen, whole servers of nginx: a lab of its own for the control."""
    world = whole_world()
    assert control.with_elsewhere(world, world) == world
    assert control.with_elsewhere(world, world.change(FACEBOOK, **values)) is None
    assert control.with_elsewhere(world, dataclasses.replace(world, shift_days=400)) is None


def test_rows_of_one_seed_share_a_world():
    """A seed draws the addresses once: the controls of two blocks are one measurement."""
    one, two = (ROWS[name].drawn(5).uncensored(5)[0].addresses() for name in ("sni_drop", "sni_reset"))
    assert one == two
    assert one != ROWS["sni_drop"].drawn(6).uncensored(6)[0].addresses()


def test_a_control_is_measured_once(monkeypatch):
    """The second row that asks for the same is given what the first one's control saw; it is asked in that row's lab."""
    asked = []

    def ask(lab: Any, *words: str) -> tuple[None, dict[str, Any]]:
        asked.append((lab, words[0]))
        return None, {"results": [{"url": words[0], "observations": [len(asked)]}]}

    class Stub:
        def __init__(self, name: str) -> None:
            self.name = name

        @property
        def net(self) -> Stub:
            return self

        def renew_abroad(self) -> None:
            asked.append(("renewed", self.name))

        def from_control(self) -> str:
            return f"control of {self.name}"

    monkeypatch.setattr("tests.lab.run.ask", ask)
    controls = Controls()
    for name in ("sni_drop", "sni_reset", "server_503"):
        controls.of(ROWS[name], 1, Stub(name))  # type: ignore[arg-type]
    seen = [(("renewed", name), (f"control of {name}", FACEBOOK_URL)) for name in ("sni_drop", "server_503")]
    assert asked == [*seen[0], *seen[1]]


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_every_row_is_proven_from_the_control_or_says_why_not(row: Scenario):
    """A row states proofs or a reason, never both."""
    assert bool(row.proofs_abroad()) != bool(row.unproven_abroad)
    assert row.control is None or not row.unproven_abroad


def test_a_row_may_say_what_the_control_sees():
    """Its own proofs stand in place of the generic ones, and run on the control's machine; with a reason there is none."""
    seen: list[Any] = []

    class Stub:
        def from_control(self) -> str:
            return "the control's lab"

    row = dataclasses.replace(ROWS["server_503"], control=(seen.append,))
    for proof in row.proofs_abroad():
        proof(Stub())  # type: ignore[arg-type]
    assert seen == ["the control's lab"]
    assert dataclasses.replace(ROWS["server_503"], unproven_abroad="why").proofs_abroad() == ()


@pytest.mark.parametrize(("name", "kind"), [
    ("sni_drop", "is_there"), ("captive_portal", "is_there"), ("far_away", "is_there"), ("dns_empty", "is_there"),
    ("server_refuses", "is_alike"), ("path_mtu_hole", "is_alike"), ("server_silent_to_everybody", "is_alike"),
    ("denied_bare", "is_alike"), ("denied_country_page", "is_there"), ("moved_and_off", "is_there"),
])  # fmt: skip
def test_the_truth_and_the_place_tell_what_the_control_sees(name: str, kind: str):
    """A page where the trouble is near the probe or for its country only; the same where it is the site's own."""
    row = next(row for row in ALL if row.name == name)
    assert {proof.__qualname__.partition(".")[0] for proof in row.proofs_abroad()} == {kind}
