"""The control vantage: a host abroad in the same lab, whom neither the probe's line nor the censor touches."""

from __future__ import annotations

import dataclasses

import pytest

from tests.lab import censor, rules
from tests.lab.echo import FAR, ask, start_server
from tests.lab.net import CONTROL, PROBE, WORLD, Net
from tests.lab.packets import TCP, UDP
from tests.lab.rules import When


@pytest.fixture(scope="module")
def net():
    """The world drops the probe's packets at the border; at the far side its first flow is reset, and so is the control's."""
    first = censor.FirstFlows(when=When(protocol=TCP, remote=(f"{FAR}/32",)), flows=1, place="far")
    dropped = rules.Drop(when=When(protocol=UDP, remote=(f"{FAR}/32",)), place="border")
    with Net((PROBE, WORLD, CONTROL), rules=(dropped, first), abroad=(first,)) as net:
        start_server(net)
        yield net


def test_control_is_ten_milliseconds_away_and_nobody_drops_its_packets(net):
    """What the border drops of the probe's, it delivers of the control's, in 10 ms there and back."""
    assert ask(net, "ping(timeout=0.3)") == {"errno": None}
    best = min(reply["seconds"] for reply in ask(net, "[ping() for _ in range(5)]", "control"))
    assert 0.0095 <= best < 0.03


def test_its_way_has_routers_of_its_own(net):
    """A packet of the control's with TTL n meets its own routers first, then those before the servers."""
    hops = [*CONTROL.leg.hops, *reversed(WORLD.leg.hops)]
    found = [ask(net, f"ping(ttl={number})", "control").get("from") for number in range(1, len(hops) + 1)]
    assert found == hops
    assert ask(net, "reply_ttl()", "control") == 64 - len(hops)


def test_rules_at_the_far_side_remember_each_client_by_itself(net):
    """The first flow of each is reset: that the probe's was does not save the control's, nor the other way round."""
    for machine in ("probe", "control"):
        assert ask(net, "[outcome() for _ in range(2)]", machine) == ["ConnectionResetError", "got 10"]
    net.renew_abroad()
    assert ask(net, "[outcome() for _ in range(2)]") == ["got 10", "got 10"]
    assert ask(net, "[outcome() for _ in range(2)]", "control") == ["ConnectionResetError", "got 10"]


def test_the_probes_bad_line_is_not_the_controls():
    """Delay, loss and a narrow MTU on the leg of the servers belong to the probe's way to them."""
    bad = dataclasses.replace(WORLD.leg, delay=0.2, loss=0.4, mtu=1000)
    with Net((PROBE, dataclasses.replace(WORLD, leg=bad), CONTROL)) as net:
        start_server(net)
        assert ask(net, "burst(100)", "control") == 100
        assert ask(net, "ping(size=1400)", "control")["seconds"] < 0.1
        assert ask(net, "burst(100, 1)") < 90


def test_the_probes_tally_does_not_count_the_control(net):
    """What the report says of bytes is of the probe."""
    net.router.clear()
    ask(net, "fetch(1000)", "control")
    assert FAR not in net.router.counters()["remotes"]
