"""The metrics page of a daemon that runs: where it listens, where its figures come from. Loaded only when it is asked for."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from probe.daemon.metrics import Figures, Moment, render
from probe.daemon.metrics_page import Health, Server, health_of, split
from storage import outbox
from storage.errors import StorageError
from storage.maintenance import size

if TYPE_CHECKING:
    from collections.abc import Callable

    from probe.daemon.daemon_jobs import Say
    from storage.archive import Archive


@asynccontextmanager
async def page(
    listen: str,
    figures: Figures,
    archive: Archive,
    now_us: Callable[[], int],
    say: Say,
    *,
    waits_for: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[bool]:
    """Answer ``/metrics`` and ``/healthz`` at *listen* while the block runs. Where that cannot be, it is said, and no more; the
    block is told so. *waits_for* says why nothing may be measured, if that is so.
    """
    started_s = time.monotonic()

    async def metrics() -> str:
        moment = await asyncio.to_thread(_moment, archive, now_us() + figures.offset_us)
        return render(figures.families(replace(moment, tasks=len(asyncio.all_tasks()))))

    def health() -> Health:
        if (why := waits_for()) is not None:
            return Health(ok=False, words=why)
        return health_of(figures.last_sign_s, time.monotonic(), started_s)

    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(Server(metrics=metrics, health=health).listening(*split(listen)))
        except (OSError, OverflowError) as error:  # a port above 65535
            why = (getattr(error, "strerror", None) or str(error)).lower()
            say(
                "metrics",
                f"No metrics at {listen}: {why}. Measuring goes on without them; that is tried again every minute.",
            )
            yield False
            return
        say("metrics", f"Metrics for Prometheus: http://{listen}/metrics")
        yield True


def _moment(archive: Archive, now_us: int) -> Moment:
    try:
        waiting = outbox.together(outbox.waiting(archive.reader.database))
        db_bytes = size(archive.location) if archive.location.path is not None else None
    except (StorageError, OSError):  # the page says what it can
        return Moment(now_us=now_us, resident_bytes=_resident_bytes())
    return Moment(now_us=now_us, db_bytes=db_bytes, messages_waiting=waiting, resident_bytes=_resident_bytes())


def _resident_bytes() -> int | None:
    """Memory of this process (proc(5), the second field of statm is pages); ``None`` where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
