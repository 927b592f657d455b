"""Connections as the pretend servers see them: plain and encrypted, with the power to end them in any way.

The socket stays ours from accept to close, so that RST, FIN and silence are exactly what is meant. Encryption runs through
``ssl.MemoryBIO``; nothing is left to a transport that would say goodbye politely.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_CHUNK = 65536
PATIENCE_S = 30.0
"""No pretend connection lives longer: the longest deadline of a hurried check is shorter."""


class Plain:
    """A connection without encryption."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        return await asyncio.get_running_loop().sock_recv(self.sock, _CHUNK)

    async def write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def finish(self) -> None:
        """Say that nothing more will come (FIN), and wait for the other side to go."""
        self.sock.shutdown(socket.SHUT_WR)
        await drain(self.sock)


class Secured:
    """The server's side of a TLS connection."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def handshake(self) -> None:
        """Raises ``ssl.SSLError`` or ``OSError`` when the other side does not want to."""
        await self._drive(self._tls.do_handshake)

    async def read(self) -> bytes:
        try:
            return await self._drive(lambda: self._tls.read(_CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def write(self, data: bytes) -> None:
        await self._drive(lambda: self._tls.write(data))

    async def finish(self) -> None:
        """Say goodbye (close_notify, then FIN), and wait for the other side to go."""
        with contextlib.suppress(ssl.SSLError):  # the other side's goodbye has not come yet, and is not waited for
            self._tls.unwrap()
        await self._flush()
        self.sock.shutdown(socket.SHUT_WR)
        await drain(self.sock)

    async def _drive(self, step: Callable[[], _T]) -> _T:
        loop = asyncio.get_running_loop()
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await loop.sock_recv(self.sock, _CHUNK)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                await self._flush()  # the alert that says why
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await asyncio.get_running_loop().sock_sendall(self.sock, data)


Stream = Plain | Secured


async def peek(sock: socket.socket, complete: Callable[[bytes], bool]) -> bytes:
    """The first bytes, left in the socket, as soon as they are *complete*; empty when the other side closes before.

    A socket with bytes in it is always readable, so a flight in several segments is looked at again after a pause.
    """
    loop = asyncio.get_running_loop()
    while True:
        await _readable(loop, sock)
        data = sock.recv(_CHUNK, socket.MSG_PEEK)
        if not data or complete(data):
            return data
        await asyncio.sleep(0.005)


async def drain(sock: socket.socket) -> None:
    """Read and forget until the other side closes."""
    loop = asyncio.get_running_loop()
    while await loop.sock_recv(sock, _CHUNK):
        pass


def reset_on_close(sock: socket.socket) -> None:
    """Make the coming close a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _readable(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()
    descriptor = sock.fileno()
    loop.add_reader(descriptor, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
