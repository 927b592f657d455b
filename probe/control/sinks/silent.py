"""The sinks of port 53: datagrams are never answered, connections are taken and closed.

So whatever answers a question that was sent here was put in on the way (RFC 1035 §4.2.1 has a server answer; this is none).
"""

from __future__ import annotations

import asyncio

from probe.control.sinks.streams import Peer


class Silence(asyncio.DatagramProtocol):
    """Takes datagrams and does nothing. A socket that nobody had would say so with an ICMP message."""


async def close(_peer: Peer) -> None:
    """The connection was taken: that is all."""
