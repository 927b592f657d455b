"""The TLS sink: whatever name is asked for, or none, the same certificate and the same small page; or bulk, where it is due.

The bytes are read here and handed to OpenSSL, so that the ClientHello can be looked at as it came.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

from probe.control.ledger import Arrival, Ledger
from probe.control.sinks import bulk, web
from probe.control.sinks.limits import SinkLimits
from probe.control.sinks.streams import Peer
from probe.instruments import tls_records

_HANDSHAKE = 22


async def serve(peer: Peer, context: ssl.SSLContext, limits: SinkLimits, address: str, ledger: Ledger) -> None:
    """Read a ClientHello, shake hands, answer one request of *address*; then wait for the other side to end."""
    hello = await _hello(peer, limits)
    if hello:
        await _Conversation(peer, context, address, ledger).hold(hello, limits)
    await peer.linger()


async def _hello(peer: Peer, limits: SinkLimits) -> bytes:
    """The whole ClientHello, or as much of a greeting as there was; empty for what is no greeting of TLS."""
    data = bytearray()
    while len(data) < limits.hello_bytes:
        more = await peer.read()
        if not more:
            break
        data += more
        if peer.arrival is not None:
            peer.arrival.bytes = len(data)
        if data[0] != _HANDSHAKE or _is_whole(bytes(data), peer.arrival):
            break
    return bytes(data) if data and data[0] == _HANDSHAKE else b""


def _is_whole(data: bytes, arrival: Arrival | None) -> bool:
    try:
        hello = tls_records.parse_client_hello(data)
    except ValueError:
        return False
    if arrival is not None:
        arrival.whole, arrival.name, arrival.fingerprint = True, hello.sni, hello.fingerprint
    return True


class _Conversation:
    """One handshake and one request over it, OpenSSL in the middle."""

    def __init__(self, peer: Peer, context: ssl.SSLContext, address: str, ledger: Ledger) -> None:
        self._peer, self._address, self._ledger = peer, address, ledger
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def hold(self, hello: bytes, limits: SinkLimits) -> None:
        """From the ClientHello to our farewell. A greeting that cannot be answered gets OpenSSL's alert."""
        self._incoming.write(hello)
        try:
            while not await self._shaken():
                if not await self._more():
                    return
            head = await self._head(limits)
            asked = bulk.wanted(head) if head is not None else None
            if head is not None and asked is not None:
                await self._bulk(head, bulk.admitted(asked, self._address, self._ledger))
                self._say_goodbye()
            elif head is not None:
                self._tls.write(web.answer(head))
                self._say_goodbye()
        except ssl.SSLError:  # also the end of the stream in the middle
            pass
        await self._flush()

    async def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            await self._flush()
        return True

    async def _head(self, limits: SinkLimits) -> web.Head | None:
        reading = web.Reading(limits.head_bytes)
        while data := await self._read(limits.head_bytes):
            head = reading.feed(data)
            if head is not None or reading.over:
                return head
        return None

    async def _read(self, most: int) -> bytes:
        """What the other side says next; nothing when it has ended, or it has been enough."""
        while True:
            try:
                return self._tls.read(most)
            except ssl.SSLWantReadError:
                if not await self._more():
                    return b""

    async def _bulk(self, head: web.Head, asked: bulk.Wanted) -> None:
        """A stream of bytes either way, and how it went."""
        if asked.refused is not None:
            self._tls.write(bulk.head_of(asked.refused, 0))
            return
        came = [len(head.body)]
        self._note_progress(asked, bulk.acknowledged(self._peer) if asked.direction == "down" else lambda: came[0])
        if asked.direction == "down":
            self._tls.write(bulk.head_of(200, asked.size))
            for length in bulk.pieces(asked.size):
                self._tls.write(bulk.noise(length))
                await self._flush()
            return
        # What TLS adds to it comes in as well.
        self._peer.left += 2 * asked.size
        while came[0] < asked.size:
            data = await self._read(bulk.CHUNK)
            if not data:
                return
            came[0] += len(data)
        self._tls.write(bulk.told(came[0]))

    def _note_progress(self, asked: bulk.Wanted, measure: Callable[[], int | None]) -> None:
        arrival = self._peer.arrival
        if arrival is not None:
            arrival.bulk, arrival.bulk_bytes = asked.direction, asked.size
            progress = bulk.Progress(arrival, measure)
            progress.start()
            self._peer.over.callback(progress.stop)

    def _say_goodbye(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):  # the other side's own farewell may come, or not
            self._tls.unwrap()

    async def _more(self) -> bool:
        data = await self._peer.read()
        self._incoming.write(data)
        return bool(data)

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._peer.answer(self._outgoing.read())
