"""Bytes over an open TLS stream, timed: one page after another is asked for until there was enough of them.

Nothing is kept of the pages but how many bytes had come at which moment. Bytes are counted as the kernel hands them over: what
is encrypted shows only when a whole record of up to 16 KB is there (RFC 8446 §5.1), which is as long as what is looked for.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h11

from probe.instruments import failures, kernel
from probe.instruments.http.body import Progress
from probe.observations import HttpFact, Operation

if TYPE_CHECKING:
    from probe.instruments.tls import TlsStream
    from probe.wire import Wire

MOST_REQUESTS = 6
"""Pages of one arm: a place whose pages are shorter than a sixth of what is wanted is no place for this."""
_READ = 16_384
_PIECE_GAP_S = 0.01
_HEAD_CAP = 65_536
_UNREADABLE = "http_request_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to ask for: ``path`` of ``host``, again and again, until ``bytes`` have come on the wire. ``pieces``: in how many
    packets the first request is sent, a moment apart: many packets that cost next to nothing.
    """

    host: str
    path: str
    bytes: int
    pieces: int = 1
    user_agent: str = ""


class _Enough(Exception):  # noqa: N818 - it ends a transfer that has gone well
    """All that was wanted has come."""


@dataclass(slots=True)
class _Seen:
    status: int | None = None
    head_us: int | None = None
    body: int = 0
    failure: str | None = None
    errno: str | None = None
    progress: Progress = field(default_factory=Progress)
    any: bool = False


async def transfer(wire: Wire, stream: TlsStream, wanted: Wanted, *, name: str, deadline_s: float) -> Operation:
    """Ask over *stream* (HTTP/1.1, whoever is at its end) for *wanted*, until the deadline. *name* is what it was greeted with.

    Success is that all of it came. A server that ends the connection, or has pages that are too short, is ``eof_error`` or
    ``http_request_failed``: that says nothing of speed. One that is only slow, or has stopped, is ``generic_timeout_error``
    with what came until then. Closes *stream*.
    """
    tcp = stream.tcp
    counts = (tcp.bytes_sent, tcp.bytes_received)
    begun, begun_us = wire.monotonic(), wire.now_us()
    seen = _Seen()

    def heard() -> None:
        so_far = tcp.bytes_received - counts[1]
        seen.any = True
        seen.progress.add(round((wire.monotonic() - begun) * 1e6), so_far)
        if so_far >= wanted.bytes:
            raise _Enough

    tcp.heard = heard
    try:
        try:
            async with asyncio.timeout(deadline_s):
                await _Conversation(wire, stream, wanted, seen, begun).hold()
        except _Enough:
            pass
        except TimeoutError:
            seen.failure = failures.TIMEOUT
        except OSError as error:
            seen.failure, seen.errno = failures.from_os_error(error), failures.errno_name(error)
        except h11.RemoteProtocolError:
            seen.failure = _UNREADABLE
        counters = kernel.read(tcp.socket)
    finally:
        tcp.heard = None
        stream.close()
    fact = HttpFact(
        method="GET",
        url=f"https://{wanted.host}{wanted.path}",
        verified_chain=False,
        http_version="HTTP/1.1",
        status=seen.status,
        body_length=seen.body,
        body_truncated=seen.failure is None,
        first_byte_us=seen.head_us,
        progress=seen.progress.points if seen.any else (),
        errno=seen.errno,
        kernel=counters,
    )
    return Operation(
        fact=fact,
        started_us=begun_us,
        duration_us=round((wire.monotonic() - begun) * 1e6),
        failure=seen.failure,
        name=name,
        address=tcp.address,
        port=tcp.port,
        bytes_sent=tcp.bytes_sent - counts[0],
        bytes_received=tcp.bytes_received - counts[1],
    )


class _Conversation:
    """Requests and answers in turn; what comes is noted in ``seen``. It ends by itself only where there is too little."""

    def __init__(self, wire: Wire, stream: TlsStream, wanted: Wanted, seen: _Seen, begun: float) -> None:
        self._wire, self._stream, self._wanted, self._seen, self._begun = wire, stream, wanted, seen, begun
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_CAP)

    async def hold(self) -> None:
        for number in range(MOST_REQUESTS):
            if number:
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
            await self._ask(1 if number else self._wanted.pieces)
        self._seen.failure = _UNREADABLE

    async def _ask(self, pieces: int) -> None:
        """One request and its answer, to the end."""
        request = (self._http.send(self._request()) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        size = max(1, -(-len(request) // pieces))
        for at in range(0, len(request), size):
            if at:
                await self._wire.sleep(_PIECE_GAP_S)
            await self._stream.write(request[at : at + size])
        event: object = None
        while not isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._stream.read(_READ))
            elif isinstance(event, h11.Response):
                self._head(event)
            elif isinstance(event, h11.Data):
                self._seen.body += len(event.data)

    def _request(self) -> h11.Request:
        names = {"Host": self._wanted.host, "User-Agent": self._wanted.user_agent, "Accept": "*/*"}
        # As it is: what is packed tells less of the line for the same trouble.
        headers = [*names.items(), ("Accept-Encoding", "identity")]
        return h11.Request(method="GET", target=self._wanted.path, headers=headers)

    def _head(self, response: h11.Response) -> None:
        if self._seen.status is None:
            self._seen.status = response.status_code
            self._seen.head_us = round((self._wire.monotonic() - self._begun) * 1e6)
