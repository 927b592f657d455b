"""The HTTP sink: whatever host is asked for, the same small page. Also what the TLS sink says once it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

import h11

from probe.control.sinks.limits import SinkLimits
from probe.control.sinks.streams import Peer

PAGE = (
    b"<!doctype html><html lang=en><head><meta charset=utf-8><title>Nothing to see here</title></head>"
    b"<body><p>This server gives this page under every name.</p></body></html>\n"
)
"""Short, with words of its own, and nothing in it of what it was asked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request: its method, the host that it names (without a port), and its length in bytes; its target, how
    long its body is said to be, and what of that came with it.
    """

    method: bytes
    host: str | None
    size: int
    target: bytes = b"/"
    length: bytes | None = None
    body: bytes = b""


@dataclass(slots=True)
class Reading:
    """A request's head as it comes in. ``over``: no head will come of it any more."""

    most: int
    over: bool = False
    seen: int = 0
    _connection: h11.Connection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=self.most)

    def feed(self, data: bytes) -> Head | None:
        """The head, once it is whole."""
        self.seen += len(data)
        try:
            self._connection.receive_data(data)
            event = self._connection.next_event()
        except h11.RemoteProtocolError:
            self.over = True
            return None
        if isinstance(event, h11.Request):
            body, _ended = self._connection.trailing_data
            length = dict(event.headers).get(b"content-length")
            return Head(event.method, _host(event), self.seen, event.target, length, body)
        self.over = event is not h11.NEED_DATA
        return None


def _host(request: h11.Request) -> str | None:
    for name, value in request.headers:
        if name == b"host":
            host = value.decode("latin-1").strip().lower()
            return host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return None


def answer(head: Head) -> bytes:
    """The page as a whole response, or its head only to a HEAD."""
    lines = (
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/html; charset=utf-8",
        b"Content-Length: %d" % len(PAGE),
        b"Cache-Control: no-store",
        b"Connection: close",
    )
    return b"\r\n".join((*lines, b"", b"" if head.method == b"HEAD" else PAGE))


async def serve(peer: Peer, limits: SinkLimits) -> None:
    """Read one request's head, answer it; then wait for the other side to end."""
    reading = Reading(limits.head_bytes)
    while not reading.over:
        data = await peer.read()
        if not data:
            break
        head = reading.feed(data)
        if peer.arrival is not None:
            peer.arrival.bytes = reading.seen
        if head is not None:
            if peer.arrival is not None:
                peer.arrival.whole, peer.arrival.name = True, head.host
            await peer.answer(answer(head))
            peer.writer.write_eof()
            break
    await peer.linger()
