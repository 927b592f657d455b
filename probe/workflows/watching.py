"""One round of a process that lives for months: some endpoints measured and judged as in a check, kept, and read.

Everything that is costly to make, or that one round has to know of another, is in a ``Kit`` (:mod:`probe.workflows.kit`),
built once. A round makes a session of its own and leaves nothing of it behind. Called by the daemon, one at a time:

    came = await watching.measure(kit, wire, settings, ((asked, "cheap"), …), archive)
    came = await watching.look(kit, wire, settings, archive, full=False)

Both keep what they learn before they return, and raise only for bugs of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

from probe.experiments import holes, network
from probe.experiments.pacing import CROWD
from probe.incidents.model import MOVED, Kind, OwnSide, Reading
from probe.observations import Observation
from probe.runner import Runner
from probe.verdict import clock
from probe.verdict.network import judge_network
from probe.verdict.view import View
from probe.workflows.check import CheckRequest, begin_run, context_of, finished, open_session
from probe.workflows.kit import Kit

if TYPE_CHECKING:
    from probe.experiments.network import Also
    from probe.experiments.session import Session
    from probe.settings import Settings
    from probe.verdict.model import EndpointResult, NetworkVerdict, Run
    from probe.wire import Wire
    from storage.archive import Archive
    from storage.rows import Change, Changes
    from targets.model import Asked

GREET_EVERY_S = 3600.0
"""Between two handshakes, test pages and questions for the time among the small looks."""
WHOLE_EVERY_S = 600.0
"""Between two whole looks while the own side stays down: a small one is enough to see that it still is, or no longer."""
_CONFIRMED_TO_THE_FULL = 2
"""Endpoints of one burst. Behind more of them there are mostly many, which have just been asked about: then nobody is to wait
for the flows of two minutes.
"""
_MAY_HAVE_HOLES = (None, "upstream", "international")


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of a round or a look. Times in readings and looks are corrected by what is known of this host's clock.

    ``run`` is its number in the archive, whether or not anything of it was worth keeping in detail; ``bugs``: how many of ours.
    """

    run: str
    readings: tuple[Reading, ...] = ()
    own_side: OwnSide | None = None
    moved: tuple[OwnSide, ...] = ()
    """That this is the first that is told from another network; with a second one after all the rest where the network
    changed meanwhile.
    """
    undated_s: float | None = None
    """Where nobody had told the time yet: how far this host's clock, by which all this is dated, was ahead of the timeline."""
    bytes_sent: int = 0
    bytes_received: int = 0
    bugs: int = 0


# ---------------------------------------------------------------------------------------------------------------------
# a round of endpoints


async def measure(
    kit: Kit,
    wire: Wire,
    settings: Settings,
    looks: Sequence[tuple[Asked, Kind]],
    archive: Archive | None = None,
) -> Came:
    """Measure endpoints as one run. ``cheap`` ones go through the full check if there is no ticket for them, or anything fails.

    Deep ones make the whole run deep, so they come apart. Cancelled, or ended by a bug of ours, it keeps what
    has been judged, and the run as broken off.
    """
    kinds = {asked.number: kind for asked, kind in looks}
    deep = "deep" in kinds.values()
    settings = replace(settings, profile="full" if deep else "light", deep=settings.deep and deep)
    begun_in = kit.look_around(wire)
    for asked, kind in looks:
        if kind != "cheap":
            kit.memory.forget(asked.endpoint.url)
    run, session = _begun(kit, wire, settings, tuple(asked for asked, _ in looks))
    kit.under_way.append(session.neutrals)
    results: list[EndpointResult] = []

    async def save(result: EndpointResult, _observations: Sequence[Observation]) -> None:
        results.append(result)

    try:
        crowd = _CONFIRMED_TO_THE_FULL if any(kind == "burst" for _, kind in looks) else CROWD
        ran = await Runner(session, save=save, listen=_nobody, crowd=crowd).run()
    except BaseException:  # somebody stops, or a bug of ours ended the run
        run = _timed(kit, replace(run, finished_us=wire.now_us(), interrupted=True))
        if archive is not None and results:
            moved = _moved(kit, run, begun_in, kit.look_around(wire))
            archive.put((*_changes(kit, session, run, results, kinds), *_own_sides(run, *moved)))
        raise
    finally:
        kit.rest(session.neutrals, session.recorder.observations, wire.monotonic())
    observations = session.recorder.observations
    run = _timed(kit, finished(run, ran, wire, observations))
    undated_s = _undated_s(kit, run, wire)
    changes = _changes(kit, session, run, results, kinds) if archive is not None else ()
    kept = any(change.table == "runs" for change in changes)
    whole = _whole_look_us(observations)
    own = _own_side(kit, run, ran.network, at_us=whole, kept=kept) if whole is not None else None
    ended_in = kit.look_around(wire)
    moved = _moved(kit, run, begun_in, ended_in)
    if archive is not None:
        await _kept(archive.put((*changes, *_own_sides(run, own, *moved))))
    kit.moves_told = max(kit.moves_told, ended_in)
    _tell(kit, observations)
    return Came(
        run=run.id,
        moved=moved,
        readings=tuple(_reading(kit, run, result, kinds[result.number]) for result in ran.results),
        own_side=own,
        undated_s=undated_s,
        **_costs(observations),
    )


