"""Who takes the answers is asked for where answers may be taken, and nowhere else."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest

from probe.experiments import answers_taken, locate
from probe.experiments.steps import Place
from probe.instruments import path
from probe.observations import Observation, Operation, PathFact, Recorder
from tests.unit.facts import NEUTRALS, Facts
from tests.unit.verdict_scenarios_located import DISTANCE, blocked_and_followed
from tests.unit.verdict_scenarios_this_side import at_routers

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not path.CHANGES, reason="only Linux can say one thing after another"),
]
GROUND = locate.Ground(NEUTRALS[0], 443, "www.facebook.com", "www.opensuse.org")


def names(story: Facts, recorder: Recorder, ground: locate.Ground = GROUND) -> Any:
    """What was followed along the way so far; every connection opens at once."""

    def record(operation: Operation, place: Place) -> Observation:
        return recorder.add(operation, **place.fields())

    async def opened(*_about: object) -> object:
        return object()

    async def sleep(_seconds: float) -> None:
        """No time passes."""

    wire: Any = types.SimpleNamespace(sleep=sleep)
    place = Place(purpose="locate", endpoint=1, group=f"name/{NEUTRALS[0]}")
    tools = locate.Tools(wire, record=record, flow=sleep, place=place)  # type: ignore[arg-type]
    seen = [o for o in story.observations if o.purpose == "locate"]
    return types.SimpleNamespace(
        tools=tools, ground=ground, seen=seen, open=opened, silence_s=lambda _: 0.1, later_s=lambda _: 0.2
    )


async def said(
    monkeypatch: pytest.MonkeyPatch, story: Facts, ground: locate.Ground = GROUND
) -> tuple[list[Any], Recorder]:
    """What was said, and what was kept of it."""
    asked: list[Any] = []

    async def say(*_where: object, **how: Any) -> Operation:
        asked.append(types.SimpleNamespace(**how))
        fact = PathFact(sent="hello", ttl=how["ttl"], sni=how["words"].name, came="icmp", later="answer")
        return Operation(fact=fact, started_us=1)

    monkeypatch.setattr(path, "say", say)
    recorder = Recorder()
    await answers_taken.ask(names(story, recorder, ground))
    return asked, recorder


@pytest.mark.parametrize(
    "story", [lambda: blocked_and_followed(manner="reply"), lambda: blocked_and_followed(DISTANCE - 1)]
)
async def test_the_name_is_said_as_far_as_the_first_router_outside(
    story: Callable[[], Facts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some times, with another name from there on; kept apart from what tells places."""
    asked, recorder = await said(monkeypatch, story())
    assert len(asked) == answers_taken.TRIES
    assert {(one.words.name, one.instead.name, one.ttl) for one in asked} == {(GROUND.target, GROUND.innocuous, 2)}
    assert {(o.purpose, o.group, o.arm) for o in recorder.observations} == {("locate", f"near/{NEUTRALS[0]}", "target")}


async def test_routers_of_the_house_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one whose address no house has is the one that must have had it."""
    asked, _ = await said(monkeypatch, at_routers(blocked_and_followed(manner="reply"), hop2="private"))
    assert {one.ttl for one in asked} == {3}


@pytest.mark.parametrize(
    ("story", "ground"),
    [
        (blocked_and_followed, GROUND),
        (lambda: blocked_and_followed(device=1), GROUND),
        (
            lambda: at_routers(
                blocked_and_followed(manner="reply"), hop2="private", hop3="private", hop4="private", hop5="private"
            ),
            GROUND,
        ),
        # Requests of two lengths cannot take each other's place.
        (
            lambda: blocked_and_followed(manner="reply"),
            locate.Ground(NEUTRALS[0], 80, "a.example", "bb.example", "Mozilla"),
        ),
    ],
)
async def test_nothing_is_said_where_nothing_can_be_learnt(
    story: Callable[[], Facts], ground: locate.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the name is stopped on its way, where no router is outside, and where the words have two lengths."""
    asked, recorder = await said(monkeypatch, story(), ground)
    assert not asked
    assert not recorder.observations
