"""A pretend Internet in one process: every server of a world on a loopback port of its own, for as long as it is open."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from probe.demo import http3
from probe.demo.authority import NATIONAL, PUBLIC, UNKNOWN, Authority
from probe.demo.datagrams import Calls, Clock, Names
from probe.demo.streams import PATIENCE_S
from probe.demo.web import Realm, serve
from probe.demo.world import Forger, Resolver, Server, World
from probe.instruments import quic
from probe.instruments.doq import PORT as DOQ_PORT
from probe.wire import Transport

HERE = "127.0.0.1"
PORTAL = "10.0.0.1"
_BACKLOG = 512

Spot = tuple[str, int, Transport]
"""A pretend address, port and transport."""


@dataclass(frozen=True, slots=True)
class _Host:
    """What is at one address."""

    server: Server
    resolver: Resolver | None = None


class Internet:
    """Where the pretend addresses of one world really are."""

    def __init__(self, world: World, trusted: Path) -> None:
        self.world = world
        self.trusted = trusted
        self._ports: dict[Spot, int] = {}
        self._tap: int | None = None

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int] | None:
        """The loopback address and port of a pretend one; ``None`` where nothing ever answers."""
        if self.world.link != "up":
            return None
        found = self._behind_portal if self.world.portal is not None else self._abroad
        real = found(address, port, transport)
        return (HERE, real) if real is not None else None

    def _abroad(self, address: str, port: int, transport: Transport) -> int | None:
        # The box on the path hears every question, wherever it goes.
        unknown = self._tap if (port, transport) == (53, "udp") else None
        return self._ports.get((address, port, transport), unknown)

    def _behind_portal(self, address: str, port: int, transport: Transport) -> int | None:
        """Every connection ends at the portal; of the datagrams only questions to its own resolver are answered."""
        if transport == "tcp":
            return self._ports.get((PORTAL, port, "tcp"))
        own = address in {server.address for server in self.world.nameservers}
        return self._ports.get((address, port, "udp")) if own else None

    def learn(self, spot: Spot, sock: socket.socket) -> None:
        """*spot* is really where *sock* is bound."""
        self._ports[spot] = int(sock.getsockname()[1])

    def tap(self, sock: socket.socket) -> None:
        """Questions to addresses without a resolver are heard at *sock*."""
        self._tap = int(sock.getsockname()[1])


@contextlib.asynccontextmanager
async def open_internet(world: World, folder: Path) -> AsyncIterator[Internet]:
    """Run all servers of *world* until the block is left. *folder* is for its keys and certificates."""
    ahead = dt.timedelta(seconds=world.ahead_s)
    realm = make_realm(world, folder, lambda: dt.datetime.now(dt.UTC) + ahead)
    internet = Internet(world, realm.public.root_file())
    async with contextlib.AsyncExitStack() as stack:
        listeners = _open_streams(internet, stack)
        await _open_datagrams(internet, realm, stack)
        async with asyncio.TaskGroup() as group:
            servers = group.create_task(_run(realm, listeners))
            try:
                yield internet
            finally:
                servers.cancel()


def make_realm(world: World, folder: Path, now: Callable[[], dt.datetime]) -> Realm:
    """A world with its authorities: one that is trusted, and two forgers."""

    def authority(name: str, subjects: tuple[x509.Name, x509.Name]) -> Authority:
        (folder / name).mkdir(parents=True, exist_ok=True)
        return Authority(folder / name, now=now(), names=subjects)

    forgers: dict[Forger, Authority] = {
        "national": authority("national", NATIONAL),
        "unknown": authority("unknown", UNKNOWN),
    }
    return Realm(world, authority("public", PUBLIC), forgers, now)


# ---------------------------------------------------------------------------------------------------------------------

_Connection = Callable[[socket.socket], Awaitable[None]]


def _hosts(world: World) -> dict[str, _Host]:
    hosts = {server.address: _Host(server) for server in world.servers}
    for resolver in world.resolvers:
        ports = (53, 853, 443) if resolver.encrypted else (53,)
        server = Server(address=resolver.address, names=(*resolver.names, resolver.address), ports=ports)
        hosts[resolver.address] = _Host(server, resolver)
    if world.portal is not None:
        hosts[PORTAL] = _Host(Server(address=PORTAL, names=(PORTAL,), ports=(80,), plain=world.portal.page))
    return hosts


def _bound(kind: socket.SocketKind, stack: contextlib.AsyncExitStack) -> socket.socket:
    sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
    sock.setblocking(False)
    sock.bind((HERE, 0))
    return sock


def _open_streams(internet: Internet, stack: contextlib.AsyncExitStack) -> list[tuple[socket.socket, _Host, int]]:
    listeners = []
    for address, host in _hosts(internet.world).items():
        for port in (*host.server.ports, *host.server.refused):
            sock = _bound(socket.SOCK_STREAM, stack)
            internet.learn((address, port, "tcp"), sock)
            if port not in host.server.refused:  # bound and deaf: the kernel refuses
                sock.listen(_BACKLOG)
                listeners.append((sock, host, port))
    return listeners


async def _open_datagrams(internet: Internet, realm: Realm, stack: contextlib.AsyncExitStack) -> None:
    async def answer(sock: socket.socket, protocol: asyncio.DatagramProtocol) -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, sock=sock)
        stack.callback(transport.close)

    for resolver in internet.world.resolvers:
        sock = _bound(socket.SOCK_DGRAM, stack)
        internet.learn((resolver.address, 53, "udp"), sock)
        await answer(sock, Names(realm, resolver))
        if resolver.over_quic and quic.is_here():
            await _open_doq(internet, realm, resolver, stack)
    for address in internet.world.clocks:
        sock = _bound(socket.SOCK_DGRAM, stack)
        internet.learn((address, 123, "udp"), sock)
        await answer(sock, Clock(lambda: realm.now().timestamp()))
    for server in internet.world.servers:
        for port in server.ports if server.app == "calls" else ():
            sock = _bound(socket.SOCK_DGRAM, stack)
            internet.learn((server.address, port, "udp"), sock)
            await answer(sock, Calls())
    if with_http3 := [server for server in internet.world.servers if server.http3]:
        sock = _bound(socket.SOCK_DGRAM, stack)
        for server in with_http3:
            internet.learn((server.address, 443, "udp"), sock)
        names = tuple(name for server in with_http3 for name in server.names)
        await http3.serve(internet.world, realm.public, names, sock, stack)
    tap = _bound(socket.SOCK_DGRAM, stack)
    internet.tap(tap)
    await answer(tap, Names(realm, None))


async def _open_doq(internet: Internet, realm: Realm, resolver: Resolver, stack: contextlib.AsyncExitStack) -> None:
    from probe.demo import doq  # it needs aioquic

    sock = _bound(socket.SOCK_DGRAM, stack)
    internet.learn((resolver.address, DOQ_PORT, "udp"), sock)
    await doq.serve(realm, resolver, sock, stack)


async def _run(realm: Realm, listeners: list[tuple[socket.socket, _Host, int]]) -> None:
    async with asyncio.TaskGroup() as group:
        for sock, host, port in listeners:
            group.create_task(_listen(group, sock, functools.partial(serve, realm, host.server, host.resolver, port)))


async def _listen(group: asyncio.TaskGroup, listener: socket.socket, connection: _Connection) -> None:
    while True:
        sock, _ = await asyncio.get_running_loop().sock_accept(listener)
        group.create_task(_bounded(connection, sock))


async def _bounded(connection: _Connection, sock: socket.socket) -> None:
    with sock, contextlib.suppress(TimeoutError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(PATIENCE_S):
            await connection(sock)
