"""One QUIC handshake with a given name, or one question which versions a server speaks (RFC 9000, RFC 8999).

The handshake is aioquic's, which may not be installed (``dalel[quic]``): without it there is none, and no failure either. It is
driven here datagram by datagram over the wire that is passed in, and verifies nothing: it shows whether a name gets through.
"""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from probe.instruments import failures, path, quic_apart, quic_packets
from probe.observations import Operation, QuicFact
from probe.observations.failures import UNKNOWN_FAILURE
from probe.wire import Wire
from probe.wire.datagrams import Datagram, UdpSocket

if TYPE_CHECKING:
    from aioquic.quic.connection import QuicConnection

PORT = 443
ALPN = ("h3",)
_CRYPTO_ERRORS = range(0x100, 0x200)
"""The handshake failed, with an alert of TLS (RFC 9001 §4.8)."""
_LONGEST_REASON = 200
_CONNECTION_BYTES = 8


class Talk(Protocol):
    """What is said on one stream of a connection, and what comes back on it."""

    def first(self) -> bytes:
        """All that is said."""
        ...

    def heard(self, data: bytes, *, ended: bool) -> bool:
        """The next bytes, and whether they are the last ones. Whether it is enough."""
        ...


@functools.cache
def is_here() -> bool:
    """Whether handshakes can be made: whether aioquic is installed, and works on this machine."""
    try:
        import aioquic.quic.connection  # noqa: F401
    except ImportError:
        return False
    return True


async def is_ready(wire: Wire) -> bool:
    """As :func:`is_here`, without anything that waits for an import; for a process for months only whether it is installed."""
    if wire.is_for_long:
        return quic_apart.is_installed()
    return await asyncio.to_thread(is_here)


@dataclass(slots=True)
class _Exchange:
    """One exchange as it goes: its socket, what has been counted, and what has become of it."""

    wire: Wire
    sock: UdpSocket
    fact: QuicFact
    began: float
    sent: int = 0
    received: int = 0
    failure: str | None = None

    def send(self, data: bytes) -> None:
        self.sock.send(data)
        self.sent += len(data)
        self.change(datagrams_sent=self.fact.datagrams_sent + 1)

    async def receive(self) -> Datagram:
        datagram = await self.sock.receive()
        self.received += len(datagram.data)
        self.change(datagrams_received=self.fact.datagrams_received + 1)
        return datagram

    def note_reply(self, datagram: Datagram) -> None:
        """*datagram* answers what was sent; the first that does tells how far away whoever sent it is."""
        if self.fact.first_reply_us is None:
            self.change(first_reply_us=round((self.wire.monotonic() - self.began) * 1e6), reply_ttl=datagram.ttl)

    def change(self, **fields: Any) -> None:
        self.fact = replace(self.fact, **fields)


async def ping(wire: Wire, address: str, *, deadline_s: float, port: int = PORT) -> Operation:
    """Ask which versions the server at *address* speaks. Anything but an answer to this packet is waited behind."""
    ours, theirs = wire.random.randbytes(_CONNECTION_BYTES), wire.random.randbytes(_CONNECTION_BYTES)
    packet = quic_packets.ping(ours, theirs, wire.random.randbytes(quic_packets.SMALLEST))

    async def ask(exchange: _Exchange) -> None:
        exchange.send(packet)
        while True:
            datagram = await exchange.receive()
            versions = quic_packets.versions(datagram.data, ours, theirs)
            if versions is not None:
                exchange.note_reply(datagram)
                exchange.change(versions=_hex(versions))
                return

    fact = QuicFact(exchange="ping", version=_hex((quic_packets.NOBODYS_VERSION,))[0])
    return await _run(wire, (address, port), fact, ask, deadline_s=deadline_s, name=None)


async def handshake(
    wire: Wire,
    address: str,
    *,
    sni: str | None,
    deadline_s: float,
    port: int = PORT,
    alpn: tuple[str, ...] = ALPN,
    name: str | None = None,
    rtt_us: int | None = None,
    talk: Talk | None = None,
    roots: bytes | None = None,
) -> Operation | None:
    """One handshake of version 1 with *sni* (or without a name), then a farewell; ``None`` where aioquic is not installed.

    *talk*: what is said between the two. *roots* (PEM): the server's certificate must verify against them, for *sni*, or for
    *name* where none is sent; else nothing is verified.

    *name* is what the operation is said to be about, the SNI if it is not given. *rtt_us*: the path's round trip, where that is
    known: greetings are repeated after four of them (RFC 9002 §6.2.2 has a third of a second for one that is not).
    """
    if wire.is_for_long and talk is None:
        more = {"sni": sni, "port": port, "alpn": alpn, "name": name, "rtt_us": rtt_us, "roots": roots}
        return await quic_apart.ask("handshake", wire, address, deadline_s=deadline_s, **more)
    if not is_here():
        return None
    fact = QuicFact(
        exchange="handshake",
        sni=sni,
        alpn_offered=alpn,
        version=_hex((quic_packets.VERSION_1,))[0],
        retry=False,
        completed=False,
        stack=_stack(),
    )
    place = (address, port)
    connection = _connection(sni or (name if roots else None), alpn, deadline_s, rtt_us, roots)
    speak = functools.partial(_shake, connection, place, talk=talk)
    return await _run(wire, place, fact, speak, deadline_s=deadline_s, name=name or sni)


