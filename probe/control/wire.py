"""The wire of a control: it reaches public addresses at a few ports, and nothing else.

The address that is checked is the one that is connected to: the instruments take addresses and reach the network through
the wire, and here is a wire that refuses. So a name that answers differently the second time (DNS rebinding), a redirect,
or a resolver that lies gains nothing. An option that loosens this does not exist; tests exchange the wire underneath.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Callable, Collection

from probe.control.guard import is_public
from probe.wire import Transport, Wire
from probe.wire.datagrams import UdpSocket
from probe.wire.resolvers import Nameserver
from probe.wire.sockets import TcpOptions, family_of
from probe.wire.this_host import HostState

PORTS = frozenset({53, 80, 443, 853})
_PORT_OF_NOTHING = 9


def is_own(address: str) -> bool:
    """Whether *address* is one of this host's. Sends nothing: a datagram socket that is connected to an own address has
    that address itself.
    """
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, _PORT_OF_NOTHING))
        except OSError:
            return False
        return bool(sock.getsockname()[0] == address)


class GuardedWire(Wire):
    """A wire that reaches public addresses at *ports*, and the DNS servers in *resolvers* by datagram.

    Everything else is refused with ``EACCES``, which no network says. *inner* is what the packets leave by.
    """

    name = "guarded"

    def __init__(
        self,
        inner: Wire,
        *,
        ports: Collection[int] = PORTS,
        resolvers: Collection[str] = (),
        is_own: Callable[[str], bool] = is_own,
        rng: random.Random | None = None,
    ) -> None:
        super().__init__(rng=rng if rng is not None else inner.random)
        self._inner = inner
        self._ports = frozenset(ports)
        self._is_own = is_own
        self._resolvers = frozenset({*resolvers, *(server.address for server in inner.nameservers())})

    def allows(self, address: str, port: int) -> bool:
        """Whether a connection may be made there."""
        return self.measures(port) and is_public(address) and not self._is_own(address)

    def measures(self, port: int) -> bool:
        """Whether anything at *port* is measured."""
        return port in self._ports

    async def connect(
        self,
        address: str,
        port: int,
        options: TcpOptions | None = None,
        *,
        before_close: Callable[[socket.socket], None] | None = None,
    ) -> socket.socket:
        """As the wire underneath; ``PermissionError`` for what is not allowed, before any packet."""
        if not self.allows(address, port):
            raise PermissionError(errno.EACCES, "not a public address, or not a port that is measured")
        return await self._inner.connect(address, port, options, before_close=before_close)

    def udp(self, address: str, port: int) -> UdpSocket:
        """A socket for questions to the known DNS servers; ``PermissionError`` for anybody else."""
        if port != 53 or address not in self._resolvers:
            raise PermissionError(errno.EACCES, "not a known DNS server")
        return self._inner.udp(address, port)

    def place(self, address: str, port: int, transport: Transport) -> tuple[str, int] | None:
        """Nobody needs to know: sockets are made by the wire underneath."""
        raise PermissionError(errno.EACCES, f"{transport} to {address}, port {port}: ask connect() or udp()")

    def now_us(self) -> int:
        return self._inner.now_us()

    def monotonic(self) -> float:
        return self._inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    def nameservers(self) -> tuple[Nameserver, ...]:
        return self._inner.nameservers()

    def hosts_file(self, host: str) -> tuple[str, ...]:  # noqa: ARG002
        """Nothing: what this host calls its neighbours is nobody's business."""
        return ()

    async def getaddrinfo(self, host: str, deadline_s: float) -> tuple[str, ...] | str | None:  # noqa: ARG002
        """Never asked: the C library would read the hosts file, and look around in the local network."""
        return None

    def host(self) -> HostState:
        return self._inner.host()
