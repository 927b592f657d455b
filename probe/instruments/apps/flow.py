"""A protocol's first packet and then data, to a place that sends everything back: does the flow live, and for how long?

A handshake that succeeds says little: networks have let it through and cut the flow after some packets of data
(net4people/bbs#274). So a flow has passed only if what was sent last came back as well. Single packets get lost: the first is
sent again, and of the last ones a whole row must be missing, twice, before silence is believed.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from probe.instruments import failures, kernel
from probe.instruments.apps.encrypted import Shape
from probe.instruments.apps.exchange import not_the_protocol
from probe.instruments.tcp import TcpStream
from probe.observations import AppFact, AppTransport, Operation
from probe.wire import Wire
from probe.wire.datagrams import UdpSocket

_READ = 16 * 1024
_TRIES = 3
"""Of the first packet: where a fifth of all packets is lost each way, one in twenty flows does not begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """*packets* of about *size* bytes after the first, *every_s*. Over UDP a flow has stopped if none of the last *tail* came
    back, and none of as many more; where a fifth of all packets is lost each way that happens by chance to one in a billion.
    """

    packets: int = 24
    size: int = 120
    every_s: float = 0.025
    tail: int = 10


@dataclass(slots=True)
class _Flow:
    """One flow as it goes: what has been sent and has come back, and what has become of it."""

    wire: Wire
    shape: Shape
    fact: AppFact
    pace: Pace
    patience_s: float
    began: float
    started_us: int
    sent: int = 0
    received: int = 0
    failure: str | None = None
    out: dict[bytes, int] = field(default_factory=dict)
    """What has been sent and has not come back: packet → its number, 0 for the first."""
    back: set[int] = field(default_factory=set)

    @classmethod
    def begin(cls, wire: Wire, shape: Shape, transport: AppTransport, pace: Pace, patience_s: float) -> _Flow:
        sent = f"the first packet and {pace.packets} of data"
        fact = AppFact(protocol=shape.protocol, transport=transport, sent=sent, answered=False)
        return cls(wire, shape, fact, pace, patience_s, wire.monotonic(), wire.now_us())

    def change(self, **fields: Any) -> None:
        self.fact = replace(self.fact, **fields)

    def note_sent(self, packet: bytes, number: int) -> None:
        self.sent += len(packet)
        self.out[packet] = number
        self.change(messages_sent=self.fact.messages_sent + 1)

    def note_first_reply(self, ttl: int | None = None) -> None:
        if self.fact.first_reply_us is None:
            after = round((self.wire.monotonic() - self.began) * 1e6)
            self.change(answered=True, first_reply_us=after, reply_ttl=ttl)

    def note_back(self, packet: bytes, ttl: int | None = None) -> None:
        """*packet* came; one that was never sent is nobody's."""
        self.received += len(packet)
        number = self.out.pop(packet, None)
        if number is None:
            return
        self.note_first_reply(ttl)
        self.back.add(number)
        self.change(messages_received=len(self.back))

    def has_any(self, first: int, last: int) -> bool:
        """Whether any of these packets has come back."""
        return any(number in self.back for number in range(first, last + 1))

    def note_error(self, error: OSError) -> None:
        kind, code, offender = getattr(error, "icmp", None) or (None, None, None)
        self.failure = failures.from_os_error(error)
        self.change(errno=failures.errno_name(error), icmp_type=kind, icmp_code=code, icmp_from=offender)

    def operation(self, **place: Any) -> Operation:
        if self.failure is None:
            self.change(expected=True)
        elif self.back or self.fact.answered:
            self.change(expected=False, detail=f"it stopped: {self.fact.messages_received} of the packets came back")
        return Operation(
            fact=self.fact,
            started_us=self.started_us,
            duration_us=round((self.wire.monotonic() - self.began) * 1e6),
            failure=self.failure,
            bytes_sent=self.sent,
            bytes_received=self.received,
            **place,
        )


# ---------------------------------------------------------------------------------------------------------------------
# over UDP


async def over_udp(
    wire: Wire, address: str, port: int, shape: Shape, *, patience_s: float, name: str, pace: Pace | None = None
) -> Operation:
    """A flow of *shape* to one place from a fresh port. *patience_s*: how long silence is ordinary there."""
    flow = _Flow.begin(wire, shape, "udp", pace or Pace(), patience_s)
    try:
        with wire.udp(address, port) as sock:
            sock.connect()
            if not await _first(flow, sock) or not await _data(flow, sock):
                flow.failure = failures.TIMEOUT
    except OSError as error:
        flow.note_error(error)
    return flow.operation(name=name, address=address, port=port)


