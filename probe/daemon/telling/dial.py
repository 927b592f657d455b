"""A connection to whoever takes messages: the probe's own instruments, with their deadlines."""

from __future__ import annotations

import ipaddress

from probe.daemon.telling.means import Means
from probe.instruments import dns, tcp
from probe.instruments.tcp import TcpStream
from probe.observations import DnsFact, Operation

_MOST_ADDRESSES = 3


async def dial(host: str, port: int, means: Means) -> TcpStream | Operation:
    """A connection to the first address of *host* that takes one, else how the last try failed."""
    addresses: tuple[str, ...] = (host,)
    if not is_address(host):
        asked = await dns.ask_getaddrinfo(means.wire, host, deadline_s=means.limits.connect_s)
        assert isinstance(asked.fact, DnsFact)
        addresses = asked.fact.addresses[:_MOST_ADDRESSES]
        if not addresses:
            return asked
    for address in addresses:
        connected = await tcp.connect(means.wire, address, port, deadline_s=means.limits.connect_s)
        if connected.stream is not None:
            return connected.stream
    return connected.operation


def is_address(host: str) -> bool:
    """Whether *host* is an address and no name: it is neither asked for nor sent (RFC 6066 §3)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
