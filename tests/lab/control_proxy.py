"""A SOCKS5 proxy (RFC 1928, no login) on the machine abroad, as ``ssh -D`` or Tor is one: names are resolved at its end.

python -m tests.lab.control_proxy HOST:PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sys

_REFUSED, _UNREACHABLE, _FAILED, _EXPIRED = 5, 4, 1, 6
_PATIENCE_S = 8.0
_REPLIES = {errno.ECONNREFUSED: _REFUSED, errno.EHOSTUNREACH: _UNREACHABLE, errno.ENETUNREACH: 3}


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(16_384):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _wanted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    _, _, _, kind = await reader.readexactly(4)
    length = 4 if kind == 1 else (await reader.readexactly(1))[0]
    host = await reader.readexactly(length)
    port = int.from_bytes(await reader.readexactly(2), "big")
    return (".".join(map(str, host)) if kind == 1 else host.decode()), port


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        host, port = await _wanted(reader, writer)
        reply = 0
        try:
            async with asyncio.timeout(_PATIENCE_S):
                far = await asyncio.open_connection(host, port)
        except TimeoutError:
            reply = _EXPIRED
        except OSError as error:
            reply = _REPLIES.get(error.errno or 0, _FAILED)
        writer.write(bytes([5, reply, 0, 1]) + bytes(6))
        if not reply:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pipe(reader, far[1]))
                group.create_task(_pipe(far[0], writer))
        await writer.drain()
    writer.close()


async def _main(listen: str) -> None:
    host, _, port = listen.rpartition(":")
    server = await asyncio.start_server(serve, host, int(port))
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
