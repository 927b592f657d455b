"""A small resolver with bad manners, for households, filters and providers whose real software cannot be told to do it.

Run as ``python -S -m tests.lab.resolver`` with one JSON object as its argument: ``address`` to listen on (UDP and, unless
``tcp`` is false, TCP port 53), ``names``: name → addresses, ``says``: name (``.name`` with all below it, ``*`` everything)
→ the fields of ``world.Says``, ``upstream``: who is asked about the rest instead of ``names``, ``missing``: the fields of a
``Says`` for names that do not exist (as the upstream says, if there is one), ``edns``: ``good``, ``drop`` (silence), ``formerr`` or ``strip`` (as if it were not there) for questions with an OPT record, ``bare`` to pass on denials without their zone, ``limit``: questions a second.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import struct
import sys
import time
from typing import Any, cast

from tests.lab import packets

_A, _AAAA, _OPT = 1, 28, 41
_NOERROR, _FORMERR, _SERVFAIL, _NXDOMAIN, _REFUSED = 0, 1, 2, 3, 5
_CD = 0x0010


def has_edns(query: bytes, end: int) -> bool:
    """Whether an OPT record follows the question that ends at *end* (RFC 6891: root name, type 41)."""
    return len(query) >= end + 11 and query[10:12] != b"\0\0" and query[end : end + 3] == b"\0\0" + bytes([_OPT])


def reply(
    query: bytes, *, rcode: int = 0, addresses: tuple[str, ...] = (), truncated: bool = False, error: int | None = None
) -> bytes:
    """A reply to *query*; *error* is an extended one (RFC 8914), said only to whoever speaks EDNS."""
    asked = packets.question(query)
    assert asked is not None
    _, kind, end = asked
    edns = has_edns(query, end)
    flags = 0x8080 | (struct.unpack_from("!H", query, 2)[0] & 0x0110) | rcode | (0x0200 if truncated else 0)
    size = {_A: 4, _AAAA: 16}.get(kind)
    found = [packets.raw(address) for address in addresses]
    records = [] if truncated or rcode else [address for address in found if len(address) == size]
    head = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 1 if edns else 0)
    body = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 300, size or 0) + address for address in records)
    option = struct.pack("!HHH", 15, 2, error) if error is not None else b""
    opt = b"\0" + struct.pack("!HHIH", _OPT, 1232, 0, len(option)) + option if edns else b""
    return head + query[12:end] + body + opt


class Resolver:
    """See the module."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self._conf = configuration
        self._turn = itertools.count()
        self._recent: list[float] = []

    async def answer(self, query: bytes, *, datagram: bool) -> bytes | None:
        """What is said to *query*; ``None`` is silence."""
        asked = packets.question(query)
        if asked is None:
            return None
        name, _, end = asked
        if self._is_too_much():
            return reply(query, rcode=_REFUSED)
        if self._conf["edns"] == "strip":
            query = query[:10] + bytes(2) + query[12:end]
        elif has_edns(query, end) and self._conf["edns"] not in ("good", "bare"):
            # RFC 1035 servers say FORMERR, and what stands before them drops the question.
            return reply(query, rcode=_FORMERR) if self._conf["edns"] == "formerr" else None
        said = self._said(name)
        if said is not None:
            return await self._say(query, said, datagram=datagram)
        if self._conf["upstream"]:
            found = await _ask(self._conf["upstream"], query)
            denied = found is not None and len(found) > 3 and found[3] & 15 == _NXDOMAIN
            if denied and self._conf["missing"] is not None:
                return await self._say(query, self._conf["missing"], datagram=datagram)
            return reply(query, rcode=_NXDOMAIN) if denied and self._conf["edns"] == "bare" else found
        if name in self._conf["names"]:
            return reply(query, addresses=tuple(self._conf["names"][name]))
        if self._conf["missing"] is not None:
            return await self._say(query, self._conf["missing"], datagram=datagram)
        return reply(query, rcode=_NXDOMAIN)

    def _is_too_much(self) -> bool:
        limit, now = self._conf["limit"], time.monotonic()
        if limit is None:
            return False
        self._recent = [at for at in self._recent if at > now - 1]
        self._recent.append(now)
        return len(self._recent) > int(limit)

    def _said(self, name: str) -> dict[str, Any] | None:
        says = self._conf["says"]
        if name in says:
            return cast("dict[str, Any]", says[name])
        labels = name.split(".")
        below = ("." + ".".join(labels[at:]) for at in range(len(labels)))
        return next((says[key] for key in (*below, "*") if key in says), None)

    async def _say(self, query: bytes, said: dict[str, Any], *, datagram: bool) -> bytes | None:
        asked = packets.question(query)
        assert asked is not None
        await asyncio.sleep(said["delay"])
        truth = tuple(self._conf["names"].get(asked[0], ()))
        addresses = tuple(said["addresses"]) or (truth if said["rcode"] == _NOERROR and not said["empty"] else ())
        unchecked = bool(struct.unpack_from("!H", query, 2)[0] & _CD)
        if said["silent"]:
            return None
        if said["truncated"] and datagram:
            return reply(query, truncated=True)
        if said["unless_unchecked"] and unchecked:
            return reply(query, addresses=truth)
        if said["rotate"] and addresses:
            addresses = (addresses[next(self._turn) % len(addresses)],)
        return reply(query, rcode=said["rcode"], addresses=addresses, error=said["error"])

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """DNS over TCP (RFC 1035 §4.2.2), one question after the other."""
        try:
            async with asyncio.timeout(30):
                while True:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    answer = await self.answer(await reader.readexactly(size), datagram=False)
                    if answer is not None:
                        writer.write(struct.pack("!H", len(answer)) + answer)
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()


async def _ask(upstream: str, query: bytes) -> bytes | None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((upstream, 53))
        try:
            async with asyncio.timeout(4):
                await loop.sock_sendall(sock, query)
                return await loop.sock_recv(sock, 4096)
        except (OSError, TimeoutError):
            return None


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, resolver: Resolver, group: asyncio.TaskGroup) -> None:
        self._resolver, self._group = resolver, group

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._group.create_task(self._serve(data, addr))

    async def _serve(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = await self._resolver.answer(data, datagram=True)
        if answer is not None:
            self._transport.sendto(answer, addr)


async def main(configuration: dict[str, Any]) -> None:
    resolver, loop = Resolver(configuration), asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        await loop.create_datagram_endpoint(lambda: _Datagrams(resolver, group), (configuration["address"], 53))
        if configuration["tcp"]:
            await asyncio.start_server(resolver.stream, configuration["address"], 53)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
