"""The TLS sink: whatever name is asked for, or none, the same certificate and the same small page.

The bytes are read here and handed to OpenSSL, so that the ClientHello can be looked at as it came.
"""

from __future__ import annotations

import contextlib
import ssl

from probe.control.ledger import Arrival
from probe.control.sinks import web
from probe.control.sinks.limits import SinkLimits
from probe.control.sinks.streams import Peer
from probe.instruments import tls_records

_HANDSHAKE = 22


async def serve(peer: Peer, context: ssl.SSLContext, limits: SinkLimits) -> None:
    """Read a ClientHello, shake hands, answer one request; then wait for the other side to end."""
    hello = await _hello(peer, limits)
    if hello:
        await _Conversation(peer, context).hold(hello, limits)
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

    def __init__(self, peer: Peer, context: ssl.SSLContext) -> None:
        self._peer = peer
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
            if head is not None:
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
        while True:
            try:
                data = self._tls.read(limits.head_bytes)
            except ssl.SSLWantReadError:
                if not await self._more():
                    return None
                continue
            if not data:
                return None
            head = reading.feed(data)
            if head is not None or reading.over:
                return head

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
