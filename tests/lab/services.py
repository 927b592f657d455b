"""The small servers that no Debian package is needed for: NTP, bare TCP ports, the inside of DoH, pages with a Date of
another year, a captive portal. Run as ``python -m tests.lab.services`` with one JSON object as its argument:

``clocks``: addresses that answer NTP; ``shift_s``: seconds that they are ahead; ``moved``: a file with more of them;
``ports``: [address, port] that accept and answer bytes with bytes; ``doh``: port on loopback of the DoH backend, asking ``doh_resolver`` over UDP; ``dated``: port on
loopback of the backend whose Date is shifted, ``pages`` its host + path → [status, body]; ``portal``: address of a captive portal's web server.
"""

from __future__ import annotations

import asyncio
import base64
import email.utils
import hashlib
import json
import struct
import sys
import time
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

_PORTAL_PAGES = {
    "hotel": "<html><head><title>Welcome to Hotel Wi-Fi</title></head><body>Please accept the terms.</body></html>",
    "pay": "<html><head><title>Your balance is too low</title></head><body>Top up your account to go on.</body></html>",
}
_NTP_EPOCH = 2_208_988_800


class Clock(asyncio.DatagramProtocol):
    """An NTP server of stratum 1 (RFC 4330) that is *shift_s* seconds ahead of this host, and as many more as the file
    *moved* says at the time, if there is one."""

    def __init__(self, shift_s: float, moved: Path | None = None) -> None:
        self._shift_s = shift_s
        self._moved = moved

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < 48:
            return
        now = time.time_ns() / 1e9 + self._shift_s + moved_s(self._moved) + _NTP_EPOCH
        stamp = struct.pack("!II", int(now) & 0xFFFFFFFF, int(now % 1 * 2**32))
        version = data[0] & 0x38
        head = struct.pack("!BBbb", version | 4, 1, data[2], -20) + bytes(8) + b"GPS\0"
        self._transport.sendto(head + stamp + data[40:48] + stamp + stamp, addr)


def moved_s(file: Path | None) -> float:
    """How far the Internet's clocks have been moved, in seconds, as *file* says; nothing without one."""
    return float(file.read_text()) if file is not None and file.exists() else 0.0


class _Asker(asyncio.DatagramProtocol):
    def __init__(self, message: bytes, answer: asyncio.Future[bytes]) -> None:
        self._message, self._answer = message, answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.DatagramTransport", transport).sendto(self._message)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)


async def _ask(resolver: str, message: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Asker(message, answer), remote_addr=(resolver, 53))
    try:
        async with asyncio.timeout(3):
            return await answer
    finally:
        transport.close()


class Request:
    """One HTTP/1 request, read whole."""

    def __init__(self, head: bytes, body: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = (*first.split(" ", 2), "", "")[:3]
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.body = body


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        async with asyncio.timeout(30):
            head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
            request = Request(head, b"")
            request.body = await reader.readexactly(int(request.headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError, ValueError):
        return None
    return request


def _response(status: str, headers: dict[str, str], body: bytes, *, head_only: bool) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    return head if head_only else head + body


class Services:
    """All of them, as configured."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self._conf = configuration
        self._shift_s = float(configuration.get("shift_s", 0))
        self._moved = Path(configuration["moved"]) if "moved" in configuration else None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for address in self._conf.get("clocks", ()):
            await loop.create_datagram_endpoint(lambda: Clock(self._shift_s, self._moved), (address, 123))
        for address, port in self._conf.get("ports", ()):
            await asyncio.start_server(self._bare, address, port)
        for name, handler in (("doh", self._doh), ("dated", self._dated)):
            if name in self._conf:
                await asyncio.start_server(handler, "127.0.0.1", self._conf[name])
        if "portal" in self._conf:
            await asyncio.start_server(self._portal, self._conf["portal"], 80)
        await asyncio.Event().wait()

    async def _bare(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes in, other bytes out, until the client has had enough: a protocol that is not TLS and not HTTP."""
        try:
            async with asyncio.timeout(60):
                while data := await reader.read(4096):
                    writer.write(hashlib.sha512(data).digest() + hashlib.sha256(data).digest()[:20])
                    await writer.drain()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _doh(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        if request is not None:
            try:
                query = request.body or _from_url(request.target)
                reply = await _ask(self._conf["doh_resolver"], query)
                headers = {"Date": self._date(), "Content-Type": "application/dns-message"}
                answer = _response("200 OK", headers, reply, head_only=False)
            except (OSError, ValueError):
                answer = _response("502 Bad Gateway", {}, b"", head_only=False)
            await _finish(writer, answer)
        writer.close()

    def _date(self) -> str:
        return email.utils.formatdate(time.time_ns() / 1e9 + self._shift_s + moved_s(self._moved), usegmt=True)

    async def _dated(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every page of a world whose clocks are elsewhere: nginx passes our Date on, its own cannot be changed."""
        request = await _read(reader)
        if request is not None:
            await _finish(writer, self._dated_page(request))
        writer.close()

    def _dated_page(self, request: Request) -> bytes:
        host = request.headers.get("host", "")
        headers = {"Date": self._date(), "Content-Type": "text/html"}
        head_only = request.method == "HEAD"
        special = self._conf.get("pages", {}).get(host + request.target)
        if special is not None:
            return _response(f"{special[0]} OK", headers, special[1].encode(), head_only=head_only)
        if request.headers.get("x-scheme") == "http":
            headers["Location"] = f"https://{host}{request.target}"
            return _response("301 Moved Permanently", headers, b"", head_only=head_only)
        page = f"<html><head><title>{host}</title></head><body>{'text ' * 400}</body></html>"
        return _response("200 OK", headers, page.encode(), head_only=head_only)

    async def _portal(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Everybody is sent to the log-in page, which is here."""
        request = await _read(reader)
        if request is not None:
            here = f"http://{self._conf['portal']}/login"
            if request.target.startswith("/login") or self._conf["portal_says"] == "page":
                page = _PORTAL_PAGES["pay" if self._conf["portal_says"] == "pay" else "hotel"].encode()
                answer = _response("200 OK", {"Content-Type": "text/html"}, page, head_only=request.method == "HEAD")
            else:
                answer = _response("302 Found", {"Location": here}, b"", head_only=False)
            await _finish(writer, answer)
        writer.close()


def _from_url(target: str) -> bytes:
    text = parse_qs(urlsplit(target).query).get("dns", [""])[0]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def _finish(writer: asyncio.StreamWriter, answer: bytes) -> None:
    try:
        writer.write(answer)
        await writer.drain()
    except ConnectionError:
        pass


if __name__ == "__main__":
    asyncio.run(Services(json.loads(sys.argv[1])).run())
