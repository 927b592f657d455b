"""What slows, freezes and closes, packet by packet and without a network."""

from __future__ import annotations

import random

import pytest

from tests.lab import closures, packets, rules, throttle
from tests.lab.packets import ACK, SYN, Packet
from tests.lab.test_lab_packets import CLIENT, SERVER, checksums_hold, hello, segment

META = ("facebook.com",)
FULL = b"x" * 1400


class Clocked:
    """A network and the clock that the rules see."""

    def __init__(self) -> None:
        self.random = random.Random(1)
        self.arrivals: tuple[float, ...] = (0.0,)
        self.now = 100.0
        self.sent: list[Packet] = []

    def emit(self, packet: Packet) -> None:
        self.sent.append(packet)

    def passes(self, rule: rules.Rule, packet: Packet) -> bool:
        self.arrivals = (0.0,)
        return not rule.match(packet) or rule.act(packet, self)


@pytest.fixture
def network(monkeypatch) -> Clocked:
    clocked = Clocked()
    for module in (throttle, closures):
        monkeypatch.setattr(module, "monotonic", lambda: clocked.now)
    return clocked


def down(port: int = 40000) -> Packet:
    return segment(FULL, up=False, port=port)


def greeted(network: Clocked, rule: rules.Rule, name: str = "www.facebook.com", port: int = 40000) -> rules.Rule:
    """The rule after a flow has greeted with this name, which is let pass."""
    assert network.passes(rule, segment(flags=SYN, port=port))
    assert network.passes(rule, segment(hello(name), port=port))
    return rule


def test_policer_lets_a_burst_pass_and_then_its_rate(network):
    """8,000 bytes at once, nothing more, and one packet again once its bytes have come in; other names are untouched."""
    rule = greeted(network, throttle.NamePolice(names=META, rate=115_200, burst=8_000))
    assert [network.passes(rule, down()) for _ in range(8)] == [True] * 5 + [False] * 3
    network.now += 0.101
    assert network.passes(rule, down())
    assert not network.passes(rule, down())
    assert network.passes(rule, segment(FULL))
    greeted(network, rule, "www.nobelprize.org", port=40001)
    assert all(network.passes(rule, down(40001)) for _ in range(20))


def test_a_tariff_is_one_bucket_for_everything(network):
    """Two flows without a name share it."""
    rule = throttle.Police(rate=115_200, burst=4_000)
    assert [network.passes(rule, down(40000 + number % 2)) for number in range(4)] == [True, True, False, False]


def test_each_flow_or_each_server_has_a_bucket_of_its_own(network):
    """Two flows to one server are two buckets, or one."""
    for by_server, passed in ((False, [True] * 4), (True, [True, True, False, False])):
        rule = throttle.EachPolice(rate=115_200, burst=4_000, by_server=by_server)
        assert [network.passes(rule, down(40000 + number % 2)) for number in range(4)] == passed


def test_a_tariff_leaves_some_names_free(network):
    """What greeted with a free name is not counted; everything else shares one bucket, and what goes up passes."""
    rule = greeted(network, throttle.Tariff(names=("moma.org",), rate=115_200, burst=4_000), "www.moma.org")
    greeted(network, rule, "www.facebook.com", port=40001)
    assert all(network.passes(rule, down()) for _ in range(9))
    assert [network.passes(rule, down(40001)) for _ in range(3)] == [True, True, False]
    assert network.passes(rule, segment(FULL, port=40001))


def test_a_radio_that_sleeps_hears_at_beacons(network):
    """Right after it has sent it hears at once; later only at the next beacon, all that waits for it together."""
    network.now = 99.95
    rule = throttle.PowerSave(listens=0.05, beacon=0.25)
    waits = []
    for step, packet in ((0.0, segment()), (0.04, down()), (0.11, down()), (0.05, down()), (0.12, down())):
        network.now += step
        assert network.passes(rule, packet)
        waits.append(round(network.arrivals[0], 3))
    assert waits == [0.0, 0.0, 0.15, 0.1, 0.0]


def test_a_new_name_is_looked_up_once(network):
    """Its first flow is held back, its second one is not; another name's is again."""
    rule = throttle.NewNameHold(seconds=4.0)
    waits = []
    for port, name in ((40000, "www.moma.org"), (40001, "www.moma.org"), (40002, "www.facebook.com")):
        greeted(network, rule, name, port=port)
        assert network.passes(rule, down(port))
        waits.append(network.arrivals[0])
    assert waits == [4.0, 0.0, 4.0]


def test_shaper_makes_packets_wait_in_line(network):
    """Each waits for those before it; what the queue does not hold is dropped; the client's own packets do not wait."""
    rule = greeted(network, throttle.NameShape(names=META, rate=115_200, queue=2_000))
    waits = []
    for _ in range(2):
        assert network.passes(rule, down())
        waits.append(round(network.arrivals[0], 3))
    assert waits == [0.1, 0.2]
    assert not network.passes(rule, down())
    assert network.passes(rule, segment(FULL))
    assert network.arrivals == (0.0,)


