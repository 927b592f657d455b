"""IPv6 packets as the router sees them (RFC 8200, 4443), and the translator between the two versions (RFC 7915, 6052).

``Packet6`` has the face of ``packets.Packet``, so that rules act on both versions and never ask which one it is. Extension
headers are not read: what has them is a protocol that no rule knows, and is delivered as it is.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field

from tests.lab import packets
from tests.lab.packets import ICMP, TCP, UDP, Packet

ICMPV6 = 58
_HEADER = 40
_ERRORS = {(11, 0): (3, 0), (3, 0): (1, 0), (3, 1): (1, 3), (3, 3): (1, 4), (3, 4): (2, 0), (3, 13): (1, 1)}
"""An ICMP error's type and code → those of ICMPv6; all other unreachables are "administratively prohibited"."""
_MOST_QUOTED = 1280 - _HEADER - 8
WELL_KNOWN = "64:ff9b::"
"""Where the addresses of translators begin (RFC 6052): a prefix of 96 bits."""


def twin(address: str) -> str:
    """The IPv6 address that the lab gives to whoever has this IPv4 one: 157.240.9.7 → 2a9d:f000:900::7.

    One to one. Neighbours stay so: a /16 is a /32, a /24 is a /48.
    """
    return str(ipaddress.IPv6Address(raw_twin(packets.raw(address))))


def raw_twin(address: bytes) -> bytes:
    """The same as bytes; an IPv6 address is its own."""
    if len(address) == 16:
        return address
    a, b, c, d = address
    return struct.pack("!BBBBBB9xB", 0x2A, a, b, 0, c, 0, d)


class Packet6(Packet):
    """One IPv6 packet; see ``packets.Packet``. ``ttl`` is the hop limit."""

    __slots__ = ()

    def __init__(self, data: bytearray, *, up: bool) -> None:
        self.data = data
        self.up = up
        self.header = _HEADER
        self.protocol = data[6]
        self.src = bytes(data[8:24])
        self.dst = bytes(data[24:40])
        self.sport = self.dport = 0
        if self.protocol in (TCP, UDP) and len(data) >= _HEADER + 8:
            self.sport, self.dport = struct.unpack_from("!HH", data, _HEADER)

    @property
    def version(self) -> int:
        return 6

    @property
    def ttl(self) -> int:
        return self.data[7]

    @property
    def dont_fragment(self) -> bool:
        """Nobody on the way ever cuts up an IPv6 packet."""
        return True

    @property
    def is_error(self) -> bool:
        """Errors are the types below 128 (RFC 4443 §2.1)."""
        return self.protocol == ICMPV6 and self.data[_HEADER] < 128

    def age(self, hops: int) -> None:
        """Take *hops* off the hop limit; there is no checksum of the header."""
        self.data[7] -= hops

    def readdress(
        self, *, src: bytes | None = None, dst: bytes | None = None, dport: int | None = None, sport: int | None = None
    ) -> None:
        """As with IPv4, with addresses of 16 bytes."""
        if src is not None:
            self.data[8:24] = self.src = src
        if dst is not None:
            self.data[24:40] = self.dst = dst
        self.sport = self.sport if sport is None else sport
        self.dport = self.dport if dport is None else dport
        struct.pack_into("!HH", self.data, _HEADER, self.sport, self.dport)
        self.seal()

    def seal(self) -> None:
        """Compute the checksum of TCP, UDP or ICMPv6 anew, with the pseudo header of RFC 8200 §8.1."""
        offset = {TCP: 16, UDP: 6, ICMPV6: 2}.get(self.protocol)
        if offset is None:
            return
        data, at = self.data, _HEADER + offset
        data[at : at + 2] = b"\0\0"
        pseudo = self.src + self.dst + struct.pack("!II", len(data) - _HEADER, self.protocol)
        value = packets.checksum(pseudo + data[_HEADER:])
        struct.pack_into("!H", data, at, value or (0xFFFF if self.protocol == UDP else 0))


def packet(src: bytes, dst: bytes, protocol: int, body: bytes, *, ttl: int = 64, up: bool = False) -> Packet6:
    """A packet with this *body* behind its header, checksums included."""
    head = struct.pack("!IHBB16s16s", 6 << 28, len(body), protocol, ttl, src, dst)
    made = Packet6(bytearray(head + body), up=up)
    made.seal()
    return made


