"""Connections that are being waited for, and the end of waiting where it can change nothing.

A connection is given many seconds, because networks lose packets. Where it is proven that DNS lied about a name, whether
anybody is at the address that it gave changes no word: then three tries of the kernel's are enough.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

ENOUGH_S = 3.5
"""Linux sends SYNs after 0, 1 and 3 s, newer kernels after 0, 1, 2 and 3 s; and half a second for the answer."""
AT_LEAST_S = 1.0
"""For one that began later than the first: others have waited as well."""
OF_ADDRESSES = frozenset({"baseline", "retry", "siblings", "dns_answers"})
"""Purposes that go to addresses which DNS gave for the name. All others go elsewhere, and are waited for as ever."""


@dataclass(slots=True)
class Waits:
    """Of one run: the connections to an endpoint's own addresses that are under way, and when each began (the loop's time)."""

    scale: float = 1.0
    _under_way: dict[int, list[tuple[float, asyncio.Timeout]]] = field(default_factory=dict)
    _until: dict[int, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def one(self, endpoint: int | None, purpose: str) -> Iterator[Callable[[asyncio.Timeout], None]]:
        """Around one connection made for *purpose*; what it gives is to be told the connection's deadline."""
        if endpoint is None or purpose not in OF_ADDRESSES:
            yield lambda _limit: None
            return
        loop, under_way = asyncio.get_running_loop(), self._under_way.setdefault(endpoint, [])
        mine: list[tuple[float, asyncio.Timeout]] = []

        def begins(limit: asyncio.Timeout) -> None:
            mine.append((loop.time(), limit))
            under_way.extend(mine)
            if endpoint in self._until:
                _end_by(limit, max(self._until[endpoint], loop.time() + AT_LEAST_S * self.scale))

        try:
            yield begins
        finally:
            for wait in mine:
                under_way.remove(wait)

    def may_be_shortened(self, endpoint: int) -> bool:
        """Whether anything is waited for that :meth:`shorten` has not been told of yet."""
        return endpoint not in self._until and bool(self._under_way.get(endpoint))

    def shorten(self, endpoint: int) -> None:
        """Wait no longer than is enough, from when the first connection that is still waited for began; later ones too."""
        now, under_way = asyncio.get_running_loop().time(), self._under_way.get(endpoint, [])
        first = min((begun for begun, _limit in under_way), default=now)
        self._until[endpoint] = max(first + ENOUGH_S * self.scale, now + AT_LEAST_S * self.scale)
        for _begun, limit in under_way:
            _end_by(limit, self._until[endpoint])


def _end_by(limit: asyncio.Timeout, when: float) -> None:
    planned = limit.when()
    if planned is not None and planned > when:
        with contextlib.suppress(RuntimeError):  # it is ending just now
            limit.reschedule(when)
