"""The only importer of httpx and httpcore: a request object in, a response object out, over a stream that we opened.

httpx never dials here and never retries or redirects. ``httpx.AsyncClient`` is not used: it reads cookies and builds the next
request of a redirect, both from a stranger's bytes, and raises where they are bad. The transport is httpx's documented seam.
Importing this costs 0.2 s, so it is imported when the first request is made.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping

import h2.exceptions
import httpcore
import httpx

from probe.instruments import failures
from probe.instruments.tcp import TcpStream
from probe.instruments.tls import TlsStream


class Garbled(Exception):  # noqa: N818 - it says what the response is
    """The response is no HTTP; the text says in a few words what was wrong with it."""


class Recorded(httpcore.AsyncNetworkStream):
    """Our stream as httpcore wants it. What happens to it is noted here, because httpcore's exceptions lose the errno."""

    def __init__(self, stream: TcpStream | TlsStream, head_cap: int) -> None:
        self.stream = stream
        self.failure: str | None = None
        self.errno: str | None = None
        self.head_room: int | None = head_cap
        self.received = 0
        self.enough = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        if self.enough:
            raise httpcore.ReadError
        if self.head_room is not None and self.received >= self.head_room:
            raise Garbled(f"headers over {self.head_room} bytes")
        try:
            data = await self.stream.read(min(max_bytes, 16_384))
        except OSError as error:
            self._note(error)
            raise httpcore.ReadError from error
        if not data:
            self.failure = self.failure or failures.EOF
        self.received += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        if not buffer:
            return
        try:
            await self.stream.write(buffer)
        except OSError as error:
            self._note(error)
            raise httpcore.WriteError from error

    def _note(self, error: OSError) -> None:
        if self.failure is None:
            self.failure, self.errno = failures.from_os_error(error), failures.errno_name(error)

    async def aclose(self) -> None:
        """Nothing: whoever opened the stream reads its counters and closes it."""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        raise NotImplementedError  # the stream is already what it should be


class _Transport(httpx.AsyncBaseTransport):
    """One connection, one request."""

    def __init__(self, stream: Recorded, origin: httpcore.Origin, *, http2: bool) -> None:
        connection = httpcore.AsyncHTTP2Connection if http2 else httpcore.AsyncHTTP11Connection
        self._connection: httpcore.AsyncConnectionInterface = connection(origin, stream)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        response = await self._connection.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=_core_url(request.url),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_stream():
            yield piece


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


# What h11, h2, hpack and httpcore raise about bytes that are not what they should be. h2 lets plain ValueError and
# LookupError through (a status that is no number, frames for streams that never were), httpcore an AssertionError.
_BAD_BYTES = (httpcore.ProtocolError, httpcore.ConnectionNotAvailable, h2.exceptions.H2Error, ValueError, LookupError)


class Exchange:
    """One request in flight on *stream*. ``OSError`` never comes out of here; see ``stream.failure`` for what it was.

    ``head`` and ``body`` raise ``Garbled`` for bytes that are no HTTP and ``ConnectionError`` when the stream broke.
    """

    def __init__(
        self,
        stream: TcpStream | TlsStream,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        head_cap: int,
    ) -> None:
        """``ValueError`` for a URL that no request can be made of."""
        http2 = isinstance(stream, TlsStream) and stream.alpn == "h2"
        try:
            self._request = httpx.Request(method, url, headers=headers, content=content)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ValueError("no URL that can be asked for") from error
        self.stream = Recorded(stream, head_cap)
        # As it goes on the wire: ``url.host`` would be in the letters that people read.
        self.host = self._request.url.raw_host.decode("ascii")
        url_ = _core_url(self._request.url)
        self._transport = _Transport(self.stream, url_.origin, http2=http2)
        self._response: httpx.Response | None = None

    async def head(self) -> tuple[str, int, list[tuple[bytes, bytes]]]:
        """Send the request; HTTP version, status and raw headers of the answer."""
        try:
            self._response = await self._transport.handle_async_request(self._request)
        except Garbled:
            raise
        except httpcore.NetworkError as error:
            raise ConnectionError from error
        except _BAD_BYTES as error:
            raise self._bad(error) from error
        self.stream.head_room = None
        version = self._response.extensions["http_version"].decode("ascii", errors="replace")
        return version, self._response.status_code, list(self._response.headers.raw)

    async def body(self, take: Callable[[bytes], bool]) -> None:
        """Give *take* the body as it comes, still packed, until it is over or *take* says ``False``.

        The wish to stop is told to the stream, not to the iterators: they unwind by its error, from the inside, and none is
        left for the garbage collector to close.
        """
        assert self._response is not None
        assert isinstance(self._response.stream, httpx.AsyncByteStream)
        try:
            async for piece in self._response.stream:
                self.stream.enough = self.stream.enough or not take(piece)
        except httpcore.NetworkError as error:
            if not self.stream.enough:
                raise ConnectionError from error
        except _BAD_BYTES as error:
            if not self.stream.enough:
                raise self._bad(error) from error

    def _bad(self, error: Exception) -> Exception:
        """The end of the stream reads as a protocol error in httpcore; it is the stream's failure, not bad bytes."""
        if self.stream.failure is not None:
            return ConnectionError()
        return Garbled(f"{type(error).__name__}: {error}"[:120])
