"""The QUIC sink: any name gets the same handshake and page, once its caller has proven its address (RFC 9000 §8.1).

aioquic does the protocol. Here is what bounds it: datagrams shorter than 1200 bytes are not answered, so that no answer is
longer than its question before the address is proven; connections are counted, stay at one address, and end in time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, ProtocolNegotiated, QuicEvent
from aioquic.quic.packet import QuicErrorCode

from probe.control.ledger import Arrival, Ledger, plain
from probe.control.sinks import web
from probe.control.sinks.limits import Bucket, Gate, SinkLimits
from probe.control.sinks.quic_greeting import Greeting
from probe.instruments import quic_packets
from probe.instruments.quic_packets import Initial

_ALPN = ["h3"]
_CONNECTION_BYTES = 8
_IDLE_S = 10.0
_WINDOW = 16_384
_MOST_FLOWS = 512
_MOST_GREETINGS = 4
"""Of one flow: before Retry, after it, and what a changed first packet makes of them."""
_LONGEST_QUEUE = 262_144
"""Bytes that wait to be sent, beyond which datagrams are dropped, as any router does."""

Place = tuple[Any, ...]


def configuration(pem: tuple[bytes, bytes]) -> QuicConfiguration | None:
    """What the sink shows: the chain and the key in *pem*; ``None`` if aioquic cannot use them."""
    made = QuicConfiguration(
        is_client=False,
        alpn_protocols=_ALPN,
        supported_versions=[quic_packets.VERSION_1],
        connection_id_length=_CONNECTION_BYTES,
        idle_timeout=_IDLE_S,
        max_data=_WINDOW,
        max_stream_data=_WINDOW,
    )
    # It reads files only; these are ours alone (0600) and gone before anybody comes.
    with tempfile.NamedTemporaryFile() as chain, tempfile.NamedTemporaryFile() as key:
        for file, text in zip((chain, key), pem, strict=True):
            file.write(text)
            file.flush()
        try:
            made.load_cert_chain(chain.name, key.name)
        except (LookupError, TypeError, ValueError):
            return None
    return made


@dataclass(slots=True)
class _Flow:
    """One caller's port: what is remembered of it, and the greetings that came from there, by connection ID."""

    arrival: Arrival
    greetings: dict[bytes, Greeting] = field(default_factory=dict)

    def feed(self, data: bytes, most: int) -> None:
        """Look at the Initials in a datagram."""
        for packet in quic_packets.initials(data):
            greeting = self.greetings.get(packet.head.destination)
            if greeting is None:
                if len(self.greetings) >= _MOST_GREETINGS:
                    continue
                greeting = self.greetings[packet.head.destination] = Greeting(most)
            greeting.feed(data, packet)
            self._note(greeting)

    def _note(self, greeting: Greeting) -> None:
        arrival = self.arrival
        arrival.bytes = max(arrival.bytes, greeting.size)
        if greeting.hello is not None:
            arrival.whole, arrival.name = True, greeting.hello.sni
            arrival.fingerprint = greeting.hello.fingerprint


class _SelectorTransport(Protocol):
    """What asyncio's transport for datagrams has, and its type does not say: how much waits for the kernel, in bytes."""

    def sendto(self, data: bytes, addr: Place) -> None: ...
    def is_closing(self) -> bool: ...
    def get_write_buffer_size(self) -> int: ...
    def close(self) -> None: ...


class _Way:
    """The way out: what the kernel cannot take now is dropped, and nothing is said once the sink has closed."""

    def __init__(self, transport: _SelectorTransport) -> None:
        self._transport = transport

    def sendto(self, data: bytes, addr: Place) -> None:
        if not self._transport.is_closing() and self._transport.get_write_buffer_size() < _LONGEST_QUEUE:
            self._transport.sendto(data, addr)

    def close(self) -> None:
        self._transport.close()


