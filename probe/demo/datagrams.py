"""What answers datagrams in the pretend Internet: resolvers, the box on the path that answers before them, clocks, calls."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

from probe.demo import answers
from probe.demo.on_the_way import ROUTERS
from probe.demo.web import Realm
from probe.demo.world import Resolver, rule_for, says

Address = tuple[str, int]
INJECTION_S = 0.001
"""The box on the path is nearer than any resolver, so its answer comes first."""
LATE_S = 0.03
"""How far behind the box's answer the true one arrives."""
TTL = 64 - len(ROUTERS)
"""With the usual 64 on the loopback, every reply would look as if it had passed no router."""
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""
_STUN_COOKIE = b"\x21\x12\xa4\x42"


class _Datagrams(asyncio.DatagramProtocol):
    """Answers each datagram after a delay, unless the socket has been closed meanwhile."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
        self._loop = asyncio.get_running_loop()

    def later(self, delay_s: float, data: bytes | None, peer: Address) -> None:
        """Send *data* after *delay_s*; ``None`` is silence."""
        if data is not None:
            self._loop.call_later(delay_s, self._send, data, peer)

    def _send(self, data: bytes, peer: Address) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, peer)


class Names(_Datagrams):
    """Port 53 of one address: the box's forged answer, then the resolver's. ``None``: no resolver runs there."""

    def __init__(self, realm: Realm, resolver: Resolver | None) -> None:
        self._realm, self._resolver = realm, resolver

    def datagram_received(self, data: bytes, addr: Address) -> None:
        query = answers.parse(data)
        if query is None:
            return
        name = answers.asked_name(query)
        rule = rule_for(self._realm.world, name)
        forged = rule.dns if rule is not None else None
        if forged is not None:
            self.later(INJECTION_S, answers.reply(query, forged), addr)
        if self._resolver is not None:
            delay = self._resolver.delay_s + (LATE_S if forged is not None else 0)
            self.later(delay, answers.reply(query, says(self._realm.world, self._resolver, name)), addr)


class Clock(_Datagrams):
    """An NTP server (RFC 5905, mode 4) of stratum 2 whose time is *now*, in seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if len(data) < 48:
            return
        stamp = _ntp_stamp(self._now())
        head = struct.pack("!BBbbII4s", 0x24, 2, 6, -20, 0, 0, bytes((21, 1, 1, 1)))
        self.later(INJECTION_S, head + stamp + data[40:48] + stamp + stamp, addr)


class Calls(_Datagrams):
    """A server that calls begin with (STUN, RFC 8489): it says under which address it sees whoever asks."""

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if len(data) < 20 or data[:2] != b"\0\1" or data[4:8] != _STUN_COOKIE:
            return
        host = bytes(a ^ b for a, b in zip(socket.inet_aton(addr[0]), _STUN_COOKIE, strict=True))
        seen = struct.pack("!HHBBH", 0x0020, 8, 0, 1, addr[1] ^ 0x2112) + host
        self.later(INJECTION_S, struct.pack("!HH", 0x0101, len(seen)) + data[4:20] + seen, addr)


def _ntp_stamp(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("!II", (whole + _NTP_EPOCH) & 0xFFFFFFFF, int((seconds - whole) * 2**32))
