"""Front ends with manners of their own, met at real sites: further words for ``world.Front(by=MANNERS)``.

Run as ``python -S -m tests.lab.manners_sites`` like ``fronts.py``, whose words it knows too. Before the last ``/`` come
conditions, each of which decides whether what follows it is done; else the site is served:

* ``over:N``, ``under:N``: the greeting has more, or fewer, bytes; ``noalpn``: it offers no application protocols (RFC 7301);
* ``cycle:N``: every Nth connection, the first one with it; ``half``: for half of the source ports.

And the further words:

* ``shut``, ``slam``: the end, or a RST, as soon as the connection is made (these stand alone, as ``other``);
* ``plaintext``: HTTP in the open, on port 443 too; ``to:ADDRESS``: the real server of the site at that address;
* ``warn``: a warning alert 112 goes before what the real server says (RFC 6066 §3 let servers do so);
* ``drip:BYTES:SECONDS``: the real server's bytes come in so small portions;
* ``page:hints|headers|chunks|stall``: a page over TLS after 103, with 48 KB of headers, in chunks of nonsense sizes, or that
  stops for ever after 16 KB;
* ``h2:drain|calm|rst``: HTTP/2 that goes away at once for a restart, for too many requests, or resets each stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import sys
import zlib
from typing import Any

from tests.lab.fronts import _NO_LINGER, Fronts, _name, _peek

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 24\r\nConnection: close\r\n\r\n<h1>400 Bad Request</h1>\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_PAGE = (
    b"<!doctype html><html><head><title>Home</title></head><body>" + b"<p>words of a page</p>" * 60 + b"</body></html>"
)
_LINK = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
_WARNING = b"\x15\x03\x03\x00\x02\x01\x70"
_ALPN = 16
_SETTINGS, _HEADERS, _RST_STREAM, _GOAWAY = 4, 1, 3, 7
_NO_ERROR, _INTERNAL_ERROR, _ENHANCE_YOUR_CALM = 0, 2, 11
_PREFACE = 24


def offers_protocols(hello: bytes) -> bool:
    """Whether a whole ClientHello has the ALPN extension."""
    with contextlib.suppress(IndexError, struct.error):
        at = 44 + hello[43]
        at += 2 + struct.unpack_from("!H", hello, at)[0]
        at += 1 + hello[at] + 2
        while at + 4 <= len(hello):
            kind, length = struct.unpack_from("!HH", hello, at)
            if kind == _ALPN:
                return True
            at += 4 + length
    return False


def frame(kind: int, stream: int = 0, payload: bytes = b"") -> bytes:
    """An HTTP/2 frame without flags (RFC 9113 §4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, 0)) + struct.pack("!I", stream) + payload


