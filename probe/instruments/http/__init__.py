"""One HTTP request on a stream that is already open, HTTP/1.1 or HTTP/2 by what ALPN chose. Closes the stream.

Failures are read from the stream's own record, never from an exception of the HTTP library. Everything that a server can
make long is capped: the head in bytes, the body in unpacked and in packed bytes, both in time.
"""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import email.utils
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from probe.instruments import failures, kernel
from probe.instruments.http import body as bodies
from probe.instruments.tcp import TcpStream
from probe.instruments.tls import TlsStream
from probe.observations import HttpFact, Operation
from probe.wire import Wire

if TYPE_CHECKING:
    from probe.instruments.http.transport import Exchange

# httpx has a command line of its own wherever rich is installed, and imports both for it: 5 MB that nobody uses here.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

MAX_HEADERS = 64
MAX_HEADER_NAME = 64
MAX_HEADER_VALUE = 1024
MAX_LOCATION = 2048
_FURTHEST_S = 253_402_300_799
"""The last second of the year 9999, the last that a Date can tell (RFC 9110 §5.6.7). The standard library reads any number of
digits as a day or a year.
"""

OK = 200
REQUEST_FAILED = "http_request_failed"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a request, and the unpacked body (as much as was wanted)."""

    operation: Operation
    body: bytes


@dataclass(slots=True)
class _Seen:
    """What has been seen of the answer so far; survives whatever ends it."""

    own: str
    version: str | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    location: str | None = None
    content_type: str = ""
    encoding: str = ""
    head_us: int | None = None
    date_offset_s: float | None = None
    body: bytearray = field(default_factory=bytearray)
    truncated: bool = False
    malformed: str | None = None
    failure: str | None = None
    progress: bodies.Progress = field(default_factory=bodies.Progress)


async def request(
    wire: Wire,
    stream: TcpStream | TlsStream,
    *,
    method: str,
    url: str,
    user_agent: str,
    verified_chain: bool,
    head_deadline_s: float,
    body_deadline_s: float,
    body_cap: int,
    header_cap: int,
    keep_body: bool = False,
) -> Operation:
    """Ask for *url* as a browser would. Bytes: caps on the unpacked body and on the whole head. Closes *stream*."""
    answered = await ask(
        wire,
        stream,
        method=method,
        url=url,
        headers=browser_headers(user_agent),
        verified_chain=verified_chain,
        head_deadline_s=head_deadline_s,
        body_deadline_s=body_deadline_s,
        body_cap=body_cap,
        header_cap=header_cap,
        keep_body=keep_body,
    )
    return answered.operation


def browser_headers(user_agent: str) -> dict[str, str]:
    """What goes with every request. Only gzip: the others cannot be capped while they are unpacked."""
    return {
        "User-Agent": user_agent,
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language": "en-US,en;q=0.9",
        "Accept-Encoding": "gzip",
    }


async def ask(
    wire: Wire,
    stream: TcpStream | TlsStream,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    verified_chain: bool,
    head_deadline_s: float,
    body_deadline_s: float,
    body_cap: int,
    header_cap: int,
    keep_body: bool = False,
    content: bytes | None = None,
) -> Answered:
    """The same with headers and content of one's own, and the body as bytes."""
    from probe.instruments.http.transport import Exchange

    tcp = stream.tcp if isinstance(stream, TlsStream) else stream
    counts = (tcp.bytes_sent, tcp.bytes_received)
    started, started_us = wire.monotonic(), wire.now_us()
    seen = _Seen(own=str(tcp.socket.getsockname()[0]))
    errno: str | None = None
    name: str | None = None
    try:
        try:
            exchange = Exchange(stream, method=method, url=url, headers=headers, content=content, head_cap=header_cap)
        except ValueError as error:
            seen.failure, seen.malformed = "http_invalid_redirect_location_host", str(error)
        else:
            await _watch(wire, exchange, seen, started, (head_deadline_s, body_deadline_s), body_cap)
            errno, name = exchange.stream.errno, exchange.host
        counters = kernel.read(tcp.socket)
    finally:
        stream.close()
    fact = HttpFact(
        method=method,
        url=url,
        verified_chain=verified_chain,
        errno=errno,
        kernel=counters,
        **_fields(seen, keep_body=keep_body),
    )
    operation = Operation(
        fact=fact,
        started_us=started_us,
        duration_us=round((wire.monotonic() - started) * 1e6),
        failure=seen.failure,
        name=name,
        address=tcp.address,
        port=tcp.port,
        bytes_sent=tcp.bytes_sent - counts[0],
        bytes_received=tcp.bytes_received - counts[1],
    )
    return Answered(operation, bytes(seen.body))


