"""What all TCP sinks have in common: one connection, counted, bounded in time, remembered if the caller is known, closed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from probe.control.ledger import Arrival
from probe.instruments import kernel

_READ = 16_384


@dataclass(slots=True)
class Peer:
    """One connection to a sink: the way in and out, and what is remembered of it (if it is an arm).

    ``left``: how many bytes may still be read; ``answered``: how many were handed to the kernel; ``over``: what is to be done
    when it ends, while the socket is still there.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    left: int
    arrival: Arrival | None = None
    answered: int = 0
    over: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    async def read(self) -> bytes:
        """The next bytes; ``b""`` at the end, or when it has been enough."""
        data = await self.reader.read(min(_READ, self.left)) if self.left > 0 else b""
        self.left -= len(data)
        if not data and self.arrival is not None and self.reader.at_eof():
            self.arrival.end = "fin"
        return data

    async def answer(self, data: bytes) -> None:
        """Hand *data* to the kernel."""
        self.writer.write(data)
        self.answered += len(data)
        await self.writer.drain()
        if self.arrival is not None:
            self.arrival.answered = True

    async def linger(self) -> None:
        """Read on, and forget it, until the other side ends: how it does is what is to be known."""
        while await self.read():
            pass


Serve = Callable[[Peer], Awaitable[None]]


async def attend(peer: Peer, serve: Serve, seconds: float) -> None:
    """Let *serve* have the connection for at most *seconds*. What the other side does to it is no error."""
    try:
        async with asyncio.timeout(seconds):
            await serve(peer)
    except ConnectionResetError:
        if peer.arrival is not None:
            peer.arrival.end = "reset"
    except OSError:  # TimeoutError is one
        pass
    finally:
        peer.over.close()
        _note_acknowledged(peer)


def _note_acknowledged(peer: Peer) -> None:
    """Whether all that was answered was acknowledged: ``bytes_acked`` of an accepted connection leaves out the SYN (tried)."""
    sock: socket.socket | None = peer.writer.get_extra_info("socket")
    if peer.arrival is None or not peer.arrival.answered or sock is None:
        return
    counters = kernel.read(sock)
    if counters is not None and counters.bytes_acked is not None:
        peer.arrival.acknowledged = counters.bytes_acked >= peer.answered