def _changes(
    kit: Kit, session: Session, run: Run, results: Sequence[EndpointResult], kinds: Mapping[int, Kind]
) -> Changes:
    """What the archive keeps of a round: healthy cheap looks in short form, everything if anything was not well."""
    from storage import rounds

    asked = {one.number: one for one in session.asked}
    mine: dict[int | None, list[Observation]] = defaultdict(list)
    for o in session.recorder.observations:
        mine[o.endpoint].append(o)
    looked = [
        rounds.Looked(
            asked=asked[result.number],
            kind=_kind(result, kinds[result.number]),
            result=result,
            observations=tuple(mine[result.number]),
        )
        for result in results
    ]
    return rounds.changes(run, looked, mine[None], interface=kit.interface)


def _kind(result: EndpointResult, wanted: Kind) -> Kind:
    """How an endpoint was measured: one that a cheap look did not find well has been through the full check."""
    return "full" if wanted == "cheap" and result.verdict.status != "accessible" else wanted


def _reading(kit: Kit, run: Run, result: EndpointResult, wanted: Kind) -> Reading:
    verdict, offset_us = result.verdict, run.clock_offset_us or 0
    return Reading(
        run=run.id,
        endpoint=result.number,
        url=result.url,
        platform=result.platform,
        service=result.service,
        rule=result.rule,
        at_us=result.started_us + offset_us,
        until_us=result.started_us + result.duration_us + offset_us,
        status=verdict.status,
        method=verdict.method,
        signature=verdict.signature,
        confidence=verdict.confidence,
        basis=verdict.basis,
        where=verdict.where,
        kind=_kind(result, wanted),
        interface=kit.interface,
    )


# ---------------------------------------------------------------------------------------------------------------------
# a look at the own side


