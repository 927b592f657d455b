"""One exchange of an app's own protocol, over a connection that there is or over UDP.

A failure is in the operation, never raised. What is no answer of the protocol is ``unknown_failure: not PROTOCOL``, however
politely it was said.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from probe.instruments import failures, kernel
from probe.instruments.apps.dialogue import MOST_BYTES, Dialogue, Heard, describe
from probe.instruments.tcp import TcpStream
from probe.observations import AppFact, AppTransport, Operation
from probe.observations.failures import UNKNOWN_FAILURE
from probe.wire import Wire
from probe.wire.datagrams import UdpSocket

RESENDS_S = (1.0, 3.0)
"""After how many seconds of silence a datagram is sent again, counted from the first time."""
AFTER_A_STRANGER_S = 1.0
"""How long the right answer is still waited for once a wrong datagram came: it may have been sent in between."""
_SHOWN_BYTES = 32
_READ = 16 * 1024


class Stream(Protocol):
    """A connection that bytes are read from and written to; an end is ``b""``."""

    async def read(self, max_bytes: int) -> bytes: ...
    async def write(self, data: bytes) -> None: ...


def not_the_protocol(protocol: str) -> str:
    """The failure of an answer that is none of *protocol*."""
    return f"{UNKNOWN_FAILURE}not {protocol}"


def is_not_the_protocol(failure: str | None) -> bool:
    """Whether something answered, and not in the protocol."""
    return (failure or "").startswith(f"{UNKNOWN_FAILURE}not ")


@dataclass(slots=True)
class _Exchange:
    """One exchange as it goes: what has been said and heard, and what has become of it."""

    wire: Wire
    dialogue: Dialogue
    fact: AppFact
    started_us: int
    began: float
    sent: int = 0
    received: int = 0
    failure: str | None = None
    beginning: bytes = b""

    @classmethod
    def begin(cls, wire: Wire, dialogue: Dialogue, transport: AppTransport) -> _Exchange:
        fact = AppFact(protocol=dialogue.protocol, transport=transport, sent=dialogue.sent, answered=False)
        return cls(wire, dialogue, fact, wire.now_us(), wire.monotonic())

    def change(self, **fields: Any) -> None:
        self.fact = replace(self.fact, **fields)

    def note_sent(self, data: bytes) -> None:
        self.sent += len(data)
        self.change(messages_sent=self.fact.messages_sent + 1)

    def hear(self, data: bytes, ttl: int | None = None) -> Heard:
        """Give what came to the dialogue, and note it."""
        self.received += len(data)
        if self.fact.first_reply_us is None:
            after = round((self.wire.monotonic() - self.began) * 1e6)
            self.change(answered=True, first_reply_us=after, reply_ttl=ttl)
        # Behind these an answer may have the user's own address.
        shown = getattr(self.dialogue, "shown_bytes", _SHOWN_BYTES)
        if len(self.beginning) < shown:
            self.beginning += data[: shown - len(self.beginning)]
            self.change(first_bytes=self.beginning.hex())
        if self.received > MOST_BYTES:
            return Heard(done=True, expected=False, detail=f"more than {MOST_BYTES // 1024} KB")
        return self.dialogue.heard(data)

    def note_heard(self, heard: Heard, data: bytes) -> None:
        """What the dialogue said of *data* is what is known now."""
        if heard.expected is not None:
            self.change(expected=heard.expected)
        if heard.expected is False:
            self.failure = not_the_protocol(self.dialogue.protocol)
            self.change(detail=(heard.detail or describe(data))[:80])
        elif heard.expected:
            self.failure = None
            self.change(detail=heard.detail)

    def note_error(self, error: OSError) -> None:
        kind, code, offender = getattr(error, "icmp", None) or (None, None, None)
        self.failure = failures.from_os_error(error)
        self.change(errno=failures.errno_name(error), icmp_type=kind, icmp_code=code, icmp_from=offender)

    def operation(self, **place: Any) -> Operation:
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
# over a connection


async def over_tcp(
    wire: Wire,
    stream: TcpStream,
    dialogue: Dialogue,
    *,
    deadline_s: float,
    name: str | None = None,
    begins: Callable[[asyncio.Timeout], None] | None = None,
    through: Stream | None = None,
    transport: AppTransport = "tcp",
) -> Operation:
    """Say *dialogue* on *stream*, which stays the caller's and open; its kernel counters are in the fact.

    *through*: what is really spoken on, where something lies between the app and the connection (TLS, a websocket).
    """
    exchange = _Exchange.begin(wire, dialogue, transport)
    before = stream.bytes_sent, stream.bytes_received
    try:
        async with asyncio.timeout(deadline_s) as limit:
            if begins is not None:
                begins(limit)
            await _speak(exchange, through or stream)
    except OSError as error:  # TimeoutError is one
        exchange.note_error(error)
    # As they were on the wire, with what lies in between.
    exchange.sent, exchange.received = stream.bytes_sent - before[0], stream.bytes_received - before[1]
    exchange.change(kernel=kernel.read(stream.socket))
    return exchange.operation(name=name, address=stream.address, port=stream.port)


async def _speak(exchange: _Exchange, stream: Stream) -> None:
    say = exchange.dialogue.first()
    while True:
        if say:
            await stream.write(say)
            exchange.note_sent(say)
        data = await stream.read(_READ)
        if not data:
            exchange.failure = failures.EOF
            return
        heard = exchange.hear(data)
        exchange.note_heard(heard, exchange.beginning)
        if heard.done or heard.say:
            exchange.change(messages_received=exchange.fact.messages_received + 1)
        if heard.done:
            return
        say = heard.say


# ---------------------------------------------------------------------------------------------------------------------
# over UDP


async def over_udp(
    wire: Wire,
    address: str,
    port: int,
    dialogue: Dialogue,
    *,
    name: str | None = None,
    deadline_s: float,
    resends_s: tuple[float, ...] = RESENDS_S,
    begins: Callable[[asyncio.Timeout], None] | None = None,
) -> Operation:
    """Say *dialogue* to one place from a fresh port; what is not answered is said again, with the same bytes.

    A wrong answer does not end it at once: whoever is in between is quicker than the right one.
    """
    exchange = _Exchange.begin(wire, dialogue, "udp")
    try:
        with wire.udp(address, port) as sock:
            sock.connect()
            async with asyncio.timeout(deadline_s) as limit:
                if begins is not None:
                    begins(limit)
                await _by_datagrams(exchange, sock, limit, resends_s)
    except OSError as error:  # TimeoutError is one
        # A wrong answer stays what it was, however the wait for the right one ended.
        if exchange.failure is None:
            exchange.note_error(error)
    return exchange.operation(name=name, address=address, port=port)


async def _by_datagrams(
    exchange: _Exchange, sock: UdpSocket, limit: asyncio.Timeout, resends_s: tuple[float, ...]
) -> None:
    say = exchange.dialogue.first()
    while True:
        data, ttl = await _ask(exchange, sock, say, resends_s)
        exchange.change(messages_received=exchange.fact.messages_received + 1)
        heard = exchange.hear(data, ttl)
        exchange.note_heard(heard, data)
        if heard.done and heard.expected is not False:
            return
        if heard.expected is False:
            _end_soon(limit)
        say = heard.say


async def _ask(
    exchange: _Exchange, sock: UdpSocket, say: bytes, resends_s: tuple[float, ...]
) -> tuple[bytes, int | None]:
    """Send *say* (if there is any), and again while nothing comes; the next datagram and its TTL."""
    begun = exchange.wire.monotonic()
    waits = resends_s if say else ()
    for until in (*waits, None):
        if say:
            sock.send(say)
            exchange.note_sent(say)
        left = None if until is None else max(0.0, begun + until - exchange.wire.monotonic())
        with contextlib.suppress(_SilenceError):
            return await _within(sock, left)
    raise AssertionError


class _SilenceError(Exception):
    """Nothing came until it was time to say it again."""


async def _within(sock: UdpSocket, left_s: float | None) -> tuple[bytes, int | None]:
    try:
        async with asyncio.timeout(left_s):
            datagram = await sock.receive()
    except TimeoutError as error:
        if error.errno is not None:
            raise  # ETIMEDOUT of the socket, which is no silence of ours
        raise _SilenceError from None
    return datagram.data, datagram.ttl


def _end_soon(limit: asyncio.Timeout) -> None:
    soon, planned = asyncio.get_running_loop().time() + AFTER_A_STRANGER_S, limit.when()
    if planned is not None and planned > soon:
        with contextlib.suppress(RuntimeError):  # it is ending just now
            limit.reschedule(soon)
