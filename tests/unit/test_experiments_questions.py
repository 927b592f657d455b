"""Questions to the system's resolvers: free as long as all goes well, slower where a resolver answers only so many a second."""

import asyncio
import functools
import random
from collections.abc import Callable

import pytest

from probe.demo.patience import PatientLoop
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.experiments.questions import CROWD, in_turn
from probe.experiments.session import Session
from probe.instruments.dns import UdpAsked
from probe.instruments.dns_lingering import Lingering
from probe.instruments.trust import Trust
from probe.observations import DnsFact, Operation
from probe.settings import Settings
from probe.wire import Wire
from targets.model import Canaries

pytestmark = pytest.mark.anyio

SECOND = 0.1
"""A second of these tests."""


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """A loop whose clock stands still while this machine is busy with something else."""
    return "asyncio", {"loop_factory": PatientLoop}


class PatientWire(Wire):
    """A wire that lives by that clock."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Nothing(Lingering):
    """No sockets."""

    def __init__(self) -> None:
        self.queries = []


class Resolver:
    """Answers at most *limit* questions in any second, refused ones counted, and never the names in *refuses*."""

    def __init__(self, wire: Wire, limit: int = 10_000, refuses: Callable[[str], bool] = lambda _name: False) -> None:
        self.wire, self.limit, self.refuses = wire, limit, refuses
        self.at: list[float] = []
        self.names: list[str] = []

    async def ask(self, name: str) -> UdpAsked:
        self.at.append(self.wire.monotonic())
        self.names.append(name)
        many = sum(at > self.at[-1] - SECOND for at in self.at) > self.limit
        refused = many or self.refuses(name)
        await asyncio.sleep(SECOND / 50)
        fact = DnsFact(transport="udp", role="system", qname=name, qtype="A", rcode=5 if refused else 0)
        failure = "dns_refused_error" if refused else None
        return UdpAsked(Operation(fact=fact, started_us=1, duration_us=1, failure=failure, name=name), Nothing())


@pytest.fixture
def session() -> Session:
    wire = PatientWire(rng=random.Random(1))
    return Session(
        wire=wire,
        settings=Settings().hurried(1 / SECOND),
        trust=Trust.load({}),
        canaries=Canaries(members=(), innocuous=()),
        asked=(),
        pacer=Pacer(wire, 10_000, 100_000),
        neutrals=Neutrals(Canaries(members=(), innocuous=("a.example",)), wire.random),
    )


async def ask(session: Session, resolver: Resolver, names: list[str]) -> tuple[dict[str, str | None], list[Operation]]:
    """All *names* at once: what each ended with, and the refusals that were put on record on the way."""
    refused: list[Operation] = []
    found = await asyncio.gather(
        *(in_turn(session, functools.partial(resolver.ask, name), refused=refused.append) for name in names)
    )
    return {one.operation.name or "": one.operation.failure for one in found}, refused


NAMES = [f"n{number}.example" for number in range(30)]


async def test_a_healthy_resolver_is_asked_everything_at_once(session: Session):
    """A list of names costs one question each, and no waiting."""
    resolver = Resolver(session.wire)
    said, refused = await ask(session, resolver, NAMES)
    assert set(said.values()) == {None}
    assert not refused
    assert len(resolver.at) == len(NAMES)
    assert resolver.at[-1] - resolver.at[0] < SECOND


async def test_what_a_resolver_refuses_for_the_number_is_asked_again(session: Session):
    """Behind a limit every name is found in the end, and each first refusal is on record."""
    said, refused = await ask(session, Resolver(session.wire, limit=12), NAMES)
    assert set(said.values()) == {None}
    assert len({operation.name for operation in refused}) == len(NAMES) - 12


async def test_a_limit_used_up_by_others_is_waited_for(session: Session):
    """Not even the first question of the run was answered, because somebody else in the house had just asked a lot."""
    resolver = Resolver(session.wire, limit=12)
    resolver.at = [session.wire.monotonic()] * 20
    said, refused = await ask(session, resolver, NAMES)
    assert set(said.values()) == {None}
    assert len(refused) >= len(NAMES)


async def test_a_name_that_is_refused_for_itself_is_asked_once_more_only(session: Session):
    """A refusal that a slower pace does not change is the answer: it must not wait for the list to end."""
    resolver = Resolver(session.wire, refuses=lambda name: name == "n3.example")
    said, refused = await ask(session, resolver, NAMES)
    assert [name for name, failure in said.items() if failure] == ["n3.example"]
    assert resolver.names.count("n3.example") == 2
    assert len(refused) == 1
    assert not session.questions.slow


async def test_a_resolver_that_refuses_everybody_is_not_asked_for_long(session: Session):
    """Nobody is answered after the rest either: it is dead, and the run must say so soon."""
    resolver = Resolver(session.wire, refuses=lambda _name: True)
    said, _refused = await ask(session, resolver, NAMES)
    assert set(said.values()) == {"dns_refused_error"}
    assert len(resolver.names) <= len(NAMES) + 5
    assert resolver.at[-1] - resolver.at[0] < 8 * SECOND


async def test_a_refusal_amid_few_questions_is_the_answer(session: Session):
    """Who asks little is not refused for asking much: nothing is asked twice."""
    resolver = Resolver(session.wire, refuses=lambda _name: True)
    _said, refused = await ask(session, resolver, NAMES[: CROWD - 1])
    assert not refused
    assert len(resolver.names) == CROWD - 1


async def test_a_refusal_is_on_record_when_the_rest_is_cut_short(session: Session):
    """The run gives up in the middle of a rest: what was heard until then is not forgotten."""
    refused: list[Operation] = []
    resolver = Resolver(session.wire, refuses=lambda name: name == NAMES[-1])
    await ask(session, resolver, NAMES[:-1])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(in_turn(session, lambda: resolver.ask(NAMES[-1]), refused=refused.append))
        await asyncio.sleep(SECOND / 4)
        task.cancel()
    assert [operation.name for operation in refused] == [NAMES[-1]]


async def test_urgent_questions_go_before_a_waiting_list(session: Session):
    """Whether this network works must be known soon, however long the list is that waits for its turn."""
    resolver = Resolver(session.wire, limit=12)
    async with asyncio.TaskGroup() as group:
        group.create_task(ask(session, resolver, NAMES))
        while not session.questions.slow:
            await asyncio.sleep(SECOND / 20)
        await in_turn(session, lambda: resolver.ask("canary.example"), refused=lambda _: None, urgent=True)
        before = len(set(resolver.names[len(NAMES) :]) - {"canary.example"})
    assert before <= 3
