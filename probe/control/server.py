"""The control's server: two addresses over HTTP/1.1 and TLS, one request a connection, nothing kept.

h11 reads and writes the messages and does no I/O; sockets and time are asyncio's. That is all that is needed, and every
byte, second and connection is bounded here. Nothing is logged of who asks, or about what.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import json
import socket
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

import h11

from probe.control import protocol
from probe.control.certificate import Shown
from probe.control.limits import Limits, Tokens, TooMuchError
from probe.control.measure import RefusedError, Vantage
from probe.control.sinks import Sinks
from probe.control.sinks.arms import told
from probe.control.strictly import ProtocolError

_METHODS = {
    protocol.HEALTH: "GET",
    protocol.MEASURE: "POST",
    protocol.SINKS: "GET",
    protocol.ARMS: "POST",
}
_READ = 16_384
_BACKLOG = 1024
"""Connections that the kernel holds until they are taken: beyond it drops them, and who is honest waits for a second."""
_SMALL = 1_000
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"} | {
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What goes back: a status, a JSON body, and for 429 when to come again. ``packed``: the body is gzip's (RFC 1952)."""

    status: int
    body: bytes
    retry_after_s: int | None = None
    packed: bool = False

    def pack(self) -> _Answer:
        """The same in a tenth of the bytes: whoever asks may pay for them."""
        return replace(self, body=gzip.compress(self.body, mtime=0), packed=True)


def _caller(writer: asyncio.StreamWriter) -> str:
    """The address at the other end."""
    return str((writer.get_extra_info("peername") or ("",))[0])


def _problem(status: int, text: str, *, retry_after_s: int | None = None) -> _Answer:
    return _Answer(status, json.dumps({"protocol": protocol.VERSION, "error": text}).encode(), retry_after_s)


