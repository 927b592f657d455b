"""A protocol's packets and random ones in turn at a control's echo, through somebody who acts on what packets look like."""

import asyncio
import contextlib
import functools
import random
from dataclasses import dataclass, replace

import pytest

from probe.control.protocol import Sink
from probe.experiments.apps import protocol_pair, walk
from probe.experiments.control_pairs import Announced
from probe.experiments.site import Site
from probe.experiments.suspicion import follow_ups
from probe.instruments import path
from probe.instruments.apps import flow, way
from probe.instruments.apps.wireguard import WireguardShape
from probe.observations import AppFact, Operation, TcpFact
from probe.settings import Settings
from probe.settings.controls import Control
from probe.verdict.judge import judge
from probe.verdict.view import View
from probe.wire import Wire
from targets.model import Asked, Canaries, Endpoint
from tests import nano
from tests.integration.sites import session_of, site_of

pytestmark = pytest.mark.anyio

ADDRESS, TOKEN = "116.202.118.47", "a-token-of-sixteen-and-more"
CANARIES = Canaries(members=(), innocuous=())
_HURRIED = Settings(controls=(Control(host=ADDRESS, port=8443, name="Helsinki", token=TOKEN),)).hurried(4)
SETTINGS = replace(_HURRIED, deadlines=replace(_HURRIED.deadlines, arm_floor=0.12, arm_gap=0.02, tls_soft=0.6))


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Packets of data in quicker succession."""
    monkeypatch.setattr(flow, "Pace", functools.partial(flow.Pace, every_s=0.004))


def everything(_packets):
    return True


def nothing(_packets):
    return False


def no_openvpn(packets):
    """Whoever stops a flow by its first packet, over UDP or (behind two bytes of length) over TCP."""
    return packets[0][:1] != b"\x38" and packets[0][2:3] != b"\x38"


def no_wireguard_data(packets):
    """Whoever lets the handshake pass, and ten packets more."""
    return packets[0][:4] != b"\x01\x00\x00\x00" or len(packets) <= 11


def no_noise(packets):
    """As in China: what has neither a form nor letters at its beginning."""
    return packets[0][:6].isalpha()


class Echo(asyncio.DatagramProtocol):
    """The echo behind somebody in between, who is asked about all packets of a flow so far."""

    def __init__(self, passes):
        self.passes, self.flows = passes, {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        packets = self.flows.setdefault(addr, [])
        packets.append(data)
        if self.passes(packets):
            self.transport.sendto(data, addr)


def stream_of(passes):
    async def serve(reader, writer):
        packets = []
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                packets.append(data)
                if passes(packets):
                    writer.write(data)
                    await writer.drain()
        writer.close()

    return serve


class Abroad(Wire):
    """The control's address is on loopback."""

    def __init__(self, ports):
        super().__init__(rng=random.Random(7))
        self.ports = ports

    def place(self, address, port, transport):
        assert (address, port) == (ADDRESS, 10007)
        return ("127.0.0.1", self.ports[transport])


@dataclass
class Measured:
    """What was seen, and what the judge makes of it."""

    site: Site

    @property
    def seen(self):
        return self.site.session.recorder.observations

    @property
    def arms(self):
        return [(o.arm, o.failure is None) for o in self.seen if isinstance(o.fact, AppFact) and o.group != "way"]

    @property
    def way(self):
        return [o for o in self.seen if o.group == "way"]

    @property
    def verdict(self):
        asked = self.site.asked
        return judge(View(self.seen, (asked,)), asked, SETTINGS.priors)


async def measured(url, passes, *, sinks=("echo_udp", "echo_tcp"), settings=SETTINGS, succeeded=False):
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(lambda: Echo(passes), local_addr=("127.0.0.1", 0))
    try:
        async with asyncio.timeout(50), nano.serve(stream_of(passes)) as port, asyncio.TaskGroup() as group:
            wire = Abroad({"udp": echo.get_extra_info("sockname")[1], "tcp": port})
            asked = Asked(number=1, endpoint=Endpoint(url), target=url)
            session = session_of(wire, asked, settings=settings, canaries=CANARIES)
            announced = tuple(Sink(kind, 10007) for kind in sinks)
            session.sinks["Helsinki"] = Announced(address=ADDRESS, sinks=announced, asked=True)
            site = site_of(session, group, succeeded=succeeded)
            await (walk.run(site) if url.startswith("protocol") else protocol_pair.run(site))
            return Measured(site)
    finally:
        echo.close()