async def look(kit: Kit, wire: Wire, settings: Settings, archive: Archive | None = None, *, full: bool = False) -> Came:
    """Look at the own side: a question and a connection, once an hour a handshake, a test page and the time as well. As soon as
    that is not well, or *full*: all of it, twice if need be, and then what has stayed open.
    """
    begun_in = kit.look_around(wire)
    run, session = _begun(kit, wire, settings, ())
    verdict: NetworkVerdict | None = None
    # The first look of a process is a whole one: it learns where the sites abroad are, and what time it is.
    if not full and kit.greeted is not None:
        verdict = await _small_look(kit, session)
    known = _known_trouble(kit, verdict)
    whole = known is None and (verdict is None or verdict.status != "ok")
    if whole:
        verdict = await _whole_look(kit, session)
        kit.trouble = (kit.clock.timeline(), verdict) if verdict.status == "no_network" else None
    verdict = known or verdict
    assert verdict is not None
    observations = session.recorder.observations
    if (offset_us := clock.offset_us(observations)) is not None:
        kit.clock.learn(offset_us, wire.now_us())
    run = replace(
        run, finished_us=wire.now_us(), network_status=verdict.status, network_method=verdict.method, profile="light"
    )
    run = _timed(kit, run)
    undated_s = _undated_s(kit, run, wire)
    kept = archive is not None and whole and verdict.status != "ok"
    own = _own_side(kit, run, verdict, at_us=run.started_us, kind="full" if whole else "cheap", kept=kept)
    ended_in = kit.look_around(wire)
    moved = _moved(kit, run, begun_in, ended_in)
    if archive is not None:
        details = _details(run, observations) if kept else ()
        await _kept(archive.put((*details, *_own_sides(run, own, *moved))))
    kit.moves_told = max(kit.moves_told, ended_in)
    if verdict.status == "ok":
        kit.trouble = None
        kit.remember(observations)
    _tell(kit, observations)
    return Came(run=run.id, own_side=own, moved=moved, undated_s=undated_s, **_costs(observations))


def _details(run: Run, observations: Sequence[Observation]) -> Changes:
    """What the archive keeps of a look that was not well, besides its word."""
    from storage import rows

    return (*rows.begin(run, ()), *rows.add_observations(run.id, observations))


def _known_trouble(kit: Kit, small: NetworkVerdict | None) -> NetworkVerdict | None:
    """What a recent whole look said, if the *small* one finds the own side still down: it is asked whole again in a while.

    A plug that somebody has pulled since is seen by the small one itself, and would hide behind what was said of the line. A
    filter is not met by a small look, so what that finds broken is something else.
    """
    if small is None or small.status == "ok" or kit.trouble is None:
        return None
    since, verdict = kit.trouble
    if verdict.method == "filter" or small.method == "link" != verdict.method:
        return None
    return verdict if kit.clock.timeline() - since < WHOLE_EVERY_S else None


async def _small_look(kit: Kit, session: Session) -> NetworkVerdict:
    now = kit.clock.timeline()
    due = now - (kit.greeted or 0.0) >= GREET_EVERY_S
    turn, kit.looks = kit.looks, kit.looks + 1
    hourly: tuple[Also, ...] = ("greet", "page", "clock")
    await network.glance(session, "before", 0, turn=turn, also=hourly if due else ())
    if due:
        kit.greeted = now
        if clock.offset_us(session.recorder.observations) is None:
            # Nobody told, or one alone told much: a second one is asked.
            await network.glance(session, "before", 1, turn=turn + 1, also=hourly[2:])
    return _judged(session)


async def _whole_look(kit: Kit, session: Session) -> NetworkVerdict:
    kit.greeted = kit.clock.timeline()
    await network.own_side(session, "before", 2)
    if (verdict := _judged(session)).status == "ok":
        return verdict
    await session.wire.sleep(session.settings.deadlines.own_side_gap)
    await network.own_side(session, "after", 3)
    if (verdict := _judged(session)).status == "ok" or verdict.method not in _MAY_HAVE_HOLES:
        return verdict
    session.network = verdict
    abroad = {address: name for name, address in kit.abroad.items()}
    await holes.run(session, tuple(abroad))
    await holes.names(session, [(name, address) for address, name in abroad.items()])
    return _judged(session)


class _Costs(TypedDict):
    bytes_sent: int
    bytes_received: int
    bugs: int


def _judged(session: Session) -> NetworkVerdict:
    return judge_network(View(session.recorder.observations, ()))


# ---------------------------------------------------------------------------------------------------------------------
# common


def _begun(kit: Kit, wire: Wire, settings: Settings, asked: tuple[Asked, ...]) -> tuple[Run, Session]:
    request = CheckRequest(
        asked=asked,
        settings=settings,
        catalogue=kit.catalogue,
        opt_ins=kit.opt_ins,
        canaries=kit.canaries,
        trust=kit.trust,
        fingerprints=kit.fingerprints,
        networks=kit.networks,
    )
    session = open_session(request, wire)
    session.pacer, session.neutrals, session.memory = kit.pacer, kit.drawn_from(wire), kit.memory
    run = begin_run(request, session)
    session.record(context_of(request, session, run), purpose="context")
    return run, session


