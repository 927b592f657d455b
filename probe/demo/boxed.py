"""A server that is asked over QUIC, behind the box on the path."""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from typing import cast

from probe.demo.datagrams import TTL, Address
from probe.demo.on_the_way import Flow
from probe.demo.world import World

_MOST_FLOWS = 1024


class Boxed(asyncio.DatagramProtocol):
    """The server, as far as the box lets anything get there."""

    def __init__(self, world: World, server: asyncio.DatagramProtocol) -> None:
        self._world, self._server = world, server
        self._flows: OrderedDict[Address, Flow] = OrderedDict()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
        self._server.connection_made(cast("asyncio.DatagramTransport", transport))

    def datagram_received(self, data: bytes, addr: Address) -> None:
        flow = self._flows.setdefault(addr, Flow(self._world))
        self._flows.move_to_end(addr)
        while len(self._flows) > _MOST_FLOWS:
            self._flows.popitem(last=False)
        if not flow.loses(data):
            self._server.datagram_received(data, addr)
