"""More manners of devices that stand on the way, and of lines that only seem to have one: rules for the held-out rows.

As ``censor.py``: each is one class, plain data until the router starts it, and only the standard library is there.
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.censor import Flow, NameResetBeside
from tests.lab.packets import ACK, FIN, RST, SYN, TCP, UDP, Packet
from tests.lab.rules import ByName, DnsInject, NameDrop, NameReset, Network, Rule

_PLAIN_HEAD = 12
"""Bytes of a DNS header; its last two count the additional records, of which EDNS is one (RFC 6891)."""


def _numbers(packet: Packet) -> tuple[int, int]:
    """Sequence and acknowledgement number of a TCP segment."""
    seq, ack = struct.unpack_from("!II", packet.data, packet.header + 4)
    return seq, ack


def _as_server(about: Packet, *, seq: int, ack: int, flags: int, window: int = 0, ttl: int = 64) -> Packet:
    """An empty segment to the client in the server's name; *about* is one that the client sent."""
    return packets.tcp(
        about.dst, about.dport, about.src, about.sport, seq=seq, ack=ack, flags=flags, window=window, ttl=ttl, up=False
    )


# ---------------------------------------------------------------------------------------------------------------------
# by the name in the greeting


@dataclass(kw_only=True)
class NameTarpit(ByName):
    """The greeting is swallowed and acknowledged in the server's name, and that is all. ``window`` 0 closes the client's."""

    window: int = 64240

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            seq, ack = _numbers(packet)
            after = seq + len(packet.payload)
            network.emit(_as_server(packet, seq=ack, ack=after, flags=ACK, window=self.window))
        return False


@dataclass(kw_only=True)
class NameVolley(ByName):
    """A device beside the path that answers with four RSTs of different looks, guessing where the window will be."""

    ttls: tuple[int, ...] = (47, 101, 119, 208)
    ahead: tuple[int, ...] = (0, 0, 1460, 4380)

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            seq, ack = _numbers(packet)
            after = seq + len(packet.payload)
            for number, (ttl, ahead) in enumerate(zip(self.ttls, self.ahead, strict=True)):
                flags = RST if number == 0 else RST | ACK
                network.emit(_as_server(packet, seq=ack + ahead, ack=after, flags=flags, ttl=ttl))
        return True


@dataclass(kw_only=True)
class NameUnreachable(ByName):
    """The greeting is swallowed, and ICMP says that it is prohibited (RFC 1812: code 13)."""

    offender: str = "92.47.144.1"
    code: int = 13

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload:
            network.emit(packets.icmp(packets.raw(self.offender), packet, 3, self.code))
        return not packet.up


@dataclass(kw_only=True)
class NameResetServer(ByName):
    """Only the server is told that the client has gone; it answers what the client sends again with a RST of its own."""

    _told: set[Flow] = field(default_factory=set)

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.payload and packet.flow not in self._told:
            self._told.add(packet.flow)
            network.emit(packets.reset(packet, to_sender=False))
            return False
        return True


@dataclass(kw_only=True)
class NameEndMidway(ByName):
    """The first packet of the server's answer passes, and behind it comes an orderly end in the server's name."""

    _ended: set[Flow] = field(default_factory=set)

    def punish(self, packet: Packet, network: Network) -> bool:
        if packet.flow in self._ended:
            return False
        if packet.up or not packet.payload:
            return True
        self._ended.add(packet.flow)
        seq, ack = _numbers(packet)
        network.emit(
            packets.tcp(
                packet.src, packet.sport, packet.dst, packet.dport, seq=seq + len(packet.payload), ack=ack,
                flags=ACK | FIN, window=64240, up=False,
            )
        )  # fmt: skip
        network.emit(packets.reset(packet, to_sender=True))
        return True


