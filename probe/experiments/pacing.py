"""How much of a run may be asked at once: flows a second and in two minutes, and whose turn it is when a whole list fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from probe.wire import Wire
    from targets.model import Asked

_LONG_S = 120.0
KEPT = 110
"""Flows of two minutes that are promised to nobody: two more looks at the own side, and what nobody counted."""


@dataclass(slots=True, eq=False)
class _Promise:
    """Flows that were set apart for one piece of work, and are not begun yet."""

    left: int


_PROMISE: ContextVar[_Promise | None] = ContextVar("promise", default=None)


class Pacer:
    """At most *per_second* new flows in any second and *per_120_s* in any two minutes, in the order asked for."""

    def __init__(self, wire: Wire, per_second: int, per_120_s: int) -> None:
        self._wire = wire
        self._limits = ((1.0, per_second), (_LONG_S, per_120_s))
        self._begun: deque[float] = deque(maxlen=max(per_second, per_120_s))
        self._order = asyncio.Lock()
        self._promises: list[_Promise] = []
        self._given_back: list[asyncio.Future[None]] = []

    async def flow(self) -> None:
        """Wait for the turn of one new flow."""
        async with self._order:
            while (wait := self._wait()) > 0:
                await self._wire.sleep(wait)
            self._begun.append(self._wire.monotonic())
            promise = _PROMISE.get()
            if promise is not None and promise.left:
                promise.left -= 1

    @property
    def is_used_up(self) -> bool:
        """Whether the flows of two minutes are: the next one has to wait for longer than those of a second make it."""
        return self._wait() > self._limits[0][0]

    @contextlib.asynccontextmanager
    async def promised(self, flows: int, *, wait: bool = True) -> AsyncIterator[bool]:
        """Set *flows* apart for what is done inside, so that it need not wait for two minutes in its midst.

        ``False`` where there are not so many left, nor (if it may *wait*) will be when others give theirs back. What was set
        apart and not begun is given back at the end.
        """
        promise = _Promise(flows)
        granted = not flows or await self._is_granted(promise, wait)
        token = _PROMISE.set(promise) if granted else None
        try:
            yield granted
        finally:
            if token is not None:
                _PROMISE.reset(token)
                self._give_back(promise)

    async def _is_granted(self, promise: _Promise, wait: bool) -> bool:
        while promise.left > self._free():
            if not wait or not any(other.left for other in self._promises):
                return False
            given_back = asyncio.get_running_loop().create_future()
            self._given_back.append(given_back)
            await given_back
        self._promises.append(promise)
        return True

    def _give_back(self, promise: _Promise) -> None:
        if promise in self._promises:
            self._promises.remove(promise)
        waiting, self._given_back = self._given_back, []
        for given_back in waiting:
            if not given_back.done():
                given_back.set_result(None)

    def _free(self) -> int:
        since = self._wire.monotonic() - _LONG_S
        begun = sum(moment > since for moment in self._begun)
        return self._limits[-1][1] - begun - sum(promise.left for promise in self._promises) - KEPT

    def _wait(self) -> float:
        now = self._wire.monotonic()
        return max(
            (self._begun[-limit] + window - now for window, limit in self._limits if len(self._begun) >= limit),
            default=0.0,
        )


CROWD = 6
"""Endpoints in trouble at once that can all be asked about to the full."""


class Turns:
    """Who may follow up when a whole list fails: one endpoint of each platform first, a bounded number at a time.

    An endpoint that only waits for its baseline holds no turn. On a line that answers briskly more go at once, of all
    platforms alike: then it is flows that are scarce, and not the line.
    """

    def __init__(self, at_once: int = 12, crowd: int = CROWD, wide: int = 48) -> None:
        self.crowd = crowd
        self._at_once = at_once
        self._wide = wide
        self._in_trouble = 0
        self._first: dict[str, int] = {}
        self._first_done: dict[str, asyncio.Event] = {}
        self._holding: set[int] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def crowded(self) -> bool:
        """Whether so many endpoints are in trouble that not all can be asked about to the full."""
        return self._in_trouble > self.crowd

    async def take(self, asked: Asked, wide: Callable[[], Awaitable[bool]] | None = None) -> bool:
        """Wait for this endpoint's turn, and hold it until :meth:`give_back`. Whether it was taken as one of many at once,
        if *wide* says so when it is known.
        """
        self._in_trouble += 1
        platform = asked.platform or asked.endpoint.url
        first = self._first.setdefault(platform, asked.number)
        done = self._first_done.setdefault(platform, asyncio.Event())
        is_wide = wide is not None and await wide()
        if first != asked.number and not is_wide:
            await done.wait()
        while len(self._holding) >= (self._wide if is_wide else self._at_once):
            freed = asyncio.get_running_loop().create_future()
            self._waiting.append(freed)
            await freed
        self._holding.add(asked.number)
        return is_wide

    def give_back(self, asked: Asked) -> None:
        """The endpoint has ended, whatever came of it, or asks nothing more that many others could not ask beside it."""
        platform = asked.platform or asked.endpoint.url
        self._holding.discard(asked.number)
        waiting, self._waiting = self._waiting, []
        for freed in waiting:
            if not freed.done():
                freed.set_result(None)
        if self._first.get(platform) == asked.number:
            self._first_done[platform].set()
