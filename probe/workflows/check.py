"""One check: measure, judge, keep."""

from __future__ import annotations

from dataclasses import dataclass

from probe.instruments.trust import Trust
from probe.observations import Observation
from probe.runner import Listener
from probe.settings import Settings
from probe.verdict.model import EndpointResult, NetworkVerdict, PlatformVerdict, Run
from probe.wire import Wire
from targets.model import Asked, Canaries


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What to check, how, and where to keep it (``database`` is a URL or ``None``: nothing is written)."""

    asked: tuple[Asked, ...]
    settings: Settings
    catalogue: str
    database: str | None = None
    spool_dir: str | None = None
    opt_ins: tuple[str, ...] = ()
    canaries: Canaries | None = None
    trust: Trust | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What came of it. ``results`` are in the order asked; fewer than asked only when interrupted."""

    run: Run
    asked: tuple[Asked, ...]
    network: NetworkVerdict
    results: tuple[EndpointResult, ...]
    platforms: tuple[PlatformVerdict, ...]
    observations: tuple[Observation, ...]
    trust: str
    unsaved: str | None = None

    @property
    def bugs(self) -> int:
        """How many experiments ended in a bug of ours."""
        return sum(1 for observation in self.observations if observation.operation.kind == "bug")


async def check(request: CheckRequest, wire: Wire, listen: Listener) -> CheckOutcome:
    """Run one check. Network failures are results; only bugs raise."""
    raise NotImplementedError
