"""A control in a pretend country abroad: the real server on loopback, measuring in a pretend Internet of its own.

What is done to a site on the way from here is not done there; whether its server lives is the scene's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import io
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from probe.control import certificate
from probe.control.limits import Limits, Tokens
from probe.control.measure import SETTINGS, Vantage
from probe.control.server import Server
from probe.control.wire import PORTS, GuardedWire
from probe.demo.internet import HERE, Internet, open_internet
from probe.demo.wire import DemoWire
from probe.demo.world import World
from probe.instruments.trust import Trust
from probe.settings.controls import Control
from targets.model import Canaries

ADDRESS, PORT = "24.1.0.10", 8443
"""Where the probe finds it."""
HOME, ABROAD = "KZ", "DE"
_TOKEN = "shown-on-this-computer-only"


@contextlib.asynccontextmanager
async def control(
    world: World, canaries: Canaries, folder: Path, seen_from: Internet, hurry: float
) -> AsyncIterator[Control]:
    """Serve a control whose Internet is *world*, at its address in *seen_from*; every deadline *hurry* times shorter."""
    loop = asyncio.get_running_loop()
    clock, handler = loop.time, loop.get_exception_handler()
    limits = Limits()
    limits = replace(limits, request_s=limits.request_s / hurry, measure_s=limits.measure_s / hurry, drain_s=1.0)
    shown = certificate.make(dt.datetime.now(dt.UTC))
    async with contextlib.AsyncExitStack() as stack:
        internet = await stack.enter_async_context(open_internet(world, folder))
        resolvers = [canary.where for canary in canaries.family("resolver")]
        wire = GuardedWire(DemoWire(internet), ports=PORTS, resolvers=resolvers, is_own=lambda _address: False)
        trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
        server = Server(
            vantage=Vantage(wire=wire, trust=trust, canaries=canaries, settings=SETTINGS.hurried(hurry)),
            tokens=Tokens.of([_TOKEN], limits, clock),
            limits=limits,
            software="dalel demo",
            clock=clock,
            country=ABROAD,
            log=io.StringIO(),
        )
        sock = stack.enter_context(socket.create_server((HERE, 0)))
        seen_from.learn((ADDRESS, PORT, "tcp"), sock)
        stack.callback(loop.set_exception_handler, handler)
        await stack.enter_async_context(server.listening(sock, shown))
        yield Control(host=ADDRESS, port=PORT, name="Hamburg", token=_TOKEN, sha256=shown.sha256, country=ABROAD)
