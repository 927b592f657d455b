"""Endpoints in, results out: passes, budgets, pacing and progress events. Hands each result to the save() it was given."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from probe.experiments import cheap, holes, throttling, website
from probe.experiments.apps import walk
from probe.experiments.network import Also, glance, own_side
from probe.experiments.pacing import CROWD, Turns
from probe.experiments.session import Session, guarded, record_bug
from probe.experiments.site import Site
from probe.experiments.suspicion import follow_ups
from probe.instruments.dns_lingering import Lingering
from probe.instruments.warm import warm
from probe.observations import ContextFact, HostFact, Observation
from probe.verdict.judge import judge
from probe.verdict.model import EndpointResult, NetworkVerdict, Run, Verdict
from probe.verdict.network import judge_network
from probe.verdict.ruleset import RULESET
from probe.verdict.view import View
from targets.model import Asked


@dataclass(frozen=True, slots=True)
class Started:
    """The run has begun; nothing has been sent yet."""

    run: Run
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class OwnSide:
    """What is known of the probe's own network so far."""

    network: NetworkVerdict


@dataclass(frozen=True, slots=True)
class Step:
    """An endpoint has come to a step: ``baseline``, or the name of a follow-up."""

    number: int
    step: str


@dataclass(frozen=True, slots=True)
class Judged:
    """An endpoint has its verdict, and it has been saved if anything is saved."""

    result: EndpointResult
    observations: tuple[Observation, ...] = ()


SILENT_S = 0.75
"""Where nothing at all has come back for so long, hardly anything will: longer than a round trip by satellite."""
_NOTHING_CAME = ("generic_timeout_error", "interrupted")
_NOTHING: tuple[Also, ...] = ()
_PAGE: tuple[Also, ...] = ("page",)

