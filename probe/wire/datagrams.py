"""UDP sockets that see the TTLs and the kernel's receive times of what comes in."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from probe.wire.sockets import (
    IP_RECVERR,
    IPV6_RECVERR,
    LINUX,
    family_of,
    icmp_error,
    leave_from,
    set_ttl,
    sockaddr,
    try_option,
)

if TYPE_CHECKING:
    from probe.wire import Wire

# As in ``sockets``: of Linux.
IP_RECVTTL = getattr(socket, "IP_RECVTTL", 12)
IP_TTL_CMSG = 2
SO_TIMESTAMPNS = 35


@dataclass(frozen=True, slots=True)
class Datagram:
    """A datagram that arrived: payload, the sender it claims, IP TTL or hop limit, and when (UTC microseconds)."""

    data: bytes
    address: str
    port: int
    ttl: int | None
    received_us: int


class UdpSocket:
    """One UDP socket on a fresh port that talks to one place; sees TTLs and kernel receive times."""

    def __init__(self, wire: Wire, address: str, port: int) -> None:
        self._wire = wire
        self._peer = (address, port)
        self._place = wire.place(address, port, "udp")
        family = family_of(self._place[0] if self._place else address)
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._ask_for_details(family)

    def _ask_for_details(self, family: socket.AddressFamily) -> None:
        if not LINUX:
            return
        if family == socket.AF_INET6:
            try_option(self._sock, socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            try_option(self._sock, socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            try_option(self._sock, socket.IPPROTO_IP, IP_RECVTTL, 1)
            try_option(self._sock, socket.IPPROTO_IP, IP_RECVERR, 1)
        try_option(self._sock, socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def connect(self) -> None:
        """Fix the peer, so that ICMP errors are reported and strangers are not heard. Raises ``OSError``."""
        if self._place is not None:
            leave_from(self._sock, self._wire.source)
            self._sock.connect(sockaddr(*self._place))

    def own_address(self) -> str | None:
        """This host's address on the way there, once the peer is fixed."""
        return str(self._sock.getsockname()[0]) if self._place is not None else None

    def set_ttl(self, ttl: int) -> bool:
        """From now on datagrams leave with this TTL; ``False`` where the platform does not have it."""
        return set_ttl(self._sock, ttl)

    def send(self, data: bytes) -> None:
        """Send one datagram; ``OSError`` as the kernel has it (unreachable networks fail here)."""
        if self._place is not None:
            self._sock.send(data)

    async def receive(self) -> Datagram:
        """The next datagram; waits until cancelled, or raises the ``OSError`` of an ICMP error."""
        if self._place is None:
            await asyncio.Event().wait()
        while True:
            datagram = self.poll()
            if datagram is not None:
                return datagram
            await readable((self,))

    def poll(self) -> Datagram | None:
        """A datagram that has already arrived, or ``None``. Raises the ``OSError`` of an ICMP error."""
        if self._place is None:
            return None
        try:
            data, ancillary, _flags, _peer = self._sock.recvmsg(65535, 256)
        except BlockingIOError:
            icmp_error(self._sock)
            return None
        except OSError as error:
            # What stays in the error queue keeps the socket "readable": whoever waits on it would spin.
            error.icmp = icmp_error(self._sock)  # type: ignore[attr-defined]
            raise
        ttl, stamp_us = _details(ancillary)
        # The kernel's stamp is on the host's clock; what counts here is how long ago it was, on the wire's.
        age_us = max(time.time_ns() // 1000 - stamp_us, 0) if stamp_us is not None else 0
        return Datagram(data, *self._peer, ttl, self._wire.now_us() - age_us)

    def fileno(self) -> int:
        """The descriptor, to wait on; -1 once closed."""
        return self._sock.fileno()

    def close(self) -> None:
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


async def readable(sockets: Sequence[UdpSocket]) -> None:
    """Wait until one of *sockets* has something to :meth:`UdpSocket.poll`: a datagram or an error."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    descriptors = [sock.fileno() for sock in sockets]
    for descriptor in descriptors:
        loop.add_reader(descriptor, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)


def _details(ancillary: list[tuple[int, int, bytes]]) -> tuple[int | None, int | None]:
    ttl: int | None = None
    stamp_us: int | None = None
    for level, kind, payload in ancillary:
        if (level, kind) in ((socket.IPPROTO_IP, IP_TTL_CMSG), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)):
            (ttl,) = struct.unpack_from("=i", payload)
        elif (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(payload) >= 16:
            seconds, nanoseconds = struct.unpack_from("=qq", payload)
            stamp_us = seconds * 1_000_000 + nanoseconds // 1000
    return ttl, stamp_us
