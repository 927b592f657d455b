"""A control in a pretend Internet: served on loopback over real TLS, measuring in a world of its own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import io
import json
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from probe.control import certificate
from probe.control.limits import Limits, Tokens
from probe.control.measure import SETTINGS, Vantage
from probe.control.server import Server
from probe.control.wire import PORTS, GuardedWire
from probe.demo.internet import Internet, open_internet
from probe.demo.neighbourhood import quiet_neighbourhood
from probe.demo.scene import Act, Scene, stage
from probe.demo.wire import DemoWire
from probe.demo.world import World
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.settings.controls import Control
from targets.loader import load_canaries

TOKEN = "a-token-of-sixteen-and-more"
HURRY = 4.0


class SpyWire(DemoWire):
    """A pretend wire that remembers where it was really asked to go."""

    def __init__(self, internet: Internet) -> None:
        super().__init__(internet)
        self.connected: list[tuple[str, int]] = []

    async def connect(self, address, port, options=None, *, before_close=None):
        self.connected.append((address, port))
        return await super().connect(address, port, options, before_close=before_close)


@dataclass(slots=True)
class Serving:
    """A control that is listening, and what can be seen of it."""

    server: Server
    wire: SpyWire
    port: int
    sha256: str
    log: io.StringIO
    internet: Internet
    _context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    @property
    def control(self) -> Control:
        return Control(host="127.0.0.1", port=self.port, name="Helsinki", token=TOKEN, sha256=self.sha256)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TLS connection to it."""
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self._context)

    async def raw(self, data: bytes) -> bytes:
        """Everything that comes back for *data*."""
        reader, writer = await self.open()
        try:
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def post(self, document: Any, *, token: str | None = TOKEN, path: str = "/v1/measure") -> tuple[int, Any]:
        """Status and body of one question; *document* is JSON, or bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        shown = f"Authorization: Bearer {token}\r\n" if token is not None else ""
        head = f"POST {path} HTTP/1.1\r\nHost: control\r\n{shown}Content-Length: {len(body)}\r\n\r\n"
        return parsed(await self.raw(head.encode() + body))

    async def measure(self, url: str, *addresses: str) -> tuple[int, Any]:
        """Ask for *url* as a probe does."""
        return await self.post({"protocol": "dalel.control/1", "url": url, "addresses": list(addresses)})


def parsed(data: bytes) -> tuple[int, Any]:
    """Status and JSON body of a whole response."""
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def world_of(*scenes: Scene, **act: Any) -> World:
    """A quiet world with some sites in it."""
    return stage(Act(name="t", title="t", scenes=scenes, **act), quiet_neighbourhood(load_canaries()))


def site(url: str, **scene: Any) -> Scene:
    """A site; what a verdict on it would be is not asked here."""
    return Scene(url=url, done="", accepted=(), **scene)


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    world: World,
    *,
    limits: Limits | None = None,
    own: frozenset[str] = frozenset(),
    port: int = 0,
    shown: certificate.Shown | None = None,
) -> AsyncIterator[Serving]:
    """A control whose Internet is *world*. Addresses in *own* are its host's; *shown* is its certificate if it has one."""
    folder.mkdir(parents=True, exist_ok=True)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60), open_internet(world, folder) as internet:
        trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
        warm(trust)
        wire, canaries = SpyWire(internet), load_canaries()
        resolvers = [canary.where for canary in canaries.family("resolver")]
        guarded = GuardedWire(wire, ports=PORTS, resolvers=resolvers, is_own=own.__contains__)
        limits = limits or Limits()
        shown = shown or certificate.make(dt.datetime.now(dt.UTC))
        log = io.StringIO()
        server = Server(
            vantage=Vantage(wire=guarded, trust=trust, canaries=canaries, settings=SETTINGS.hurried(HURRY)),
            tokens=Tokens.of([TOKEN], limits, loop.time),
            limits=limits,
            software="dalel test",
            clock=loop.time,
            log=log,
        )
        handler = loop.get_exception_handler()
        with socket.create_server(("127.0.0.1", port)) as sock:
            try:
                async with server.listening(sock, shown):
                    yield Serving(server, wire, sock.getsockname()[1], shown.sha256, log, internet)
            finally:
                loop.set_exception_handler(handler)


def short(**changes: Any) -> Limits:
    """Limits that a test can wait for."""
    return replace(Limits(request_s=0.6, measure_s=5.0, drain_s=2.0), **changes)