@pytest.mark.parametrize("name", protocol_pair.SHAPES)
async def test_what_passes_costs_two_flows(name):
    """One random, one of the protocol; the word is accessible, and the address of the control is nowhere."""
    here = await measured(f"protocol://{name}", everything)
    assert here.arms == [("innocuous", True), ("target", True)]
    assert here.verdict.status == "accessible"
    assert here.site.succeeded
    assert {o.purpose for o in here.seen} == {"protocol_pair"}
    assert ADDRESS not in repr(here.seen)
    assert sum(o.operation.bytes_sent for o in here.seen) < 10_000


@pytest.mark.parametrize("name", ["openvpn", "openvpn-tcp"])
async def test_what_is_stopped_for_its_shape_is_asked_six_times(name):
    """I T I T … I T, and blocked: every one of the one, none of the other."""
    here = await measured(f"protocol://{name}", no_openvpn)
    assert here.arms == [("innocuous", True), ("target", False)] * 6
    assert not here.site.succeeded
    (flip,) = [f for f in here.verdict.findings if f.code.startswith("protocol_flip")]
    assert (flip.code, flip.signature) == ("protocol_flip_near", "app.timeout.protocol")
    assert flip.parameters["stopped"] == "from the first packet on"


async def test_a_flow_that_is_cut_after_some_packets_has_not_passed():
    """The handshake comes back and so do some packets of data: that many are told."""
    here = await measured("protocol://wireguard", no_wireguard_data)
    assert here.arms == [("innocuous", True), ("target", False)] * 6
    (flip,) = [f for f in here.verdict.findings if f.code == "protocol_flip_near"]
    assert flip.parameters["stopped"] == "after 11 to 11 packets"


@pytest.mark.parametrize("name", ["openvpn", "openvpn-tcp"])
async def test_where_no_router_speaks_random_packets_alone_are_let_go(name):
    """Two to twelve of them far, from fresh ports. Nothing of it is an arm, and no router is named."""
    here = await measured(f"protocol://{name}", no_openvpn)
    assert [o.fact.ttl for o in here.way] == list(range(2, 13))
    assert {(o.arm, o.round) for o in here.way} == {("innocuous", None)}
    assert ADDRESS not in repr(here.seen)


HOPS = {2: "10.0.0.1", 3: "92.47.144.1", 4: "92.47.146.9", 6: "92.47.150.2", 7: "80.239.128.9", 8: "62.115.44.1"}
"""The fifth one is silent."""


@dataclass
class Routers:
    """In place of the network: who speaks of what is let go so far, with something that stops the protocol behind ``behind``."""

    behind: int
    hops: dict[int, str]

    async def over_udp(self, wire, address, port, shape, *, ttl, before, wait_s, name):
        hop = self.hops.get(ttl) if shape.protocol == "random" or ttl <= self.behind else None
        fact = AppFact(protocol=shape.protocol, transport="udp", sent=f"after {before}", ttl=ttl)
        if hop is not None:
            fact = replace(fact, icmp_type=11, icmp_code=0, errno="EHOSTUNREACH", hop_is=path.scope_of(hop, None))
        return way.Ended(Operation(fact=fact, started_us=wire.now_us(), failure=hop and "host_unreachable"), hop)


@pytest.mark.parametrize(
    ("behind", "code"),
    [(2, "near"), (3, ""), (4, ""), (5, ""), (6, "unplaced"), (7, "unplaced"), (12, "unplaced")],
)
async def test_what_is_stopped_is_followed_from_router_to_router(monkeypatch, behind, code):
    """Only between two of the provider's, by the network of the nearest public one, is it proof; no address is kept."""
    monkeypatch.setattr(way, "over_udp", Routers(behind, HOPS).over_udp)
    here = await measured("protocol://openvpn", no_openvpn)
    flips = {f.code for f in here.verdict.findings if f.code.startswith("protocol_flip")}
    assert flips == {f"protocol_flip_{code}" if code else "protocol_flip"}
    assert here.verdict.status == ("inconclusive" if code else "blocked")
    whose = {o.fact.ttl: o.fact.hop_of for o in here.way if o.round is None}
    assert [whose[ttl] for ttl in range(2, 10)] == [None, *["provider"] * 2, None, "provider", *["other"] * 2, None]
    assert not any(hop in repr(here.seen) for hop in HOPS.values())
    asked = {(o.arm, o.fact.ttl, o.round) for o in here.way if o.round is not None}
    rounds = 1 if code else 3
    assert asked == {(arm, ttl, n) for arm in ("target", "innocuous") for ttl in (2, 3, 4, 6, 7) for n in range(rounds)}


