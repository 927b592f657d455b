"""The user-space router: AF_PACKET on veth pairs, one process, every packet of the lab passes through here.

Run as ``python -m tests.lab.router`` inside its own namespace, which has no address at all. Standard input carries a
pickled ``Plan`` and then commands (one JSON line each, answered by one JSON line); when it closes, the router ends. Between
two machines lie the *legs* of both: delay, jitter, loss, bandwidth, a bounded queue, MTU and the routers (hops) on them,
which answer pings, and speak up when a TTL runs out or a packet is too big. Rules (``tests.lab.rules``) act in between.
"""

from __future__ import annotations

import base64
import copy
import heapq
import ipaddress
import json
import os
import pickle
import random
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass, field, replace
from typing import Any

from tests.lab import packets, packets6
from tests.lab.packets import Packet
from tests.lab.packets6 import Packet6
from tests.lab.plan import Leg, Plan, PortPlan
from tests.lab.rules import ON_TIME, Place, Rule

_ETH_P_ALL, _ETH_P_IP, _ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD
_MULTICAST = 0xFF
_SOL_PACKET = 263
_PACKET_IGNORE_OUTGOING = 23
_BATCH = 128
_MOST_IN_FLIGHT = 100_000


@dataclass(slots=True)
class _Lane:
    """One direction of a leg: what has been promised so far."""

    free_at: float = 0.0
    last: float = 0.0


@dataclass(slots=True)
class _Port:
    plan: PortPlan
    leg: Leg
    sock: socket.socket
    frames: dict[int, bytes]
    inbound: _Lane = field(default_factory=_Lane)
    outbound: _Lane = field(default_factory=_Lane)


@dataclass(slots=True)
class _Side:
    """What lies between one client, the probe or the control, and everybody else: the rules on the way, and the machines
    whose leg is another one for it."""

    client: _Port
    rules: tuple[Rule, ...]
    others: dict[str, _Port] = field(default_factory=dict)

    def sees(self, port: _Port) -> _Port:
        return self.others.get(port.plan.name, port)


@dataclass(slots=True)
class Tally:
    """What passed between the probe and one remote address, at the probe's interface, in IP bytes."""

    packets_up: int = 0
    bytes_up: int = 0
    packets_down: int = 0
    bytes_down: int = 0
    first: float = 0.0
    last: float = 0.0


