"""Protocols at a control's echo: what counts for which word, and what never makes one."""

from dataclasses import replace
from typing import Any

import pytest

from probe.observations import AppFact
from probe.verdict import sentences
from tests.unit.facts import REFUSED, RESET, TIMEOUT, Facts
from tests.unit.verdict_scenarios_protocols import (
    BEYOND,
    arm,
    at_echo,
    behind_a_proxy,
    compared,
    lost_half,
    server,
    silent_echo,
    way,
)


def told(facts):
    """Code → (weight, sentence) of what is said of protocols, for or against."""
    verdict = facts.verdict()
    found = [f for f in (*verdict.findings, *verdict.against) if f.code.startswith("protocol_")]
    return {f.code: (f.weight, sentences.clause(f, "en")) for f in found}


def test_a_block_is_told_with_its_counts_and_where_it_stops():
    """Six of the one, six of the other between; at once, or after how many packets."""
    found = told(compared())
    assert set(found) == {"protocol_flip", "protocol_stopped", "protocol_echo_answers"}
    assert "Helsinki" in found["protocol_flip"][1]
    assert "OpenVPN's protocol was stopped every time (6 times, from the first packet on)" in found["protocol_flip"][1]
    assert "came back 6 times" in found["protocol_flip"][1]
    assert "after 9 to 9 packets" in told(compared(after=9))["protocol_flip"][1]
    verdict = compared().verdict()
    assert (verdict.basis, verdict.where, (verdict.confidence or 0) > 0.9) == ("contrast", "access", True)
    assert (
        "gets to router 3 on the way and never to router 4, both of them your provider's" in found["protocol_flip"][1]
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("hops", "code"),
    [
        ((), "near"),
        ((None, None), "near"),
        (("gateway", "ours-", "other-"), "near"),
        (("private", "private", "ours-", "other-"), "near"),
        (("unknown", "ours-", "other-"), "unplaced"),
        (("ours", "unknown-", "other-"), "unplaced"),
        (("ours", "other-"), "unplaced"),
        (("ours", "ours", "other", "other-"), "unplaced"),
        (("ours", "ours", "other", "other"), "unplaced"),
        (("ours", "ours-"), "unplaced"),
        (("ours", "ours-", "unknown-"), "unplaced"),
        (("ours", None, "other-"), "unplaced"),
        (("ours", "ours-", "other"), "unplaced"),
        (("ours", "ours~", "ours-", "other-"), ""),
        (("ours", "ours-", "ours~", "other-"), "unplaced"),
        (("ours", "ours-", "other~"), "unplaced"),
        (("ours~", "ours-", "other-"), "unplaced"),
        (("ours-", "ours", "other-"), "unplaced"),
        (("shared", "ours-", "other-"), ""),
        (("ours", "ours-", "other-"), ""),
        (("private", None, "ours", None, "ours-", None, "other-"), ""),
        (("private-", "ours", "ours-", "other-"), ""),
    ],
)
def test_only_what_stops_between_two_of_the_providers_routers_is_proof(hops, code, transport):
    """The last that hears the protocol and the next that does not are the provider's, and another network's comes behind them."""
    facts = compared(hops, transport=transport)
    assert facts.verdict().status == ("inconclusive" if code else "blocked")
    flips = {found for found in told(facts) if found.startswith("protocol_flip")}
    assert flips == {f"protocol_flip_{code}" if code else "protocol_flip"}


@pytest.mark.parametrize("times", [1, 2])
def test_a_router_is_asked_three_times(times):
    """A silence may be an accident; so may be a word, where somebody counts such packets."""
    facts = way(at_echo(Facts("protocol://openvpn").context().healthy()), *BEYOND, times=times)
    assert "protocol_flip" not in told(facts.healthy("after", 1))


def test_only_a_ttl_that_ran_out_says_that_it_got_there():
    """A router that says no is not past; neither is one that says nothing in particular."""
    sayings: tuple[dict[str, Any], ...] = ({"icmp_type": 3, "icmp_code": 13}, {"icmp_type": None, "icmp_code": None})
    for said in sayings:
        facts = compared(("ours", "ours-", "other-"))
        facts.observations[:] = [
            replace(o, operation=replace(o.operation, fact=replace(o.fact, **said)))
            if isinstance(o.fact, AppFact) and o.arm == "target" and o.fact.icmp_type == 11
            else o
            for o in facts.observations
        ]
        assert "protocol_flip_near" in told(facts)


def test_who_says_no_on_connections_may_be_at_home():
    """There his word and a TTL that ran out look alike."""
    facts = compared(transport="tcp", target="host_unreachable")
    assert facts.verdict().status == "inconclusive"
    assert compared(target="host_unreachable").verdict().status == "blocked"


@pytest.mark.parametrize("rounds", [2, 3, 4, 5])
def test_too_few_turns_are_a_hint(rounds):
    """Said, with its counts, and not blocked."""
    facts = compared(rounds=rounds)
    assert facts.verdict().status == "inconclusive"
    weight, sentence = told(facts)["protocol_flip_short"]
    assert weight < 1
    assert f"{rounds} times" in sentence
    assert "protocol_flip" not in told(facts)


