"""The confirm burst: what a first failure must outlast before it may be told of.

The full check that found it has had its alternating arms. Two more rounds follow, far enough apart that a router which
restarts, a route that settles or a server that is being updated has come back in between. Each is a run of its own, with
neutral places that nobody has had a moment ago (:class:`probe.workflows.kit.Kit`), because what a device remembers of the
last run would make every name fail there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from probe.wire import Wire

Round = TypeVar("Round")

FIRST_AFTER_S = 10.0
"""The check that failed has ended a moment ago."""
SPREAD_S = 45.0
"""From the order to confirm until the second round begins, at least."""


async def confirm(measure: Callable[[], Awaitable[Round]], wire: Wire) -> tuple[Round, Round]:
    """Call *measure* twice over ``SPREAD_S``, in the wire's own time: idle hours may be skipped, a burst may not."""
    begun = wire.monotonic()
    await wire.sleep(FIRST_AFTER_S)
    first = await measure()
    await wire.sleep(max(0.0, begun + SPREAD_S - wire.monotonic()))
    return first, await measure()
