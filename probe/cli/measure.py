"""Running one check to its end, or to the signal that stops it; what was measured until then is handed over."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field, replace

from probe.observations import BugFact, Observation
from probe.report.controls import unknown_tokens
from probe.report.pieces import Pieces
from probe.runner import Event, Judged, Listener, OwnSide, Started
from probe.verdict.model import EndpointResult, NetworkVerdict, Run
from probe.verdict.rollup import roll_up
from probe.wire import Wire
from probe.workflows.check import CheckOutcome, CheckRequest, check
from targets.model import Asked, Platform


@dataclass(slots=True)
class Measured:
    """What came of it: the pieces (``None`` if it was stopped before it began), bugs, and the signal that stopped it."""

    pieces: Pieces | None
    bugs: tuple[BugFact, ...] = ()
    stopped_by: int | None = None


@dataclass(slots=True)
class _Heard:
    """What the events of a run have told so far: all there is, if it is stopped."""

    run: Run | None = None
    asked: tuple[Asked, ...] = ()
    network: NetworkVerdict = field(default_factory=lambda: NetworkVerdict(status="inconclusive"))
    results: dict[int, EndpointResult] = field(default_factory=dict)
    observations: dict[int, Observation] = field(default_factory=dict)

    def hear(self, event: Event) -> None:
        if isinstance(event, Started):
            self.run, self.asked = event.run, event.asked
        elif isinstance(event, OwnSide):
            self.network = event.network
        elif isinstance(event, Judged):
            self.results[event.result.number] = event.result
            self.observations |= {o.number: o for o in event.observations}

    def pieces(self, finished_us: int, kept_in: str | None, platforms: tuple[Platform, ...]) -> Pieces | None:
        """Only what was measured. A platform has its word only if all of it was."""
        if self.run is None:
            return None
        missing = {asked.platform for asked in self.asked if asked.number not in self.results}
        results = tuple(self.results[asked.number] for asked in self.asked if asked.number in self.results)
        return Pieces(
            run=replace(self.run, interrupted=True, finished_us=finished_us),
            network=self.network,
            results=results,
            platforms=tuple(word for word in roll_up(results, platforms) if word.platform not in missing),
            observations=tuple(self.observations[number] for number in sorted(self.observations)),
            trust=self.run.trust,
            kept_in=kept_in,
        )


def measure(request: CheckRequest, wire: Wire, listen: Listener, *, kept_in: str | None) -> Measured:
    """Run the check. Only bugs, and what the user can put right (``StorageError``, ``OSError`` by *listen*), raise."""
    heard = _Heard()
    stopped: list[int] = []
    unwritable: list[OSError] = []

    def hear(event: Event) -> None:
        heard.hear(event)
        if not stopped:
            listen(event)

    try:
        outcome = asyncio.run(_stoppable(request, wire, hear, stopped, unwritable))
    except asyncio.CancelledError:
        if unwritable:
            raise unwritable[0] from None
        if not stopped:
            raise
        return Measured(heard.pieces(wire.now_us(), kept_in, request.platforms), stopped_by=stopped[0])
    bugs = tuple(o.fact for o in outcome.observations if isinstance(o.fact, BugFact))
    return Measured(_pieces(outcome, kept_in), bugs=bugs, stopped_by=stopped[0] if stopped else None)


async def _stoppable(
    request: CheckRequest, wire: Wire, listen: Listener, stopped: list[int], unwritable: list[OSError]
) -> CheckOutcome:
    """The first signal cancels and lets the archive finish; the second leaves at once. So does output without room."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def stop(number: int) -> None:
        if stopped:
            os._exit(128 + number)
        stopped.append(number)
        task.cancel()

    def told(event: Event) -> None:
        try:
            listen(event)
        except BrokenPipeError:  # whoever read the results has gone: there is nobody to measure for
            stopped.append(signal.SIGPIPE)
            task.cancel()
        except OSError as error:  # results are streamed to a disk that is full
            unwritable.append(error)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    try:
        return await check(request, wire, told)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _pieces(outcome: CheckOutcome, kept_in: str | None) -> Pieces:
    return Pieces(
        run=outcome.run,
        network=outcome.network,
        results=outcome.results,
        platforms=outcome.platforms,
        observations=outcome.observations,
        trust=outcome.trust,
        kept_in=kept_in,
        unsaved=outcome.unsaved,
        notes=(*outcome.notes, *unknown_tokens(outcome.observations)),
        cut_short=outcome.cut_short,
    )
