"""QUIC: packets as we read them, greetings as the control's sink does, and what a server can make of aioquic (RFC 9000)."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Hashable
from typing import TYPE_CHECKING

from probe.instruments import quic, quic_packets
from probe.observations import Operation, QuicFact
from probe.wire import Wire
from probe.wire.datagrams import Datagram
from tests.fuzz.harness import Subject
from tests.fuzz.readers import done, sound

if TYPE_CHECKING:
    from aioquic.quic.connection import QuicConnection

_NAME = "www.facebook.com"
_PLACE = ("192.0.2.1", 443)
_INITIAL_CRYPTO = 6


def first_flight(name: str | None, *more: str) -> tuple[bytes, ...]:
    """The datagrams with which aioquic greets; *more* ALPN names make it longer."""
    connection = quic._connection(name, ("h3", *more), 9, None)
    connection.connect(_PLACE, now=0.0)
    return tuple(data for data, _ in connection.datagrams_to_send(now=0.0))


def _packets(data: bytes) -> Hashable:
    """Head, versions, Initials and frames; nothing is found beyond the end."""
    seen = quic_packets.head(data)
    assert seen is None or seen.rest <= len(data)
    versions = quic_packets.versions(data, seen.destination, seen.source) if seen is not None else None
    found = quic_packets.initials(data)
    assert all(packet.end <= len(data) for packet in found)
    frames = quic_packets.crypto(data)
    assert sum(len(piece) for _, piece in frames) <= len(data)
    return len(found), versions is not None, min(len(frames), 4), seen is not None and seen.is_retry


def _greeting(data: bytes) -> Hashable:
    """The sink's reader of a caller's first packets, each datagram twice."""
    from probe.control.sinks.quic_greeting import Greeting

    greeting = Greeting(16_384)
    for _ in range(2):
        for packet in quic_packets.initials(data):
            greeting.feed(data, packet)
    assert greeting.size <= 16_384
    return greeting.hello is not None, greeting.size > 0


class _Late(Wire):
    """A clock that goes on by itself, and fast where nothing comes any more: nothing is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.01
        return self.now


class _Socket:
    """Brings these datagrams, then nothing any more."""

    def __init__(self, clock: _Late) -> None:
        self.coming: list[bytes] = []
        self._clock = clock
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    async def receive(self) -> Datagram:
        if not self.coming:
            self._clock.now += 9.0
            raise TimeoutError
        return Datagram(self.coming.pop(0), *_PLACE, 57, 0)


def _sealed(connection: QuicConnection, frames: bytes) -> bytes:
    """An Initial of the server's to *connection*, with these frames and the right keys (RFC 9001 §5.2)."""
    from aioquic.quic.crypto import CryptoPair

    pair = CryptoPair()
    pair.setup_initial(connection._peer_cid.cid, is_client=False, version=quic_packets.VERSION_1)
    own, theirs = connection.host_cid, b"12345678"
    body = frames[:1_000].ljust(40, b"\0")
    head = bytes((0xC1, 0, 0, 0, 1, len(own))) + own + bytes((len(theirs),)) + theirs + b"\0"
    head += (0x4000 | len(body) + 18).to_bytes(2) + b"\0\0"
    return pair.encrypt_packet(head, body, 0)


def _client(data: bytes) -> Hashable:
    """A handshake whose server says this: as datagrams, and as frames in a packet that can be read."""
    wire = _Late()
    sock = _Socket(wire)
    connection = quic._connection(_NAME, ("h3",), 9, None)
    exchange = quic._Exchange(wire, sock, QuicFact(exchange="handshake"), 0.0)  # type: ignore[arg-type]
    sock.coming = [_sealed(connection, data[1:]) if data[:1] == b"F" else data, _sealed(connection, b"\x02" + data)]
    done(quic._shake(connection, _PLACE, exchange))
    return sound(Operation(fact=exchange.fact, started_us=0, failure=exchange.failure)), exchange.fact.close_code


@functools.cache
def _seeds() -> dict[str, tuple[bytes, ...]]:
    long = first_flight(_NAME, *[f"{number}".ljust(200, "x") for number in range(6)])
    short = first_flight(_NAME)
    head = quic_packets.head(short[0])
    assert head is not None
    hello = b"\x02\0\0\x04\x03\x03ab"
    frames = (
        b"F\x02\0\0\0\0" + b"\x06\0\x40" + bytes((len(hello),)) + hello,
        b"F\x1c\x41\x28\x06\x05nope!",
        b"F\x1c\x02\x00\x00",
        b"F\x01\x00\x1d\x01\x00",
    )
    retry = b"\xf0\0\0\0\1" + bytes((len(head.source),)) + head.source + b"\x04abcd" + b"token" + bytes(16)
    return {
        "packets": (
            *short,
            *long,
            quic_packets.negotiation(head),
            retry,
            quic_packets.ping(b"abcdefgh", b"12345678", b""),
        ),
        "greetings": (*short, *long),
        "client": (quic_packets.negotiation(head), retry, *short, *frames),
    }


SUBJECTS: tuple[Subject, ...] = ()
if importlib.util.find_spec("aioquic") is not None:
    SUBJECTS = (
        Subject(name="quic-packets", read=_packets, seeds=_seeds()["packets"]),
        Subject(name="quic-greeting", read=_greeting, seeds=_seeds()["greetings"]),
        Subject(name="quic-client", read=_client, seeds=_seeds()["client"], longest=1_500),
    )
