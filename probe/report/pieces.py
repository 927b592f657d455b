"""What every report is made of: the pieces of one check's outcome."""

from __future__ import annotations

from dataclasses import dataclass

from probe.observations import Observation
from probe.verdict.model import EndpointResult, NetworkVerdict, PlatformVerdict, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """One check. ``results`` are in the order asked; ``kept_in`` names the database, ``None`` if nothing was kept.

    ``unsaved`` says in words what could not be written, and where it went instead; ``notes`` are sentences about what was
    done in the archive besides, and what to mend for the next time. ``cut_short``: numbers of inconclusive results about which
    not all was asked, because the check had begun as many connections as one may.
    """

    run: Run
    network: NetworkVerdict
    results: tuple[EndpointResult, ...]
    platforms: tuple[PlatformVerdict, ...]
    observations: tuple[Observation, ...]
    trust: str
    kept_in: str | None = None
    unsaved: str | None = None
    notes: tuple[str, ...] = ()
    cut_short: tuple[int, ...] = ()
