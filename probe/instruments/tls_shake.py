"""A TLS handshake in progress: what goes out, what comes in, and everything that is noted of it for the fact."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING, Any

from probe.instruments import failures, kernel, tls_records
from probe.instruments.tcp import TcpStream
from probe.instruments.tickets import Ticket
from probe.instruments.trust import STACK
from probe.observations import Operation, TlsFact
from probe.wire import Wire

if TYPE_CHECKING:
    from probe.instruments.tls import Hello

READ_BYTES = 16_384
_PIECE_GAP_S = 0.05
"""Between the pieces of a greeting: long enough to be two packets, and short of any server's patience."""

# RFC 8446 §6, by the names that OpenSSL gives the reasons of its errors (openssl/sslerr.h: number 1000 + alert).
_ALERTS = {
    "UNEXPECTED_MESSAGE": 10,
    "BAD_RECORD_MAC": 20,
    "RECORD_OVERFLOW": 22,
    "HANDSHAKE_FAILURE": 40,
    "BAD_CERTIFICATE": 42,
    "UNSUPPORTED_CERTIFICATE": 43,
    "CERTIFICATE_REVOKED": 44,
    "CERTIFICATE_EXPIRED": 45,
    "CERTIFICATE_UNKNOWN": 46,
    "ILLEGAL_PARAMETER": 47,
    "UNKNOWN_CA": 48,
    "ACCESS_DENIED": 49,
    "DECODE_ERROR": 50,
    "DECRYPT_ERROR": 51,
    "PROTOCOL_VERSION": 70,
    "INSUFFICIENT_SECURITY": 71,
    "INTERNAL_ERROR": 80,
    "INAPPROPRIATE_FALLBACK": 86,
    "USER_CANCELLED": 90,
    "MISSING_EXTENSION": 109,
    "CERTIFICATE_REQUIRED": 116,
    "NO_APPLICATION_PROTOCOL": 120,
}