@pytest.mark.parametrize(
    ("own", "hops", "is_provider"),
    [
        ("192.168.1.10", HOPS, True),
        ("92.47.201.4", HOPS, False),
        ("95.56.1.1", HOPS, True),
        ("2001:4860:1:2::5", {2: "2001:4860:1:9::1", 3: "2001:4860:ff::1", 5: "2001:470::1"}, False),
        ("2001:4860:1:2::5", {2: "2001:4860:ee::1", 3: "2001:4860:ff::1", 5: "2001:470::1"}, True),
    ],
)
async def test_routers_of_ones_own_organisation_are_no_providers(monkeypatch, own, hops, is_provider):
    """In a university or a data centre they have public addresses as well; so has a second router at home, over IPv6."""
    monkeypatch.setattr(way, "over_udp", Routers(2 if 5 in hops else 3, hops).over_udp)
    monkeypatch.setattr(path, "own_address", lambda *_there: own)
    here = await measured("protocol://openvpn", no_openvpn)
    assert here.verdict.status == ("blocked" if is_provider else "inconclusive")


async def test_where_a_flow_stops_later_more_goes_before(monkeypatch):
    """What passes at first tells nothing of what stops it."""
    monkeypatch.setattr(way, "over_udp", Routers(3, HOPS).over_udp)
    here = await measured("protocol://wireguard", no_wireguard_data)
    assert {(o.arm, o.fact.sent) for o in here.way} == {("target", "after 24"), ("innocuous", "after 0")}


async def test_a_packet_goes_behind_those_that_go_all_the_way():
    """On loopback all of them arrive: so many are sent, and only what is late is let go less far."""
    loop = asyncio.get_running_loop()
    echo, _ = await loop.create_datagram_endpoint(lambda: Echo(everything), local_addr=("127.0.0.1", 0))
    try:
        wire = Abroad({"udp": echo.get_extra_info("sockname")[1]})
        shape = WireguardShape(wire.random)
        ended = await way.over_udp(wire, ADDRESS, 10007, shape, ttl=3, before=24, wait_s=0.1, name="x")
    finally:
        echo.close()
    assert ended.operation.bytes_sent > 2_000
    assert (ended.operation.failure, ended.hop) == ("generic_timeout_error", None)


async def test_streams_of_noise_are_held_against_such_with_letters():
    """Who stops what is fully encrypted stops the one and not the other."""
    here = await measured("protocol://encrypted", no_noise)
    assert here.arms == [("innocuous", True), ("target", False)] * 6


@pytest.mark.parametrize("name", ["openvpn", "encrypted"])
async def test_silence_of_everything_says_nothing(name):
    """Three random flows, none of the protocol, no word."""
    here = await measured(f"protocol://{name}", nothing)
    assert here.arms == [("innocuous", False)] * 3
    verdict = here.verdict
    assert verdict.status == "inconclusive"
    assert "protocol_echo_silent" in [f.code for f in (*verdict.findings, *verdict.against)]


async def test_a_protocol_that_passes_now_and_then_is_not_blocked():
    """The flows go on to the end, and the word stays accessible."""
    chance = random.Random(3)
    lucky: dict[bytes, bool] = {}

    def sometimes(packets):
        if packets[0][:1] != b"\x38":
            return True
        return lucky.setdefault(packets[0], len(lucky) == 3) and chance is not None

    here = await measured("protocol://openvpn", sometimes)
    assert [passed for arm, passed in here.arms if arm == "target"] == [False, False, False, True, False, False]
    assert here.verdict.status == "accessible"


async def test_without_an_echo_nothing_is_sent():
    """A control that has none of the kind, a scheme that has no shape, and a server that has answered."""
    assert not (await measured("protocol://openvpn", everything, sinks=("echo_tcp",))).seen
    assert not (await measured("tor://198.51.100.7:9001", everything)).seen
    here = await measured("openvpn://198.51.100.7:1194", no_openvpn, succeeded=True)
    assert here.arms == [("innocuous", True)]


async def test_a_named_server_that_is_silent_has_its_protocol_compared():
    """The same pair, as a follow-up; connections are of the arms and are recorded."""
    here = await measured("openvpn+tcp://198.51.100.7:1194", no_openvpn)
    assert here.arms == [("innocuous", True), ("target", False)] * 6
    assert len([o for o in here.seen if isinstance(o.fact, TcpFact) and o.group != "way"]) == 12


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("openvpn://h.example", True),
        ("openvpn+tcp://h.example", True),
        ("ikev2://h.example", True),
        ("wireguard://h.example", True),
        ("tor://h.example", False),
        ("stun://h.example", False),
        ("mtproto://h.example", False),
    ],
)
def test_only_what_has_a_shape_is_compared(url, asked):
    """And only where there is a control."""
    scheme = url.partition(":")[0]
    names = [name for name, _ in follow_ups(scheme, "app", None, SETTINGS)]
    assert ("protocol_pair" in names) is asked
    alone = [name for name, _ in follow_ups(scheme, "app", None, replace(SETTINGS, controls=()))]
    assert "protocol_pair" not in alone
