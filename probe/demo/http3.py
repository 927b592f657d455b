"""HTTP/3 in the pretend Internet: one server for all addresses that have it, and the box on the path in front of it.

The server is a control's sink for QUIC, which greets every name alike: what differs is the box's doing. It is loaded when a
world with HTTP/3 opens; where aioquic is not installed nothing answers there.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import OrderedDict
from typing import TYPE_CHECKING

from probe.control.ledger import Ledger
from probe.control.sinks import for_quic
from probe.control.sinks.limits import Gate, SinkLimits
from probe.demo.authority import Authority, Identity
from probe.demo.datagrams import TTL, Address
from probe.demo.on_the_way import Flow
from probe.demo.world import World

if TYPE_CHECKING:
    from probe.control.sinks.quic import Server

_MANY = 10_000
_LIMITS = SinkLimits(connections=_MANY, connections_each=_MANY, strangers_per_s=_MANY, drain_s=0.0)
"""Here all callers are one, and nobody who is to be kept out; and nobody waits for goodbyes."""
_MOST_FLOWS = 1024


class _Boxed(asyncio.DatagramProtocol):
    """The server, as far as the box lets anything get there."""

    def __init__(self, world: World, server: Server) -> None:
        self._world, self._server = world, server
        self._flows: OrderedDict[Address, Flow] = OrderedDict()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
        self._server.connection_made(transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        flow = self._flows.setdefault(addr, Flow(self._world))
        self._flows.move_to_end(addr)
        while len(self._flows) > _MOST_FLOWS:
            self._flows.popitem(last=False)
        if not flow.loses(data):
            self._server.datagram_received(data, addr)


async def serve(
    world: World, public: Authority, names: tuple[str, ...], sock: socket.socket, stack: contextlib.AsyncExitStack
) -> None:
    """Answer QUIC on *sock*, with a certificate for *names*, until *stack* is left."""
    shown = for_quic(public.pem(Identity(names)))
    if shown is None:
        return
    from probe.control.sinks.quic import Server

    loop = asyncio.get_running_loop()
    server = Server(shown, Ledger(loop.time), _LIMITS, Gate(_LIMITS), lambda _kind: None)
    transport, _ = await loop.create_datagram_endpoint(lambda: _Boxed(world, server), sock=sock)
    stack.callback(transport.close)
    stack.push_async_callback(server.drain)
