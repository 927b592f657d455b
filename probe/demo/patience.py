"""An event loop whose clock runs only while it waits.

In the pretend Internet both ends of every connection live in one process. When the machine is busy with something else,
client and server stand still together, and a deadline of 0.6 s may pass before the server had a chance to do what takes it
a millisecond: it would look silent. So here time passes only while the loop waits for something, and never more of it than
the loop meant to wait. Deadlines then measure what the pretend servers do, not how busy the computer is.

Nothing on the loop may spin until a moment comes: the clock would never get there.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")
_Ready = list[tuple[selectors.SelectorKey, int]]


class _Waiting(selectors.DefaultSelector):
    """A selector that counts the seconds it has waited on purpose."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> _Ready:
        begun = time.monotonic()
        ready = super().select(timeout)
        elapsed = time.monotonic() - begun
        self.waited_s += elapsed if timeout is None else min(elapsed, max(timeout, 0.0))
        return ready


class PatientLoop(asyncio.SelectorEventLoop):
    """The loop; ``time()`` is the seconds that it has waited since it was made."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.waited_s


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """``asyncio.run`` on a patient loop."""
    with asyncio.Runner(loop_factory=PatientLoop) as runner:
        return runner.run(work)
