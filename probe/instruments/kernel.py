"""What Linux counted for one TCP connection: ``getsockopt(TCP_INFO)``; and which packets it is to ignore: ``IP_MINTTL``.

``struct tcp_info`` (include/uapi/linux/tcp.h) has only ever grown at its end, so fields are read by offset and a field
that lies behind the length that the kernel returned is ``None``. Other platforms have other structs: ``None`` there.
"""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path

from probe.observations import KernelCounters
from probe.wire.sockets import IP_MINTTL, IPV6_MINHOPCOUNT, LINUX

_LENGTH = 256  # more than any kernel returns today (248 on Linux 6.18); the kernel says how much it wrote

# field of KernelCounters → (offset in bytes, struct format)
_FIELDS = {
    "state": (0, "=B"),
    "retransmits": (2, "=B"),
    "rto_us": (8, "=I"),
    "snd_mss": (16, "=I"),
    "rcv_mss": (20, "=I"),
    "unacked": (24, "=I"),
    "sacked": (28, "=I"),
    "lost": (32, "=I"),
    "pmtu": (60, "=I"),
    "rtt_us": (68, "=I"),
    "advmss": (84, "=I"),
    "total_retrans": (100, "=I"),
    "bytes_acked": (120, "=Q"),
    "bytes_received": (128, "=Q"),
    "segs_out": (136, "=I"),
    "segs_in": (140, "=I"),
    "min_rtt_us": (148, "=I"),
    "rwnd_limited_us": (176, "=Q"),
    "rcv_ooopack": (224, "=I"),
    "snd_wnd": (228, "=I"),
}
_NEVER_MEASURED = {"rtt_us": 0, "min_rtt_us": 0xFFFFFFFF}


def read(sock: socket.socket) -> KernelCounters | None:
    """The counters of a TCP socket, connected or not; ``None`` where the platform has none."""
    if sys.platform != "linux":
        return None
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH)
    except OSError:
        return None
    return parse(raw)


def parse(raw: bytes) -> KernelCounters:
    """The fields that *raw*, a ``struct tcp_info`` of any age, is long enough to hold."""
    found: dict[str, int] = {}
    for name, (offset, form) in _FIELDS.items():
        if offset + struct.calcsize(form) <= len(raw):
            (value,) = struct.unpack_from(form, raw, offset)
            if value != _NEVER_MEASURED.get(name):
                found[name] = value
    return KernelCounters(**found)


def ignore_below(sock: socket.socket, ttl: int) -> bool:
    """Have the kernel ignore what arrives with an IP TTL (hop limit) below *ttl* from now on, 0 for nothing; whether it
    does. Needs no privilege on Linux since 2.6.34 (IPv6: 2.6.35); other platforms have nothing like it for clients.
    """
    if not LINUX:
        return False
    v6 = sock.family == socket.AF_INET6
    level, option = (socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT) if v6 else (socket.IPPROTO_IP, IP_MINTTL)
    try:
        sock.setsockopt(level, option, ttl)
    except OSError:
        return False
    return True


_STATISTICS = Path("/proc/net/netstat")
_IGNORED = "TCPMinTTLDrop"


def ignored(statistics: Path = _STATISTICS) -> int | None:
    """How many segments have been ignored for their TTL so far, of all sockets of this host (of this network namespace).

    ``None`` where that is not counted. Only what it has grown by says anything, and only while nobody else asks for it.
    """
    try:
        lines = statistics.read_text().splitlines()
    except OSError:
        return None
    # proc(5): a line of names and a line of numbers, each pair with the same first word.
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith("TcpExt:"):
            return next(
                (int(n) for name, n in zip(names.split(), numbers.split(), strict=False) if name == _IGNORED), None
            )
    return None
