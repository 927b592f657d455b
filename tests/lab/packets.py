"""IPv4 packets as the router sees them: read lazily, rewritten in place, made from nothing. RFC 791, 9293, 768, 792.

What is made here from addresses of 16 bytes, or about an IPv6 packet, is IPv6 (``packets6``).
"""

from __future__ import annotations

import socket
import struct
import zlib
from functools import lru_cache

ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@lru_cache(maxsize=65536)
def text(address: bytes) -> str:
    return socket.inet_ntoa(address) if len(address) == 4 else socket.inet_ntop(socket.AF_INET6, address)


@lru_cache(maxsize=65536)
def raw(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, address) if ":" in address else socket.inet_aton(address)


def checksum(data: bytes | bytearray | memoryview) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data = bytes(data) + b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Packet:
    """One IPv4 packet. ``up``: it comes from the probe. ``remote`` is the end that is not the probe."""

    __slots__ = ("data", "dport", "dst", "header", "protocol", "sport", "src", "up")

    def __init__(self, data: bytearray, *, up: bool) -> None:
        self.data = data
        self.up = up
        self.header = (data[0] & 15) * 4
        self.protocol = data[9]
        self.src = bytes(data[12:16])
        self.dst = bytes(data[16:20])
        self.sport = self.dport = 0
        # Only a first fragment has ports.
        if self.protocol in (TCP, UDP) and not (data[6] & 0x1F or data[7]) and len(data) >= self.header + 8:
            self.sport, self.dport = struct.unpack_from("!HH", data, self.header)

    @property
    def remote(self) -> bytes:
        return self.dst if self.up else self.src

    @property
    def remote_port(self) -> int:
        return self.dport if self.up else self.sport

    @property
    def flow(self) -> tuple[bytes, int, int, int]:
        """Remote address, remote port, the probe's port, protocol: the same in both directions."""
        near = self.sport if self.up else self.dport
        return (self.remote, self.remote_port, near, self.protocol)

    @property
    def version(self) -> int:
        return 4

    @property
    def ttl(self) -> int:
        return self.data[8]

    @property
    def dont_fragment(self) -> bool:
        return bool(self.data[6] & 0x40)

    @property
    def is_error(self) -> bool:
        """An ICMP message that is not a ping; none is ever complained of (RFC 1122 §3.2.2)."""
        return self.protocol == ICMP and self.data[self.header] != 8

    @property
    def flags(self) -> int:
        """TCP flags, 0 for other protocols."""
        return self.data[self.header + 13] if self.protocol == TCP else 0

    @property
    def payload(self) -> bytes:
        """What TCP or UDP carries."""
        if self.protocol == TCP:
            return bytes(self.data[self.header + (self.data[self.header + 12] >> 4) * 4 :])
        if self.protocol == UDP:
            return bytes(self.data[self.header + 8 :])
        return b""

    def age(self, hops: int) -> None:
        """Take *hops* off the TTL and mend the header's checksum (RFC 1624)."""
        data = self.data
        data[8] -= hops
        total = (~((data[10] << 8) | data[11]) & 0xFFFF) + 0xFFFF - (hops << 8)
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        total = ~total & 0xFFFF
        data[10], data[11] = total >> 8, total & 255

    def readdress(
        self, *, src: bytes | None = None, dst: bytes | None = None, dport: int | None = None, sport: int | None = None
    ) -> None:
        """Network address translation of a TCP or UDP packet, checksums included."""
        if src is not None:
            self.data[12:16] = self.src = src
        if dst is not None:
            self.data[16:20] = self.dst = dst
        if sport is not None:
            self.sport = sport
        if dport is not None:
            self.dport = dport
        struct.pack_into("!HH", self.data, self.header, self.sport, self.dport)
        self.seal()

    def seal(self) -> None:
        """Compute every checksum anew."""
        data, start = self.data, self.header
        data[10:12] = b"\0\0"
        struct.pack_into("!H", data, 10, checksum(data[:start]))
        offset = {TCP: 16, UDP: 6}.get(self.protocol)
        if offset is None:
            return
        data[start + offset : start + offset + 2] = b"\0\0"
        pseudo = self.src + self.dst + struct.pack("!BBH", 0, self.protocol, len(data) - start)
        value = checksum(pseudo + data[start:])
        struct.pack_into("!H", data, start + offset, value or (0xFFFF if self.protocol == UDP else 0))


def branch(packet: Packet) -> bool:
    """Which of two ways a balancer that looks at ports sends a flow; the half for which it is false is the one that
    ``rules.When(fraction=0.5)`` means.
    """
    return zlib.crc32(repr(packet.flow).encode()) % 1000 >= 500


def ip(src: bytes, dst: bytes, protocol: int, body: bytes, *, ttl: int, identification: int) -> bytearray:
    """An IPv4 packet without options, whose checksums have yet to be computed."""
    return bytearray(
        struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), identification, 0x4000, ttl, protocol, 0, src, dst) + body
    )


def tcp(
    src: bytes, sport: int, dst: bytes, dport: int, *, seq: int, ack: int, flags: int,
    payload: bytes = b"", window: int = 0, ttl: int = 64, identification: int = 0, up: bool = False,
) -> Packet:  # fmt: skip
    """A TCP segment without options."""
    body = (
        struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, window, 0, 0) + payload
    )
    if len(src) == 16:
        return packets6.packet(src, dst, TCP, body, ttl=ttl, up=up)
    packet = Packet(ip(src, dst, TCP, body, ttl=ttl, identification=identification), up=up)
    packet.seal()
    return packet