Event = Started | OwnSide | Step | Judged
Listener = Callable[[Event], None]
Save = Callable[[EndpointResult, Sequence[Observation]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run came to. ``unsaved`` are observations that no result has carried to ``save`` yet."""

    network: NetworkVerdict
    results: tuple[EndpointResult, ...]
    unsaved: tuple[Observation, ...]


class Runner:
    """Runs one session: own side and baselines at once, follow-ups as suspicion arises, a verdict an endpoint.

    *crowd*: with more endpoints than that in trouble, no more is asked of each than its word needs.
    """

    def __init__(self, session: Session, *, save: Save, listen: Listener, crowd: int = CROWD) -> None:
        self._session = session
        self._save = save
        self._listen = listen
        self._turns = Turns(crowd=crowd)
        self._results: dict[int, EndpointResult] = {}
        self._handed_over = 0
        self._own_side = asyncio.Lock()
        self._own_side_begun = 0.0
        self._rounds = 0
        self._unfinished = len(session.asked)

    async def run(self) -> Ran:
        """Measure and judge every endpoint. A network failure is a result; only a bug of ours raises."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._before())
            for asked in self._session.asked:
                group.create_task(self._endpoint(asked))
            # Heavy imports, while the first questions are on their way: in a handshake they would look like a slow server.
            group.create_task(asyncio.to_thread(warm, self._session.trust))
        network = self._judge_network()
        results = tuple(self._results[asked.number] for asked in self._session.asked)
        return Ran(network=network, results=results, unsaved=self.unsaved())

    def unsaved(self) -> tuple[Observation, ...]:
        """Observations that have not been handed to ``save`` yet; they count as handed over from here on."""
        fresh = tuple(self._session.recorder.observations[self._handed_over :])
        self._handed_over = len(self._session.recorder.observations)
        return fresh

    # the own side

    async def _before(self) -> None:
        try:
            if await self._small_look_is_enough():
                return
            if not await self._first_look() and self._may_be_shut():
                self._session.second_look = asyncio.Event()
        finally:
            self._session.own_side_known.set()
            self._session.glanced.set()
        if self._session.second_look is not None:
            try:
                await self._search_for_holes()
            finally:
                self._session.second_look.set()
        if self._session.network is not None and self._session.network.status == "no_network":
            self._session.hopeless.set()

    async def _first_look(self) -> bool:
        """Look at the own side. Whether nothing came back at all, not even of a second look and of a search for holes, which
        begin as soon as the first one is met with silence everywhere: then there is nothing more to be learned.
        """
        async with asyncio.TaskGroup() as group:
            look = group.create_task(self._own_side_round("before"))
            await asyncio.wait({look}, timeout=SILENT_S * self._session.settings.deadline_scale)
            if look.done() or self._has_heard():
                return False
            group.create_task(holes.search(self._session))
            group.create_task(self._own_side_round("after"))
        return not self._has_heard()

    def _has_heard(self) -> bool:
        """Whether anything at all came of what was asked so far, be it a refusal, or that there is no way out."""
        said = (o for o in self._session.recorder.observations if not isinstance(o.fact, HostFact | ContextFact))
        return any(o.failure not in _NOTHING_CAME for o in said)

    def _may_be_shut(self) -> bool:
        return View(self._session.recorder.observations, self._session.asked).own_side.may_be_shut

    async def _search_for_holes(self) -> None:
        """Where nobody abroad answers: look once more, and meanwhile what has stayed open, for that tells who did it."""
        session = self._session
        async with self._own_side, asyncio.TaskGroup() as group:
            group.create_task(holes.search(session))
            await session.wire.sleep(session.settings.deadlines.own_side_gap)
            await self._own_side_round("after")
        session.network = self._judge_network()
        self._listen(OwnSide(session.network))

    async def _small_look_is_enough(self) -> bool:
        """In a daemon's round, where nearly always all is well: whether a small look found the own side so, and nothing in the
        whole run was in trouble. A check by hand looks at everything at once.
        """
        session = self._session
        if session.memory is None:
            return False
        number, self._rounds = self._rounds, self._rounds + 1
        by_word = all(asked.endpoint.scheme == "https" for asked in session.asked)
        await glance(session, "before", number, also=_NOTHING if by_word else _PAGE)
        session.network = self._judge_network()
        if session.network.status != "ok":
            return False
        self._listen(OwnSide(session.network))
        session.glanced.set()
        if self._unfinished:
            await session.trouble.wait()
        return not self._unfinished

    def _has_finished(self) -> None:
        self._unfinished -= 1
        if not self._unfinished:
            self._session.trouble.set()  # nobody is waiting for more than a small look any longer

    async def _after(self, since: float) -> None:
        """A round begun after *since*: endpoints that end together share one."""
        if self._session.hopeless.is_set():
            return
        async with self._own_side:
            if self._own_side_begun > since or self._session.hopeless.is_set():
                return
            # A whole list that fails ends endpoint by endpoint; a round each would be the most that is sent.
            since_last = self._session.wire.monotonic() - self._own_side_begun
            await self._session.wire.sleep(self._session.settings.deadlines.own_side_gap - since_last)
            await self._own_side_round("after")

    async def _own_side_round(self, group: str) -> None:
        self._own_side_begun = self._session.wire.monotonic()
        number, self._rounds = self._rounds, self._rounds + 1
        await own_side(self._session, group, number)
        self._session.network = self._judge_network()
        self._listen(OwnSide(self._session.network))

    def _judge_network(self) -> NetworkVerdict:
        return judge_network(View(self._session.recorder.observations, self._session.asked))

    # an endpoint

    async def _endpoint(self, asked: Asked) -> None:
        session = self._session
        started_us, started = session.wire.now_us(), session.wire.monotonic()
        self._listen(Step(asked.number, "baseline"))
        failures: asyncio.Future[Site] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._measure(asked, failures))
            site = await failures
            ended = session.wire.monotonic()
            if asked.endpoint.scheme != "https":
                # Whoever stands in the way can take a connection or write a page; only a verified chain speaks for itself.
                await session.glanced.wait()
            # A page that came slowly is compared by name, and what takes every connection has to be ruled out there as well.
            if not site.succeeded or throttling.NAME in site.started:
                session.trouble.set()
                await session.own_side_known.wait()
                self._listen(Step(asked.number, "network"))
                await self._after(ended)
        duration_us = int((session.wire.monotonic() - started) * 1e6)
        await self._conclude(site, started_us, duration_us)
        self._has_finished()

    async def _measure(self, asked: Asked, failures: asyncio.Future[Site]) -> None:
        """Everything about one endpoint but the word. *failures* is told the site when no more of them can come."""
        lingering: list[Lingering] = []
        try:
            async with asyncio.TaskGroup() as group:
                site = Site(
                    session=self._session,
                    asked=asked,
                    group=group,
                    on_step=lambda step: self._listen(Step(asked.number, step)),
                    turns=self._turns,
                    follow_ups=follow_ups,
                    lingering=lingering,
                )
                baseline = group.create_task(self._baseline(site))
                warden = group.create_task(self._give_up(site, baseline))
                await asyncio.wait({baseline})
                warden.cancel()
                await site.failures_are_in()
                if not failures.cancelled():
                    failures.set_result(site)
            for operation in (late for listening in lingering for late in listening.drain()):
                site.record(operation, purpose="late")
        finally:
            self._turns.give_back(asked)
            for listening in lingering:
                listening.close()

    async def _baseline(self, site: Site) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._session.settings.deadlines.endpoint):
                baseline = website.run if site.asked.endpoint.app is None else walk.run
                await guarded(self._session, "website", baseline(site), endpoint=site.number)

    async def _give_up(self, site: Site, baseline: asyncio.Task[None]) -> None:
        """End a wait that the own side explains: nothing more can be learned from it."""
        await self._session.hopeless.wait()
        # Whether a wrong clock explains a failure is told by the dates of the certificate, and a handshake is no long wait.
        wrong_clock = self._session.network is not None and self._session.network.method == "clock"
        if self._session.excused(site.stage) and not wrong_clock:
            baseline.cancel()

    def _judge(self, asked: Asked) -> Verdict:
        """The verdict on the facts so far. A bug in the judge is ours, is recorded, and loses no measurement."""
        session = self._session
        try:
            return judge(View(session.recorder.observations, session.asked), asked, session.settings.priors)
        except Exception as error:
            record_bug(session, "verdict", error, endpoint=asked.number)
            horizon = len(session.recorder.observations)
            return Verdict(endpoint=asked.number, status="inconclusive", horizon=horizon, ruleset=RULESET)

    async def _conclude(self, site: Site, started_us: int, duration_us: int) -> None:
        session, asked = self._session, site.asked
        verdict = self._judge(asked)
        if session.memory is not None:
            cheap.learn(session.memory, site, verdict)
        mine = [o for o in session.recorder.observations if o.endpoint == asked.number]
        result = EndpointResult(
            number=asked.number,
            target=asked.target,
            url=asked.endpoint.url,
            platform=asked.platform,
            service=asked.service,
            rule=asked.rule,
            profile=session.settings.profile,
            verdict=verdict,
            observations=tuple(o.number for o in mine),
            started_us=started_us,
            duration_us=duration_us,
            bytes_sent=sum(o.operation.bytes_sent for o in mine if o.vantage == "local"),
            bytes_received=sum(o.operation.bytes_received for o in mine if o.vantage == "local"),
            named_as_url=asked.named_as_url,
        )
        await self._save(result, self.unsaved())
        self._results[asked.number] = result
        self._listen(Judged(result, tuple(mine)))
