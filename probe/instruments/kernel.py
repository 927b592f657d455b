"""What Linux counted for one TCP connection: ``getsockopt(TCP_INFO)``.

``struct tcp_info`` (include/uapi/linux/tcp.h) has only ever grown at its end, so fields are read by offset and a field
that lies behind the length that the kernel returned is ``None``. Other platforms have other structs: ``None`` there.
"""

from __future__ import annotations

import socket
import struct
import sys

from probe.observations import KernelCounters

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
