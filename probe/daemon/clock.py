"""The clock that decides when a job is due, as one seam that is passed in.

Everything in the daemon that waits for a *time* waits on a ``Clock``. The real one is the system's. A replay of history
passes one of its own, which jumps over the time in which nothing is due and nothing runs; a measurement always runs in
real time, so its deadlines stay asyncio's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import AbstractContextManager
from typing import Protocol

_LONGEST_NAP_S = 30.0
"""The event loop's own clock stands still while a laptop sleeps: a wait of an hour that began before is still an hour
after. So a long wait is cut in pieces, and what fell due in the meantime is late by this much at most."""
_GOES_ON = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux has a clock that nobody sets and that goes on while the host sleeps (clock_gettime(2))."""


class Clock(Protocol):
    """Two clocks and a way to wait. Wall time may jump; the monotonic clock never goes back."""

    def now_us(self) -> int:
        """Wall time: microseconds since 1970 in UTC, as this host believes it."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back, and goes on while the host sleeps where the system can tell."""

    async def sleep_until(self, monotonic: float) -> None:
        """Return once :meth:`monotonic` has reached *monotonic*; at once if it has already. Cancelling is safe."""

    def working(self) -> AbstractContextManager[None]:
        """Inside, something is measured or told: a clock that skips idle time must not skip any until it is left."""


class SystemClock:
    """The clocks of this host."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.clock_gettime(_GOES_ON)

    async def sleep_until(self, monotonic: float) -> None:
        while (left := monotonic - self.monotonic()) > 0:  # noqa: ASYNC110 (nothing announces that time has passed)
            await asyncio.sleep(min(left, _LONGEST_NAP_S))

    def working(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()
