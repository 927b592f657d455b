"""The readers, one tuple of subjects a file. Here are the pieces that several of them need."""

from __future__ import annotations

import asyncio
import functools
import json
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from probe.instruments.tcp import TcpStream
from probe.observations import Fact, Kind, Operation
from probe.observations.as_json import fact_from_json, fact_to_json
from probe.observations.failures import is_failure_name

_LARGEST_FACT = 600_000
"""Characters of JSON: a body of 64 Ki characters, each escaped, and what is said of it."""
_MOST_PIECES = 50
_Result = TypeVar("_Result")


def stored(kind: Kind, fact: Fact) -> None:
    """Assert that *fact* can be kept and comes back: no NUL, no half characters, no numbers without end."""
    flat = fact_to_json(fact)
    text = json.dumps(flat, ensure_ascii=False, allow_nan=False)
    assert fact_from_json(kind, json.loads(text)) == fact
    assert "\\u0000" not in text, "a NUL cannot be stored"
    assert len(text.encode()) <= _LARGEST_FACT, f"a fact of {len(text)} characters"


def sound(operation: Operation) -> str | None:
    """Assert that *operation* can be kept, and give its failure, which is a name of df-007."""
    stored(cast("Kind", operation.kind), operation.fact)
    assert operation.failure is None or is_failure_name(operation.failure), operation.failure
    plain(operation.failure)
    return operation.failure


def plain(text: str | None) -> None:
    """Assert that a word of a failure can be kept, and read on one line of a terminal."""
    assert text is None or (text.isprintable() and len(text) <= 200), repr(text)


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def done(work: Coroutine[Any, Any, _Result]) -> _Result:
    """What comes of *work*, which waits for nothing."""
    return _loop().run_until_complete(work)


@functools.cache
def _nowhere() -> socket.socket:
    return socket.socket(socket.AF_INET)


class Heard(TcpStream):
    """A connection on which these pieces come, and then its end. What is said on it goes nowhere."""

    def __init__(self, *pieces: bytes) -> None:
        super().__init__(_nowhere(), "192.0.2.1", 443)
        self._pieces = [piece for piece in reversed(pieces) if piece]

    async def read(self, max_bytes: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop()
        if len(piece) > max_bytes:
            self._pieces.append(piece[max_bytes:])
        data = piece[:max_bytes]
        self.bytes_received += len(data)
        return data

    async def write(self, data: bytes) -> None:
        self.bytes_sent += len(data)

    def write_soon(self, data: bytes) -> None:
        self.bytes_sent += len(data)

    def close(self) -> None:
        self._pieces.clear()


def cut(data: bytes) -> tuple[bytes, ...]:
    """*data* as it may come: in one piece, in two, or in many (byte by byte if it is short), as its own last byte says."""
    way = data[-1] % 3 if data else 0
    if way == 0:
        return (data,)
    size = (len(data) + 1) // 2 if way == 1 else max(1, len(data) // _MOST_PIECES)
    return tuple(data[at : at + size] for at in range(0, len(data), size))
