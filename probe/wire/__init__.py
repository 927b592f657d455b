"""Sockets, the platform's resolver list and the clocks, as one seam that is passed in.

Instruments reach the network through a ``Wire`` and nothing else. The real one is ``Wire`` itself: it places every address
where it says it is. A pretend Internet overrides :meth:`Wire.place`, and no line outside of it knows. Sockets are
non-blocking, owned by whoever asked for them, and closed on every path.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from probe.wire import resolvers, this_host
from probe.wire.datagrams import UdpSocket
from probe.wire.resolvers import Nameserver, parse_resolv_conf
from probe.wire.sockets import TcpOptions, apply_options, family_of, icmp_error, leave_from, sockaddr
from probe.wire.this_host import HostState

Transport = Literal["tcp", "udp"]

_LIBRARIES_AT_ONCE = 16
"""Each holds a thread. The unit that ``dalel service print`` writes allows 64 of them in all."""


class Wire:
    """The real network of this host."""

    name = "network"

    def __init__(self, *, rng: random.Random | None = None, resolv_conf: Path = Path("/etc/resolv.conf")) -> None:
        self.random = rng if rng is not None else random.Random()
        self.translator: str | None = None
        """On a host without IPv4: where the addresses of this network's translator begin (NAT64: 96 bits, as ``64:ff9b::``),
        once that is known. IPv4 addresses are reached through it then, as the system does it for other programs."""
        self.source: str | None = None
        """This host's IPv4 address that flows leave from, where it has several ways out and one is meant. Whether the system
        takes that way is up to its own rules: to force it needs a privilege."""
        self._resolv_conf = resolv_conf
        self._libraries = 0
        self.may_listen = False
        """Whether a process of ours may hear this host's packets; whoever makes the wire finds that out."""
        self.is_for_long = False
        """Whether this process lives for months, on the real network: what is heavy and seldom needed another one does."""
        self.flows: set[tuple[str, int, int]] | None = None
        """While packets are listened to: the connections of this run, as where they really went (address, port) and the port of
        ours. What belongs to none of them is somebody else's."""
        self.ttl_turn = asyncio.Lock()
        """Held by whoever has this host's kernel ignore packets by their TTL: it counts what it ignores for all together."""

    # clocks

    def now_us(self) -> int:
        """This host's UTC, in microseconds. May jump; durations come from :meth:`monotonic`."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds, never backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    # where addresses are

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int] | None:  # noqa: ARG002
        """Where *address* really is; ``None`` leaves it unanswered for ever (pretend networks only)."""
        if self.translator is not None and ":" not in address:
            return (translated(address, self.translator), port)
        return (address, port)

    # connections

    async def connect(
        self,
        address: str,
        port: int,
        options: TcpOptions | None = None,
        *,
        before_close: Callable[[socket.socket], None] | None = None,
    ) -> socket.socket:
        """One TCP connection from a fresh port, TCP_NODELAY set. The caller owns the socket and sets the deadline.

        Raises ``OSError``; the half-open socket is closed on every path, after *before_close* has had a last look at it
        (a cancelled wait included). The error queue's ICMP is attached to the exception as
        ``icmp = (type, code, offender)`` where the kernel gives it.
        """
        place = self.place(address, port, "tcp")
        if place is None:
            await asyncio.Event().wait()
            raise AssertionError
        sock = socket.socket(family_of(place[0]), socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            apply_options(sock, options)
            if options is None or (options.source_port is None and options.from_port is None):
                leave_from(sock, self.source)
            await asyncio.get_running_loop().sock_connect(sock, sockaddr(*place))
            self._note(sock, place)
        except BaseException as error:
            self._note(sock, place)
            if isinstance(error, OSError):
                error.icmp = icmp_error(sock)  # type: ignore[attr-defined]
            with sock:
                if before_close is not None:
                    before_close(sock)
            raise
        return sock

    def _note(self, sock: socket.socket, place: tuple[str, int]) -> None:
        """Remember a flow as ours, while somebody listens."""
        if self.flows is not None:
            with contextlib.suppress(OSError):
                self.flows.add((*place, sock.getsockname()[1]))

    def udp(self, address: str, port: int) -> UdpSocket:
        """A UDP socket for one peer; close it."""
        return UdpSocket(self, address, port)

    # what the host knows

    def nameservers(self) -> tuple[Nameserver, ...]:
        """The platform's resolvers, in order; empty when there are none."""
        try:
            text = self._resolv_conf.read_text(errors="replace")
        except OSError:
            return ()
        return parse_resolv_conf(text)

    @property
    def library_is_busy(self) -> bool:
        """Whether so many questions wait in the C library that one more would be another thread too many: where no resolver
        answers it tries for half a minute.
        """
        return self._libraries >= _LIBRARIES_AT_ONCE

    async def getaddrinfo(self, host: str, deadline_s: float) -> tuple[str, ...] | str | None:
        """What the C library answers (hosts file and NSS included), in a daemon thread that nothing waits for.

        A tuple of addresses, an ``EAI_*`` name for its failure, or ``None`` when the deadline passed.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[str, ...] | str] = loop.create_future()
        self._libraries += 1

        def tell(answer: tuple[str, ...] | str) -> None:
            self._libraries -= 1
            if not future.done():
                future.set_result(answer)

        def ask() -> None:
            answer = resolvers.getaddrinfo(host)
            try:
                loop.call_soon_threadsafe(tell, answer)
            except RuntimeError:
                logging.getLogger(__name__).debug("getaddrinfo(%r) came after the loop had closed", host)

        try:
            threading.Thread(target=ask, name=f"getaddrinfo-{host}", daemon=True).start()
        except RuntimeError:  # this host allows no more threads
            self._libraries -= 1
            return None
        try:
            async with asyncio.timeout(deadline_s):
                return await future
        except TimeoutError:
            return None

    def hosts_file(self, host: str) -> tuple[str, ...]:
        """Addresses that /etc/hosts gives for *host*."""
        try:
            lines = Path("/etc/hosts").read_text(errors="replace").splitlines()
        except OSError:
            return ()
        found = [fields for line in lines if len(fields := line.partition("#")[0].split()) > 1]
        return tuple(fields[0] for fields in found if host.lower() in (name.lower() for name in fields[1:]))

    def gateway(self) -> str | None:
        """The IPv4 address of this network's own router (the default route's); ``None`` where there is none or unknown."""
        return this_host.gateway_v4()

    def router(self) -> str | None:
        """The hardware address of that router, while the kernel knows it: two networks' routers often have one address. It
        is compared, and never kept.
        """
        gateway = self.gateway()
        return this_host.hardware_address(gateway) if gateway is not None else None

    def gateway6(self) -> str | None:
        """The same for IPv6: mostly a link-local address, with the interface that it is reached by behind a ``%``."""
        return this_host.gateway_v6()

    def host(self) -> HostState:
        """Routes, tunnels, proxy settings and sleep, read from the host itself. Sends nothing."""
        return this_host.state()


def translated(address: str, prefix: str) -> str:
    """The IPv6 address for an IPv4 one behind a translator (RFC 6052 §2.2, prefix of 96 bits). Addresses that are not of
    the public Internet stay as they are (§3.1): a translator does not serve them.
    """
    ip = ipaddress.IPv4Address(address)
    if not ip.is_global:
        return address
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | int(ip)))
