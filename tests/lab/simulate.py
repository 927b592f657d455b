"""Thousands of lines, servers and bundles of links that know no name, simulated: how often would one be said to slow a name down?

    python -m tests.lab.simulate 1000              so many of each kind, some seconds to minutes a kind
    python -m tests.lab.simulate 1000 Bundle       of one kind

What is run is the experiment and the judge's statistics; in the place of sockets is a world that says when a packet arrives,
under a plain TCP (slow start, one timer), on a clock that jumps. A lab's trial takes half a minute, one of these some
milliseconds: what a fixed order of the names kept time with was seen here, one time in two hundred, and in no lab.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock

from probe.experiments import throttling
from probe.experiments.neutrals import Neutral, Neutrals
from probe.experiments.slowness import Slow
from probe.observations import Arm, HttpFact, Observation, Operation, TcpFact, TlsFact
from probe.settings import Settings
from probe.verdict.throttling import Slower, compared, places
from probe.verdict.view import View
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.lab.slow_worlds import HOST, INNOCENT, Flow, World

URL = f"https://{HOST}/"
_TIMEOUT = "generic_timeout_error"
_SEGMENT = 1448
_PATIENCE_S = 45.0
_PLACES = 8


class _Jumping(selectors.DefaultSelector):
    """Nothing is ever waited for: time is where the next timer is."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - _now()))


def _nothing(_size: int) -> None:
    """Nobody listens."""