def test_delay_and_loss_are_for_the_name(network):
    """Packets of the server come later or not at all, on the flows that named it."""
    late = greeted(network, throttle.NameDelay(names=META, seconds=0.7))
    assert network.passes(late, down())
    assert network.arrivals == (0.7,)
    assert network.passes(late, down(40001))
    assert network.arrivals == (0.0,)
    bad = greeted(network, throttle.NameLose(names=META, probability=0.5))
    assert 20 < sum(network.passes(bad, down()) for _ in range(80)) < 60


def test_freeze_counts_bytes_or_packets_of_each_flow(network):
    """After 16 KB of the server's or 25 packets nothing passes either way; a new connection begins anew."""
    by_bytes = throttle.Freeze(bytes=16_000)
    assert [network.passes(by_bytes, down()) for _ in range(14)] == [True] * 12 + [False] * 2
    assert not network.passes(by_bytes, segment())
    assert network.passes(by_bytes, down(40001))
    assert network.passes(by_bytes, segment(flags=SYN))
    assert network.passes(by_bytes, down())
    by_packets = throttle.Freeze(packets=25)
    assert sum(network.passes(by_packets, segment(up=number % 2 == 0)) for number in range(40)) == 25


def test_closed_but_for_its_holes(network):
    """Questions and two ports pass; the rest is dropped, or reset towards the client where that is its manner."""
    rule = closures.Closed(holes=closures.NAMED_HOLES)
    question = packets.udp(CLIENT, 5353, SERVER, 53, b"", up=True)
    bgp = packets.tcp(CLIENT, 40000, SERVER, 179, seq=1, ack=0, flags=SYN, up=True)
    assert network.passes(rule, question)
    assert network.passes(rule, bgp)
    assert not network.passes(rule, segment(flags=SYN))
    assert not network.sent
    assert not network.passes(closures.Closed(resets=True), segment(flags=SYN))
    assert [packet.dst for packet in network.sent] == [CLIENT]


def test_schedule_is_on_and_off_in_turn(network):
    """Three seconds on, two off, from the first packet of the kind that starts it."""
    rule = closures.Schedule(rule=rules.Drop(), since=rules.When(protocol=packets.UDP), on=3, off=2)
    assert network.passes(rule, segment())
    assert not network.passes(rule, packets.udp(CLIENT, 5353, SERVER, 53, b"", up=True))
    seen = []
    for _ in range(10):
        seen.append(network.passes(rule, segment()))
        network.now += 1
    assert seen == [False, False, False, True, True] * 2
    late = closures.Schedule(rule=rules.Drop(), on=3, off=2, first_off=True)
    assert network.passes(late, segment())


def test_segment_size_is_lowered_and_sealed(network):
    """The option in a SYN is lowered, never raised, and the checksums hold; other options stay."""
    for said, wanted in ((1460, 250), (100, 100)):
        body = packets.tcp(CLIENT, 40000, SERVER, 443, seq=1, ack=0, flags=SYN, payload=b"\1\1\2\4" + said.to_bytes(2, "big") + b"\1\1", up=True)  # fmt: skip
        body.data[body.header + 12] = 0x70
        assert network.passes(closures.ShortSegments(mss=250), body)
        assert body.data[-8:] == b"\1\1\2\4" + wanted.to_bytes(2, "big") + b"\1\1"
        assert checksums_hold(body)


def test_readers_of_first_segments_and_servers_that_want_whole_greetings(network):
    """Half a greeting with the name in it is enough for the one; the other is silent to any greeting in two segments."""
    whole = hello("www.facebook.com")
    rule = closures.FirstSegmentDrop(names=META)
    assert not network.passes(rule, segment(whole[:250]))
    assert not network.passes(rule, segment(whole[250:], seq=1250))
    assert network.passes(rule, segment(whole[:100], port=40001))
    assert network.passes(rule, segment(whole[100:], port=40001, seq=1100))
    assert network.passes(rule, segment(whole, port=40001, seq=1517))
    server = closures.SplitIntolerant()
    assert network.passes(server, segment(whole))
    assert network.passes(server, segment(up=False, flags=ACK))
    assert not network.passes(server, segment(whole[:250], port=40001))
    assert not network.passes(server, segment(up=False, port=40001))
    assert network.passes(server, segment(flags=SYN, port=40001))
    assert network.passes(server, segment(up=False, port=40001))


def test_what_is_held_comes_when_the_time_is_over(network):
    """The first packets wait for one moment, later ones for less, and then nothing waits; other names never do."""
    rule = greeted(network, throttle.NameHold(names=META, seconds=4.0))
    assert network.passes(rule, down())
    assert network.arrivals == (4.0,)
    network.now += 1.5
    assert network.passes(rule, down())
    assert network.arrivals == (2.5,)
    network.now += 3.0
    assert network.passes(rule, down())
    assert network.arrivals == (0.0,)
    assert network.passes(rule, segment(FULL))
    assert network.arrivals == (0.0,)
