"""One check: measure, judge, keep."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from probe import __version__
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.experiments.session import Session
from probe.instruments.trust import Trust
from probe.observations import ContextFact, Observation, Operation
from probe.runner import Listener, Ran, Runner, Save, Started
from probe.settings import Settings
from probe.verdict import clock
from probe.verdict.model import EndpointResult, NetworkVerdict, PlatformVerdict, Run
from probe.verdict.rollup import roll_up
from probe.verdict.ruleset import RULESET
from probe.wire import Wire
from targets.loader import load_canaries
from targets.model import Asked, Canaries, Platform

if TYPE_CHECKING:
    from storage.archive import Archive
    from targets.fingerprints import Shelf
    from targets.networks import Atlas


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """What to check, how, and where to keep it (``database`` is a URL or ``None``: nothing is written).

    ``platforms``: the catalogue's, which say whether a platform was measured whole or in part. ``fingerprints``: the lists of
    block pages that the user has imported. ``networks``: the tables of networks, likewise.
    """

    asked: tuple[Asked, ...]
    settings: Settings
    catalogue: str
    database: str | None = None
    opt_ins: tuple[str, ...] = ()
    canaries: Canaries | None = None
    trust: Trust | None = None
    platforms: tuple[Platform, ...] = ()
    fingerprints: Shelf | None = None
    networks: Atlas | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What came of it. ``results`` are in the order asked. ``unsaved`` says why, where results could not be kept;
    ``notes`` what was done in the archive besides; ``cut_short`` has the numbers of inconclusive results about which not all
    was asked, because the flows of two minutes were used up.
    """

    run: Run
    asked: tuple[Asked, ...]
    network: NetworkVerdict
    results: tuple[EndpointResult, ...]
    platforms: tuple[PlatformVerdict, ...]
    observations: tuple[Observation, ...]
    trust: str
    unsaved: str | None = None
    notes: tuple[str, ...] = ()
    cut_short: tuple[int, ...] = ()

    @property
    def bugs(self) -> int:
        """How many experiments ended in a bug of ours."""
        return sum(1 for observation in self.observations if observation.operation.kind == "bug")


async def check(request: CheckRequest, wire: Wire, listen: Listener) -> CheckOutcome:
    """Run one check. Network failures are results; only bugs raise."""
    session = open_session(request, wire)
    run = begin_run(request, session)
    session.record(context_of(request, session, run), purpose="context")
    async with _kept(request, run) as (save, archive):
        listen(Started(run, request.asked))
        runner = Runner(session, save=save, listen=listen)
        try:
            ran = await runner.run()
        except asyncio.CancelledError:
            await _finish(archive, replace(run, finished_us=wire.now_us(), interrupted=True), runner.unsaved())
            raise
        run = finished(run, ran, wire, session.recorder.observations)
        await _finish(archive, run, ran.unsaved)
    return CheckOutcome(
        run=run,
        asked=request.asked,
        network=ran.network,
        results=ran.results,
        platforms=roll_up(ran.results, request.platforms),
        observations=tuple(session.recorder.observations),
        trust=session.trust.label,
        unsaved=archive.unsaved if archive is not None else None,
        notes=archive.notes if archive is not None else (),
        cut_short=tuple(
            result.number
            for result in ran.results
            if result.verdict.status == "inconclusive" and result.number in session.cut_short
        ),
    )


def open_session(request: CheckRequest, wire: Wire) -> Session:
    """What one run measures with."""
    settings = request.settings
    canaries = request.canaries if request.canaries is not None else load_canaries()
    budgets = settings.budgets
    return Session(
        wire=wire,
        settings=settings,
        trust=request.trust if request.trust is not None else Trust.load(os.environ),
        canaries=canaries,
        asked=request.asked,
        pacer=Pacer(wire, budgets.flows_per_second, budgets.flows_per_120_s),
        neutrals=Neutrals(canaries, wire.random),
        fingerprints=request.fingerprints,
        networks=request.networks,
    )


def begin_run(request: CheckRequest, session: Session) -> Run:
    """A run that begins now."""
    settings = request.settings
    return Run(
        id=f"{session.wire.random.getrandbits(128):032x}",
        started_us=session.wire.now_us(),
        software=f"dalel {__version__}",
        ruleset=RULESET,
        catalogue=request.catalogue,
        trust=session.trust.label,
        profile=settings.profile,
        country=settings.country,
        asn=settings.asn,
    )


def context_of(request: CheckRequest, session: Session, run: Run) -> Operation:
    """What the run says of itself: its first observation."""
    settings = request.settings
    fact = ContextFact(
        software=run.software,
        catalogue=run.catalogue,
        trust=run.trust,
        trust_replaced=session.trust.replaced,
        profile=settings.profile,
        opt_ins=request.opt_ins,
        families=settings.families,
        country=settings.country,
        asn=settings.asn,
        deadline_scale=settings.deadline_scale,
        fingerprints=request.fingerprints.version if request.fingerprints is not None else "",
        networks=request.networks.version if request.networks is not None else "",
    )
    return Operation(fact=fact, started_us=run.started_us)


def finished(run: Run, ran: Ran, wire: Wire, observations: Sequence[Observation]) -> Run:
    """The run as it is at its end."""
    return replace(
        run,
        finished_us=wire.now_us(),
        network_status=ran.network.status,
        network_method=ran.network.method,
        clock_offset_us=clock.offset_us(observations),
    )


# ---------------------------------------------------------------------------------------------------------------------
# keeping


@contextlib.asynccontextmanager
async def _kept(request: CheckRequest, run: Run) -> AsyncIterator[tuple[Save, Archive | None]]:
    """A ``save`` that returns once the result is committed, and the archive behind it (``None``: nothing is kept)."""
    if request.database is None:
        yield _forget, None
        return
    from storage.archive import Archive
    from storage.errors import StorageError

    archive = await asyncio.to_thread(Archive.open, request.database)
    try:
        archive.begin(run, request.asked)

        async def save(result: EndpointResult, observations: Sequence[Observation]) -> None:
            # A disk that fills up takes the record, not the answer: ``archive.unsaved`` tells the reader.
            with contextlib.suppress(StorageError):
                await asyncio.wrap_future(archive.save(run.id, result, observations))

        yield save, archive
    finally:
        await asyncio.to_thread(archive.close)


async def _forget(result: EndpointResult, observations: Sequence[Observation]) -> None:
    """Nothing is written to disk."""


async def _finish(archive: Archive | None, run: Run, leftover: Sequence[Observation]) -> None:
    if archive is not None:
        archive.save_observations(run.id, leftover)
        archive.finish(run)
