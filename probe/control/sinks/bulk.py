"""Streams of bytes at the TLS sink, under any name, for those who showed a token a moment ago: does a name make them slow?

``GET /bulk/N`` is answered with N random bytes; of a ``POST /bulk`` the body is read, and its length told. Both are bounded, in
one connection and by the hour. How the bytes went is noted here: those that the caller's kernel has acknowledged, or that came.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from probe.control import protocol
from probe.control.ledger import Arrival, Ledger
from probe.control.sinks.streams import Peer
from probe.control.sinks.web import Head
from probe.instruments import kernel

CHUNK = 16_384
"""One record of TLS (RFC 8446 §5.1)."""
_EVERY_S = 0.05
_MOST_POINTS = 64
_PREFIX = protocol.BULK.encode() + b"/"
_REASONS = {200: b"OK", 400: b"Bad Request", 403: b"Forbidden", 429: b"Too Many Requests"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request for bulk is about, or the status with which it is refused."""

    direction: Literal["down", "up"]
    size: int
    refused: int | None = None


def wanted(head: Head) -> Wanted | None:
    """What *head* asks for, if it is about bulk at all."""
    if head.method == b"GET" and head.target.startswith(_PREFIX):
        return _sized("down", head.target.removeprefix(_PREFIX))
    if head.method == b"POST" and head.target == protocol.BULK.encode():
        return _sized("up", head.length or b"")
    return None


def _sized(direction: Literal["down", "up"], digits: bytes) -> Wanted:
    size = int(digits) if digits.isdigit() and len(digits) <= 9 else 0
    return Wanted(direction, size, None if 0 < size <= protocol.MOST_BULK else 400)


def admitted(asked: Wanted, address: str, ledger: Ledger) -> Wanted:
    """*asked*, refused if *address* has not shown a token, or its token has had enough of it in this hour."""
    if asked.refused is not None:
        return asked
    if not ledger.admits(address):
        return Wanted(asked.direction, 0, 403)
    return asked if ledger.spend_bulk(address, asked.size) else Wanted(asked.direction, 0, 429)


def head_of(status: int, length: int, kind: bytes = b"application/octet-stream") -> bytes:
    """The head of an answer with a body of *length* bytes."""
    lines = (
        b"HTTP/1.1 %d %s" % (status, _REASONS[status]),
        b"Content-Type: " + kind,
        b"Content-Length: %d" % length,
        b"Cache-Control: no-store",
        b"Connection: close",
    )
    return b"\r\n".join((*lines, b"", b""))


def told(size: int) -> bytes:
    """The whole answer to what was sent up."""
    body = json.dumps({"bytes": size}).encode()
    return head_of(200, len(body), b"application/json") + body


def pieces(size: int) -> list[int]:
    """The lengths in which *size* bytes are written."""
    return [CHUNK] * (size // CHUNK) + [size % CHUNK] * bool(size % CHUNK)


def noise(size: int) -> bytes:
    """Bytes that nobody can pack or know."""
    return os.urandom(size)


@dataclass(slots=True)
class Progress:
    """Notes in *arrival* how far *measure* has got, some twenty times a second, in at most 64 points."""

    arrival: Arrival
    measure: Callable[[], int | None]
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _began: float = 0.0
    _every_s: float = _EVERY_S
    _next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._began = self._loop.time()
        self._next = self._loop.call_later(self._every_s, self._look)

    def stop(self) -> None:
        """The last look, while the socket is still there."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
            self._note()

    def _look(self) -> None:
        self._note()
        self._next = self._loop.call_later(self._every_s, self._look)

    def _note(self) -> None:
        count, points = self.measure(), self.arrival.progress
        if count is None or (points and points[-1][1] == count) or count <= 0:
            return
        points.append((round((self._loop.time() - self._began) * 1e6), count))
        if len(points) >= _MOST_POINTS:
            del points[::2]
            self._every_s *= 2


def acknowledged(peer: Peer) -> Callable[[], int | None]:
    """How many of the bytes that are written from now on the other side's kernel has acknowledged; TLS's own are among them."""
    before = peer.answered
    sock: socket.socket | None = peer.writer.get_extra_info("socket")

    def measure() -> int | None:
        counters = kernel.read(sock) if sock is not None else None
        return None if counters is None or counters.bytes_acked is None else counters.bytes_acked - before

    return measure