class Connection(QuicConnectionProtocol):
    """One connection of a proven address: a handshake, and the same small page for whatever is asked for (RFC 9114)."""

    def __init__(self, quic: QuicConnection, place: Place, arrival: Arrival | None, limits: SinkLimits) -> None:
        super().__init__(quic)
        self.place = place
        self.left = limits.read_bytes
        self.over = contextlib.ExitStack()
        self._arrival = arrival
        self._ours = False
        self._http: H3Connection | None = None
        self.over.callback(asyncio.get_running_loop().call_later(limits.connection_s, self.end).cancel)

    def may_have(self, data: bytes, place: Place) -> bool:
        """Whether *data* is for it: it stays at one place, and is let go when it has been enough."""
        if place != self.place:
            return False
        self.left -= len(data)
        if self.left < 0:
            self.end()
        return self.left >= 0

    def end(self) -> None:
        """Say goodbye, for whatever reason there is on this side."""
        self._ours = True
        self.close()

    def quic_event_received(self, event: QuicEvent) -> None:
        arrival = self._arrival
        if isinstance(event, ConnectionTerminated):
            self.over.close()
            if arrival is not None and not self._ours and event.error_code != QuicErrorCode.INTERNAL_ERROR:
                arrival.end = "fin"
            return
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        if arrival is not None and isinstance(event, ProtocolNegotiated):
            arrival.answered, arrival.acknowledged = True, False
        elif arrival is not None and isinstance(event, HandshakeCompleted):
            arrival.acknowledged = True
        for what in self._http.handle_event(event) if self._http is not None else ():
            if isinstance(what, HeadersReceived):
                self._answer(self._http, what)

    def _answer(self, http: H3Connection | None, asked: HeadersReceived) -> None:
        assert http is not None
        only_head = (b":method", b"HEAD") in asked.headers
        headers = [(b":status", b"200"), (b"content-type", b"text/html; charset=utf-8")]
        http.send_headers(asked.stream_id, headers, end_stream=only_head)
        if not only_head:
            http.send_data(asked.stream_id, web.PAGE, end_stream=True)


class Server(QuicServer):
    """All of the sink's connections. *say* is told of what broke in here, by its kind only."""

    def __init__(
        self, shown: QuicConfiguration, ledger: Ledger, limits: SinkLimits, gate: Gate, say: Callable[[str], None]
    ) -> None:
        super().__init__(configuration=shown, create_protocol=self._connection, retry=True)
        # It writes connection IDs and addresses into its log.
        logging.getLogger("quic").setLevel(logging.CRITICAL)
        self._ledger, self._limits, self._gate, self._say = ledger, limits, gate, say
        self._strangers = Bucket(limits.strangers_per_s, ledger.clock)
        self._flows: OrderedDict[Place, _Flow] = OrderedDict()
        self._now: tuple[Place, _Flow | None] | None = None
        self._open: set[Connection] = set()
        self.leaving = False
        self.served = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        way = _Way(cast("_SelectorTransport", transport))
        super().connection_made(cast("asyncio.BaseTransport", way))

    def datagram_received(self, data: bytes | str, addr: Place) -> None:
        assert isinstance(data, bytes)
        if not self._may_come(data, addr):
            return
        head = quic_packets.head(data)
        if head is not None and head.version != quic_packets.VERSION_1:
            assert self._transport is not None
            self._transport.sendto(quic_packets.negotiation(head), addr)
            return
        try:
            super().datagram_received(data, addr)
        except Exception as error:  # what a stranger can make of aioquic must not print an address
            self._say(type(error).__name__)
        finally:
            self._now = None

    def _may_come(self, data: bytes, addr: Place) -> bool:
        """Whether *data* is answered, if it can be read at all. Notes what came of whom this control knows."""
        head = quic_packets.head(data)
        known = self._protocols.get(head.destination if head is not None else data[1 : 1 + _CONNECTION_BYTES])
        caller = plain(addr[0])
        flow = self._flow(addr, data) if self._ledger.admits(caller) else None
        if known is not None:
            other = head is not None and head.version != quic_packets.VERSION_1
            return not other and cast("Connection", known).may_have(data, addr)
        if head is None or head.version == 0 or len(data) < quic_packets.SMALLEST or self.leaving:
            return False
        self._now = (addr, flow)
        return self._gate.has_room(caller) and (flow is not None or self._strangers.take())

    def _flow(self, addr: Place, data: bytes) -> _Flow | None:
        """What is remembered of a known caller's port; it begins with an Initial."""
        now = self._ledger.clock()
        flow = self._flows.get(addr)
        initials: tuple[Initial, ...] = quic_packets.initials(data)
        if flow is None or flow.arrival.began < now - self._limits.connection_s:
            if not initials:
                return None
            flow = self._flows[addr] = _Flow(self._ledger.begin(addr[0], "quic"))
            flow.arrival.returned = False
            self._flows.move_to_end(addr)
            while len(self._flows) > _MOST_FLOWS:
                self._flows.popitem(last=False)
        flow.feed(data, self._limits.hello_bytes)
        return flow

    def _connection(self, quic: QuicConnection, **_more: Any) -> Connection:
        """For a caller that came back with the token of its Retry."""
        assert self._now is not None
        addr, flow = self._now
        if flow is not None:
            flow.arrival.returned = True
        made = Connection(quic, addr, flow.arrival if flow is not None else None, self._limits)
        made.over.enter_context(self._gate.turn(plain(addr[0])))
        self._open.add(made)
        made.over.callback(self._open.discard, made)
        self.served += 1
        return made

    async def drain(self) -> None:
        """Take nobody new; let those that are here come to their end for a moment, then send them away and close."""
        self.leaving = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.drain_s):
                for connection in tuple(self._open):
                    await connection.wait_closed()
        for connection in tuple(self._open):
            connection.end()
            connection.over.close()
        self.close()
