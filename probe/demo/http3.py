"""HTTP/3 in the pretend Internet: one server for all addresses that have it, and the box on the path in front of it.

The server is a control's sink for QUIC, which greets every name alike: what differs is the box's doing. It is loaded when a
world with HTTP/3 opens; where aioquic is not installed nothing answers there.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from probe.control.ledger import Ledger
from probe.control.sinks import for_quic
from probe.control.sinks.limits import Gate, SinkLimits
from probe.demo.authority import Authority, Identity
from probe.demo.boxed import Boxed
from probe.demo.world import World

_MANY = 10_000
_LIMITS = SinkLimits(connections=_MANY, connections_each=_MANY, strangers_per_s=_MANY, drain_s=0.0)
"""Here all callers are one, and nobody who is to be kept out; and nobody waits for goodbyes."""


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
    transport, _ = await loop.create_datagram_endpoint(lambda: Boxed(world, server), sock=sock)
    stack.callback(transport.close)
    stack.push_async_callback(server.drain)
