"""Clocks, and raw packets as the process that listens reads them."""

from __future__ import annotations

import functools
import json
import socket
import struct
from collections.abc import Callable, Hashable
from typing import Any

from probe import raw
from probe.instruments import ntp
from probe.observations import Operation
from probe.wire.datagrams import Datagram
from tests.fuzz.harness import Subject
from tests.fuzz.readers import plain, stored

_COOKIE = b"8 bytes."
_HEAD = bytes((0x24, 2, 6, 0xE9)) + bytes(8) + b"GPS\0" + bytes(8) + _COOKIE
_CLOCK = _HEAD + bytes.fromhex("e9e1b2c380000000") * 2
_KISS = b"\x24\0" + _CLOCK[2:12] + b"RATE" + _CLOCK[16:]


def _clock(data: bytes) -> Hashable:
    """An answer to our question (the cookie is put where it belongs), or a stranger's datagram."""
    ours = data[:24] + _COOKIE + data[32:] if len(data) >= 32 else data
    for candidate in (data, ours):
        if not ntp._is_reply(candidate, _COOKIE):
            continue
        fact, more = ntp._read(Datagram(candidate, "192.0.2.1", 123, 57, 1_700_000_000_000_000), 1_700_000_000_000_000)
        stored("clock", fact)
        plain(Operation(fact=fact, started_us=0, **more).failure)
        return fact.stratum == 0, fact.offset_s is None
    return None


def _four(options: bytes = b"", payload: bytes = b"") -> bytes:
    ihl = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | ihl, 0, ihl * 4 + 20 + len(payload), 7, 0, 57, 6, 0)
    ends = socket.inet_aton("157.240.205.35") + socket.inet_aton("192.168.1.10")
    return head + ends + options + struct.pack("!HHIIBBHHH", 443, 40_000, 1, 2, 0x50, 0x12, 500, 0, 0) + payload


def _six() -> bytes:
    ends = socket.inet_pton(socket.AF_INET6, "2a03:2880::1") + socket.inet_pton(socket.AF_INET6, "2a5c:2f90::10")
    options = bytes((2, 4, 5, 0xB4, 1, 3, 3, 7, 4, 2, 0, 0))
    segment = struct.pack("!HHIIBBHHH", 443, 40_000, 1, 2, 0x80, 0x12, 500, 0, 0) + options
    return struct.pack("!IHBB", 6 << 28, len(segment), 6, 57) + ends + segment


@functools.cache
def _dissectors() -> tuple[Callable[[bytes], Any], Callable[[bytes], Any], Any]:
    import scapy.config

    scapy.config.conf.verb = 0
    from scapy.layers.inet import IP, TCP
    from scapy.layers.inet6 import IPv6

    return IP, IPv6, TCP


def _may_pass(data: bytes) -> bool:
    """Whether the filter can let it through: it reads the protocol, and the port that a segment comes from."""
    as_four = len(data) >= 20 and data[9] == 6 and len(data) >= 4 * (data[0] & 15) + 2 and not data[6] & 31 | data[7]
    as_six = len(data) >= 42 and data[6] == 6
    return as_four or as_six


def _packet(data: bytes) -> Hashable:
    """What the kernel's filter may hand over: the beginning of a packet that says it is TCP. What is told of it is heard."""
    four, six, tcp = _dissectors()
    if not _may_pass(data):
        return None
    version = data[0] >> 4
    packet = six(data) if version == 6 else four(data)
    if tcp not in packet:
        return None
    line = json.dumps(raw._told(packet, packet[tcp], 1_700_000_000_000_000, version))
    heard = raw._heard(json.loads(line))
    assert 0 <= heard.size <= 65_535
    return version, heard.flags, heard.size > 0


def _line(data: bytes) -> Hashable:
    """What comes out of the pipe of that process, if it is not what it says."""
    return type(raw._heard(json.loads(data)).flags).__name__


SUBJECTS = (
    Subject(name="ntp", read=_clock, seeds=(_CLOCK, _KISS, _KISS.replace(b"RATE", b"R\0\x07E"))),
    Subject(
        name="raw-packet",
        read=_packet,
        seeds=(_four(), _four(bytes((0x94, 4, 0, 0)), b"HTTP/1.1"), _six()),
        longest=128,
    ),
    Subject(
        name="raw-line",
        read=_line,
        seeds=(b'[1700000000000000, "157.240.205.35", 443, 40000, 57, 7, 500, "SA", 0]',),
        longest=4_096,
        declared=(ValueError, RecursionError),
    ),
)