async def _send(
    world: World, flow: Flow, sizes: Sequence[int], *, down: bool, heard: Callable[[int], None] = _nothing
) -> None:
    """All of it, in windows: ten segments, then twice as many; half where one was lost, one after a time in which none came."""
    left, window, timer = list(sizes), 10, max(0.2, 2 * world.rtt)
    while left:
        sent, left = left[:window], left[window:]
        arrivals = [(world.arrives(flow, size, _now(), down=down), size) for size in sent]
        acknowledged: float | None = None
        for at, size in sorted((at, size) for at, size in arrivals if at is not None):
            await _until(at)
            heard(size)
            acknowledged = world.arrives(flow, 52, _now(), down=not down) or acknowledged
        lost = [size for at, size in arrivals if at is None]
        if not lost and not left:
            return
        left = lost + left
        if acknowledged is None:
            await asyncio.sleep(timer)
            window, timer = 1, min(2 * timer, 60.0)
            continue
        await _until(acknowledged)
        timer = max(0.2, 2 * world.rtt)
        arrived = len(sent) - len(lost)
        if lost and arrived < 3:
            await asyncio.sleep(timer)
        window = max(1, arrived // 2) if lost else 2 * window


@dataclass(slots=True)
class _Network:
    """What the experiment has in place of ``tcp``, ``tls`` and ``transfer``."""

    world: World
    Hello: Any = SimpleNamespace
    Wanted: Any = SimpleNamespace

    @contextlib.asynccontextmanager
    async def _timed(self, deadline_s: float, made: dict[str, Any]) -> AsyncIterator[None]:
        begun = _now()
        try:
            async with asyncio.timeout(deadline_s):
                yield
        except TimeoutError:
            made["failure"] = _TIMEOUT
        made |= {"started_us": round(begun * 1e6), "duration_us": round((_now() - begun) * 1e6)}

    async def connect(self, _wire: Any, address: str, _port: int, *, deadline_s: float, name: str, **_more: Any) -> Any:
        flow, made = self.world.flow(name, address), dict[str, Any]()
        async with self._timed(deadline_s, made):
            await _send(self.world, flow, [60], down=False)
            await _send(self.world, flow, [60], down=True)
        stream = SimpleNamespace(flow=flow, forget_when_closed=lambda: None, close=lambda: None)
        operation = Operation(fact=TcpFact(), name=name, address=address, **made)
        return SimpleNamespace(operation=operation, stream=None if operation.failure else stream)

    async def first_record(self, _wire: Any, stream: Any, *, hello: Any, deadline_s: float) -> Operation:
        made, begun, first = dict[str, Any](), _now(), list[int]()
        async with self._timed(deadline_s, made):
            await _send(self.world, stream.flow, [600], down=False)
            await _send(
                self.world,
                stream.flow,
                [_SEGMENT] * 3,
                down=True,
                heard=lambda _size: first.append(round((_now() - begun) * 1e6)),
            )
        came = "failure" not in made
        fact = TlsFact(sni=hello.sni, verify=False, server_hello=came, first_byte_us=first[0] if first else None)
        return Operation(
            fact=fact, name=hello.sni, address=stream.flow.place, bytes_sent=600, bytes_received=3 * _SEGMENT, **made
        )

    async def unverified(self, wire: Any, stream: Any, *, hello: Any, deadline_s: float, chain: bool = False) -> Any:
        operation = await self.first_record(wire, stream, hello=hello, deadline_s=deadline_s)
        return SimpleNamespace(operation=operation, stream=None if operation.failure else stream)

    async def transfer(self, _wire: Any, stream: Any, wanted: Any, *, name: str, deadline_s: float) -> Operation:
        made, begun, curve = dict[str, Any](), _now(), [(0, 0)]
        async with self._timed(deadline_s, made):
            await _send(self.world, stream.flow, [250], down=False)
            await _send(
                self.world,
                stream.flow,
                [606] + [_SEGMENT] * (wanted.bytes // _SEGMENT + 1),
                down=True,
                heard=lambda size: curve.append((round((_now() - begun) * 1e6), curve[-1][1] + size)),
            )
        fact = HttpFact(method="GET", url=URL, verified_chain=False, status=200, progress=tuple(curve[1:]))
        place = stream.flow.place
        return Operation(fact=fact, name=name, address=place, bytes_sent=250, bytes_received=curve[-1][1], **made)


@dataclass(slots=True)
class _Site:
    """As much of a site and its session as the experiment asks for."""

    source: random.Random
    number: int = 0
    settings: Settings = field(default_factory=Settings)
    found: list[Observation] = field(default_factory=list)
    drawn: int = 0
    addresses: tuple[str, ...] = ()
    neutral_networks: set[str] = field(default_factory=set)

    @property
    def wire(self) -> Any:
        return SimpleNamespace(sleep=asyncio.sleep, random=self.source)

    @property
    def session(self) -> Any:
        pool = Neutrals(load_canaries(), self.source)
        neutrals = SimpleNamespace(draw=self._draw, mixed=pool.mixed)
        return SimpleNamespace(neutrals=neutrals, pacer=SimpleNamespace(flow=_at_once))

    async def _draw(self, *_asked: Any) -> Neutral | None:
        self.drawn += 1
        return Neutral(f"20.{self.drawn}.0.1", f"place{self.drawn}.example") if self.drawn <= _PLACES else None

    def first_address(self) -> str | None:
        return None

    def record(self, operation: Operation, *, arm: Arm | None = None, **place: Any) -> None:
        self.found.append(Observation(number=len(self.found) + 1, operation=operation, arm=arm, **place))


async def _at_once() -> None:
    """Nobody else is here."""


async def _said(world: World, source: random.Random, *, greeting: bool) -> Slower | None:
    site: Any = _Site(source)
    network: Any = _Network(world)
    slow = Slow(kind="greeting" if greeting else "bytes", host=HOST, url=URL, handshake_s=0.3)
    patched = dict.fromkeys(("tcp", "tls", "transfer"), network)
    with mock.patch.multiple(throttling, **patched), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            await throttling._Test(site, slow).run()
    asked = Asked(number=0, endpoint=Endpoint(URL), target=HOST)
    found = [place for place in places(View(tuple(site.found), (asked,)).case(asked)) if place.kind == "neutral"]
    return compared(found) if len(found) >= 2 else None


def said(kind: Callable[[random.Random], World], seed: int, *, greeting: bool = False) -> Slower | None:
    """What is concluded from two neutral places in one world of a kind: that the name is slower, or ``None``."""
    source = random.Random(seed)
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(_said(kind(source), source, greeting=greeting))


def main(number: int, *names: str) -> None:
    for name in names or INNOCENT:
        slower = [seed for seed in range(number) if said(INNOCENT[name], seed, greeting=seed % 4 == 3) is not None]
        print(f"{name}: {len(slower)} of {number} {slower[:5]}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