def icmp(src: bytes, about: Packet, kind: int, code: int, rest: int = 0) -> Packet6:
    """An ICMPv6 error about a packet, to its sender; *kind* and *code* are those of IPv4's ICMP."""
    kind6, code6 = _ERRORS.get((kind, code), (1, 1))
    body = struct.pack("!BBHI", kind6, code6, 0, rest) + bytes(about.data[:_MOST_QUOTED])
    return packet(src, about.src, ICMPV6, body, up=not about.up)


def echo_reply(request: Packet) -> Packet6 | None:
    """The answer to a ping, ``None`` if it is no ping."""
    body = bytes(request.data[_HEADER:])
    if request.protocol != ICMPV6 or len(body) < 8 or body[0] != 128:
        return None
    return packet(request.dst, request.src, ICMPV6, b"\x81" + body[1:], up=not request.up)


# ---------------------------------------------------------------------------------------------------------------------
# between the versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """NAT64 at the first router: the probe's IPv6 packets to *prefix* leave as IPv4, and what comes back is IPv6 again.

    One machine is behind it, so ports stay as they are: *inside* is its IPv6 address, *outside* the IPv4 address that it
    is seen with.
    """

    inside: str
    outside: str
    prefix: str = WELL_KNOWN
    _inside: bytes = field(init=False, repr=False)
    _outside: bytes = field(init=False, repr=False)
    _begins: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_inside", packets.raw(self.inside))
        object.__setattr__(self, "_outside", packets.raw(self.outside))
        object.__setattr__(self, "_begins", packets.raw(self.prefix)[:12])

    def out(self, seen: Packet) -> Packet | None:
        """The packet as IPv4; itself if it is not for the translator, ``None`` if it cannot be said in IPv4."""
        if seen.version != 6 or not seen.dst.startswith(self._begins):
            return seen
        protocol, body = seen.protocol, bytes(seen.data[_HEADER:])
        if protocol == ICMPV6:
            if body[0] != 128:
                return None
            protocol, body = ICMP, _plain_sum(b"\x08" + body[1:])
        return _packet4(self._outside, seen.dst[12:], protocol, body, ttl=seen.ttl, up=seen.up)

    def back(self, seen: Packet) -> Packet | None:
        """The packet as IPv6; itself if it is not for the machine behind the translator."""
        if seen.version != 4 or seen.dst != self._outside:
            return seen
        src, body, protocol = self._begins + seen.src, bytes(seen.data[seen.header :]), seen.protocol
        if protocol == ICMP:
            translated = self._icmp(body)
            if translated is None:
                return None
            protocol, body = ICMPV6, translated
        return packet(src, self._inside, protocol, body, ttl=seen.ttl, up=seen.up)

    def _icmp(self, body: bytes) -> bytes | None:
        """An ICMP message in the words of ICMPv6 (RFC 7915 §4.2); ``None`` for what has none."""
        if body[0] == 0:
            return b"\x81" + body[1:]
        if body[0] not in (3, 11):
            return None
        kind, code = _ERRORS.get((body[0], body[1]), (1, 1))
        # An IPv6 header is 20 bytes longer than the IPv4 one that did not fit.
        rest = struct.unpack_from("!H", body, 6)[0] + 20 if kind == 2 else 0
        about = body[8:]
        length, protocol = struct.unpack_from("!H", about, 2)[0] - 20, about[9]
        head = struct.pack("!IHBB", 6 << 28, length, protocol, about[8]) + self._inside + self._begins + about[16:20]
        return struct.pack("!BBHI", kind, code, 0, rest) + head + about[20:]


def _plain_sum(body: bytes) -> bytes:
    """An ICMP message with its checksum, which covers no addresses."""
    body = body[:2] + b"\0\0" + body[4:]
    return body[:2] + struct.pack("!H", packets.checksum(body)) + body[4:]


def _packet4(src: bytes, dst: bytes, protocol: int, body: bytes, *, ttl: int, up: bool) -> Packet:
    made = Packet(packets.ip(src, dst, protocol, body, ttl=ttl, identification=0), up=up)
    made.seal()
    return made