async def _watch(
    wire: Wire, exchange: Exchange, seen: _Seen, started: float, deadlines: tuple[float, float], body_cap: int
) -> None:
    """Read head and body into *seen*, and in the end say there how it failed, if it did."""
    from probe.instruments.http.transport import Garbled

    head_deadline_s, body_deadline_s = deadlines
    try:
        async with asyncio.timeout(head_deadline_s):
            version, seen.status, raw = await exchange.head()
        seen.version = version
        seen.head_us = round((wire.monotonic() - started) * 1e6)
        _read_headers(seen, raw, wire.now_us())
        reader = _BodyReader(wire, seen, started, body_cap)
        async with asyncio.timeout(body_deadline_s):
            await exchange.body(reader.take)
        reader.finish()
    except TimeoutError:
        seen.failure = failures.TIMEOUT
    except ConnectionError:
        seen.failure = exchange.stream.failure or failures.EOF
    except Garbled as error:
        seen.failure, seen.malformed = REQUEST_FAILED, _clean(str(error), 120)


def _read_headers(seen: _Seen, raw: list[tuple[bytes, bytes]], now_us: int) -> None:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw[:MAX_HEADERS]]
    scrubbed = [(name, bodies.scrub(value, seen.own)) for name, value in headers]
    seen.headers = tuple((_clean(n, MAX_HEADER_NAME), _clean(v, MAX_HEADER_VALUE)) for n, v in scrubbed)
    known = {name.lower(): value for name, value in reversed(scrubbed)}
    seen.location = _clean(known["location"], MAX_LOCATION) if "location" in known else None
    seen.content_type = known.get("content-type", "")
    seen.encoding = known.get("content-encoding", "")
    seen.date_offset_s = _date_offset_s(known.get("date"), now_us)


def _date_offset_s(date: str | None, now_us: int) -> float | None:
    """Their clock minus ours by the Date header, good to about a second; ``None`` without a readable one."""
    parsed = email.utils.parsedate_tz(date) if date else None
    if parsed is None:
        return None
    with contextlib.suppress(ValueError, OverflowError):
        seconds = calendar.timegm(parsed[:6]) - (parsed[9] or 0)
        return seconds - now_us / 1e6 if abs(seconds) <= _FURTHEST_S else None
    return None


class _BodyReader:
    """Puts the body into *seen*, unpacked and capped."""

    def __init__(self, wire: Wire, seen: _Seen, started: float, cap: int) -> None:
        self._wire = wire
        self._seen = seen
        self._started = started
        self._cap = cap
        self._received = 0
        self._unpacker = bodies.Unpacker(seen.encoding)

    def take(self, piece: bytes) -> bool:
        """Whether more is wanted after *piece*."""
        seen = self._seen
        if seen.truncated:
            return False
        self._received += len(piece)
        seen.progress.add(round((self._wire.monotonic() - self._started) * 1e6), self._received)
        seen.body += self._unpacker.feed(piece, self._cap - len(seen.body))
        # Packed bytes count too: an endless stream may unpack to nothing.
        seen.truncated = len(seen.body) >= self._cap or self._received >= self._cap
        return not seen.truncated

    def finish(self) -> None:
        if self._unpacker.broken:
            self._seen.malformed = f"content-encoding {_clean(self._seen.encoding, 20)} cannot be undone"


def _fields(seen: _Seen, *, keep_body: bool) -> dict[str, Any]:
    data = bytes(seen.body)
    text = bodies.scrub(bodies.to_text(data, seen.content_type), seen.own)
    read = seen.status is not None
    return {
        "http_version": seen.version,
        "status": seen.status,
        "headers": seen.headers,
        "location": seen.location,
        "title": bodies.title(text),
        "body_length": len(data) if read else None,
        "body_sha256": hashlib.sha256(data).hexdigest() if data else None,
        "body_sketch": bodies.sketch(text),
        "tags_sketch": bodies.tags_sketch(text),
        "body_truncated": seen.truncated,
        "body": text[: bodies.MAX_KEPT] if keep_body and read else None,
        "first_byte_us": seen.head_us,
        "progress": seen.progress.points,
        "date_offset_s": seen.date_offset_s,
        "malformed": seen.malformed,
    }


def _clean(text: str, length: int) -> str:
    return text[:length].replace("\x00", "�")
