"""A pretend data centre of Telegram's: it reads the apps' first question (``req_pq_multi``) and answers it (``resPQ``)."""

from __future__ import annotations

import struct
from collections.abc import Callable

from probe.demo.streams import Plain
from probe.instruments.apps.mtproto import ciphers

_HEAD_BYTES, _QUESTION_BYTES = 64, 44
_PQ = (1_000_000_007 * 1_000_000_009).to_bytes(8)
_KEYS = (1, 2)


async def serve(stream: Plain, noise: Callable[[int], bytes]) -> None:
    """Answer one connection, and wait for the other side to go. *noise* is for the server's own number."""
    data = b""
    while len(data) < _HEAD_BYTES + _QUESTION_BYTES:
        more = await stream.read()
        if not more:
            return
        data += more
    # What encrypts for whoever made the head decrypts for whoever reads it.
    read, write = ciphers(data[:_HEAD_BYTES])
    question = read(data)[_HEAD_BYTES:]
    await stream.write(write(answer(question[-16:], noise(16))))
    while await stream.read():
        pass


def answer(nonce: bytes, own: bytes) -> bytes:
    """``resPQ`` to *nonce* in one packet of the intermediate transport (core.telegram.org/schema/mtproto)."""
    body = struct.pack("<I16s16s", 0x05162463, nonce, own) + bytes((len(_PQ),)) + _PQ + bytes(3)
    body += struct.pack(f"<II{len(_KEYS)}Q", 0x1CB5C415, len(_KEYS), *_KEYS)
    message = struct.pack("<QQI", 0, 1, len(body)) + body
    return struct.pack("<I", len(message)) + message
