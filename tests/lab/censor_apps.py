"""Devices that know an app's protocol by the first bytes of a flow, whatever its name or address."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.lab import packets
from tests.lab.packets import TCP, Packet
from tests.lab.rules import Network, Rule

Way = Literal["drop", "reset"]


def is_tls(data: bytes) -> bool:
    """A greeting of TLS (RFC 8446 §5.1)."""
    return data[:1] == b"\x16" and data[1:2] == b"\x03"


def is_http(data: bytes) -> bool:
    """A request of the web."""
    return data.split(b" ")[0] in (b"GET", b"HEAD", b"POST", b"OPTIONS", b"PUT")


def is_not_of_the_web(data: bytes) -> bool:
    """Neither of them."""
    return not (is_tls(data) or is_http(data))


def is_plain_mtproto(data: bytes) -> bool:
    """Telegram's transports without obfuscation: abridged, intermediate, padded."""
    return data[:1] == b"\xef" or data[:4] in (b"\xee" * 4, b"\xdd" * 4)


def has_no_shape(data: bytes) -> bool:
    """The rules of thumb of China's device for fully encrypted first packets (Wu et al., USENIX Security 2023, §4): what has
    too few or too many bits set, text, or a protocol's beginning is let through. Blunter than there (3.4 to 4.6 bits, half of
    it text), so that no flow passes by chance: one in 140 would.
    """
    if len(data) < 40 or is_tls(data) or is_http(data):
        return False
    ones = sum(byte.bit_count() for byte in data) / len(data)
    printable = [32 <= byte < 127 for byte in data]
    return 3.0 < ones < 5.0 and not all(printable[:20]) and sum(printable) * 4 < 3 * len(data)


@dataclass(kw_only=True)
class FirstBytes(Rule):
    """What a flow begins with decides: if ``forbidden`` says so, nothing more of the client's is delivered, or both sides get
    a RST.
    """

    forbidden: Callable[[bytes], bool] = has_no_shape
    way: Way = "drop"
    ttl: int = 64
    identification: int = 0
    _flows: OrderedDict[tuple[bytes, int, int, int], bool] = field(default_factory=OrderedDict)

    def match(self, packet: Packet) -> bool:
        if packet.protocol != TCP or not self.when.holds(packet):
            return False
        if packet.up and packet.flags & packets.SYN:
            self._flows.pop(packet.flow, None)
            return False
        if packet.up and packet.payload and packet.flow not in self._flows:
            self._flows[packet.flow] = self.forbidden(bytes(packet.payload))
            if len(self._flows) > 65536:
                self._flows.popitem(last=False)
        return self._flows.get(packet.flow, False)

    def act(self, packet: Packet, network: Network) -> bool:
        if self.way == "drop":
            return not packet.up
        if packet.up and packet.payload:
            for to_sender in (True, False):
                network.emit(
                    packets.reset(packet, to_sender=to_sender, ttl=self.ttl, identification=self.identification)
                )
        return False