def _timed(kit: Kit, run: Run) -> Run:
    """*run* with what is known of this host's clock: from the run itself, else from an earlier look."""
    if run.clock_offset_us is not None:
        kit.clock.learn(run.clock_offset_us, run.finished_us or run.started_us)
        return run
    return replace(run, clock_offset_us=kit.clock.at(run.finished_us or run.started_us))


def _undated_s(kit: Kit, run: Run, wire: Wire) -> float | None:
    return kit.clock.apart_s(wire.now_us()) if run.clock_offset_us is None else None


def _own_side(
    kit: Kit, run: Run, verdict: NetworkVerdict, *, at_us: int, kind: Kind = "full", kept: bool = True
) -> OwnSide:
    told = str(verdict.findings[0].parameters.get("holes", "")) if verdict.findings else ""
    return OwnSide(
        run=run.id if kept else "",
        at_us=at_us + (run.clock_offset_us or 0),
        status=verdict.status,
        method=verdict.method,
        holes=tuple(hole for hole in told.split(", ") if "/" in hole),
        interface=kit.interface,
        kind=kind,
    )


def _moved(kit: Kit, run: Run, begun_in: int, ended_in: int) -> tuple[OwnSide, ...]:
    """That *run* is not to be added up with what was before it; nor, if it ended in another network, with what comes.

    Whatever ends first tells of a move, whoever noticed it: what is measured in the new network must not be told before.
    """
    if begun_in == ended_in <= kit.moves_told:
        return ()
    ended_us = run.finished_us or run.started_us
    moments = (run.started_us - 1, *((ended_us + 1,) if begun_in != ended_in else ()))
    return tuple(
        OwnSide(
            run="",
            at_us=moment + (run.clock_offset_us or 0),
            status="inconclusive",
            method=MOVED,
            interface=kit.interface,
            kind="cheap",
        )
        for moment in moments
    )


def _own_sides(run: Run, *told: OwnSide | None) -> Changes:
    """What the archive keeps of what was *told* in *run*. In one transaction with its details, or a kill leaves half of it."""
    from storage import own_sides

    offset_us = run.clock_offset_us or 0
    made: list[Change] = []
    for own in told:
        if own is not None:
            # The archive has this host's own time beside the offset, as everywhere.
            made += own_sides.changes(replace(own, at_us=own.at_us - offset_us), run.clock_offset_us)
    return tuple(made)


async def _kept(future: Future[None]) -> None:
    """Wait until it is kept. A disk that is full takes the record, not the process: the archive tells what is the matter."""
    from storage.errors import StorageError

    with contextlib.suppress(StorageError):
        await asyncio.wrap_future(future)


def _whole_look_us(observations: Sequence[Observation]) -> int | None:
    """When the last look at all of the own side began in a round, which only happens once something is in trouble; ``None``
    where there was none. A round that asks on for a minute is not dated by its first second: others have looked since.
    """
    asked = [o for o in observations if o.purpose == "own_side" and (o.member or "").startswith("domestic/")]
    last = max((o.round or 0 for o in asked), default=0)
    return min((o.operation.started_us for o in asked if (o.round or 0) == last), default=None)


def _tell(kit: Kit, observations: Sequence[Observation]) -> None:
    if kit.heard is not None:
        kit.heard(observations)


def _costs(observations: Sequence[Observation]) -> _Costs:
    here = [o for o in observations if o.vantage == "local"]
    return {
        "bytes_sent": sum(o.operation.bytes_sent for o in here),
        "bytes_received": sum(o.operation.bytes_received for o in here),
        "bugs": sum(o.operation.kind == "bug" for o in here),
    }


def _nobody(_event: object) -> None:
    """Nobody watches a round."""