async def let_go(
    wire: Wire, address: str, *, sni: str, ttl: int, deadline_s: float, port: int = PORT
) -> Operation | None:
    """The first datagram of a handshake, once, *ttl* routers far, and the router's word that it ended there (RFC 792 type 11,
    RFC 4443 type 3). The router is not named. ``None`` where aioquic is not installed.

    Where a TTL cannot be set nothing is sent, which looks like silence.
    """
    if wire.is_for_long:
        return await quic_apart.ask("let_go", wire, address, sni=sni, ttl=ttl, deadline_s=deadline_s, port=port)
    if not is_here():
        return None
    fact = QuicFact(exchange="handshake", sni=sni, version=_hex((quic_packets.VERSION_1,))[0], stack=_stack(), ttl=ttl)
    connection = _connection(sni, ALPN, deadline_s, None)

    async def speak(exchange: _Exchange) -> None:
        if exchange.sock.set_ttl(ttl):
            connection.connect((address, port), now=wire.monotonic())
            for data, _ in connection.datagrams_to_send(now=wire.monotonic()):
                exchange.send(data)
        while True:
            exchange.note_reply(await exchange.receive())

    done = await _run(wire, (address, port), fact, speak, deadline_s=deadline_s, name=sni)
    seen = done.fact
    assert isinstance(seen, QuicFact)
    if seen.icmp_from is not None:
        hop = path.embedded(seen.icmp_from, wire.translator)
        scope = path.scope_of(hop, wire.gateway())
        # Over IPv6 a second router at home has a public address as well.
        near = scope == "public" and not path.may_be_kept(hop, ttl, path.own_address(wire, address, port))
        seen = replace(seen, hop_is="private" if near else scope)
    return replace(done, fact=replace(seen, icmp_from=None))


async def _run(
    wire: Wire, place: tuple[str, int], fact: QuicFact, speak: Any, *, deadline_s: float, name: str | None
) -> Operation:
    started, started_us = wire.monotonic(), wire.now_us()
    failure: str | None = None
    exchange: _Exchange | None = None
    try:
        with wire.udp(*place) as sock:
            exchange = _Exchange(wire, sock, fact, started)
            sock.connect()
            async with asyncio.timeout(deadline_s):
                await speak(exchange)
            failure = exchange.failure
    except OSError as error:  # TimeoutError is one
        failure = failures.from_os_error(error)
        fact = _with_error(exchange.fact if exchange is not None else fact, error)
    else:
        fact = exchange.fact
    return Operation(
        fact=fact,
        started_us=started_us,
        duration_us=round((wire.monotonic() - started) * 1e6),
        failure=failure,
        name=name,
        address=place[0],
        port=place[1],
        bytes_sent=exchange.sent if exchange is not None else 0,
        bytes_received=exchange.received if exchange is not None else 0,
    )


def _with_error(fact: QuicFact, error: OSError) -> QuicFact:
    kind, code, offender = getattr(error, "icmp", None) or (None, None, None)
    return replace(fact, errno=failures.errno_name(error), icmp_type=kind, icmp_code=code, icmp_from=offender)


