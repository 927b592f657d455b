"""A clock that jumps over the time in which nothing is due and nothing runs, to where somebody else says."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

_GRACE_S = 0.05
"""What was just finished may begin something else at once; so long nothing is skipped."""
_REAL_NAP_S = 0.25


@dataclass(frozen=True, slots=True)
class Jump:
    """Where the clock stands next, in UTC microseconds; how far the host's own clock is off then; whether that is the end."""

    to_us: int
    off_s: float = 0.0
    ends: bool = False


Ask = Callable[[int, int], Awaitable[Jump]]
"""Given now and when the next job is due (UTC microseconds), where to jump."""


class SkippingClock:
    """As the daemon's own clock, beginning at *begins_us*. ``ended`` is set once the replay is over."""

    def __init__(self, begins_us: int, ask: Ask) -> None:
        self._ahead_us = begins_us - time.time_ns() // 1000
        self._ahead_s = 0.0
        self._off_us = 0
        self._ask = ask
        self._works = 0
        self._sleepers: dict[object, float] = {}
        self._asking = asyncio.Lock()
        self.ended = asyncio.Event()

    def true_us(self) -> int:
        """What the time is, whatever the host believes."""
        return time.time_ns() // 1000 + self._ahead_us

    def now_us(self) -> int:
        return self.true_us() + self._off_us

    def monotonic(self) -> float:
        return time.monotonic() + self._ahead_s

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        self._works += 1
        try:
            yield
        finally:
            self._works -= 1

    async def sleep_until(self, monotonic: float) -> None:
        me = object()
        self._sleepers[me] = monotonic
        try:
            while (left := monotonic - self.monotonic()) > 0:
                if not await self._skip():
                    await asyncio.sleep(min(left, _REAL_NAP_S))
        finally:
            del self._sleepers[me]

    async def _skip(self) -> bool:
        """Whether the clock has jumped: nothing works, and everybody who waits is waiting for the clock."""
        if self._works or self._asking.locked() or self.ended.is_set():
            return False
        async with self._asking:
            before = dict(self._sleepers)
            await asyncio.sleep(_GRACE_S)
            if self._works or before != self._sleepers:
                return False
            now_us = self.true_us()
            due_us = now_us + round(max(0.0, min(before.values()) - self.monotonic()) * 1e6)
            jump = await self._ask(now_us, due_us)
            skipped_us = max(0, jump.to_us - self.true_us())
            self._ahead_us += skipped_us
            self._ahead_s += skipped_us / 1e6
            self._off_us = round(jump.off_s * 1e6)
            if jump.ends:
                self.ended.set()
            return skipped_us > 0