def test_what_would_settle_it_is_about_the_echo():
    """Its ports where nothing comes back, or nothing was sent; another line where something is stopped."""
    for nothing in (silent_echo(), Facts("protocol://openvpn").context().healthy()):
        assert nothing.verdict().status == "inconclusive"
        assert nothing.verdict().settle == ("echo_port",)
    assert compared((None,)).verdict().settle == ("other_line",)
    assert "another_vantage" in server(target=None, rounds=1).verdict().settle


@pytest.mark.parametrize("hops", [BEYOND, ("ours", "ours"), ()])
def test_a_screen_shows_the_whole_of_it(hops):
    """300 characters of a sentence are shown, whatever the longest of these protocols and an ordinary place are called."""
    for facts in (compared(hops, after=9), compared(hops)):
        facts.observations[:] = [
            replace(o, group="control:Frankfurt am Main") if o.group == "control:Helsinki" else o
            for o in facts.observations
        ]
        found = [text for code, (_, text) in told(facts).items() if code.startswith("protocol_flip")]
        assert [len(text) <= 300 for text in found] == [True], found


def test_one_failure_is_nothing():
    """Not even a hint."""
    assert set(told(compared(rounds=1))) == {"protocol_stopped", "protocol_echo_answers"}


def test_a_random_flow_that_stops_takes_the_proof_away():
    """Where both are lost it is the line."""
    found = told(lost_half())
    assert "protocol_flip" not in found
    assert "protocol_flip_short" in found


@pytest.mark.parametrize("ever", [(0,), (1,), (2,), (3,), (4,), (5,), (1, 4)])
def test_any_flow_that_lives_withdraws_the_block(ever):
    """Wherever in the turns it was: what passes now and then is not blocked, and the hint stays."""
    facts = compared(ever=ever)
    verdict = facts.verdict()
    assert verdict.status == "accessible"
    assert not {"protocol_flip", "protocol_flip_short", "protocol_stopped"} & set(told(facts))
    assert "protocol_lives" in told(facts)


def test_uneven_is_told_only_where_it_is_hardly_chance():
    """Five of six of the one and none of seven of the other; not one of six."""
    weight, sentence = told(compared(ever=(5,)))["protocol_uneven"]
    assert weight < 1
    assert "stopped 5 times and passed once" in sentence
    assert "protocol_uneven" not in told(compared(ever=(0, 1, 2, 3, 4)))


def test_silence_of_everything_says_nothing_of_a_protocol():
    """No leaning to a block, and it says why."""
    verdict = silent_echo().verdict()
    assert (verdict.status, verdict.method) == ("inconclusive", None)
    assert set(told(silent_echo())) == {"protocol_echo_silent"}
    assert "nothing came back from Helsinki" in told(silent_echo())["protocol_echo_silent"][1]


@pytest.mark.parametrize("failure", [TIMEOUT, REFUSED, RESET])
def test_what_fails_alike_is_no_block(failure):
    """However it fails."""
    assert compared(target=failure, innocuous=failure).verdict().status == "inconclusive"


def test_who_takes_every_connection_may_end_them_himself():
    """Over TCP; over UDP nobody can."""
    assert behind_a_proxy().verdict().status == "inconclusive"
    facts = compared()
    facts.tcp("192.0.2.1", name="192.0.2.1", **facts.own("transparent/192.0.2.1", "after", 2))
    assert facts.verdict().status == "blocked"


def test_a_named_server_that_answers_after_all_is_no_block():
    """A retry that is answered as the protocol has it withdraws it, whatever the echo shows."""
    facts = server()
    assert facts.verdict().status == "blocked"
    facts.app(protocol="openvpn", transport="udp", port=1194, purpose="retry", group="retry/1", round=1)
    assert facts.verdict().status != "blocked"


def test_that_other_datagrams_pass_takes_nothing_away():
    """What strangers answer in another protocol, to see whether anything passes, says nothing of this one."""
    facts = server()
    facts.app("74.125.250.129", protocol="stun", transport="udp", port=19302, purpose="udp_here", group="here/x")
    assert facts.verdict().status == "blocked"


def test_a_protocol_that_passes_elsewhere_speaks_against_a_block():
    """The server that was named is silent, and its protocol is not stopped."""
    found = told(server(target=None, rounds=1))
    assert set(found) == {"protocol_passed"}
    assert found["protocol_passed"][0] < 0
    assert "passes" in found["protocol_passed"][1]


def test_two_controls_that_disagree_prove_nothing():
    """Where one echo gets the protocol, it is not blocked by its shape."""
    facts = compared()
    assert facts.verdict().status == "blocked"
    place: dict[str, Any] = {"purpose": "protocol_pair", "group": "control:Prague", "port": 10007}
    for which in ("innocuous", "target"):
        other = Facts("protocol://openvpn")
        arm(other, which, 0, None)
        fact = other.observations[-1].fact
        facts.add(fact, name=facts.host, arm=which, round=0, **place)
    assert facts.verdict().status == "accessible"


def test_what_a_healthy_own_side_does_not_show_is_not_needed():
    """A completed comparison proves the path by itself: a trouble of the own side excuses it not."""
    facts = way(at_echo(Facts("protocol://openvpn").context().dead()), *BEYOND).dead(group="after", round=1)
    assert (facts.verdict().status, facts.verdict().gates) == ("blocked", ("own_side_is_scoped",))