def _hex(numbers: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(f"{number:08x}" for number in numbers)


# ---------------------------------------------------------------------------------------------------------------------
# the handshake


def _stack() -> str:
    import aioquic

    return f"aioquic {aioquic.__version__}"


_RTT_S = 0.1
"""What aioquic takes for a round trip before it has seen one."""


def _connection(
    sni: str | None, alpn: tuple[str, ...], deadline_s: float, rtt_us: int | None, roots: bytes | None = None
) -> QuicConnection:
    """A client that has not spoken yet. It gives up by our deadline, not by its own."""
    import logging
    import ssl

    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    logging.getLogger("quic").setLevel(logging.CRITICAL)  # what it has to say is in its events
    return QuicConnection(
        configuration=QuicConfiguration(
            alpn_protocols=list(alpn),
            server_name=sni,
            verify_mode=ssl.CERT_NONE if roots is None else ssl.CERT_REQUIRED,
            cadata=roots,
            supported_versions=[quic_packets.VERSION_1],
            idle_timeout=deadline_s + 60.0,
            initial_rtt=min(1.0, max(_RTT_S, 2 * (rtt_us or 0) / 1e6)),
        )
    )


async def _shake(
    connection: QuicConnection, place: tuple[str, int], exchange: _Exchange, *, talk: Talk | None = None
) -> None:
    """Speak until the handshake and *talk* are done, or the connection is over."""
    wire = exchange.wire
    connection.connect(place, now=wire.monotonic())
    ids: tuple[bytes, bytes] | None = None
    while not _is_over(connection, exchange, talk):
        outgoing = _outgoing(connection, wire.monotonic())
        if outgoing is None:
            exchange.failure = failures.BAD_HANDSHAKE
            return
        for data in outgoing:
            ids = ids or _ids(data)
            exchange.send(data)
        datagram = await _next(exchange, connection.get_timer())
        if datagram is None:
            connection.handle_timer(now=max(wire.monotonic(), connection.get_timer() or 0.0))
        elif not _refused_version(exchange, datagram, ids):
            _feed(connection, place, exchange, datagram)
        else:
            return
    # What the handshake still has to say goes first: a farewell alone would take its place.
    for farewell in (False, True):
        if farewell:
            connection.close()
        for data, _ in connection.datagrams_to_send(now=wire.monotonic()):
            exchange.send(data)


def _outgoing(connection: QuicConnection, now: float) -> list[bytes] | None:
    """What is to be sent now; ``None`` where aioquic has given up, and why (a certificate's names) does not fit a packet."""
    from aioquic.quic.packet_builder import QuicPacketBuilderStop

    try:
        return [data for data, _ in connection.datagrams_to_send(now=now)]
    except QuicPacketBuilderStop:
        return None


def _ids(data: bytes) -> tuple[bytes, bytes] | None:
    seen = quic_packets.head(data)
    return (seen.source, seen.destination) if seen is not None else None


async def _next(exchange: _Exchange, at: float | None) -> Datagram | None:
    """The next datagram, or ``None`` when it is time (*at*, monotonic seconds) for aioquic to do something."""
    left_s = None if at is None else max(0.0, at - exchange.wire.monotonic())
    try:
        async with asyncio.timeout(left_s):
            return await exchange.receive()
    except TimeoutError:
        return None


def _refused_version(exchange: _Exchange, datagram: Datagram, ids: tuple[bytes, bytes] | None) -> bool:
    """Whether the server speaks other versions only: it has read our first packet, and will not answer it."""
    versions = quic_packets.versions(datagram.data, *ids) if ids is not None else None
    # One that names our own version is no answer of a server (RFC 9000 §6.2).
    if versions is None or quic_packets.VERSION_1 in versions or exchange.fact.retry:
        return False
    exchange.note_reply(datagram)
    exchange.change(versions=_hex(versions))
    exchange.failure = "quic_incompatible_version"
    return True


def _feed(connection: QuicConnection, place: tuple[str, int], exchange: _Exchange, datagram: Datagram) -> None:
    seen = quic_packets.head(datagram.data)
    if seen is not None and seen.version == quic_packets.VERSION_1:
        exchange.note_reply(datagram)
        if seen.is_retry:
            exchange.change(retry=True)
    try:
        connection.receive_datagram(datagram.data, place, now=exchange.wire.monotonic())
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError):
        # What a stranger can make of aioquic's reader is no answer, and no bug of this exchange.
        return


def _is_over(connection: QuicConnection, exchange: _Exchange, talk: Talk | None = None) -> bool:
    """Look at what aioquic says has happened."""
    from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StreamDataReceived

    while (event := connection.next_event()) is not None:
        if isinstance(event, HandshakeCompleted):
            exchange.change(completed=True, alpn=event.alpn_protocol)
            if talk is None:
                return True
            connection.send_stream_data(connection.get_next_available_stream_id(), talk.first(), end_stream=True)
        if (
            isinstance(event, StreamDataReceived)
            and talk is not None
            and talk.heard(event.data, ended=event.end_stream)
        ):
            return True
        if isinstance(event, ConnectionTerminated):
            exchange.change(close_code=event.error_code, close_reason=_plain(event.reason_phrase))
            exchange.failure = _failure(event.error_code)
            return True
    return False


def _plain(reason: str) -> str | None:
    """What can be kept of a stranger's words."""
    return "".join(filter(str.isprintable, reason))[:_LONGEST_REASON] or None


def _failure(code: int) -> str:
    return failures.BAD_HANDSHAKE if code in _CRYPTO_ERRORS else f"{UNKNOWN_FAILURE}quic closed, {code:#x}"
