"""The wire of the pretend Internet: every address is on loopback or nowhere, and the host says what the world says of it."""

from __future__ import annotations

import asyncio
import errno
import os
import random

from probe.demo.internet import Internet
from probe.demo.on_the_way import ROUTERS, Flow
from probe.demo.world import Reply, rule_for, says
from probe.wire import Transport, Wire
from probe.wire.datagrams import Datagram, UdpSocket
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState

ROUTER = ROUTERS[1]
"""The router that says "unreachable"."""
_DESTINATION_UNREACHABLE, _HOST_UNREACHABLE = 3, 1
_TIME_EXCEEDED, _IN_TRANSIT = 11, 0
_EAI = {
    "nxdomain": "EAI_NONAME",
    "noerror": "EAI_NODATA",
    "servfail": "EAI_AGAIN",
    "refused": "EAI_AGAIN",
    "loop": "EAI_FAIL",
}


class DemoWire(Wire):
    """A wire that reaches one pretend Internet and nothing else: no packet of it leaves loopback."""

    name = "demo"

    def __init__(self, internet: Internet, *, rng: random.Random | None = None) -> None:
        super().__init__(rng=rng)
        self._internet = internet
        self._world = internet.world
        self._loop = asyncio.get_running_loop()

    def monotonic(self) -> float:
        """The loop's clock, so that durations and deadlines are of one kind (see :mod:`probe.demo.patience`)."""
        return self._loop.time()

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int] | None:
        """Where a pretend address is; ``None`` leaves it unanswered.

        A connection to an address without a route raises the ``OSError`` that the kernel's connect would.
        """
        if transport == "tcp":
            self.ask_routes(address)
        return self._internet.place(address, port, transport)

    def udp(self, address: str, port: int) -> UdpSocket:
        """A UDP socket for one peer; its ``connect`` fails where there is no route."""
        return _DemoUdpSocket(self, address, port, Flow(self._world))

    def ask_routes(self, address: str) -> None:
        """Raise what the kernel would where *address* has no route, or a router says that it has none."""
        if self._world.link == "no_route" or ":" in address:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        if address in self._world.unreachable:
            raise _word_of(ROUTER, _DESTINATION_UNREACHABLE, _HOST_UNREACHABLE)

    # what the host knows

    def nameservers(self) -> tuple[Nameserver, ...]:
        return self._world.nameservers

    def hosts_file(self, host: str) -> tuple[str, ...]:
        return self._world.hosts_file.get(host.lower(), ())

    def gateway(self) -> str | None:
        """There is no router at home whose distance could be taken."""
        return None

    def gateway6(self) -> str | None:
        """Nor one of the newer version."""
        return None

    def host(self) -> HostState:
        """One IPv4 connection at home, nothing in between that the world does not have."""
        return HostState(
            default_route_v4=self._world.link != "no_route",
            default_route_v6=False,
            tunnels=(),
            proxies=(),
            in_container=False,
            suspended_s=0.0,
        )

    async def getaddrinfo(self, host: str, deadline_s: float) -> tuple[str, ...] | str | None:
        """What a C library would say here: the hosts file first, then the first resolver's word."""
        own = self.hosts_file(host)
        if own:
            return own
        said = self._first_resolver_says(host.lower())
        if said is None:
            await self.sleep(deadline_s)
            return None
        return said.addresses or _EAI[said.rcode]

    def _first_resolver_says(self, host: str) -> Reply | None:
        rule = rule_for(self._world, host)
        if rule is not None and rule.dns is not None:
            return rule.dns if rule.dns.rcode != "silence" else None
        listed = {server.address for server in self._world.nameservers}
        resolver = next((r for r in self._world.resolvers if r.address in listed), None)
        if resolver is None or self._world.link != "up":
            return None
        said = says(self._world, resolver, host)
        return None if said.rcode == "silence" else said


class _DemoUdpSocket(UdpSocket):
    """A UDP socket that the kernel refuses where the world has no route, and that hears of the world's routers."""

    def __init__(self, wire: DemoWire, address: str, port: int, flow: Flow) -> None:
        super().__init__(wire, address, port)
        self._demo, self._address, self._flow = wire, address, flow
        self._ttl: int | None = None
        self._ended_at: str | None = None

    def connect(self) -> None:
        """Fix the peer. Raises ``OSError`` as the kernel does without a route."""
        self._demo.ask_routes(self._address)
        super().connect()

    def set_ttl(self, ttl: int) -> bool:
        """From now on datagrams go so many routers far. The loopback has none, so it is not told."""
        self._ttl = ttl
        return True

    def send(self, data: bytes) -> None:
        """Send one datagram, unless a router of the way or the box on it is as far as it gets."""
        if self._ttl is None:
            super().send(data)
            return
        self._ended_at = self._flow.ends_at(self._ttl, data)
        if self._ttl > len(ROUTERS):
            super().send(data)

    async def receive(self) -> Datagram:
        """The next datagram, or the ``OSError`` of a router's word, which is told once."""
        if self._ended_at is not None:
            router, self._ended_at = self._ended_at, None
            raise _word_of(router, _TIME_EXCEEDED, _IN_TRANSIT)
        return await super().receive()


def _word_of(router: str, kind: int, code: int) -> OSError:
    """What the kernel makes of *router*'s ICMP message."""
    error = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    error.icmp = (kind, code, router)  # type: ignore[attr-defined]
    return error
