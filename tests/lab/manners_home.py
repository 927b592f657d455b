"""Manners of a bad line and of a household's boxes: translators with small tables, air, stalls, quotas, helpful proxies.

Each is one more ``Rule``. None of them looks at names, but for ``Notice``, which takes all of them. Times are seconds,
shares and probabilities are between 0 and 1. Nothing here is imported outside the router but as data.
"""

from __future__ import annotations

import struct
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from tests.lab import packets
from tests.lab.censor import NamePage
from tests.lab.packets import ACK, FIN, RST, SYN, TCP, UDP, Packet
from tests.lab.rules import Network, Rule, When

Flow = tuple[bytes, int, int, int]
_NOP = 1
_FULL_SIZE = 1500


def _begins(packet: Packet) -> bool:
    """Whether a packet asks for a flow that is not there yet: a SYN, or any datagram on its way out."""
    return packet.up and (packet.protocol == UDP or packet.flags & (SYN | ACK) == SYN)


def _later(network: Network, seconds: float) -> None:
    network.arrivals = tuple(arrival + seconds for arrival in network.arrivals)


@dataclass(kw_only=True)
class Except(Rule):
    """Another rule, but not for what one of ``but`` says."""

    rule: Rule = field(default_factory=Rule)
    but: tuple[When, ...] = ()

    def match(self, packet: Packet) -> bool:
        return self.rule.match(packet) and not any(when.holds(packet) for when in self.but)

    def act(self, packet: Packet, network: Network) -> bool:
        return self.rule.act(packet, network)


# ---------------------------------------------------------------------------------------------------------------------
# translators


