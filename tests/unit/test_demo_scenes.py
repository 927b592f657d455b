"""The demo's programme: what it promises without playing it."""

import ipaddress
from dataclasses import replace

import pytest

from probe.demo.neighbourhood import quiet_neighbourhood, with_http3
from probe.demo.play import chosen, playable
from probe.demo.scene import Accepted, stage
from probe.demo.table import PROGRAMME
from probe.experiments import ech
from probe.verdict import sentences
from probe.verdict.model import METHODS, STATUSES, Verdict
from targets.loader import load_canaries

SCENES = [scene for act in PROGRAMME for scene in act.scenes]


def test_every_status_and_fifteen_signatures_are_promised() -> None:
    """Scenes with a definite promise cover every status of the program, and at least fifteen signatures."""
    promised = [scene.accepted[0] for scene in SCENES]
    assert {accepted.status for accepted in promised} == set(STATUSES)
    assert len({accepted.signatures[0] for accepted in promised if accepted.signatures}) >= 15


def test_promises_use_the_programs_words() -> None:
    """Every accepted method is one that its status has."""
    for scene in SCENES:
        for accepted in scene.accepted:
            assert set(accepted.methods) - {None} <= METHODS[accepted.status]


def test_nothing_real_is_asked_for() -> None:
    """Every scene's name ends in .example, which RFC 2606 keeps for pretence."""
    assert all(scene.host.endswith(".example") for scene in SCENES)


def test_names_choose_scenes_and_acts() -> None:
    """--only takes acts and scenes; an unknown name is an error that names it."""
    (act,) = chosen(PROGRAMME, ["videos"])
    assert [scene.name for scene in act.scenes] == ["videos"]
    assert {a.name for a in chosen(PROGRAMME, ["videos", "unplugged"])} == {"handshakes", "unplugged"}
    assert chosen(PROGRAMME, []) == PROGRAMME
    with pytest.raises(KeyError, match="vdeos"):
        chosen(PROGRAMME, ["vdeos"])


def test_scenes_have_names_of_their_own_within_an_act() -> None:
    """No two scenes of one act have one host, and no act is called like a scene."""
    for act in PROGRAMME:
        assert len({scene.host for scene in act.scenes}) == len(act.scenes)
    assert not {act.name for act in PROGRAMME} & {scene.name for scene in SCENES}


def test_servers_of_a_world_share_no_network() -> None:
    """Each server has a /16 of its own, so that none passes for another's neighbour, and none has a bogus address."""
    for act in PROGRAMME:
        world = stage(act, with_http3(quiet_neighbourhood(load_canaries()), load_canaries()))
        addresses = [server.address for server in world.servers]
        assert len({address.rsplit(".", 2)[0] for address in addresses}) == len(addresses)
        assert all(ipaddress.ip_address(address).is_global for address in addresses)


def test_a_verdict_is_held_against_what_was_written_down() -> None:
    """Status, method, signature and impairments must all fit; what was left open fits anything, but for impairments."""
    verdict = Verdict(endpoint=1, status="blocked", method="tls", signature="tls.reset.sni")
    assert Accepted("blocked").covers(verdict)
    assert Accepted("blocked", ("tls",), ("tls.reset.sni",)).covers(verdict)
    assert not Accepted("outage").covers(verdict)
    assert not Accepted("blocked", ("dns",)).covers(verdict)
    assert not Accepted("blocked", ("tls",), ("tls.timeout.sni",)).covers(verdict)
    impaired = replace(verdict, impairments=("quic_blocked",))
    assert Accepted("blocked", impairments=("quic_blocked",)).covers(impaired)
    assert not Accepted("blocked", impairments=("quic_blocked",)).covers(verdict)
    assert not Accepted("blocked").covers(impaired)


def test_without_aioquic_everything_else_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acts over QUIC are left out where it cannot be spoken, and only those."""
    monkeypatch.setattr("probe.instruments.quic.is_here", lambda: False)
    acts, missing = playable(PROGRAMME)
    assert [act.name for act in missing] == ["quic"]
    assert [act for act in PROGRAMME if act not in acts] == list(missing)
    monkeypatch.setattr("probe.instruments.quic.is_here", lambda: True)
    assert playable(PROGRAMME) == (PROGRAMME, ())


def test_every_impairment_that_is_promised_has_a_sentence() -> None:
    """What a scene expects to be broken beside is something that the program can say."""
    codes = {code for scene in SCENES for accepted in scene.accepted for code in accepted.impairments}
    assert codes == {"quic_blocked", "ech_blocked"}
    assert all(sentences.impairment(code, "en") for code in codes)


def test_the_box_goes_by_the_name_that_the_program_shows() -> None:
    """What the act drops is what the experiment sends."""
    (act,) = (act for act in PROGRAMME if act.only == (ech.NAME,))
    assert [rule.name for rule in act.rules if rule.ech] == [ech.OUTER]
