"""``/metrics`` and ``/healthz`` over HTTP: imported only when they are asked for.

h11 reads and writes the messages and does no I/O; everything that a stranger could make long is bounded here. At a loopback
address only requests that name a loopback host are answered, so that no web page in a browser of this computer can read them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from probe.daemon.metrics import CONTENT_TYPE

MOST_CONNECTIONS = 8
LONGEST_IDLE_S = 15 * 60.0
_HEAD_BYTES = 8192
_READ = 4096
_BACKLOG = 16
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"} | {
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What goes back."""

    status: int
    text: str
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Health:
    """Whether all is well, and what is not, in a few words."""

    ok: bool
    words: str


@dataclass(slots=True, kw_only=True)
class Server:
    """Answers at one address. ``metrics`` gives the text for Prometheus, ``health`` the state; both are asked each time."""

    metrics: Callable[[], Awaitable[str]]
    health: Callable[[], Health]
    deadline_s: float = 5.0
    _busy: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _here_only: bool = field(default=True, init=False)

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Answer at *host* and *port* (0 takes a free one) until the block is left; gives the port. Raises ``OSError``."""
        self._here_only = _is_loopback(host)
        listener = await asyncio.start_server(self._connection, host, port, backlog=_BACKLOG, limit=_READ)
        try:
            yield int(listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
            for task in self._busy:
                task.cancel()
            if self._busy:
                await asyncio.wait(self._busy)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._busy) >= MOST_CONNECTIONS:
                return
            self._busy.add(task)
            # TimeoutError is an OSError. Only the end of the page cancels, and asyncio's streams would report that as a bug.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                async with asyncio.timeout(2 * self.deadline_s):
                    await self._answer_one(reader, writer)
        finally:
            self._busy.discard(task)
            # At once: nobody is waited for who does not read.
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        method = b"GET"
        try:
            async with asyncio.timeout(self.deadline_s):
                request = await _request(connection, reader)
            method = request.method
            page = await self._page(request)
        except TimeoutError:
            page = Page(408, "the request took too long\n")
        except h11.RemoteProtocolError as error:
            page = Page(error.error_status_hint, "this is no request\n")
        await _send(connection, writer, page, whole=method != b"HEAD")

    async def _page(self, request: h11.Request) -> Page:
        path = request.target.partition(b"?")[0]
        hosts = [value for name, value in request.headers if name == b"host"]
        if self._here_only and not all(_is_loopback(_bare(host.decode("latin-1"))) for host in hosts):
            return Page(403, "only this computer is answered, by an address of its own\n")
        if path not in (b"/metrics", b"/healthz"):
            return Page(404, "there are /metrics and /healthz\n")
        if request.method not in (b"GET", b"HEAD"):
            return Page(405, "only GET\n")
        if path == b"/metrics":
            try:
                return Page(200, await self.metrics(), CONTENT_TYPE)
            except Exception:  # ours: a page that fails must not end the measuring
                return Page(500, "a bug in dalel\n")
        health = self.health()
        return Page(200 if health.ok else 503, f"{health.words}\n")


def split(listen: str) -> tuple[str, int]:
    """Host and port of ``[metrics] listen``."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def health_of(last_sign_s: float | None, now_s: float, started_s: float) -> Health:
    """Whether something was measured lately, were it only the own side, which is looked at every two minutes. All by a clock
    that nobody sets.
    """
    idle_s = now_s - max(last_sign_s or 0.0, started_s)
    if idle_s <= LONGEST_IDLE_S:
        return Health(ok=True, words="ok")
    return Health(ok=False, words=f"nothing has been measured for {int(idle_s // 60)} minutes")


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request:
    """The head of one request. A body is not waited for."""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            return event
        else:
            raise ConnectionResetError


async def _send(connection: h11.Connection, writer: asyncio.StreamWriter, page: Page, *, whole: bool) -> None:
    body = page.text.encode()
    headers = [
        ("content-type", page.kind),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("connection", "close"),
        *([("allow", "GET, HEAD")] if page.status == 405 else []),
    ]
    if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
        return
    reason = _REASONS.get(page.status, "Error").encode()
    parts: list[h11.Event] = [h11.Response(status_code=page.status, headers=headers, reason=reason)]
    parts += [h11.Data(data=body)] if whole else []
    parts += [h11.EndOfMessage()]
    writer.write(b"".join(connection.send(part) or b"" for part in parts))
    await writer.drain()


def _bare(host: str) -> str:
    """A ``Host`` without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