class Router:
    """See the module. ``emit`` and ``random`` are what rules use."""

    def __init__(self, plan: Plan) -> None:
        self.random = random.Random(plan.seed)
        self._ports = {port.name: _open(port, ipv6=plan.ipv6) for port in plan.ports}
        self._translator = plan.translator
        self._probe = self._ports[plan.probe]
        self._control = self._ports.get(plan.control) if plan.control else None
        self._side = self._at_home = _Side(self._probe, plan.rules)
        self._lengthen_way_to_control()
        self._abroad = self._side_abroad(plan.abroad)
        self._table = sorted(
            ((ipaddress.ip_network(network), port) for port in self._ports.values() for network in port.plan.networks),
            key=lambda row: -row[0].prefixlen,
        )
        self._routes: dict[bytes, _Port] = {}
        self._hops: set[bytes] = set()
        self._own = frozenset({packets.raw(plan.gateway6)} if plan.gateway6 else ())
        self._learn_hops()
        self._due: list[tuple[float, int, _Port, bytearray]] = []
        self._serial = 0
        self._now = 0.0
        self._at: Place = "border"
        self._cause_up = True
        self.tallies: dict[bytes, Tally] = {}
        self.seen = self.sent = self.dropped = 0
        self.arrivals: tuple[float, ...] = ON_TIME

    def _learn_hops(self) -> None:
        hops = {packets.raw(hop) for port in self._ports.values() for hop in port.leg.hops}
        self._hops = hops | {packets6.raw_twin(hop) for hop in hops} | self._own

    def _side_abroad(self, its_rules: tuple[Rule, ...]) -> _Side:
        """The control's leg is its whole way: the line of the others, with its delay and loss, is the probe's trouble."""
        others = {
            name: replace(port, leg=Leg(delay=0.0, hops=port.leg.hops), inbound=_Lane(), outbound=_Lane())
            for name, port in self._ports.items()
            if port is not self._control
        }
        # Copies: what a rule remembers of the probe it must not know of the control.
        return _Side(self._control or self._probe, copy.deepcopy(its_rules), others)

    def _lengthen_way_to_control(self) -> None:
        """What the probe sends to the control goes abroad as everything else does, and then the control's own leg."""
        far = next((port for port in self._ports.values() if "0.0.0.0/0" in port.plan.networks), None)
        if self._control is None or far is None:
            return
        own = self._control.leg
        leg = replace(far.leg, delay=far.leg.delay + own.delay, hops=(*own.hops, *far.leg.hops[1:]))
        control = replace(self._control, leg=leg, inbound=_Lane(), outbound=_Lane())
        self._at_home.others[self._control.plan.name] = control

    # the loop

    def run(self, control: Control) -> None:
        by_descriptor = {port.sock.fileno(): port for port in self._ports.values()}
        watched = [*by_descriptor, control.descriptor]
        while True:
            self._deliver_what_is_due()
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            # select, not epoll: its timeout has microseconds, and there are a handful of descriptors.
            readable, _, _ = select.select(watched, [], [], wait)
            for descriptor in readable:
                if descriptor == control.descriptor:
                    if not control.serve(self):
                        return
                else:
                    self._drain(by_descriptor[descriptor])

    def _drain(self, port: _Port) -> None:
        receive = port.sock.recv
        for _ in range(_BATCH):
            try:
                frame = receive(65536)
            except BlockingIOError:
                return
            self.seen += 1
            self._now = time.monotonic()
            packet = _read(frame, up=port is self._probe or port is self._control)
            if packet is not None and self._translator is not None and port is self._probe:
                packet = self._translator.out(packet)
            if packet is not None:
                self._take(port, packet)
            else:
                self.dropped += 1

    def _deliver_what_is_due(self) -> None:
        due, now = self._due, time.monotonic()
        while due and due[0][0] <= now:
            _, _, port, data = heapq.heappop(due)
            try:
                port.sock.send(port.frames[data[0] >> 4] + data)
            except OSError:
                # The machine's queue is full or the machine is gone: what a network does then is lose the packet.
                self.dropped += 1
            else:
                self.sent += 1

    # one packet

    def _take(self, port: _Port, packet: Packet) -> None:
        target = self._route(packet.dst)
        is_control = self._control is not None and (port is self._control or target is self._control)
        if is_control and (port is self._probe or target is self._probe):
            # Between the two of them it is the probe that asks, and its network that stands in between.
            is_control, packet.up = False, port is self._probe
        side = self._side = self._abroad if is_control else self._at_home
        if port is self._probe:
            tally = self._tally(packet.dst)
            tally.packets_up += 1
            tally.bytes_up += len(packet.data)
        port = side.sees(port)
        middle = self._cross(port.leg, port.inbound, len(packet.data), self._now)
        if middle is None:
            return
        if packet.dst in self._hops:
            self._answer_ping(packet, port)
            self._refuse(packet, port)
        elif target is not None:
            self._travel(packet, port, side.sees(target), middle)

    def _travel(self, packet: Packet, source: _Port, target: _Port, middle: float) -> None:
        way = (*source.leg.hops, *reversed(target.leg.hops))
        if packet.ttl <= len(way):
            self._expire(packet, way[packet.ttl - 1], source, target)
            return
        narrow = next((leg for leg in (source.leg, target.leg) if len(packet.data) > leg.mtu), None)
        if narrow is not None:
            hop = packets.raw((narrow.hops or way or ("0.0.0.0",))[-1])
            self._complain(packet, packets.icmp(hop, packet, 3, 4, narrow.mtu), source)
            return
        self.arrivals = ON_TIME
        if not self._pass_rules(packet, len(way)):
            return
        packet.age(len(way))
        # A rule may have given it another destination.
        readdressed = self._route(packet.dst)
        self._send(packet, self._side.sees(readdressed) if readdressed else target, middle, self.arrivals)

    def _expire(self, packet: Packet, hop: str, source: _Port, target: _Port) -> None:
        """Its TTL runs out at *hop*, which says so, unless it is one that never does, or a rule before it ate the packet."""
        silent = hop in source.leg.silent or hop in target.leg.silent
        twins = dict((*source.leg.twins, *target.leg.twins))
        router = twins.get(hop, hop) if packets.branch(packet) else hop
        error = packets.icmp(packets.raw(router), packet, 11, 0)  # it quotes the packet as its sender knows it
        if self._pass_rules(packet, packet.ttl - 1) and not silent:
            self._complain(packet, error, source)

    def _pass_rules(self, packet: Packet, reach: int) -> bool:
        """Whether the packet survives the rules that it comes by within *reach* routers."""
        for rule in self._side.rules:
            distance = self._distance(rule.place, packet)
            if distance <= reach and rule.match(packet):
                self._at, self._cause_up = rule.place, packet.up
                if not rule.act(packet, self):
                    self.dropped += 1
                    return False
        return True

    def _distance(self, place: Place, packet: Packet) -> int:
        client = self._side.client
        near = len(client.leg.hops)
        port = self._route(packet.remote)
        far = len(self._side.sees(port).leg.hops) if port is not None and port is not client else 0
        named = {"home": 0, "access": min(1, near), "border": near, "far": near + far}
        from_probe = min(place, near + far) if isinstance(place, int) else named[place]
        return from_probe if packet.up else near + far - from_probe

    def emit(self, packet: Packet) -> None:
        """A packet of a rule's own, on its way from where the rule sits, once what caused it has got there."""
        target, far = self._route(packet.dst), self._route(packet.remote)
        if target is None or far is None:
            return
        client, target, far = self._side.client, self._side.sees(target), self._side.sees(far)
        near_delay, far_delay = client.leg.delay, far.leg.delay
        # Where the rule sits, as time from the probe and from the far end.
        named = {"home": 0.0, "access": 0.0, "border": near_delay, "far": near_delay + far_delay}
        hops_behind = self._at - len(client.leg.hops) if isinstance(self._at, int) else 0
        share = min(1.0, max(0, hops_behind) / (len(far.leg.hops) or 1))
        from_probe = near_delay + share * far_delay if isinstance(self._at, int) else named[self._at]
        from_far = near_delay + far_delay - from_probe
        leaves = self._now + (from_probe if self._cause_up else from_far)
        hops = len(client.leg.hops) + len(far.leg.hops) - self._distance(self._at, packet)
        if packet.ttl <= hops:
            return
        packet.age(hops)
        ahead = from_far if packet.up else from_probe
        if ahead >= target.leg.delay:
            self._send(packet, target, leaves + ahead - target.leg.delay)
        else:
            self._hand_over(packet, target, leaves)  # from the first router: as good as here

    def _complain(self, about: Packet, error: Packet, source: _Port) -> None:
        """An ICMP error back to the sender. None about an error (RFC 1122, 3.2.2; RFC 4443, 2.4)."""
        if not about.is_error:
            self._send(error, source, self._now + source.leg.delay)

    def _answer_ping(self, packet: Packet, source: _Port) -> None:
        reply = packets.echo_reply(packet)
        if reply is not None:
            raw = packets6.raw_twin if packet.version == 6 else bytes
            hops = [raw(packets.raw(hop)) for hop in source.leg.hops]
            share = (hops.index(packet.dst) + 1) / len(hops) if packet.dst in hops else 1.0
            self._hand_over(reply, source, self._now + 2 * source.leg.delay * share)

    def _refuse(self, packet: Packet, source: _Port) -> None:
        """The first router of a leg is the household's own: it refuses connections at once, from where rules at ``home`` sit."""
        first = {packets.raw(hop) for hop in source.leg.hops[:1]} | self._own
        asks = packet.protocol == packets.TCP and not packet.flags & packets.RST
        if asks and packet.dst in first:
            self._hand_over(packets.reset(packet, to_sender=True), source, self._now)

    # time and queues

    def _send(self, packet: Packet, target: _Port, middle: float, later: tuple[float, ...] = ON_TIME) -> None:
        arrival = self._cross(target.leg, target.outbound, len(packet.data), middle)
        if arrival is not None:
            for seconds in later:
                self._hand_over(packet, target, arrival + seconds)

    def _hand_over(self, packet: Packet, target: _Port, arrival: float) -> None:
        if target is self._probe and self._translator is not None:
            translated = self._translator.back(packet)
            if translated is None:
                self.dropped += 1
                return
            packet = translated
        if target is self._probe:
            tally = self._tally(packet.src)
            tally.packets_down += 1
            tally.bytes_down += len(packet.data)
        if len(self._due) >= _MOST_IN_FLIGHT:
            self.dropped += 1
            return
        self._serial += 1
        heapq.heappush(self._due, (arrival, self._serial, target, packet.data))

    def _cross(self, leg: Leg, lane: _Lane, size: int, start: float) -> float | None:
        """When a packet that enters a leg at *start* leaves it; ``None`` if it is lost. Packets keep their order."""
        if leg.loss and self.random.random() < leg.loss:
            self.dropped += 1
            return None
        leaves = start
        if leg.rate is not None:
            free = max(start, lane.free_at)
            if (free - start) * leg.rate / 8 > leg.queue:
                self.dropped += 1
                return None
            leaves = lane.free_at = free + size * 8 / leg.rate
        leaves += leg.delay
        if leg.jitter:
            leaves += self.random.uniform(0, leg.jitter)
        # Packets of one machine enter in the order of time only before the first leg; sorting by arrival does the rest.
        lane.last = leaves = max(leaves, lane.last) if leg.jitter else leaves
        return leaves

    def _route(self, address: bytes) -> _Port | None:
        known = self._routes.get(address)
        if known is None:
            ip = ipaddress.ip_address(address)
            known = next((port for network, port in self._table if ip in network), None)
            if known is not None and len(self._routes) < 65536:
                self._routes[address] = known
        return known

    def _tally(self, remote: bytes) -> Tally:
        tally = self.tallies.get(remote)
        if tally is None:
            tally = self.tallies[remote] = Tally(first=self._now)
        tally.last = self._now
        return tally

    # commands

    def command(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "counters":
                return {
                    "seen": self.seen,
                    "sent": self.sent,
                    "dropped": self.dropped,
                    "remotes": {packets.text(key): _as_dict(tally) for key, tally in self.tallies.items()},
                }
            case "clear":
                self.tallies.clear()
                self.seen = self.sent = self.dropped = 0
            case "rules":
                self._at_home.rules = pickle.loads(base64.b64decode(order["rules"]))
            case "abroad":
                self._abroad.rules = pickle.loads(base64.b64decode(order["rules"]))
            case "leg":
                port = self._ports[order["port"]]
                port.leg = replace(port.leg, **order["set"])
                self._learn_hops()
                self._lengthen_way_to_control()
        return {}


def _as_dict(tally: Tally) -> dict[str, float]:
    return {name: getattr(tally, name) for name in Tally.__slots__}


class Control:
    """The parent's end: commands in, answers out. ``descriptor`` is for select."""

    def __init__(self, descriptor: int, out: int) -> None:
        self.descriptor = descriptor
        self._out = out
        self._rest = b""

    def read_plan(self) -> Plan:
        (length,) = struct.unpack("!I", self._exactly(4))
        plan = pickle.loads(self._exactly(length))
        assert isinstance(plan, Plan)
        return plan

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = os.read(self.descriptor, size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def say(self, answer: dict[str, Any]) -> None:
        os.write(self._out, json.dumps(answer).encode() + b"\n")

    def serve(self, router: Router) -> bool:
        """Answer what has come; ``False`` when the parent has closed its end."""
        chunk = os.read(self.descriptor, 1 << 20)
        if not chunk:
            return False
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self.say(router.command(json.loads(line)))
        return True


def _read(frame: bytes, *, up: bool) -> Packet | None:
    """The packet of a frame; ``None`` for what is none (ARP), is cut off, or is IPv6 for the link only (multicast)."""
    version = frame[14] >> 4 if len(frame) >= 34 else 0
    if version == 4:
        length = (frame[16] << 8) | frame[17]
        return Packet(bytearray(frame[14 : 14 + length]), up=up) if length <= len(frame) - 14 else None
    if version != 6 or len(frame) < 54 or frame[38] == _MULTICAST:
        return None
    length = 40 + ((frame[18] << 8) | frame[19])
    return Packet6(bytearray(frame[14 : 14 + length]), up=up) if length <= len(frame) - 14 else None


def _open(plan: PortPlan, *, ipv6: bool) -> _Port:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
    sock.bind((plan.interface, _ETH_P_ALL if ipv6 else _ETH_P_IP))
    sock.setblocking(False)
    mac = bytes.fromhex(plan.machine_mac.replace(":", ""))
    gateway = bytes.fromhex(plan.gateway_mac.replace(":", ""))
    ends = mac + gateway
    frames = {version: ends + struct.pack("!H", kind) for version, kind in ((4, _ETH_P_IP), (6, _ETH_P_IPV6))}
    return _Port(plan, plan.leg, sock, frames)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent closes the pipe
    control = Control(0, 1)
    router = Router(control.read_plan())
    control.say({"ready": True})
    router.run(control)


if __name__ == "__main__":
    main()
