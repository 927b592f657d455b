"""A websocket (RFC 6455) as a client has one: the request to change over, and binary frames.

Only what apps need: no extensions, no fragments of ours. Whatever comes, nothing raises and nothing grows beyond its bounds.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Protocol

from probe.instruments.apps.dialogue import MOST_BYTES

if TYPE_CHECKING:
    import random

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST_HEAD = 8 * 1024
_READ = 16 * 1024
_CONTINUED, _TEXT, _BINARY, _CLOSE = 0x0, 0x1, 0x2, 0x8


def request(host: str, path: str, key: str, *, subprotocol: str, user_agent: str) -> bytes:
    """The request to change over (§4.1)."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"User-Agent: {user_agent}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    ).encode()


def make_key(rng: random.Random) -> str:
    return base64.b64encode(rng.randbytes(16)).decode()


def accepted(key: str) -> str:
    """What a server must answer to *key* (§4.2.2)."""
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


class Frames:
    """Bytes of a server after it was asked to change over, to what is in its frames.

    ``refused`` says in our own words why there is no websocket; ``closed`` that the server has ended it.
    """

    def __init__(self, key: str) -> None:
        self._accept = accepted(key)
        self._buffer = bytearray()
        self._changed_over = False
        self.refused: str | None = None
        self.closed = False

    @property
    def is_open(self) -> bool:
        return self._changed_over

    def feed(self, data: bytes) -> bytes:
        """What the frames in *data* carry; empty where there is none yet, or none will be."""
        if self.refused is not None or self.closed:
            return b""
        self._buffer += data
        if len(self._buffer) > MOST_BYTES:
            self.refused = "more than a websocket begins with"
            return b""
        if not self._changed_over and not self._change_over():
            return b""
        return self._take_frames()

    def _change_over(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if not b"HTTP/".startswith(bytes(self._buffer[:5])) or len(self._buffer) > _MOST_HEAD:
                self.refused = "no websocket"
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        status = first.split(" ")[1:2]
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not first.startswith("HTTP/1.1 ") or status != ["101"]:
            self.refused = "an answer of a web server (HTTP), and no websocket"
        elif fields.get("sec-websocket-accept") != self._accept:
            self.refused = "a websocket that was not opened for this request"
        else:
            self._changed_over = True
        return self._changed_over

    def _take_frames(self) -> bytes:
        taken = bytearray()
        while (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == _CLOSE:
                self.closed = True
                break
            if opcode in (_CONTINUED, _TEXT, _BINARY):
                taken += payload
        return bytes(taken)

    def _next(self) -> tuple[int, bytes] | None:
        """The next whole frame (§5.2): its opcode and what it carries."""
        if len(self._buffer) < 2:
            return None
        opcode, size, at = self._buffer[0] & 0x0F, self._buffer[1] & 0x7F, 2
        if self._buffer[0] & 0x70 or self._buffer[1] & 0x80:  # extensions; servers do not mask (§5.1)
            self.refused = "a websocket that does not keep to its rules"
            return None
        extended = {126: 2, 127: 8}.get(size, 0)
        if len(self._buffer) < at + extended:
            return None
        if extended:
            size, at = int.from_bytes(self._buffer[at : at + extended]), at + extended
        if size > MOST_BYTES:
            self.refused = "more than a websocket begins with"
            return None
        if len(self._buffer) < at + size:
            return None
        payload = bytes(self._buffer[at : at + size])
        del self._buffer[: at + size]
        return opcode, payload


def frame(payload: bytes, mask: bytes, opcode: int = _BINARY) -> bytes:
    """One masked frame (§5.3); *mask* are four bytes."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class Below(Protocol):
    """What a websocket runs on."""

    async def read(self, max_bytes: int) -> bytes: ...
    async def write(self, data: bytes) -> None: ...


class WebSocketStream:
    """A websocket's frames as a stream of bytes, over *below*, which stays the caller's. It is opened by the first write.

    Where the server does not change over, what it said in place of it is what is read.
    """

    def __init__(self, below: Below, rng: random.Random, opening: bytes, key: str) -> None:
        self._below = below
        self._random = rng
        self._opening = opening
        self._frames = Frames(key)
        self._ready = bytearray()
        self._said = bytearray()

    async def write(self, data: bytes) -> None:
        if not self._frames.is_open:
            await self._below.write(self._opening)
            while not self._frames.is_open:
                if not await self._receive():
                    return
        await self._below.write(frame(data, self._random.randbytes(4)))

    async def read(self, max_bytes: int) -> bytes:
        """The next bytes, at most *max_bytes*; ``b""`` once it has ended, or has said all that it says."""
        while not self._ready:
            refusal = self._frames.refused is not None
            if refusal:
                self._ready, self._said = self._said, bytearray()
            if refusal or self._frames.closed or not await self._receive():
                break
        taken = bytes(self._ready[:max_bytes])
        del self._ready[: len(taken)]
        return taken

    async def _receive(self) -> bool:
        """Take what comes next; whether it may go on."""
        data = await self._below.read(_READ)
        if not self._frames.is_open:
            self._said += data
        self._ready += self._frames.feed(data)
        return bool(data) and self._frames.refused is None
