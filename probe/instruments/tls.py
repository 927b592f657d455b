"""One TLS handshake over a stream of ours, through ``ssl.MemoryBIO``: every byte and its time passes our hands.

Two ways to ask. :func:`handshake` is what a browser does: it verifies, and gives a stream to go on with. :func:`first_record`
is one arm of a pair: it believes everybody and stops at the first record that the server sends, because that is all that a
censor reading the ClientHello decides about.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass
from typing import Any

from probe.instruments import certificates, failures, tickets, tls_records
from probe.instruments.tcp import TcpStream
from probe.instruments.tickets import Ticket
from probe.instruments.tls_shake import READ_BYTES, Shake, begin, unsayable
from probe.instruments.trust import Stores, Trust, arm_context
from probe.observations import Operation
from probe.wire import Wire

UNTRUSTED_ROOT, OTHER_NAME, OTHER_ADDRESS = 20, 62, 64  # X509_V_ERR numbers, openssl/x509_vfy.h


@dataclass(frozen=True, slots=True)
class Hello:
    """What to say first. ``sni`` ``None``: no server name. ``small``: one classical group, unpadded, under 517 bytes.

    ``pieces``: how it is cut; see :func:`probe.instruments.tls_records.cut`.
    """

    sni: str | None
    alpn: tuple[str, ...] = ("h2", "http/1.1")
    small: bool = False
    pieces: tls_records.Form | None = None


class TlsStream:
    """An encrypted stream over ``tcp``, which it owns. ``read`` and ``write`` raise ``OSError``; deadlines are the caller's.

    ``proven``: when its chain was verified (the wire's monotonic clock); ``None`` where nobody did.
    """

    def __init__(
        self,
        connection: ssl.SSLObject,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        tcp: TcpStream,
        *,
        proven: float | None = None,
    ) -> None:
        self._connection = connection
        self._incoming = incoming
        self._outgoing = outgoing
        self._proven = proven
        self.tcp = tcp
        self.alpn = connection.selected_alpn_protocol()

    def ticket(self, host: str, now: float) -> Ticket | None:
        """What the server has given so far for a shorter handshake for *host*; of a stream that has been closed too.

        With TLS 1.3 it comes after the handshake, as a rule before the first answer. A chain that nobody verified gives none.
        """
        return tickets.given(self._connection, host, now, self._proven) if self._proven is not None else None

    def same_ticket(self, ticket: Ticket) -> Ticket | None:
        """*ticket* of an earlier connection, as good as this one's proof; ``None`` where it does not belong to it."""
        return tickets.again(self._connection, ticket, self._proven) if self._proven is not None else None

    async def read(self, max_bytes: int) -> bytes:
        """The next decrypted bytes, at most *max_bytes*; ``b""`` once the peer has closed, politely or not."""
        while True:
            try:
                return self._connection.read(max_bytes)
            except ssl.SSLWantReadError:
                await self._flush()  # a key update or an alert may want out
                await self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def write(self, data: bytes) -> None:
        """Encrypt all of *data* and hand it to the kernel."""
        while data:
            try:
                data = data[self._connection.write(data) :]
            except ssl.SSLWantReadError:
                await self._fill()
            await self._flush()

    async def _fill(self) -> None:
        data = await self.tcp.read(READ_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self.tcp.write(self._outgoing.read())

    def close(self) -> None:
        self.tcp.close()


@dataclass(frozen=True, slots=True)
class Handshaken:
    """What came of a handshake. ``stream`` is ``None`` exactly when ``operation.failure`` is not."""

    operation: Operation
    stream: TlsStream | None


# ---------------------------------------------------------------------------------------------------------------------
# an arm


async def first_record(wire: Wire, stream: TcpStream, *, hello: Hello, deadline_s: float) -> Operation:
    """Say hello and stop at the first record of the answer. Closes *stream* in any case.

    Success is a ServerHello. A fatal alert is ``ssl_failed_handshake`` with its number, as are bytes that are no TLS; a
    warning (RFC 6066 allows one for an unknown name) is noted and waited behind.
    """
    try:
        shake = begin(wire, stream, hello, arm_context(hello.alpn, small=hello.small), hello.sni)
        if shake is None:
            return unsayable(wire, stream, hello, hello.sni, verify=False)
        error: OSError | None = None
        try:
            async with asyncio.timeout(deadline_s):
                await shake.say_hello()
                while not shake.inbound.answered:
                    await shake.hear()
        except OSError as raised:
            error = raised
        more = {} if error or shake.inbound.server_hello else {"failure": failures.BAD_HANDSHAKE}
        return shake.operation(verify=False, name=hello.sni, error=error, **more)
    finally:
        stream.close()


# ---------------------------------------------------------------------------------------------------------------------
# the handshake of a browser


async def handshake(
    wire: Wire,
    stream: TcpStream,
    *,
    hello: Hello,
    trust: Trust,
    host: str,
    deadline_s: float,
    ticket: Ticket | None = None,
) -> Handshaken:
    """Shake hands and verify for *host*. Takes over *stream*: it is closed here unless a ``TlsStream`` comes back.

    *ticket* is offered if it is one for *host*, made by the context that is used now. A server that does not take it shows
    its chain, which is verified as ever.
    """
    # OpenSSL checks the name itself where the one that is sent is the one that is meant; an address is never sent.
    by_openssl = hello.sni == host or (hello.sni is None and _is_address(host))
    context = trust.context(hello.alpn, small=hello.small, check_hostname=by_openssl)
    if ticket is not None and not (by_openssl and ticket.context is context and ticket.host == host):
        ticket = None
    kept = False
    try:
        shake = begin(wire, stream, hello, context, host if by_openssl else hello.sni, ticket)
        if shake is None:
            return Handshaken(unsayable(wire, stream, hello, host, verify=True), None)
        try:
            async with asyncio.timeout(deadline_s):
                await shake.say_hello()
                await shake.finish()
        except OSError as error:
            shake.say_goodbye()
            return Handshaken(_failed(shake, trust, host, error), None)
        if shake.ticket is not None and shake.connection.session_reused:
            shaken = _resumed(shake, shake.ticket)
        else:
            shaken = _judged(shake, trust, host, named=by_openssl)
        kept = shaken.stream is not None
        return shaken
    finally:
        if not kept:
            stream.close()


async def unverified(
    wire: Wire, stream: TcpStream, *, hello: Hello, deadline_s: float, chain: bool = False
) -> Handshaken:
    """Shake hands with whoever it is, to the end: an arm that goes on where the first record says too little. Takes over
    *stream* as :func:`handshake` does. *chain*: keep what certificates were shown.
    """
    kept = False
    try:
        shake = begin(wire, stream, hello, arm_context(hello.alpn, small=hello.small), hello.sni)
        if shake is None:
            return Handshaken(unsayable(wire, stream, hello, hello.sni, verify=False), None)
        try:
            async with asyncio.timeout(deadline_s):
                await shake.say_hello()
                await shake.finish()
        except OSError as error:
            shake.say_goodbye()
            return Handshaken(shake.operation(verify=False, name=hello.sni, error=error), None)
        cipher = shake.connection.cipher()
        operation = shake.operation(
            verify=False,
            name=hello.sni,
            version=shake.connection.version(),
            cipher=cipher[0] if cipher else None,
            alpn=shake.connection.selected_alpn_protocol(),
            chain=certificates.describe(certificates.sent_chain(shake.connection), keep_der=False) if chain else (),
        )
        kept = True
        return Handshaken(operation, TlsStream(shake.connection, shake.incoming, shake.outgoing, shake.tcp))
    finally:
        if not kept:
            stream.close()


def _failed(shake: Shake, trust: Trust, host: str, error: OSError) -> Operation:
    """The operation of a handshake that did not end well; the chain is read if it came."""
    more: dict[str, Any] = {}
    if isinstance(error, ssl.SSLCertVerificationError):
        stores = trust.no_stores()
        more = {
            "verified": False,
            "verify_code": error.verify_code,
            "shipped_store_verifies": stores.shipped,
            "system_store_verifies": stores.system,
        }
    sent = certificates.sent_chain(shake.connection)
    return shake.operation(
        verify=True,
        name=host,
        error=error,
        chain=certificates.describe(sent, keep_der=True),
        version=shake.connection.version(),
        **more,
    )


def _judged(shake: Shake, trust: Trust, host: str, *, named: bool) -> Handshaken:
    """What a finished handshake is worth: the name where OpenSSL was not asked to check it, and which store verifies."""
    sent = certificates.sent_chain(shake.connection)
    code = 0
    stores = Stores(None, None)
    if not named and not certificates.is_for(sent[0], host):
        code = OTHER_ADDRESS if _is_address(host) else OTHER_NAME
    else:
        stores = trust.stores(certificates.verified_chain(shake.connection), sent, host)
        code = UNTRUSTED_ROOT if stores.shipped is False else 0
    cipher = shake.connection.cipher()
    operation = shake.operation(
        verify=True,
        name=host,
        failure=failures.from_verify_code(code) if code else None,
        verified=not code,
        verify_code=code,
        shipped_store_verifies=stores.shipped,
        system_store_verifies=stores.system,
        version=shake.connection.version(),
        cipher=cipher[0] if cipher else None,
        alpn=shake.connection.selected_alpn_protocol(),
        resumed=shake.connection.session_reused,
        chain=certificates.describe(sent, keep_der=bool(code)),
    )
    if code:
        return Handshaken(operation, None)
    stream = TlsStream(shake.connection, shake.incoming, shake.outgoing, shake.tcp, proven=shake.wire.monotonic())
    return Handshaken(operation, stream)


def _resumed(shake: Shake, ticket: Ticket) -> Handshaken:
    """A handshake whose ticket was accepted. No chain was shown and none was verified, so those fields stay empty.

    It counts as verified all the same. Both sides' Finished messages are made with a secret that came out of the earlier
    handshake (RFC 8446 §7.1, RFC 5246 §8.1), which was signed by the certificate's key; only this host and whoever can open the
    ticket know it. Somebody in between has the ticket, as it travels in the clear, and not what is sealed in it.
    What it does not show: that the chain would verify today, or that visitors who come for the first time are let through.
    """
    cipher = shake.connection.cipher()
    operation = shake.operation(
        verify=True,
        name=ticket.host,
        verified=True,
        version=shake.connection.version(),
        cipher=cipher[0] if cipher else None,
        alpn=shake.connection.selected_alpn_protocol(),
        resumed=True,
    )
    stream = TlsStream(shake.connection, shake.incoming, shake.outgoing, shake.tcp, proven=ticket.proven)
    return Handshaken(operation, stream)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
