"""A protocol's packet that gets only so many routers far, and the word of the router where it ends.

What a device nearer than that stops never gets there. So a router that speaks of such a packet tells that all that is before it
has let it pass.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from probe.instruments import failures, path
from probe.instruments.apps.encrypted import Shape
from probe.instruments.apps.flow import Pace
from probe.instruments.tcp import TcpStream
from probe.observations import AppFact, AppTransport, Operation
from probe.wire import Wire
from probe.wire.datagrams import UdpSocket
from probe.wire.sockets import set_ttl

_APART_S = 0.01
_SETTLES_S = 0.3
"""Between what goes all the way and what does not: the one must be there before the other is sent."""
_TRIES = 3
_READ = 16 * 1024
_SIZE = Pace().size


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of one packet, and the address of the router that spoke of it, which is for nobody's record."""

    operation: Operation
    hop: str | None = None


async def over_udp(
    wire: Wire, address: str, port: int, shape: Shape, *, ttl: int, before: int, wait_s: float, name: str
) -> Ended:
    """From a fresh port: *before* packets of the flow that go all the way, and then one *ttl* routers far, in three tries."""
    began, began_us, sent = wire.monotonic(), wire.now_us(), 0
    packets = [shape.first(), *(shape.data(number, _SIZE) for number in range(1, before + 1))]
    error: OSError | None = None
    try:
        with wire.udp(address, port) as sock:
            sock.connect()
            for packet in packets[:before]:
                sock.send(packet)
                sent += len(packet)
                await wire.sleep(_APART_S)
            if before:
                await wire.sleep(_SETTLES_S)
            if sock.set_ttl(ttl):
                for _ in range(_TRIES):
                    sock.send(packets[before])
                    sent += len(packets[before])
                    await _listen(sock, wait_s / _TRIES)
    except OSError as raised:
        error = raised
    return _operation(wire, shape, "udp", ttl, before, error, began_us, began, sent, (name, address, port))


async def _listen(sock: UdpSocket, seconds: float) -> None:
    """Wait for a router's word, which is raised; echoes of what went all the way are passed over."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await sock.receive()
    except TimeoutError as error:
        if error.errno is not None:
            raise  # ETIMEDOUT of the socket


async def over_tcp(
    wire: Wire, stream: TcpStream, shape: Shape, *, ttl: int, before: int, wait_s: float, name: str
) -> Ended:
    """The same on a connection, which stays the caller's. What is on its way is sent again by the kernel, and no farther."""
    began, began_us = wire.monotonic(), wire.now_us()
    error: OSError | None = None
    try:
        async with asyncio.timeout(wait_s + before * _APART_S + _SETTLES_S):
            for number in range(before):
                await stream.write(shape.data(number, _SIZE) if number else shape.first())
                await wire.sleep(_APART_S)
            if before:
                await wire.sleep(_SETTLES_S)
            if set_ttl(stream.socket, ttl):
                await stream.write(shape.data(before, _SIZE) if before else shape.first())
            while await stream.read(_READ):
                pass
            error = ConnectionResetError("it was closed")
    except OSError as raised:
        error = raised
    place = (name, stream.address, stream.port)
    return _operation(wire, shape, "tcp", ttl, before, error, began_us, began, stream.bytes_sent, place)


def _operation(
    wire: Wire,
    shape: Shape,
    transport: AppTransport,
    ttl: int,
    before: int,
    error: OSError | None,
    began_us: int,
    began: float,
    sent: int,
    place: tuple[str, str, int],
) -> Ended:
    fact = AppFact(protocol=shape.protocol, transport=transport, sent=f"a packet that ends on the way, after {before}")
    icmp_type, icmp_code, hop = getattr(error, "icmp", None) or (None, None, None)
    fact = replace(fact, ttl=ttl, icmp_type=icmp_type, icmp_code=icmp_code)
    if error is not None:
        fact = replace(fact, errno=failures.errno_name(error))
    if hop is not None:
        hop = path.embedded(hop, wire.translator)
        fact = replace(fact, hop_is=path.scope_of(hop, wire.gateway()))
    name, address, port = place
    operation = Operation(
        fact=fact,
        started_us=began_us,
        duration_us=round((wire.monotonic() - began) * 1e6),
        failure=failures.from_os_error(error) if error is not None else failures.TIMEOUT,
        name=name,
        address=address,
        port=port,
        bytes_sent=sent,
    )
    return Ended(operation, hop)
