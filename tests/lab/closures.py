"""Closing everything but some holes, closing now and then, and what short segments do to greetings and to who reads them."""

from __future__ import annotations

import struct
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic

from tests.lab import packets
from tests.lab.packets import RST, SYN, TCP, Packet
from tests.lab.rules import NameDrop, Network, Rule, When, _remember

Flow = tuple[bytes, int, int, int]

NAMED_HOLES = (
    When(protocol=packets.UDP, ports=(53,)),
    When(protocol=TCP, ports=(179,)),
    When(protocol=TCP, ports=(3785,)),
)
"""What was left open in shutdowns that somebody measured: questions, BGP, and BFD's port."""


@dataclass(kw_only=True)
class Closed(Rule):
    """Whatever ``when`` says is dropped, or reset if ``resets`` and it is TCP, unless one of ``holes`` holds."""

    holes: tuple[When, ...] = ()
    resets: bool = False

    def match(self, packet: Packet) -> bool:
        return self.when.holds(packet) and not any(hole.holds(packet) for hole in self.holes)

    def act(self, packet: Packet, network: Network) -> bool:
        if self.resets and packet.up and packet.protocol == TCP and not packet.flags & RST:
            network.emit(packets.reset(packet, to_sender=True))
        return False


@dataclass(kw_only=True)
class Schedule(Rule):
    """Another rule, now and then: for ``on`` seconds, then not for ``off``, and so on, since the first packet that ``since``
    describes; ``first_off``: the other way about."""

    rule: Rule = field(default_factory=Rule)
    since: When = field(default_factory=When)
    on: float = 3.0
    off: float = 3.0
    first_off: bool = False
    _begun: float | None = None

    def match(self, packet: Packet) -> bool:
        now = monotonic()
        if self._begun is None and self.since.holds(packet):
            self._begun = now
        if self._begun is None:
            return False
        at = (now - self._begun + (self.on if self.first_off else 0)) % (self.on + self.off)
        return at < self.on and self.rule.match(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        return self.rule.act(packet, network)


@dataclass(kw_only=True)
class ShortSegments(Rule):
    """The maximum segment size in every SYN is lowered to ``mss`` (RFC 9293 §3.7.1), as routers before tunnels do: what the
    probe greets with then takes more than one segment."""

    mss: int = 250

    def match(self, packet: Packet) -> bool:
        return packet.protocol == TCP and bool(packet.flags & SYN) and self.when.holds(packet)

    def act(self, packet: Packet, network: Network) -> bool:
        data, at = packet.data, packet.header + 20
        end = packet.header + (data[packet.header + 12] >> 4) * 4
        while at < end and data[at]:
            if data[at] == 2 and at + 4 <= end:
                (said,) = struct.unpack_from("!H", data, at + 2)
                struct.pack_into("!H", data, at + 2, min(said, self.mss))
                packet.seal()
            at += 1 if data[at] == 1 else max(2, data[at + 1])
        return True


@dataclass(kw_only=True)
class FirstSegmentDrop(NameDrop):
    """As ``NameDrop``, by a device that looks at the first segment of a flow only, and takes a name from half a greeting."""

    _looked: OrderedDict[Flow, bool] = field(default_factory=OrderedDict)

    def _reads(self, packet: Packet) -> bool:
        payload = packet.payload
        if not payload or packet.flow in self._looked:
            return False
        _remember(self._looked, packet.flow, value=True)
        if payload[:1] != b"\x16" or len(payload) < 5:
            return False
        (size,) = struct.unpack_from("!H", payload, 3)
        name = packets.sni(payload.ljust(5 + size, b"\0"))
        if not name or not self.covers(name):
            return False
        _remember(self._forbidden, packet.flow, name)
        return True


@dataclass(kw_only=True)
class SplitIntolerant(Rule):
    """A server that gives up on a greeting of which not all comes in the first segment (https://tldr.fail): silence."""

    _whole: OrderedDict[Flow, bool] = field(default_factory=OrderedDict)

    def act(self, packet: Packet, network: Network) -> bool:
        if packet.up and packet.flags & SYN:
            self._whole.pop(packet.flow, None)
        payload = packet.payload
        if packet.up and payload and packet.flow not in self._whole:
            _remember(self._whole, packet.flow, value=packets.sni(payload) is not None)
        return self._whole.get(packet.flow, True)
