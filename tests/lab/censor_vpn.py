"""Devices that know a VPN's flow by what its packets look like, over UDP and TCP, at once or after some packets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from tests.lab import packets
from tests.lab.packets import TCP, UDP, Packet
from tests.lab.rules import Network, Rule

Way = Literal["drop", "reset"]
Flow = tuple[bytes, int, int, int]


def is_openvpn(data: bytes) -> bool:
    """A client's reset (opcode 7, key 0): of 14 bytes, or some more where packets are signed; over TCP behind its length."""
    if len(data) > 3 and int.from_bytes(data[:2]) == len(data) - 2:
        data = data[2:]
    return data[:1] == b"\x38" and 14 <= len(data) <= 86


def is_wireguard(data: bytes) -> bool:
    """A handshake initiation: type 1, three zeros, 148 bytes."""
    return len(data) == 148 and data[:4] == b"\x01\x00\x00\x00"


def is_ikev2(data: bytes) -> bool:
    """An IKE_SA_INIT request: no SPI of the answering side yet, version 2, exchange 34."""
    return len(data) >= 28 and data[8:16] == bytes(8) and data[17:19] == b"\x20\x22"


def is_unknown(data: bytes) -> bool:
    """Anything that is neither DNS nor the web: a network that lets only those pass."""
    tls, web = data[:1] == b"\x16" and data[1:2] == b"\x03", data[:4] in (b"GET ", b"POST", b"HEAD")
    return not (tls or web)


@dataclass(kw_only=True)
class ByShape(Rule):
    """What a flow begins with decides. Of a ``forbidden`` one so many packets of the client's pass as ``after`` says, and then
    nothing more of either side, or both sides get a RST. ``replies``: only what comes back is dropped.
    ``every_s``: once in so many seconds one of all packets that are to be dropped passes.
    """

    forbidden: Callable[[bytes], bool] = is_openvpn
    after: int = 0
    way: Way = "drop"
    replies: bool = False
    every_s: float = 0.0
    _passed_at: float = 0.0
    _flows: OrderedDict[Flow, int | None] = field(default_factory=OrderedDict)
    """How many packets of the client's a forbidden flow has had; ``None`` for one that is none."""

    def match(self, packet: Packet) -> bool:
        if packet.protocol not in (TCP, UDP) or not self.when.holds(packet):
            return False
        if packet.up and packet.flags & packets.SYN:
            self._flows.pop(packet.flow, None)
            return False
        if packet.up and packet.payload:
            self._count(packet)
        passed = self._flows.get(packet.flow)
        return passed is not None and passed > self.after and not (self.replies and packet.up)

    def _count(self, packet: Packet) -> None:
        if packet.flow not in self._flows:
            self._flows[packet.flow] = 0 if self.forbidden(packet.payload) else None
            if len(self._flows) > 65536:
                self._flows.popitem(last=False)
        passed = self._flows[packet.flow]
        if passed is not None:
            self._flows[packet.flow] = passed + 1

    def act(self, packet: Packet, network: Network) -> bool:
        if self.every_s and monotonic() - self._passed_at > self.every_s:
            self._passed_at = monotonic()
            return True
        if self.way == "reset" and packet.up and packet.payload and packet.protocol == TCP:
            for to_sender in (True, False):
                network.emit(packets.reset(packet, to_sender=to_sender, ttl=64))
        return False