async def _first(flow: _Flow, sock: UdpSocket) -> bool:
    """Whether the first packet came back, of which there are several tries."""
    packet = flow.shape.first()
    for _ in range(_TRIES):
        sock.send(packet)
        flow.note_sent(packet, 0)
        if await _listen(flow, sock, flow.patience_s, lambda: 0 in flow.back):
            return True
    return False


async def _data(flow: _Flow, sock: UdpSocket) -> bool:
    """Whether of the last packets any came back."""
    pace, number = flow.pace, 0
    for count in (pace.packets, pace.tail):
        last = number + count
        while number < last:
            number += 1
            packet = flow.shape.data(number, pace.size)
            sock.send(packet)
            flow.note_sent(packet, number)
            await _listen(flow, sock, pace.every_s, lambda: False)
        if await _listen(flow, sock, flow.patience_s, functools.partial(flow.has_any, last - pace.tail + 1, last)):
            return True
    return False


async def _listen(flow: _Flow, sock: UdpSocket, seconds: float, enough: Callable[[], bool]) -> bool:
    """Note what comes for so long, or until it is *enough*; whether it was."""
    if enough():
        return True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                datagram = await sock.receive()
                flow.note_back(datagram.data, datagram.ttl)
                if enough():
                    return True
    return False


# ---------------------------------------------------------------------------------------------------------------------
# over a connection


async def over_tcp(
    wire: Wire, stream: TcpStream, shape: Shape, *, patience_s: float, name: str, pace: Pace | None = None
) -> Operation:
    """A flow of *shape* on *stream*, which stays the caller's and open; its kernel counters are in the fact.

    *patience_s*: for so long nothing may come while something is out. The kernel sends again what is lost.
    """
    flow = _Flow.begin(wire, shape, "tcp", pace or Pace(), patience_s)
    try:
        async with asyncio.TaskGroup() as group:
            heard = _Heard(flow, stream)
            listening = group.create_task(heard.listen())
            try:
                await _speak(flow, stream, heard)
            finally:
                listening.cancel()
    except* OSError as errors:
        flow.note_error(_first_of(errors))
    flow.change(kernel=kernel.read(stream.socket))
    return flow.operation(name=name, address=stream.address, port=stream.port)


def _first_of(errors: BaseExceptionGroup[OSError]) -> OSError:
    inner = errors.exceptions[0]
    return inner if isinstance(inner, OSError) else _first_of(inner)


async def _speak(flow: _Flow, stream: TcpStream, heard: _Heard) -> None:
    first = flow.shape.first()
    await _say(flow, stream, heard, first, 0)
    if await heard.has(len(first)):
        for number in range(1, flow.pace.packets + 1):
            packet = flow.shape.data(number, flow.pace.size)
            await _say(flow, stream, heard, packet, number)
            await flow.wire.sleep(flow.pace.every_s)
        await heard.has(flow.sent)


async def _say(flow: _Flow, stream: TcpStream, heard: _Heard, packet: bytes, number: int) -> None:
    heard.expect(packet)
    async with asyncio.timeout(flow.patience_s):
        await stream.write(packet)
    flow.note_sent(packet, number)


class _Heard:
    """What comes back on a stream, held against what was sent."""

    def __init__(self, flow: _Flow, stream: TcpStream) -> None:
        self._flow, self._stream = flow, stream
        self._expected = bytearray()
        self._ends: list[int] = []
        self._came = 0
        self._news = asyncio.Event()

    def expect(self, packet: bytes) -> None:
        self._expected += packet
        self._ends.append(len(self._expected))

    async def listen(self) -> None:
        """Until it ends, or something else comes than was sent."""
        while data := await self._stream.read(_READ):
            self._flow.note_first_reply()
            self._flow.received += len(data)
            if self._expected[self._came : self._came + len(data)] != data:
                self._flow.failure = not_the_protocol("an echo")
                break
            self._came += len(data)
            whole = sum(end <= self._came for end in self._ends)
            self._flow.change(messages_received=whole)
            self._news.set()
        self._flow.failure = self._flow.failure or failures.EOF
        self._news.set()

    async def has(self, size: int) -> bool:
        """Whether *size* bytes have come, which is waited for as long as some come now and then."""
        while self._came < size and self._flow.failure is None:
            self._news.clear()
            try:
                async with asyncio.timeout(self._flow.patience_s):
                    await self._news.wait()
            except TimeoutError:
                self._flow.failure = failures.TIMEOUT
        return self._flow.failure is None
