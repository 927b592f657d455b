"""Where many endpoints are in trouble at once: flows are promised, places shared, and what cannot decide is left out."""

import asyncio
import random

import pytest

from probe.experiments.pacing import KEPT, Pacer, Turns
from probe.wire import Wire
from targets.model import Asked, Endpoint

pytestmark = pytest.mark.anyio


class Clockwork(Wire):
    """A wire whose time only passes in sleep()."""

    def __init__(self) -> None:
        super().__init__(rng=random.Random(1))
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def pacer(spare: int) -> Pacer:
    """One that may promise *spare* flows."""
    return Pacer(Clockwork(), per_second=1000, per_120_s=KEPT + spare)


async def asks_for(paces: Pacer, flows: int, *, wait: bool = True) -> bool:
    """Whether so many were promised; given back at once."""
    async with paces.promised(flows, wait=wait) as granted:
        return granted


async def test_what_is_promised_is_promised_to_nobody_else():
    """While one piece of work holds flows, another that does not wait is refused what is not left beside them."""
    paces = pacer(20)
    async with paces.promised(12) as first:
        assert first
        assert not await asks_for(paces, 9, wait=False)
        assert await asks_for(paces, 8, wait=False)


async def test_flows_that_were_not_begun_are_given_back():
    """Of twelve promised and five begun, seven are there again for whoever waits."""
    paces = pacer(12)
    async with asyncio.TaskGroup() as group:
        async with paces.promised(12):
            waiting = group.create_task(asks_for(paces, 7))
            for _ in range(5):
                await paces.flow()
            await asyncio.sleep(0.02)
            assert not waiting.done()
        assert await asyncio.wait_for(waiting, 1)
    assert not await asks_for(paces, 8)


async def test_promises_of_equal_size_are_told_apart():
    """What is given back is the own promise and not another one that has as many flows left."""
    paces = pacer(20)
    async with paces.promised(5):
        async with paces.promised(5):
            pass
        for _ in range(5):
            await paces.flow()
        assert await asks_for(paces, 15, wait=False)
    assert not await asks_for(paces, 16)


async def test_nobody_waits_for_flows_that_nobody_holds():
    """Where no promise is left that could be given back, the answer is no, and not two minutes of waiting."""
    paces = pacer(5)
    for _ in range(3):
        await paces.flow()
    assert not await asyncio.wait_for(asks_for(paces, 3), 1)


async def test_flows_of_tasks_begun_inside_are_paid_for_by_the_promise():
    """A follow-up asks in tasks of its own: their flows are the promised ones, and count once."""
    paces = pacer(10)
    async with paces.promised(6):
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(paces.flow())
        assert await asks_for(paces, 4, wait=False)
        assert not await asks_for(paces, 5, wait=False)


def asked(number: int, platform: str) -> Asked:
    return Asked(number=number, endpoint=Endpoint(f"https://e{number}.example/"), target=platform, platform=platform)


async def yes() -> bool:
    return True


async def test_on_a_brisk_line_one_platform_need_not_wait_for_its_first():
    """One of many at once goes beside its platform's first; without that it waits for its end."""
    turns = Turns(at_once=1, wide=3)
    assert await turns.take(asked(0, "a"), yes)
    assert await asyncio.wait_for(turns.take(asked(1, "a"), yes), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(turns.take(asked(2, "a")), 0.05)


async def test_many_at_once_are_bounded_too():
    """The fourth waits where three may go at once, and takes the turn that is given back."""
    turns = Turns(at_once=1, wide=3)
    for number in range(3):
        await turns.take(asked(number, "a"), yes)
    async with asyncio.TaskGroup() as group:
        fourth = group.create_task(turns.take(asked(3, "a"), yes))
        await asyncio.sleep(0.02)
        assert not fourth.done()
        turns.give_back(asked(1, "a"))
        assert await asyncio.wait_for(fourth, 1)


async def test_whoever_asks_for_a_turn_is_in_trouble_at_once():
    """A crowd is seen before anybody's turn has come, or it is known how the line is."""
    turns = Turns(at_once=1, crowd=2)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(turns.take(asked(number, str(number)))) for number in range(3)]
        await asyncio.sleep(0.02)
        assert turns.crowded
        for task in tasks:
            task.cancel()