@dataclass(kw_only=True)
class FlowTable(Rule):
    """A translator with room for ``size`` flows, which it forgets ``idle`` seconds after their last packet.

    When it is ``full`` it drops what would be a new flow, says that it is prohibited (RFC 6888, requirement 4; code 13), or
    forgets the flow that was quiet for longest. What belongs to no flow is dropped.
    """

    size: int = 1 << 20
    idle: float = 120.0
    full: Literal["silence", "prohibited", "forget"] = "silence"
    offender: str = "92.47.144.1"
    _used: OrderedDict[Flow, float] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        return packet.protocol in (TCP, UDP) and self.when.holds(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        now, used = time.monotonic(), self._used
        while used and next(iter(used.values())) < now - self.idle:
            used.popitem(last=False)
        if packet.flow not in used:
            if not _begins(packet):
                return False
            if len(used) >= self.size and not self._makes_room(packet, network):
                return False
        used[packet.flow] = now
        used.move_to_end(packet.flow)
        return True

    def _makes_room(self, packet: Packet, network: Network) -> bool:
        if self.full == "forget":
            self._used.popitem(last=False)
            return True
        if self.full == "prohibited":
            network.emit(packets.icmp(packets.raw(self.offender), packet, 3, 13))
        return False


@dataclass(kw_only=True)
class FlowRate(Rule):
    """A box that lets ``burst`` new connections pass at once and ``rate`` a second; those beyond are dropped or reset.

    ``ban``: whoever is called more often than that is out of reach for so many seconds, each place counted by itself.
    """

    rate: float = 5.0
    burst: float = 10.0
    ban: float = 0.0
    answer: Literal["silence", "reset"] = "silence"
    _left: dict[bytes, tuple[float, float]] = field(default_factory=dict)
    _banned: dict[bytes, float] = field(default_factory=dict)

    def match(self, packet: Packet) -> bool:
        return packet.protocol == TCP and self.when.holds(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        now = time.monotonic()
        if now < self._banned.get(packet.remote, 0.0):
            return False
        if not _begins(packet):
            return True
        key = packet.remote if self.ban else b""
        left, at = self._left.get(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.rate)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if left >= 1:
            return True
        if self.ban:
            self._banned[key] = now + self.ban
        elif self.answer == "reset":
            network.emit(packets.reset(packet, to_sender=True))
        return False


@dataclass(kw_only=True)
class Redial(Rule):
    """The line is dialled anew ``after`` so many seconds from the first packet that ``since`` describes: another address,
    so nothing of a flow that began before is delivered any more; new ones are fine."""

    since: When = field(default_factory=When)
    after: float = 1.0
    _begun: float | None = None
    _old: set[Flow] = field(default_factory=set)

    def match(self, packet: Packet) -> bool:
        if self._begun is None and self.since.holds(packet):
            self._begun = time.monotonic()
        return self._begun is not None and packet.protocol in (TCP, UDP)

    def act(self, packet: Packet, network: Network) -> bool:
        assert self._begun is not None
        if time.monotonic() < self._begun + self.after:
            self._old.add(packet.flow)
            return True
        if _begins(packet):
            self._old.discard(packet.flow)
        return packet.flow not in self._old


# ---------------------------------------------------------------------------------------------------------------------
# air, cables, queues


@dataclass(kw_only=True)
class Bursts(Rule):
    """Good times and bad ones by turns, of random length with these means; in bad ones all is lost, or kept until their end
    with ``hold``. ``regular``: always of this length."""

    good: float = 1.5
    bad: float = 0.3
    hold: bool = False
    regular: bool = False
    _is_bad: bool = False
    _until: float = 0.0

    def act(self, packet: Packet, network: Network) -> bool:
        now = time.monotonic()
        if now > self._until + 60:
            self._is_bad, self._until = False, now + self._length(network)
        while now >= self._until:
            self._is_bad = not self._is_bad
            self._until += self._length(network)
        if self._is_bad and self.hold:
            _later(network, self._until - now)
        return not self._is_bad or self.hold

    def _length(self, network: Network) -> float:
        mean = self.bad if self._is_bad else self.good
        return mean if self.regular else network.random.expovariate(1 / mean)


@dataclass(kw_only=True)
class LoseBySize(Rule):
    """Bit errors: a full packet is lost with this probability, a smaller one the less often the smaller it is."""

    probability: float = 0.4

    def act(self, packet: Packet, network: Network) -> bool:
        return network.random.random() < float((1 - self.probability) ** (len(packet.data) / _FULL_SIZE))


@dataclass(kw_only=True)
class Shaper(Rule):
    """A slow piece of the way with its own queue: ``rate`` bits a second for all that matches, ``queue`` in bytes."""

    rate: float = 128_000.0
    queue: int = 256 * 1024
    _free: float = 0.0

    def act(self, packet: Packet, network: Network) -> bool:
        now = time.monotonic()
        free = max(now, self._free)
        if (free - now) * self.rate / 8 > self.queue:
            return False
        self._free = free + len(packet.data) * 8 / self.rate
        _later(network, self._free - now)
        return True


@dataclass(kw_only=True)
class Reorder(Rule):
    """A ``share`` of packets arrives up to so many ``seconds`` late, behind those that were sent after them."""

    share: float = 0.3
    seconds: float = 0.03

    def act(self, packet: Packet, network: Network) -> bool:
        if network.random.random() < self.share:
            _later(network, network.random.uniform(0, self.seconds))
        return True


@dataclass(kw_only=True)
class Duplicate(Rule):
    """A ``share`` of packets arrives a second time, so many ``seconds`` after the first."""

    share: float = 1.0
    seconds: float = 0.004

    def act(self, packet: Packet, network: Network) -> bool:
        if network.random.random() < self.share:
            network.arrivals = (*network.arrivals, network.arrivals[0] + self.seconds)
        return True


@dataclass(kw_only=True)
class Corrupt(Rule):
    """A bit of what TCP carries is turned in so many packets. ``sealed``: the box with the bad memory computes the
    checksum anew behind it, so that nobody but TLS finds out."""

    probability: float = 0.05
    sealed: bool = False

    def act(self, packet: Packet, network: Network) -> bool:
        size = len(packet.payload)
        if packet.protocol == TCP and size and network.random.random() < self.probability:
            packet.data[-1 - network.random.randrange(size)] ^= 0x10
            if self.sealed:
                packet.seal()
        return True


@dataclass(kw_only=True)
class StripOptions(Rule):
    """TCP options of these kinds become no-operations in SYNs (RFC 9293 §3.1): 2 MSS, 3 window scale, 4 SACK, 8 times."""

    kinds: tuple[int, ...] = (2, 3, 4, 8)

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.protocol == TCP and packet.flags & SYN:
            _strip(packet, self.kinds)
        return True


def _strip(packet: Packet, kinds: tuple[int, ...]) -> None:
    data, at = packet.data, packet.header + 20
    end = packet.header + (data[packet.header + 12] >> 4) * 4
    while at < end and data[at]:
        size = 1 if data[at] == _NOP else max(2, data[at + 1])
        if data[at] in kinds:
            data[at : at + size] = bytes([_NOP]) * size
        at += size
    packet.seal()


@dataclass(kw_only=True)
class AfterBytes(Rule):
    """Another rule, once so many bytes have passed: a quota."""

    quota: int = 100_000
    rule: Rule = field(default_factory=Rule)
    _passed: int = 0

    def act(self, packet: Packet, network: Network) -> bool:
        if self._passed >= self.quota:
            return not self.rule.match(packet) or self.rule.act(packet, network)
        self._passed += len(packet.data)
        return True


# ---------------------------------------------------------------------------------------------------------------------
# boxes that help


@dataclass
class _Call:
    """One connection of ``EarlyAccept``: both beginnings, ``shift`` once the server has answered, what was said before."""

    client: int
    own: int
    shift: int | None = None
    kept: dict[int, bytes] = field(default_factory=dict)


@dataclass(kw_only=True)
class EarlyAccept(Rule):
    """A proxy near the user that speeds TCP up (RFC 3135): it takes every connection in the server's name at once, calls
    the server meanwhile, and passes on what both say. If nobody is there, the user has a connection all the same."""

    _calls: dict[Flow, _Call] = field(default_factory=dict)

    def match(self, packet: Packet) -> bool:
        return packet.protocol == TCP and self.when.holds(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        seq, ack = struct.unpack_from("!II", packet.data, packet.header + 4)
        if _begins(packet):
            self._take(packet, seq, network)
            return True
        call = self._calls.get(packet.flow)
        if call is None:
            return True
        return self._from_client(packet, call, seq, ack) if packet.up else self._from_server(packet, call, seq, network)

    def _take(self, packet: Packet, seq: int, network: Network) -> None:
        call = self._calls.get(packet.flow)
        if call is None or call.client != seq:
            call = self._calls[packet.flow] = _Call(seq, seq ^ 0x5A5A5A5A)
        _strip(packet, (2, 3, 4, 8))
        network.emit(_answer(packet, seq=call.own, ack=seq + 1, flags=SYN | ACK))

    @staticmethod
    def _from_client(packet: Packet, call: _Call, seq: int, ack: int) -> bool:
        if call.shift is None:
            if packet.payload or packet.flags & FIN:
                call.kept[seq] = bytes(packet.data)
            return False
        _renumber(packet, seq, ack - call.shift)
        return True

    @staticmethod
    def _from_server(packet: Packet, call: _Call, seq: int, network: Network) -> bool:
        if packet.flags & RST and call.shift is None:
            network.emit(
                packets.tcp(packet.src, packet.sport, packet.dst, packet.dport, seq=call.own + 1, ack=0, flags=RST)
            )
            return False
        if packet.flags & SYN:
            call.shift = call.own - seq
            network.emit(_answer(packet, seq=call.client + 1, ack=seq + 1, flags=ACK))
            for kept in call.kept.values():
                said = Packet(bytearray(kept), up=True)
                first, ack = struct.unpack_from("!II", said.data, said.header + 4)
                _renumber(said, first, ack - call.shift)
                network.emit(said)
            call.kept.clear()
            return False
        if call.shift is None:
            return False  # of a connection whose port has begun another one since
        (ack,) = struct.unpack_from("!I", packet.data, packet.header + 8)
        _renumber(packet, seq + call.shift, ack)
        return True


def _answer(about: Packet, *, seq: int, ack: int, flags: int) -> Packet:
    return packets.tcp(
        about.dst, about.dport, about.src, about.sport, seq=seq, ack=ack, flags=flags, window=64240, up=not about.up
    )


def _renumber(packet: Packet, seq: int, ack: int) -> None:
    struct.pack_into("!II", packet.data, packet.header + 4, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF)
    packet.seal()


@dataclass(kw_only=True)
class Notice(NamePage):
    """A provider's or router's own page in place of the first so many plain requests, whatever their name."""

    most: int = 1
    _shown: int = 0

    def covers(self, name: str) -> bool:
        if self._shown >= self.most:
            return False
        self._shown += 1
        return True


@dataclass(kw_only=True)
class SomeAnswers(Rule):
    """A ``share`` of questions over UDP gets this code at once and goes no further: one of two upstreams is bad."""

    share: float = 0.5
    rcode: int = 3

    def match(self, packet: Packet) -> bool:
        return packet.protocol == UDP and packet.up and packet.dport == 53 and self.when.holds(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        if packets.question(packet.payload) is None or network.random.random() >= self.share:
            return True
        said = packets.dns_reply(packet.payload, rcode=self.rcode)
        network.emit(packets.udp(packet.dst, packet.dport, packet.src, packet.sport, said))
        return False
