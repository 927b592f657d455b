"""The page for a monitoring system as the settings want it: opened, moved and closed while the daemon goes on.

What the page takes (a parser of HTTP, the figures) is imported when somebody wants one for the first time.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from probe.daemon.telling.means import SOFTWARE
from probe.verdict.ruleset import RULESET

if TYPE_CHECKING:
    from collections.abc import Callable

    from probe.daemon.daemon_jobs import Say
    from probe.daemon.metrics import Figures
    from storage.archive import Archive


class Monitoring:
    """Opened by :meth:`listen`; :meth:`close` it. ``waits_for``: why nothing is measured yet, which is not healthy."""

    def __init__(self, archive: Archive, now_us: Callable[[], int], say: Say) -> None:
        self.figures: Figures | None = None
        """Made with the first page, and kept: counters only grow."""
        self.waits_for: str | None = None
        self._archive, self._now_us, self._say = archive, now_us, say
        self._wanted: str | None = None
        self._where: str | None = None
        self._told: str | None = None
        self._open = AsyncExitStack()
        self._turn = asyncio.Lock()

    async def listen(self, where: str | None) -> None:
        """Answer at *where* (``[metrics] listen``) from now on, and nowhere else."""
        self._told = None
        self._wanted = where
        await self.again()

    async def again(self) -> None:
        """Try to have what is wanted and could not be had until now: the address of a tunnel that was not up yet, a port that
        another program still held. The same trouble is said once.
        """
        async with self._turn:
            if self._wanted == self._where:
                return
            await self._shut()
            if self._wanted is not None:
                await self._listen(self._wanted)

    async def _listen(self, where: str) -> None:
        from probe.daemon.metrics import Figures
        from probe.daemon.metrics_of import page

        if self.figures is None:
            self.figures = Figures(SOFTWARE, RULESET)
        opened = page(where, self.figures, self._archive, self._now_us, self._say_new, waits_for=lambda: self.waits_for)
        if await self._open.enter_async_context(opened):
            self._where = where

    def _say_new(self, event: str, words: str, **facts: object) -> None:
        if words != self._told:
            self._told = words
            self._say(event, words, **facts)

    async def close(self) -> None:
        """Answer nobody any more."""
        async with self._turn:
            self._wanted = None
            await self._shut()

    async def _shut(self) -> None:
        self._where = None
        await self._open.aclose()
