"""What stands in front of a site's pages and sorts connections: balancers, front ends that read names, broken servers.

Run as ``python -m tests.lab.fronts`` with one JSON object: ``fronts`` (``addresses``, ``ways`` by the greeting's name,
``other``, ``plain`` for port 80, ``abroad``: the way of a visitor's address, ``certificate``: chain and key), ``https`` and ``http``: the ports of the real server.

A way is one word:

* ``serve``: bytes go to the real server and back; ``silent``: everything is read and nothing answered;
* ``close``, ``reset``, ``alert:N``: the end, a RST or a fatal alert, once the greeting (or request) has come;
* ``empty``, ``cut``, ``torn``: a connection (with TLS on port 443) whose request gets nothing; the head, a part of the body
  and the end; the same and a RST;
* ``late:SECONDS/WAY``: after a while; ``half:WAY``: that for half of the source ports, ``serve`` for the others.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import sys
import zlib
from typing import Any

from tests.lab import packets

_LONGEST_S = 60
_NO_LINGER = struct.pack("ii", 1, 0)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 30000\r\nConnection: close\r\n\r\n"
_PART = b"<!doctype html><html><head><title>Half a page</title></head><body>" + b"words " * 700


class Fronts:
    """All of them, as configured."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self._behind = {443: configuration["https"], 80: configuration["http"]}
        self._fronts = configuration["fronts"]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for front in self._fronts:
                for address in front["addresses"]:
                    for port in (443, 80):
                        group.create_task(self._listen(front, address, port))

    async def _listen(self, front: dict[str, Any], address: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        with socket.create_server((address, port), backlog=128) as listener:
            listener.setblocking(False)
            async with asyncio.TaskGroup() as group:
                while True:
                    connection, peer = await loop.sock_accept(listener)
                    its = front["abroad"].get(peer[0])
                    mine = {**front, "ways": {}, "other": its} if its else front
                    group.create_task(self._take(mine, connection, address, port, peer[1]))

    async def _take(self, front: dict[str, Any], connection: socket.socket, address: str, port: int, peer: int) -> None:
        connection.setblocking(False)
        try:
            async with asyncio.timeout(_LONGEST_S):
                if port == 80:
                    way = front["plain"]
                    await _peek(connection)
                else:
                    name = await _name(connection)
                    way = front["ways"].get(name, front["other"])
                await self._do(way, front, connection, address, port, peer)
        except (OSError, TimeoutError, ssl.SSLError):
            pass
        finally:
            connection.close()

    async def _do(
        self, way: str, front: dict[str, Any], connection: socket.socket, address: str, port: int, peer: int
    ) -> None:
        kind, _, rest = way.partition(":")
        if kind == "late":
            seconds, _, way = rest.partition("/")
            await asyncio.sleep(float(seconds))
        elif kind == "half":
            way = rest if zlib.crc32(str(peer).encode()) % 2 else "serve"
        kind, _, rest = way.partition(":")
        if kind == "serve":
            await _relay(connection, address, self._behind[port])
        elif kind == "silent":
            await _read_on(connection)
        elif kind in ("empty", "cut", "torn"):
            await _page(kind, connection, front["certificate"] if port == 443 else None)
        else:
            await _read(connection)
            if kind == "alert":
                await asyncio.get_running_loop().sock_sendall(
                    connection, b"\x15\x03\x03\x00\x02\x02" + bytes([int(rest)])
                )
            elif kind == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


async def _peek(connection: socket.socket) -> bytes:
    """What has come, without taking it; empty at the end."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(16384, socket.MSG_PEEK)
        except BlockingIOError:
            ready = asyncio.Event()
            loop.add_reader(connection, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(connection)


async def _name(connection: socket.socket) -> str:
    """The name in the greeting; empty if there is none."""
    for _ in range(100):
        data = await _peek(connection)
        if len(data) >= 5 and (data[0] != 0x16 or len(data) >= 5 + int.from_bytes(data[3:5], "big")):
            return packets.sni(data) or ""
        if not data:
            return ""
        await asyncio.sleep(0.005)
    return ""


async def _read(connection: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(connection, 16384)


async def _read_on(connection: socket.socket) -> None:
    while await _read(connection):
        pass


async def _relay(connection: socket.socket, address: str, port: int) -> None:
    """Bytes both ways, until both have ended."""
    loop = asyncio.get_running_loop()
    with socket.socket() as other:
        other.setblocking(False)
        await loop.sock_connect(other, (address, port))

        async def copy(one: socket.socket, two: socket.socket) -> None:
            while data := await loop.sock_recv(one, 65536):
                await loop.sock_sendall(two, data)
            two.shutdown(socket.SHUT_WR)

        # A copy that goes on after the other has failed would wait on a descriptor that the next connection gets.
        try:
            async with asyncio.TaskGroup() as copies:
                copies.create_task(copy(connection, other))
                copies.create_task(copy(other, connection))
        except* OSError:
            pass


async def _page(kind: str, connection: socket.socket, certificate: list[str] | None) -> None:
    """Take a request, over TLS if there is a certificate, and break off."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.set_alpn_protocols(["http/1.1"])
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    # The transport closes its copy, the caller the other: the RST goes out with the last one.
    transport, protocol = await loop.connect_accepted_socket(
        lambda: asyncio.StreamReaderProtocol(reader),
        connection.dup(),
        ssl=context,
        ssl_shutdown_timeout=1 if context else None,
    )
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    try:
        await reader.readuntil(b"\r\n\r\n")
        if kind != "empty":
            writer.write(_HEAD + _PART)
            await writer.drain()
            await asyncio.sleep(0.2)
        if kind == "torn":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            transport.abort()
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
    except asyncio.IncompleteReadError:
        transport.abort()


if __name__ == "__main__":
    asyncio.run(Fronts(json.loads(sys.argv[1])).run())