class Manners(Fronts):
    """See the module."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        super().__init__(configuration)
        self._turns: dict[str, int] = {}

    async def _take(self, front: dict[str, Any], connection: socket.socket, address: str, port: int, peer: int) -> None:
        if port == 443 and front["other"] in ("shut", "slam"):
            if front["other"] == "slam":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            connection.close()
            return
        await super()._take(front, connection, address, port, peer)

    async def _do(
        self, way: str, front: dict[str, Any], connection: socket.socket, address: str, port: int, peer: int
    ) -> None:
        *conditions, way = way.split("/")
        for condition in conditions:
            if not await self._holds(condition, connection, address, peer):
                way = "serve"
        kind, _, rest = way.partition(":")
        if kind == "plaintext":
            await asyncio.get_running_loop().sock_recv(connection, 16384)
            await asyncio.get_running_loop().sock_sendall(connection, _BAD_REQUEST)
        elif kind == "warn":
            await asyncio.get_running_loop().sock_sendall(connection, _WARNING)
            await super()._do("serve", front, connection, address, port, peer)
        elif kind == "to":
            await super()._do("serve", front, connection, rest, port, peer)
        elif kind == "drip":
            size, _, seconds = rest.partition(":")
            await _drip(connection, address, self._behind[port], int(size), float(seconds))
        elif kind == "page":
            await _with_tls(connection, front["certificate"], "http/1.1", _PAGES[rest])
        elif kind == "h2":
            await _with_tls(connection, front["certificate"], "h2", _TWOS[rest])
        else:
            await super()._do(way, front, connection, address, port, peer)

    async def _holds(self, condition: str, connection: socket.socket, address: str, peer: int) -> bool:
        kind, _, rest = condition.partition(":")
        if kind == "cycle":
            turn = self._turns.get(address, 0)
            self._turns[address] = turn + 1
            return turn % int(rest) == 0
        if kind == "half":
            return bool(zlib.crc32(str(peer).encode()) % 2)
        await _name(connection)  # which waits for all of the greeting
        hello = await _peek(connection)
        if kind == "noalpn":
            return not offers_protocols(hello)
        return len(hello) > int(rest) if kind == "over" else len(hello) < int(rest)


async def _drip(connection: socket.socket, address: str, port: int, size: int, seconds: float) -> None:
    """Bytes both ways; those of the server *size* at a time."""
    loop = asyncio.get_running_loop()
    with socket.socket() as other:
        other.setblocking(False)
        await loop.sock_connect(other, (address, port))

        async def up() -> None:
            while data := await loop.sock_recv(connection, 65536):
                await loop.sock_sendall(other, data)
            other.shutdown(socket.SHUT_WR)

        async def down() -> None:
            while data := await loop.sock_recv(other, size):
                await loop.sock_sendall(connection, data)
                await asyncio.sleep(seconds)
            connection.shutdown(socket.SHUT_WR)

        await asyncio.gather(up(), down())


async def _with_tls(connection: socket.socket, certificate: list[str], protocol: str, talk: Any) -> None:
    """TLS with this one application protocol, what *talk* says over it, and an orderly end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.set_alpn_protocols([protocol])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, stream = await loop.connect_accepted_socket(
        lambda: asyncio.StreamReaderProtocol(reader), connection.dup(), ssl=context, ssl_shutdown_timeout=1
    )
    writer = asyncio.StreamWriter(transport, stream, reader, loop)
    try:
        await talk(reader, writer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except (asyncio.IncompleteReadError, ConnectionError):
        transport.abort()


# ---------------------------------------------------------------------------------------------------------------------
# HTTP/1.1


async def _hints(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_LINK)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.write(_OK + f"Content-Length: {len(_PAGE)}\r\nConnection: close\r\n\r\n".encode() + _PAGE)


async def _headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    many = b"".join(b"Set-Cookie: experiment%d=%s\r\n" % (number, b"x" * 960) for number in range(48))
    writer.write(_OK + many + f"Content-Length: {len(_PAGE)}\r\nConnection: close\r\n\r\n".encode() + _PAGE)


async def _chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_OK + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n" + _PAGE + b"\r\n-1\r\n\r\n")


async def _stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_OK + b"Content-Length: 60000\r\n\r\n" + (_PAGE * 20)[:16384])
    await writer.drain()
    await reader.read()


# ---------------------------------------------------------------------------------------------------------------------
# HTTP/2


async def _hear(reader: asyncio.StreamReader, kind: int) -> int:
    """Frames up to the first one of this kind: its stream."""
    while True:
        head = await reader.readexactly(9)
        await reader.readexactly(int.from_bytes(head[:3], "big"))
        if head[3] == kind:
            return int.from_bytes(head[5:], "big")


async def _drain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _go_away(reader, writer, _NO_ERROR)


async def _calm(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _go_away(reader, writer, _ENHANCE_YOUR_CALM)


async def _go_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, code: int) -> None:
    """The last stream that was served is none (RFC 9113 §6.8)."""
    writer.write(frame(_SETTINGS))
    await reader.readexactly(_PREFACE)
    await _hear(reader, _HEADERS)
    writer.write(frame(_GOAWAY, 0, struct.pack("!II", 0, code)))


async def _rst(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(frame(_SETTINGS))
    await reader.readexactly(_PREFACE)
    while True:
        stream = await _hear(reader, _HEADERS)
        writer.write(frame(_RST_STREAM, stream, struct.pack("!I", _INTERNAL_ERROR)))
        await writer.drain()


_PAGES = {"hints": _hints, "headers": _headers, "chunks": _chunks, "stall": _stall}
_TWOS = {"drain": _drain, "calm": _calm, "rst": _rst}

if __name__ == "__main__":
    asyncio.run(Manners(json.loads(sys.argv[1])).run())