class Shake:
    """One handshake in progress, and everything that is noted of it."""

    def __init__(
        self,
        wire: Wire,
        stream: TcpStream,
        hello: Hello,
        context: ssl.SSLContext,
        name: str | None,
        ticket: Ticket | None = None,
    ) -> None:
        self.wire = wire
        self.ticket = ticket
        self.tcp = stream
        self.hello = hello
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.inbound = tls_records.Inbound()
        self._place: dict[str, Any] = {"address": stream.address, "port": stream.port}
        self._before = (stream.bytes_sent, stream.bytes_received)
        self._started, self._started_us = wire.monotonic(), wire.now_us()
        self._hello_bytes = b""
        self._hello_at: float | None = None
        self._first_byte_us: int | None = None
        self._counts = {"read": 0, "write": 0}
        self._last: str | None = None
        self._alert_sent: int | None = None
        session = ticket.session if ticket is not None else None
        self.connection = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name, session=session)

    async def say_hello(self) -> None:
        """Send the ClientHello."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.connection.do_handshake()
        self._hello_bytes = self.outgoing.read()
        pieces = tls_records.cut(self._hello_bytes, self.hello.pieces) if self.hello.pieces else (self._hello_bytes,)
        for number, piece in enumerate(pieces):
            if number:
                await self.wire.sleep(_PIECE_GAP_S)
            await self._write(piece)
        self._hello_at = self.wire.monotonic()

    async def finish(self) -> None:
        """Go on until both sides have finished. ``OSError`` (``ssl.SSLError`` is one) when they do not."""
        while True:
            try:
                self.connection.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self.hear()
            else:
                await self._flush()
                return

    async def hear(self) -> None:
        """Wait for more of the server's bytes. ``ssl.SSLEOFError`` when it closes instead."""
        data = await self.tcp.read(READ_BYTES)
        if not data:
            raise ssl.SSLEOFError
        if self._first_byte_us is None and self._hello_at is not None:
            self._first_byte_us = round((self.wire.monotonic() - self._hello_at) * 1e6)
        self._note("read")
        self.inbound.feed(data)
        self.incoming.write(data)

    async def _flush(self) -> None:
        if self.outgoing.pending:
            await self._write(self.outgoing.read())

    async def _write(self, data: bytes) -> None:
        await self.tcp.write(data)
        self._note("write")

    def _note(self, what: str) -> None:
        self._counts[what] += 1
        self._last = f"{what}_{self._counts[what]}"

    def say_goodbye(self) -> None:
        """Send the alert that OpenSSL has written about a failure, if it has, as a browser would."""
        data = self.outgoing.read()
        if data:
            self._alert_sent = tls_records.alert_in(data)
            self.tcp.write_soon(data)

    def operation(self, *, verify: bool, name: str | None, error: OSError | None = None, **more: Any) -> Operation:
        """What is known now. ``more``: fields of the fact; ``failure`` there overrides the error's."""
        failure = more.pop("failure", failures.from_os_error(error) if error else None)
        sent, received = self._before
        return Operation(
            fact=TlsFact(sni=self.hello.sni, verify=verify, **self._fields(error), **more),
            started_us=self._started_us,
            duration_us=round((self.wire.monotonic() - self._started) * 1e6),
            failure=failure,
            name=name,
            bytes_sent=self.tcp.bytes_sent - sent,
            bytes_received=self.tcp.bytes_received - received,
            **self._place,
        )

    def _fields(self, error: OSError | None) -> dict[str, Any]:
        counters = kernel.read(self.tcp.socket)
        acked = counters.bytes_acked if counters else None
        watch = self.inbound
        return {
            "alpn_offered": self.hello.alpn,
            "hello_bytes": len(self._hello_bytes) or None,
            "hello_hash": _fingerprint(self._hello_bytes),
            # bytes_acked counts the SYN.
            "hello_acked": acked >= self._before[0] + len(self._hello_bytes) + 1 if acked and self._hello_at else None,
            "server_hello": watch.server_hello,
            "first_byte_us": self._first_byte_us,
            "alert": watch.alert if watch.alert is not None else _alert(error),
            "alert_sent": self._alert_sent,
            "first_bytes": watch.first.hex() if watch.first and not watch.server_hello else None,
            "last_operation": self._last,
            "errno": failures.errno_name(error) if error else None,
            "stack": STACK,
            "rtt_us": (counters.rtt_us if counters else None) or self.tcp.rtt_us,
            "mss_cap": self.tcp.mss_cap,
            "pieces": self.hello.pieces,
            "ticket_age_s": round(self._started - self.ticket.proven, 3) if self.ticket is not None else None,
            "kernel": counters,
        }


def _fingerprint(hello: bytes) -> str | None:
    try:
        return tls_records.parse_client_hello(hello).fingerprint
    except ValueError:
        return None


def _alert(error: OSError | None) -> int | None:
    """The number of an alert that only OpenSSL could decrypt, from the symbol of its error."""
    reason = getattr(error, "reason", None) or ""
    head, _, name = reason.partition("_ALERT_")
    return _ALERTS.get(name) if head in ("SSLV3", "TLSV1", "TLSV13") else None


def begin(
    wire: Wire,
    stream: TcpStream,
    hello: Hello,
    context: ssl.SSLContext,
    name: str | None,
    ticket: Ticket | None = None,
) -> Shake | None:
    """A handshake that has not said anything yet; ``None`` if no hello can carry *name*."""
    try:
        return Shake(wire, stream, hello, context, name, ticket)
    except (ValueError, TypeError):  # what wrap_bio says of a name that it cannot encode
        return None


def unsayable(wire: Wire, stream: TcpStream, hello: Hello, name: str | None, *, verify: bool) -> Operation:
    """No hello can carry this name (an empty label, one over 63 bytes, a NUL)."""
    return Operation(
        fact=TlsFact(sni=hello.sni, verify=verify, alpn_offered=hello.alpn, stack=STACK),
        started_us=wire.now_us(),
        duration_us=0,
        failure=failures.BAD_HANDSHAKE,
        name=name,
        address=stream.address,
        port=stream.port,
    )
