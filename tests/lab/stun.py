"""Servers for calls (STUN, RFC 8489), written for the lab, and a client for its proofs; neither knows the probe's.

    python -m tests.lab.stun serve '{"places": [["157.240.253.9", 3478, "good"]]}'
    python -m tests.lab.stun ask 157.240.253.9 3478

What a server does, by its manner: ``good`` answers as servers do today, ``old`` as RFC 3489 had it, ``refuses`` with an error
under the right number, ``stranger`` with the answer to another question, ``echo`` with what it got, ``noise`` with other bytes,
``web`` with a line of HTTP, ``silent`` with nothing, ``late`` after two seconds, ``half`` every other question. ``closed`` is no
server: the machine says that nobody listens. ``ask`` prints ``answered``, ``other``, ``silence`` or ``refused``.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import socket
import struct
import sys
from typing import Any, cast

_COOKIE = b"\x21\x12\xa4\x42"
_WAIT_S = 2.5


def answer(manner: str, asked: bytes, host: str, port: int) -> bytes | None:
    """What a server of that manner says to *asked*, which came from *host*; ``None``: nothing."""
    question = len(asked) >= 20 and asked[:2] == b"\0\1" and asked[4:8] == _COOKIE
    if manner == "echo":
        return asked
    if manner == "noise":
        return os.urandom(48)
    if manner == "web":
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    if not question or manner == "silent":
        return None
    number = os.urandom(12) if manner == "stranger" else asked[8:20]
    if manner == "refuses":
        said = b"\0\x09\0\x10" + b"\0\0\4\x01" + b"Unauthorized"
        return b"\x01\x11" + struct.pack(">H", len(said)) + _COOKIE + number + said
    address = socket.inet_aton(host)
    plain = struct.pack(">HHBBH", 0x0001, 8, 0, 1, port) + address
    turned = bytes(a ^ b for a, b in zip(address, _COOKIE, strict=True))
    hidden = struct.pack(">HHBBH", 0x0020, 8, 0, 1, port ^ 0x2112) + turned
    said = plain if manner == "old" else hidden
    return b"\x01\x01" + struct.pack(">H", len(said)) + _COOKIE + number + said


class Server(asyncio.DatagramProtocol):
    """One server."""

    def __init__(self, manner: str) -> None:
        self._manner = manner
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        said = answer(self._manner, data, *addr[:2])
        self._count += 1
        if said is None or (self._manner == "half" and self._count % 2):
            return
        if self._manner == "late":
            asyncio.get_running_loop().call_later(2.0, self._transport.sendto, said, addr)
        else:
            self._transport.sendto(said, addr)


async def serve(places: list[list[Any]]) -> None:
    """Answer at every place until the process is ended."""
    for address, port, manner in places:
        await asyncio.get_running_loop().create_datagram_endpoint(
            functools.partial(Server, str(manner)), local_addr=(str(address), int(port))
        )
    await asyncio.Event().wait()


def ask(address: str, port: int) -> str:
    """Ask, and once more after a second; what came of it, in a word."""
    number = os.urandom(12)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, port))
            for wait in (1.0, _WAIT_S):
                sock.settimeout(wait)
                sock.send(b"\0\1\0\0" + _COOKIE + number)
                try:
                    data = sock.recv(2048)
                except TimeoutError:
                    continue
                right = data[:2] in (b"\x01\x01", b"\x01\x11") and data[4:20] == _COOKIE + number
                return "answered" if right else "other"
        except OSError:
            return "refused"
    return "silence"


def main() -> None:
    if sys.argv[1] == "serve":
        asyncio.run(serve(json.loads(sys.argv[2])["places"]))
    else:
        print(ask(socket.gethostbyname(sys.argv[2]), int(sys.argv[3])))


if __name__ == "__main__":
    main()
