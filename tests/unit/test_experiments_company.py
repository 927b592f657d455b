"""Two names that share a neutral place: whose arm is when, what is kept for whom, and when either is out."""

import asyncio
import contextvars
import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from probe.experiments.company import Companions, Seat, Together, leave
from probe.experiments.steps import ArmResult
from probe.observations import Arm, Operation, Recorder, TlsFact
from probe.settings import Settings
from probe.wire import Wire

pytestmark = pytest.mark.anyio

GROUP = "neutral/1"


class Clockwork(Wire):
    """A wire whose time only passes in sleep()."""

    def __init__(self) -> None:
        super().__init__(rng=random.Random(1))
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Named:
    """As much of an endpoint as sharing needs. ``fails``: what becomes of its name's arms, by round; the last goes on."""

    def __init__(self, number: int, session: Any, *fails: bool, host: str = "") -> None:
        self.number, self.session, self.fails, self.succeeded = number, session, fails or (True,), False
        self.host = host or f"name{number}.example"
        self.wire, self.settings = session.wire, Settings().hurried(10)

    def record(self, operation: Operation, **place: Any) -> None:
        self.session.recorder.add(operation, **(place | {"endpoint": self.number}))


@dataclass
class Asks:
    """A pair's arms, noted in the order in which they are sent. ``innocuous``: what becomes of the other name's, by round."""

    site: Named
    order: list[tuple[str, int]]
    innocuous: tuple[bool, ...] = (True,)
    learned: list[bool] = field(default_factory=list)

    async def send(self, which: Arm, number: int) -> ArmResult:
        label = self.site.host[:5] if which == "target" else "other"
        self.order.append((label, number))
        told = [not fails for fails in self.site.fails] if which == "target" else list(self.innocuous)
        passed = told[min(number, len(told) - 1)]
        operation = Operation(
            fact=TlsFact(sni=label, verify=False, server_hello=passed),
            started_us=len(self.order),
            failure=None if passed else "generic_timeout_error",
            bytes_sent=700,
            bytes_received=1100,
        )
        self.site.record(operation, purpose="neutral_pair", group=GROUP, arm=which, round=number)
        return ArmResult(passed=passed, connected=True, elapsed_s=0.1, operation=operation)

    def learn(self, innocuous: ArmResult) -> None:
        self.learned.append(innocuous.passed)


def session() -> Any:
    return SimpleNamespace(wire=Clockwork(), recorder=Recorder())


def seat(site: Any) -> Seat:
    loop = asyncio.get_running_loop()
    return Seat(site, contextvars.copy_context(), loop.create_future(), loop.create_future())


async def shared(
    *sites: Named, innocuous: tuple[bool, ...] = (True,)
) -> tuple[tuple[bool, ...], list[tuple[str, int]]]:
    """What came of each name, and the arms in their order."""
    order: list[tuple[str, int]] = []
    pairs: list[Any] = [Asks(site, order, innocuous) for site in sites]
    together = Together(GROUP, [seat(site) for site in sites], pairs)
    if not (await together.innocuous(0)).passed:
        return (), order
    return await together.alternate(6), order


async def test_each_name_takes_turns_with_the_innocuous_one_and_neither_is_always_behind_the_other():
    """I T U I U T I T U …: six failures of each, five successes, one of them between any two failures of one name but the last
    two, and who is first behind a success changes.
    """
    here = session()
    flips, order = await shared(Named(1, here), Named(2, here))
    assert flips == (True, True)
    names = [name for name, _ in order]
    rounds = ["name1", "name2"], ["name2", "name1"]
    assert names == [*(one for number in range(5) for one in ("other", *rounds[number % 2])), *rounds[1]]


async def test_what_the_innocuous_name_met_is_kept_for_both_and_its_bytes_once():
    """Either endpoint has a whole comparison of its own, in the order in which it was made."""
    here = session()
    await shared(Named(1, here), Named(2, here))
    for number in (1, 2):
        mine = [o for o in here.recorder.observations if o.endpoint == number]
        arms = [(o.arm, o.round) for o in mine]
        assert [arm for arm, _ in arms] == ["innocuous", "target"] * 5 + ["target"]
        paid = sum(o.operation.bytes_sent for o in mine if o.arm == "innocuous")
        assert paid == (3500 if number == 1 else 0)


async def test_a_name_that_passes_at_once_is_done_and_the_other_goes_on():
    """No forbidden name is sent for nothing, and one endpoint's good news ends nothing for another."""
    here = session()
    flips, order = await shared(Named(1, here, False), Named(2, here))
    assert flips == (False, True)
    assert [name for name, _ in order].count("name1") == 1
    assert [name for name, _ in order].count("name2") == 6


async def test_a_name_that_passes_later_has_not_flipped():
    """A target success among failures withdraws the flip; the sixth innocuous arm is asked then."""
    here = session()
    flips, order = await shared(Named(1, here, True, True, False, True), Named(2, here))
    assert flips == (False, True)
    assert [name for name, _ in order].count("other") == 6


async def test_nobody_flips_where_the_innocuous_name_fails():
    """One lost innocuous arm leaves both undecided, two running end it."""
    here = session()
    flips, _ = await shared(Named(1, here), Named(2, here), innocuous=(True, True, False, True))
    assert flips == (False, False)
    flips, order = await shared(Named(1, here), Named(2, here), innocuous=(True, True, False, False))
    assert flips == (False, False)
    assert [name for name, _ in order].count("name1") == 3


async def test_an_endpoint_that_came_through_asks_no_more():
    """Its baseline succeeded meanwhile: its name is not sent again, and it has not flipped."""
    here = session()
    through = Named(1, here)
    through.succeeded = True
    flips, order = await shared(through, Named(2, here))
    assert flips == (False, True)
    assert "name1" not in [name for name, _ in order]


async def test_the_first_hosts_and_the_second_is_told():
    """Who comes first sees to both; the other one waits for what came of it."""
    here, companions = session(), Companions()
    one, two = Named(1, here), Named(2, here)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(companions.join(one))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        second = group.create_task(companions.join(two))  # type: ignore[arg-type]
        found = await first
        assert isinstance(found, tuple)
        host, guest = found
        assert (host.site.number, guest.site.number) == (1, 2)
        leave(guest, outcome=True)
        assert await second is True


async def test_nobody_waits_long_for_company_nor_shares_with_a_name_of_another_length():
    """Greetings of both names are as long as the innocuous one's, or nearly; else each goes alone."""
    here, companions = session(), Companions()
    short, long = Named(1, here, host="a.io"), Named(2, here, host="a-much-longer-name.example")
    both = await asyncio.gather(companions.join(short), companions.join(long))  # type: ignore[arg-type]
    assert all(found is None for found in both)


async def test_a_guest_whose_host_went_away_goes_on_alone():
    """A host that was broken off tells its guest so, who has not flipped and is not kept waiting."""
    here, companions = session(), Companions()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(companions.join(Named(1, here)))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        second = group.create_task(companions.join(Named(2, here)))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        first.cancel()
        assert await asyncio.wait_for(second, 1) is None
