"""A pretend server of OpenVPN's over TCP: it reads a client's reset and answers it with its own."""

from __future__ import annotations

from collections.abc import Callable

from probe.demo.streams import Plain

_SIZE_BYTES, _RESET_BYTES, _SESSION = 2, 14, slice(1, 9)
_SERVER_RESET = 8 << 3


async def serve(stream: Plain, noise: Callable[[int], bytes]) -> None:
    """Answer one connection, and wait for the other side to go. *noise* is for the server's own session."""
    data = b""
    while len(data) < _SIZE_BYTES + _RESET_BYTES:
        more = await stream.read()
        if not more:
            return
        data += more
    reset = data[_SIZE_BYTES:]
    # One packet is acknowledged, number 0 of the client's session; and this is number 0 of its own.
    answer = bytes([_SERVER_RESET]) + noise(8) + b"\x01" + bytes(4) + reset[_SESSION] + bytes(4)
    await stream.write(len(answer).to_bytes(_SIZE_BYTES) + answer)
    while await stream.read():
        pass