class _RefusedRequestError(Exception):
    """The request stops being read here; it carries the answer."""

    def __init__(self, answer: _Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: method, path, its ``Authorization`` header, and the body if it was wanted."""

    method: str
    path: str
    authorization: str | None
    body: bytes = b""
    caller: str = ""
    unpacks: bool = False
    """Whether it takes a packed answer."""


def _abort(writer: asyncio.StreamWriter) -> None:
    """End a connection at once, ended or not: one under TLS that was closed twice has no protocol left in Python 3.11.2."""
    with contextlib.suppress(AttributeError):
        writer.transport.abort()


@dataclass(slots=True, kw_only=True)
class Server:
    """Answers probes. ``log`` gets one JSON object a line, without anybody's address. ``sinks``: what there is beside it to
    be measured.
    """

    vantage: Vantage
    tokens: Tokens
    limits: Limits
    software: str
    clock: Callable[[], float]
    sinks: Sinks | None = None
    country: str | None = None
    """Where the operator says that it is (ISO 3166-1 alpha-2): told to probes with every answer."""
    log: TextIO = field(default_factory=lambda: sys.stderr)
    _busy: set[asyncio.Task[Any]] = field(default_factory=set)
    _waiting: dict[asyncio.Task[Any], asyncio.StreamWriter] = field(default_factory=dict)
    """Those that have not said yet what they want, the longest first."""
    _held: Counter[str] = field(default_factory=Counter)
    """How many connections each address has, as long as it has any."""

    # from start to end

    @asynccontextmanager
    async def listening(self, sock: socket.socket, shown: Shown) -> AsyncIterator[None]:
        """Answer at *sock*, which is bound, until the block is left; then what was begun is finished first."""
        asyncio.get_running_loop().set_exception_handler(self._unforeseen)
        # TLS begins when a connection has its place: before that it costs next to nothing, and asyncio counts none.
        connection = functools.partial(self._connection, shown.context)
        listener = await asyncio.start_server(connection, sock=sock, backlog=_BACKLOG, limit=_READ)
        try:
            yield
        finally:
            listener.close()
            await self._drain()

    async def _drain(self) -> None:
        """Let what is being answered come to its end, for a while."""
        self._log("draining", running=len(self._busy))
        if self._busy:
            _done, left = await asyncio.wait(self._busy, timeout=self.limits.drain_s)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)
        self._log("stopped")

    def _log(self, event: str, **more: Any) -> None:
        with contextlib.suppress(OSError, ValueError):  # a log that is gone is no reason to stop
            print(json.dumps({"event": event, **more}), file=self.log, flush=True)

    def _unforeseen(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What asyncio would print has the caller's address in it."""
        error = context.get("exception")
        self._log("unforeseen", error=type(error).__name__ if error is not None else "unknown")

    # one connection

    async def _connection(
        self, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task, caller = asyncio.current_task(), _caller(writer)
        assert task is not None
        if self._held[caller] >= self.limits.connections_each:
            _abort(writer)
            return
        self._held[caller] += 1
        self._busy.add(task)
        self._waiting[task] = writer
        try:
            self._make_room()
            await writer.start_tls(context, ssl_handshake_timeout=self.limits.request_s)
            await self._answer_one(reader, writer)
        except OSError:  # TimeoutError is one: whoever does not read, or has gone, is let go
            _abort(writer)
        finally:
            self._waiting.pop(task, None)
            writer.close()
            try:
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1.0):
                        await writer.wait_closed()
            finally:
                _abort(writer)
                self._busy.discard(task)
                self._held[caller] -= 1
                self._held += Counter()  # forget those who hold none

    def _make_room(self) -> None:
        """Above the cap somebody who is silent goes, so that connections held open keep nobody out: of the address that holds
        the most, the one that has been there for longest.
        """
        while len(self._busy) > self.limits.connections and self._waiting:
            held = Counter(_caller(writer) for writer in self._waiting.values())
            greedy, _count = held.most_common(1)[0]
            longest = next(task for task, writer in self._waiting.items() if _caller(writer) == greedy)
            _abort(self._waiting.pop(longest))
            self._busy.discard(longest)

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = self.clock()
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head_bytes)
        path = "-"
        try:
            async with asyncio.timeout(self.limits.request_s):
                asked = await self._read(connection, reader)
            task = asyncio.current_task()
            if task is not None:
                self._waiting.pop(task, None)
            path = asked.path if asked.path in _METHODS else "-"
            asked = replace(asked, caller=_caller(writer))
            answer = await self._answer(asked)
            answer = answer.pack() if asked.unpacks and len(answer.body) > _SMALL else answer
        except _RefusedRequestError as refused:
            answer = refused.answer
        except TimeoutError:
            answer = _problem(408, "the request took too long")
        except h11.RemoteProtocolError as error:
            answer = _problem(error.error_status_hint, "this is no request")
        took_ms = round((self.clock() - begun) * 1000)
        self._log("answered", path=path, status=answer.status, ms=took_ms, bytes=len(answer.body))
        async with asyncio.timeout(self.limits.request_s):
            await self._send(connection, writer, answer)

    async def _read(self, connection: h11.Connection, reader: asyncio.StreamReader) -> _Asked:
        asked: _Asked | None = None
        body = bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(_READ))
            elif isinstance(event, h11.Request):
                # Who may not ask is told so before a byte of the body is read.
                asked = self._admitted(event)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self.limits.body_bytes:
                    raise _RefusedRequestError(_problem(413, "the request is too long"))
            elif isinstance(event, h11.EndOfMessage) and asked is not None:
                return replace(asked, body=bytes(body))
            else:
                raise ConnectionResetError

    def _admitted(self, request: h11.Request) -> _Asked:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        path = request.target.decode("latin-1")
        unpacks = "gzip" in headers.get("accept-encoding", "")
        asked = _Asked(request.method.decode("latin-1"), path, headers.get("authorization"), unpacks=unpacks)
        if path not in _METHODS:
            raise _RefusedRequestError(_problem(404, "there is nothing here"))
        if asked.method != _METHODS[path]:
            raise _RefusedRequestError(_problem(405, f"only {_METHODS[path]}"))
        if path != protocol.HEALTH and self.tokens.find(asked.authorization) is None:
            raise _RefusedRequestError(_problem(401, "the token is not known here"))
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length[:12]) > self.limits.body_bytes:
            raise _RefusedRequestError(_problem(413, "the request is too long"))
        return asked

    async def _send(self, connection: h11.Connection, writer: asyncio.StreamWriter, answer: _Answer) -> None:
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(answer.body))),
            ("cache-control", "no-store"),
            ("connection", "close"),
        ]
        if answer.packed:
            headers.append(("content-encoding", "gzip"))
        if answer.retry_after_s is not None:
            headers.append(("retry-after", str(answer.retry_after_s)))
        if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        reason = _REASONS.get(answer.status, "Error").encode()
        response = h11.Response(status_code=answer.status, headers=headers, reason=reason)
        parts = (response, h11.Data(data=answer.body), h11.EndOfMessage())
        writer.write(b"".join(connection.send(part) or b"" for part in parts))
        await writer.drain()

    # one answer

    async def _answer(self, asked: _Asked) -> _Answer:
        if asked.path == protocol.HEALTH:
            return _Answer(200, json.dumps({"protocol": protocol.VERSION, "status": "ok"}).encode())
        token = self.tokens.find(asked.authorization)
        assert token is not None
        if self.sinks is not None:
            self.sinks.ledger.admit(asked.caller, token)
        try:
            if asked.path == protocol.MEASURE:
                request = protocol.request_from_json(asked.body)
                with self.tokens.turn(token):
                    return await self._measured(request)
            self.tokens.pay(token)
            return self._about_sinks(asked)
        except ProtocolError as error:
            return _problem(400, str(error))
        except RefusedError as error:
            return _problem(403, str(error))
        except TooMuchError as error:
            return _problem(429, str(error), retry_after_s=error.retry_after_s)

    def _about_sinks(self, asked: _Asked) -> _Answer:
        """What there is to be measured, or what arrived of the caller's own arms."""
        sinks = self.sinks
        if asked.path == protocol.SINKS:
            up, absent = ((), protocol.SINK_KINDS) if sinks is None else (sinks.announced, sinks.absent)
            return _Answer(200, protocol.sinks_to_json(up, absent, software=self.software))
        request = protocol.arms_request_from_json(asked.body)
        arms: tuple[protocol.Arrived, ...] = ()
        if sinks is not None:
            arms = told(sinks.ledger.arrivals(asked.caller, request.within_s), request.names, sinks.ledger.clock())
        return _Answer(200, protocol.arms_to_json(arms, software=self.software))

    async def _measured(self, request: protocol.Request) -> _Answer:
        try:
            seen = await self.vantage.measure(request, self.limits.measure_s)
        except RefusedError:
            raise
        except Exception as error:  # ours: it must not end the server, and the probe is told no more than that
            self._log("bug", error=type(error).__name__)
            return _problem(500, "a bug in this control ended the measurement")
        return _Answer(200, protocol.reply_to_json(seen, software=self.software, country=self.country))
