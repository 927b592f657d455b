"""Playing an act: open its pretend Internet, run the ordinary check in it, and hold the verdicts against what was done."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from probe.demo import abroad
from probe.demo.internet import open_internet
from probe.demo.neighbourhood import quiet_neighbourhood, with_http3
from probe.demo.scene import Act, Scene, stage
from probe.demo.wire import DemoWire
from probe.instruments import quic
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.runner import Listener
from probe.settings import Settings
from probe.verdict.model import EndpointResult
from probe.workflows.check import CheckOutcome, CheckRequest, check
from targets.loader import load_canaries
from targets.model import Asked, Endpoint

HURRY = 5.0
"""The demo's only liberty: every deadline is this many times shorter. Loopback has no distances."""


AT_ONCE = 3
"""Acts that are played side by side."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A scene and what the program made of it."""

    scene: Scene
    result: EndpointResult

    @property
    def right(self) -> bool:
        """Whether the verdict is one of those that were written down beforehand."""
        return any(accepted.covers(self.result.verdict) for accepted in self.scene.accepted)


@dataclass(frozen=True, slots=True)
class Played:
    """An act that has been played: one :class:`Judged` a scene, and the whole outcome of its check."""

    act: Act
    outcome: CheckOutcome
    judged: tuple[Judged, ...]

    @property
    def right(self) -> bool:
        """Whether every verdict is right, and nothing in the program broke on the way."""
        return not self.outcome.bugs and all(judged.right for judged in self.judged)


async def play(act: Act, listen: Listener, *, database: str | None = None) -> Played:
    """Check the scenes of *act* in a pretend Internet of its own, as shipped but for the hurry."""
    canaries = load_canaries()
    quiet = quiet_neighbourhood(canaries)
    world = stage(act, with_http3(quiet, canaries) if act.quic else quiet)
    with tempfile.TemporaryDirectory(prefix="dalel-demo-") as folder:
        async with contextlib.AsyncExitStack() as stack:
            internet = await stack.enter_async_context(open_internet(world, Path(folder)))
            trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
            # A check warms up while its first questions travel. Here they do not travel, and deadlines are short.
            warm(trust)
            settings = replace(Settings().hurried(HURRY), only=act.only)
            if act.control:
                away, place = stage(act.abroad(), quiet), Path(folder) / "abroad"
                control = await stack.enter_async_context(abroad.control(away, canaries, place, internet, HURRY))
                settings = replace(settings, controls=(control,), country=abroad.HOME)
            request = CheckRequest(
                asked=_asked(act.scenes),
                settings=settings,
                catalogue=f"demo ({act.name})",
                database=database,
                canaries=canaries,
                trust=trust,
            )
            outcome = await check(request, DemoWire(internet), listen)
    judged = tuple(Judged(scene, result) for scene, result in zip(act.scenes, outcome.results, strict=True))
    return Played(act, outcome, judged)


async def perform(acts: Sequence[Act], listen: Listener, told: Callable[[Played], None]) -> tuple[Played, ...]:
    """Play *acts*, some side by side: most of an act is waiting. *told* hears of each, in the order given."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def in_turn(act: Act) -> Played:
        async with slots:
            return await play(act, listen)

    played = []
    async with asyncio.TaskGroup() as group:
        for task in [group.create_task(in_turn(act)) for act in acts]:
            played.append(await task)
            told(played[-1])
    return tuple(played)


def chosen(programme: Iterable[Act], names: Iterable[str]) -> tuple[Act, ...]:
    """The acts and scenes called *names*, in the programme's order; everything when there are none.

    Raises ``KeyError`` with the first name that nothing is called.
    """
    wanted = list(dict.fromkeys(names))
    acts = tuple(programme)
    known = {act.name for act in acts} | {scene.name for act in acts for scene in act.scenes}
    for name in wanted:
        if name not in known:
            raise KeyError(name)
    if not wanted:
        return acts
    narrowed = (
        act if act.name in wanted else replace(act, scenes=tuple(s for s in act.scenes if s.name in wanted))
        for act in acts
    )
    return tuple(act for act in narrowed if act.scenes)


def playable(programme: Iterable[Act]) -> tuple[tuple[Act, ...], tuple[Act, ...]]:
    """The acts that can be played on this computer, and those for which aioquic is missing (``dalel[quic]``)."""
    acts = tuple(programme)
    if not any(act.quic for act in acts) or quic.is_here():
        return acts, ()
    return tuple(act for act in acts if not act.quic), tuple(act for act in acts if act.quic)


def _asked(scenes: Iterable[Scene]) -> tuple[Asked, ...]:
    return tuple(
        Asked(number=number, endpoint=Endpoint(scene.url), target=scene.url, named_as_url=True)
        for number, scene in enumerate(scenes, start=1)
    )
