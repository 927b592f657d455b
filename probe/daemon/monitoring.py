"""The page for a monitoring system as the settings want it: opened, moved and closed while the daemon goes on.

What the page takes (a parser of HTTP, the figures) is imported when somebody wants one for the first time.
"""

from __future__ import annotations

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
        self._where: str | None = None
        self._open = AsyncExitStack()

    async def listen(self, where: str | None) -> None:
        """Answer at *where* (``[metrics] listen``) from now on, and nowhere else. What could not be had is tried again."""
        if where == self._where:
            return
        await self.close()
        if where is None:
            return
        from probe.daemon.metrics import Figures
        from probe.daemon.metrics_of import page

        if self.figures is None:
            self.figures = Figures(SOFTWARE, RULESET)
        opened = page(where, self.figures, self._archive, self._now_us, self._say, waits_for=lambda: self.waits_for)
        if await self._open.enter_async_context(opened):
            self._where = where

    async def close(self) -> None:
        """Answer nobody any more."""
        self._where = None
        await self._open.aclose()
