"""One TCP connection to one address: whether it came about, how long it took, and what said no."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from probe.instruments import failures, kernel
from probe.observations import KernelCounters, Operation, TcpFact
from probe.wire import Wire
from probe.wire.sockets import TcpOptions


class TcpStream:
    """A connected socket and its byte counts. It owns the socket: close it, on every path.

    ``read`` and ``write`` raise ``OSError``; the deadline is the caller's. ``address`` and ``port`` are the ones asked for.
    """

    def __init__(
        self,
        sock: socket.socket,
        address: str,
        port: int,
        *,
        rtt_us: int | None = None,
        options: TcpOptions | None = None,
    ) -> None:
        self.socket = sock
        self.address = address
        self.port = port
        self.rtt_us = rtt_us
        self.mss_cap = options.mss if options else None
        self.bytes_sent = 0
        self.bytes_received = 0
        self.heard: Callable[[], None] | None = None
        """Called whenever bytes have come in, for whoever wants to know the moments."""

    async def read(self, max_bytes: int) -> bytes:
        """The next bytes, at most *max_bytes*; ``b""`` once the peer has closed its side."""
        data = await asyncio.get_running_loop().sock_recv(self.socket, max_bytes)
        self.bytes_received += len(data)
        if self.heard is not None and data:
            self.heard()
        return data

    async def write(self, data: bytes) -> None:
        """Hand all of *data* to the kernel."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)
        self.bytes_sent += len(data)

    def write_soon(self, data: bytes) -> None:
        """Hand over what fits without waiting, for a last word before closing; whether it went is not known."""
        with contextlib.suppress(OSError):
            self.bytes_sent += self.socket.send(data)

    @property
    def own_port(self) -> int:
        """The port of ours that it goes from."""
        return int(self.socket.getsockname()[1])

    def forget_when_closed(self) -> None:
        """Have the kernel drop everything at :meth:`close`, with a RST: nothing is sent again, and the port is free at once."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        self.socket.close()


@dataclass(frozen=True, slots=True)
class Connected:
    """What came of a connect. ``stream`` is ``None`` exactly when ``operation.failure`` is not."""

    operation: Operation
    stream: TcpStream | None


class _Attempt:
    """What is noted of one attempt while it runs; the kernel is asked before a failed socket is closed."""

    def __init__(self, wire: Wire, address: str, port: int, options: TcpOptions | None, name: str | None) -> None:
        self._wire = wire
        self._started = wire.monotonic()
        self._place = {"started_us": wire.now_us(), "address": address, "port": port, "name": name}
        self._options = options
        self.counters: KernelCounters | None = None

    def look(self, sock: socket.socket) -> None:
        self.counters = kernel.read(sock)

    def operation(self, error: OSError | None = None) -> Operation:
        duration_us = round((self._wire.monotonic() - self._started) * 1e6)
        icmp_type, icmp_code, icmp_from = getattr(error, "icmp", None) or (None, None, None)
        fact = TcpFact(
            rtt_us=None if error else (self.counters and self.counters.rtt_us) or duration_us,
            errno=failures.errno_name(error) if error else None,
            icmp_type=icmp_type,
            icmp_code=icmp_code,
            icmp_from=icmp_from,
            mss_cap=self._options.mss if self._options else None,
            kernel=self.counters,
        )
        failure = failures.from_os_error(error) if error else None
        return Operation(fact=fact, duration_us=duration_us, failure=failure, **self._place)  # type: ignore[arg-type]


async def connect(
    wire: Wire,
    address: str,
    port: int,
    *,
    deadline_s: float,
    options: TcpOptions | None = None,
    name: str | None = None,
    begins: Callable[[asyncio.Timeout], None] | None = None,
) -> Connected:
    """Connect once, from a fresh port. A failure is in the operation, never raised; no stream is left open then.
    *begins* is told the deadline, which may be moved while it runs.

    The RTT is the kernel's sample of SYN and SYN-ACK where there is one, else the time that the call took.
    """
    attempt = _Attempt(wire, address, port, options, name)
    try:
        async with asyncio.timeout(deadline_s) as limit:
            if begins is not None:
                begins(limit)
            sock = await wire.connect(address, port, options, before_close=attempt.look)
    except OSError as error:  # TimeoutError is one
        return Connected(attempt.operation(error), None)
    attempt.look(sock)
    operation = attempt.operation()
    assert isinstance(operation.fact, TcpFact)
    return Connected(operation, TcpStream(sock, address, port, rtt_us=operation.fact.rtt_us, options=options))
