"""The echoes: what comes goes back as it was, never more of it, and only to those who showed a token a moment ago."""

from __future__ import annotations

import asyncio
from typing import cast

from probe.control.ledger import Ledger
from probe.control.sinks.limits import SinkLimits
from probe.control.sinks.streams import Peer


async def serve(peer: Peer, address: str, ledger: Ledger) -> None:
    """Echo a stream until the other side ends, it has been enough, or *address* is nobody who may ask for it."""
    if not ledger.admits(address):
        return
    while data := await peer.read():
        if not ledger.spend_echo(address, len(data)):
            return
        await peer.answer(data)


class Datagrams(asyncio.DatagramProtocol):
    """Echoes datagrams of ordinary size, each once. To anybody else, and of anything longer, not a byte."""

    def __init__(self, ledger: Ledger, limits: SinkLimits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is None or not 0 < len(data) <= self._limits.datagram_bytes:
            return
        if self._ledger.spend_echo(addr[0], len(data)):
            self._transport.sendto(data, addr)
