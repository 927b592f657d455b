"""When silence becomes suspicious: a clock that what comes in puts off, and a slow line slows down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

_LOOKS = 4
"""Looks per patience while nobody knows yet how fast this line is."""
_LEAST_S = 0.001
"""No look comes sooner. What is left of a time may be so little that a clock which only runs while it is waited for stays where
it is, and one look would follow the other for ever."""


@dataclass(slots=True, kw_only=True)
class Alarm:
    """Rings once when nothing came in for as long as is not ordinary, at the latest after *at_most_s*.

    ``patience_s`` and ``received`` (bytes so far) are asked anew at each look: what is ordinary on a line is learned while
    it is being waited for. ``ready`` says whether anything would be done about it yet.
    """

    patience_s: Callable[[], float]
    received: Callable[[], int]
    ready: Callable[[], bool]
    at_most_s: float
    ring: Callable[[], None]
    loop: asyncio.AbstractEventLoop
    _begun: float = 0.0
    _heard: float = 0.0
    _bytes: int = 0
    _next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._begun = self._heard = self.loop.time()
        self._bytes = self.received()
        self._look_in(self.patience_s())

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()

    def _look_in(self, seconds: float) -> None:
        left = self._begun + self.at_most_s - self.loop.time()
        self._next = self.loop.call_later(max(_LEAST_S, min(seconds, left)), self._look)

    def _look(self) -> None:
        now, patience = self.loop.time(), self.patience_s()
        if self.received() != self._bytes:
            self._heard, self._bytes = now, self.received()
        silent = now - self._heard
        if now - self._begun >= self.at_most_s or (silent >= patience and self.ready()):
            self.ring()
        else:
            self._look_in(max(patience - silent, patience / _LOOKS))