@dataclass(kw_only=True)
class NameLate(ByName):
    """Whatever the client says is dropped until the flow has had its name for so many seconds."""

    seconds: float = 5.0
    _since: dict[Flow, float] = field(default_factory=dict)

    def punish(self, packet: Packet, network: Network) -> bool:
        since = self._since.setdefault(packet.flow, time.monotonic())
        return not (packet.up and packet.payload) or time.monotonic() - since >= self.seconds


@dataclass(kw_only=True)
class NamePolice(ByName):
    """What the server sends on flows with the name is held to ``rate`` bytes a second, all of them together."""

    rate: float = 16_000.0
    burst: float = 8_000.0
    _left: float | None = None
    _at: float = 0.0

    def punish(self, packet: Packet, network: Network) -> bool:
        now = time.monotonic()
        self._left = self.burst if self._left is None else min(self.burst, self._left + (now - self._at) * self.rate)
        self._at = now
        if packet.up or not packet.payload:
            return True
        if self._left < len(packet.data):
            return False
        self._left -= len(packet.data)
        return True


@dataclass(kw_only=True)
class NameResetFailsOpen(NameReset):
    """As ``NameReset``, for ``most`` flows in any ``seconds``: what is more, the device lets pass unread."""

    most: int = 2
    seconds: float = 3.0
    _lately: list[float] = field(default_factory=list)
    _let_by: set[Flow] = field(default_factory=set)

    def _reads(self, packet: Packet) -> bool:
        if packet.flow in self._let_by or not super()._reads(packet):
            return False
        now = time.monotonic()
        self._lately = [at for at in self._lately if at > now - self.seconds]
        if len(self._lately) < self.most:
            self._lately.append(now)
            return True
        self._let_by.add(packet.flow)
        self._forbidden.pop(packet.flow, None)
        return False


@dataclass(kw_only=True)
class NameResetMisses(NameResetBeside):
    """A device beside the path that is in time, or heard at all, for a part of the flows only."""

    probability: float = 0.6
    _caught: dict[Flow, bool] = field(default_factory=dict)

    def punish(self, packet: Packet, network: Network) -> bool:
        caught = self._caught.setdefault(packet.flow, network.random.random() < self.probability)
        return super().punish(packet, network) if caught else True


@dataclass(kw_only=True)
class NameDropLater(NameDrop):
    """The first flow with the name to each address passes; what it said is looked at later, and from then on it is dropped."""

    _known: set[bytes] = field(default_factory=set)
    _first: set[Flow] = field(default_factory=set)

    def _reads(self, packet: Packet) -> bool:
        if packet.flow in self._first or not super()._reads(packet):
            return False
        if packet.remote in self._known:
            return True
        self._known.add(packet.remote)
        self._first.add(packet.flow)
        self._forbidden.pop(packet.flow, None)
        return False


# ---------------------------------------------------------------------------------------------------------------------
# by what the server says


@dataclass(kw_only=True)
class AnswerReset(Rule):
    """What the server sends in clear is read: a segment with one of ``words`` is swallowed, and both ends get a RST."""

    words: tuple[bytes, ...] = ()

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.up or not any(word in packet.payload for word in self.words):
            return True
        for to_sender in (False, True):
            network.emit(packets.reset(packet, to_sender=to_sender))
        return False


@dataclass(kw_only=True)
class Freeze(Rule):
    """After so many bytes from the server nothing of a flow is delivered any more, whatever it names."""

    after: int = 16_000
    _passed: dict[Flow, int] = field(default_factory=dict)

    def act(self, packet: Packet, network: Network) -> bool:
        passed = self._passed.get(packet.flow, 0)
        if not packet.up:
            passed = self._passed[packet.flow] = passed + len(packet.payload)
        return passed < self.after


@dataclass(kw_only=True)
class Rewrite(Rule):
    """A piece of plain text on its way to the client is written over with another of the same length."""

    old: bytes = b""
    new: bytes = b""

    def act(self, packet: Packet, network: Network) -> bool:
        at = -1 if packet.up else bytes(packet.data).find(self.old)
        if at >= 0:
            packet.data[at : at + len(self.old)] = self.new
            packet.seal()
        return True


