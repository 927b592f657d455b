"""One greeting that was built by hand, and the first record of the answer. Nothing of it goes on: there is no key behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from probe.instruments import failures, tls_records
from probe.instruments.client_hello import client_hello
from probe.observations import Operation, TlsFact

if TYPE_CHECKING:
    from probe.instruments.tcp import TcpStream
    from probe.wire import Wire

_STACK = "built by hand"
_AT_ONCE = 16_384


async def first_record(wire: Wire, stream: TcpStream, *, sni: str, encrypted: bool, deadline_s: float) -> Operation:
    """Send a greeting that names *sni*, with an encrypted one inside or without, and stop at the first record of the answer.

    Closes *stream* in any case. Success is a ServerHello, as in :func:`probe.instruments.tls.first_record`.
    """
    hello, inbound = client_hello(sni, wire.random, encrypted=encrypted), tls_records.Inbound()
    started, started_us = wire.monotonic(), wire.now_us()
    sent, received = stream.bytes_sent, stream.bytes_received
    first_byte_us: int | None = None
    failure: str | None = None
    errno: str | None = None
    try:
        async with asyncio.timeout(deadline_s):
            await stream.write(hello)
            while not inbound.answered:
                data = await stream.read(_AT_ONCE)
                if not data:
                    failure = "eof_error"
                    break
                if first_byte_us is None:
                    first_byte_us = round((wire.monotonic() - started) * 1e6)
                inbound.feed(data)
    except OSError as error:  # TimeoutError is one
        failure, errno = failures.from_os_error(error), failures.errno_name(error)
    finally:
        stream.close()
    if failure is None and not inbound.server_hello:
        failure = failures.BAD_HANDSHAKE
    fact = TlsFact(
        sni=sni,
        verify=False,
        hello_bytes=len(hello),
        hello_hash=tls_records.parse_client_hello(hello).fingerprint,
        server_hello=inbound.server_hello,
        first_byte_us=first_byte_us,
        alert=inbound.alert,
        first_bytes=inbound.first.hex() or None,
        errno=errno,
        stack=_STACK,
        rtt_us=stream.rtt_us,
    )
    return Operation(
        fact=fact,
        started_us=started_us,
        duration_us=round((wire.monotonic() - started) * 1e6),
        failure=failure,
        name=sni,
        address=stream.address,
        port=stream.port,
        bytes_sent=stream.bytes_sent - sent,
        bytes_received=stream.bytes_received - received,
    )
