"""A transparent proxy of a provider: it takes every connection, reads the name of the greeting, and connects to the name.

Run as ``python -S -m tests.lab.proxy`` with one JSON object as its argument: ``address`` and ``port`` to listen on,
``names``: name → address. Connections without a known name are closed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from tests.lab import packets


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


class Proxy:
    """See the module."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self._conf = configuration

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both ends have had enough or a minute is over."""
        try:
            async with asyncio.timeout(60):
                hello = b""
                while packets.sni(hello) is None and len(hello) < 8192 and (more := await reader.read(4096)):
                    hello += more
                address = self._conf["names"].get(packets.sni(hello) or "")
                if address is not None:
                    await self._pass_on(address, hello, reader, writer)
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()

    @staticmethod
    async def _pass_on(address: str, hello: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(address, 443)
        try:
            far_writer.write(hello)
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, far_writer))
                both.create_task(_copy(far_reader, writer))
        finally:
            far_writer.close()


async def main(configuration: dict[str, Any]) -> None:
    await asyncio.start_server(Proxy(configuration).serve, configuration["address"], configuration["port"])
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