# ---------------------------------------------------------------------------------------------------------------------
# by address


@dataclass(kw_only=True)
class FalseServer(Rule):
    """Takes connections in the server's name and never says another word. The server hears nothing."""

    ttl: int = 64

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.protocol == TCP and packet.up and packet.flags & SYN:
            seq, _ = _numbers(packet)
            network.emit(
                _as_server(packet, seq=0x5EED, ack=seq + 1, flags=SYN | ACK, window=29200, ttl=self.ttl)
            )  # fmt: skip
        return False


# ---------------------------------------------------------------------------------------------------------------------
# questions


@dataclass(kw_only=True)
class DnsVolley(DnsInject):
    """Three forged answers to every question, each with another of ``addresses``, and never the same three in a row."""

    addresses: tuple[str, ...] = ()

    def act(self, packet: Packet, network: Network) -> bool:
        for address in network.random.sample(self.addresses, 3):
            forged = packets.dns_reply(packet.payload, address=address)
            network.emit(packets.udp(packet.dst, packet.dport, packet.src, packet.sport, forged))
        return self.pass_on


@dataclass(kw_only=True)
class DnsInjectOldStyle(DnsInject):
    """An old device: it knows questions as they were before EDNS, and lets the others by."""

    def match(self, packet: Packet) -> bool:
        return super().match(packet) and packet.payload[_PLAIN_HEAD - 2 : _PLAIN_HEAD] == b"\0\0"


@dataclass(kw_only=True)
class DnsDrop(Rule):
    """Questions for the names go no further, over UDP or TCP, whoever is asked."""

    names: tuple[str, ...] = ()

    def match(self, packet: Packet) -> bool:
        if not packet.up or packet.dport != 53 or packet.protocol not in (TCP, UDP) or not self.when.holds(packet):
            return False
        asked = packets.question(packet.payload[2:] if packet.protocol == TCP else packet.payload)
        return asked is not None and any(asked[0] == name or asked[0].endswith("." + name) for name in self.names)

    def act(self, packet: Packet, network: Network) -> bool:
        return False


# ---------------------------------------------------------------------------------------------------------------------
# lines, whatever the name


@dataclass(kw_only=True)
class FewFlows(Rule):
    """A translator with a small table: of new connections in any ``seconds`` only ``most`` get a place."""

    most: int = 20
    seconds: float = 5.0
    _places: dict[Flow, float] = field(default_factory=dict)

    def act(self, packet: Packet, network: Network) -> bool:
        if not (packet.protocol == TCP and packet.up and packet.flags & SYN) or packet.flow in self._places:
            return True
        now = time.monotonic()
        if sum(at > now - self.seconds for at in self._places.values()) >= self.most:
            return False
        self._places[packet.flow] = now
        return True


@dataclass(kw_only=True)
class SlowToKnow(Rule):
    """A household's router that holds back what the client first says until it has looked at the flow for a while."""

    seconds: float = 2.0
    _since: dict[Flow, float] = field(default_factory=dict)

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.protocol != TCP or not packet.up:
            return True
        if packet.flags & SYN:
            self._since.setdefault(packet.flow, time.monotonic())
        return not packet.payload or time.monotonic() - self._since.get(packet.flow, 0.0) >= self.seconds


@dataclass(kw_only=True)
class OnAndOff(Rule):
    """Another rule for ``on`` seconds, then nothing for ``off`` seconds, and so on."""

    rule: Rule = field(default_factory=Rule)
    on: float = 3.0
    off: float = 3.0
    _begun: float | None = None

    def match(self, packet: Packet) -> bool:
        now = time.monotonic()
        if self._begun is None:
            self._begun = now
        return (now - self._begun) % (self.on + self.off) < self.on and self.rule.match(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        return self.rule.act(packet, network)