def udp(src: bytes, sport: int, dst: bytes, dport: int, payload: bytes, *, ttl: int = 64, up: bool = False) -> Packet:
    body = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    if len(src) == 16:
        return packets6.packet(src, dst, UDP, body, ttl=ttl, up=up)
    packet = Packet(ip(src, dst, UDP, body, ttl=ttl, identification=0), up=up)
    packet.seal()
    return packet


def icmp(src: bytes, about: Packet, kind: int, code: int, rest: int = 0) -> Packet:
    """An ICMP error about a packet, to its sender, quoting its header and eight bytes (RFC 792)."""
    if about.version == 6:
        return packets6.icmp(packets6.raw_twin(src), about, kind, code, rest)
    body = bytearray(struct.pack("!BBHI", kind, code, 0, rest) + bytes(about.data[: about.header + 8]))
    struct.pack_into("!H", body, 2, checksum(body))
    packet = Packet(ip(src, about.src, ICMP, bytes(body), ttl=64, identification=0), up=not about.up)
    packet.seal()
    return packet


def echo_reply(request: Packet) -> Packet | None:
    """The answer to a ping, ``None`` if it is no ping."""
    if request.version == 6:
        return packets6.echo_reply(request)
    body = request.data[request.header :]
    if request.protocol != ICMP or len(body) < 8 or body[0] != 8:
        return None
    body[0] = 0
    body[2:4] = b"\0\0"
    struct.pack_into("!H", body, 2, checksum(body))
    packet = Packet(ip(request.dst, request.src, ICMP, bytes(body), ttl=64, identification=0), up=not request.up)
    packet.seal()
    return packet


def reset(about: Packet, *, to_sender: bool, ttl: int = 64, identification: int = 0, window: int = 0) -> Packet:
    """A RST that looks as if the other end of *about*'s connection had sent it, to its sender or to its receiver."""
    seq, ack = struct.unpack_from("!II", about.data, about.header + 4)
    length = len(about.payload) + (1 if about.flags & (SYN | FIN) else 0)
    if to_sender:
        return tcp(
            about.dst, about.dport, about.src, about.sport, seq=ack, ack=seq + length, flags=RST | ACK,
            window=window, ttl=ttl, identification=identification, up=not about.up,
        )  # fmt: skip
    return tcp(
        about.src, about.sport, about.dst, about.dport, seq=seq, ack=ack, flags=RST | ACK,
        window=window, ttl=ttl, identification=identification, up=about.up,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# what a middlebox reads out of payloads


def sni(hello: bytes) -> str | None:
    """The server_name of a ClientHello (RFC 6066) that starts at the first byte; ``""`` if it has none, ``None`` if it is
    no ClientHello or not all of it is here yet."""
    if len(hello) < 44 or hello[0] != 22 or hello[5] != 1:
        return None
    if len(hello) < 5 + struct.unpack_from("!H", hello, 3)[0]:
        return None
    try:
        at = 43 + 1 + hello[43]
        at += 2 + struct.unpack_from("!H", hello, at)[0]
        at += 1 + hello[at]
        end = at + 2 + struct.unpack_from("!H", hello, at)[0]
        at += 2
        while at + 4 <= end:
            kind, length = struct.unpack_from("!HH", hello, at)
            if kind == 0:
                size = struct.unpack_from("!H", hello, at + 7)[0]
                return hello[at + 9 : at + 9 + size].decode("ascii", "replace").lower()
            at += 4 + length
    except (IndexError, struct.error):
        return None
    return ""


def host(request: bytes) -> str | None:
    """The Host of an HTTP/1 request, ``None`` if there is none (yet)."""
    head, complete, _ = request.partition(b"\r\n\r\n")
    if not complete:
        return None
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"host":
            return value.strip().decode("latin-1").lower()
    return None


def question(message: bytes) -> tuple[str, int, int] | None:
    """Name (lower case), type and the end of the question of a DNS query with one question; else ``None``."""
    if len(message) < 17 or message[2] & 0x80 or message[4:6] != b"\0\1":
        return None
    labels, at = [], 12
    while at < len(message) and (size := message[at]):
        if size > 63:
            return None
        labels.append(message[at + 1 : at + 1 + size].decode("latin-1").lower())
        at += 1 + size
    if at + 5 > len(message):
        return None
    return ".".join(labels), struct.unpack_from("!H", message, at + 1)[0], at + 5


def dns_reply(query: bytes, *, rcode: int = 0, address: str | None = None, ttl: int = 60) -> bytes:
    """A reply to *query* that gives an address, where that is what was asked for, or only a code."""
    asked = question(query)
    assert asked is not None
    flags = 0x8180 | (struct.unpack_from("!H", query, 2)[0] & 0x0110) | rcode
    kind = 28 if address is not None and ":" in address else 1
    answers = 1 if address is not None and asked[1] == kind else 0
    reply = query[:2] + struct.pack("!HHHHH", flags, 1, answers, 0, 0) + query[12 : asked[2]]
    if answers:
        assert address is not None
        reply += struct.pack("!HHHIH", 0xC00C, kind, 1, ttl, len(raw(address))) + raw(address)
    return reply


from tests.lab import packets6  # noqa: E402 - it builds on what is above, and makes what is of the other version
