"""The clock that decides when a job is due, as one seam that is passed in.

Everything in the daemon that waits for a *time* waits on a ``Clock``. The real one is the system's. A replay of history
passes one of its own, which jumps over the time in which nothing is due and nothing runs; a measurement always runs in
real time, so its deadlines stay asyncio's.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

_LONGEST_NAP_S = 30.0
"""Linux stops its monotonic clock while a laptop sleeps: a wait of an hour that began before is still an hour after. So
a long wait is cut in pieces, and whoever compares the two clocks gets a chance to see that they parted."""


class Clock(Protocol):
    """Two clocks and a way to wait. Wall time may jump; the monotonic clock never goes back."""

    def now_us(self) -> int:
        """Wall time: microseconds since 1970 in UTC, as this host believes it."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back, and may stand still while the host sleeps."""

    async def sleep_until(self, monotonic: float) -> None:
        """Return once :meth:`monotonic` has reached *monotonic*; at once if it has already. Cancelling is safe."""


class SystemClock:
    """The clocks of this host."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep_until(self, monotonic: float) -> None:
        while (left := monotonic - time.monotonic()) > 0:  # noqa: ASYNC110 (nothing announces that time has passed)
            await asyncio.sleep(min(left, _LONGEST_NAP_S))
