"""The first look at the own side, and when the second one begins beside it."""

import asyncio
import random
from types import SimpleNamespace

import pytest

from probe import runner
from probe.experiments import holes, website
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.experiments.session import Session
from probe.experiments.site import Site
from probe.instruments.trust import Trust
from probe.observations import Operation, Recorder, TcpFact
from probe.settings import Settings
from probe.wire import Wire
from targets.model import Asked, Canaries, Canary, Endpoint
from tests import nano

pytestmark = pytest.mark.anyio


async def looks_of(monkeypatch: pytest.MonkeyPatch, came: str | None, first_s: float = 0.3) -> list[str]:
    """The looks at the own side beside a baseline that is silent. *came* comes at once of all of them; the first takes so long,
    and silence is suspicious after 0.1 s.
    """
    order: list[str] = []

    async def look(session: Session, group: str, _number: int = 0) -> None:
        order.append(f"{group} begins")
        operation = Operation(fact=TcpFact(), started_us=1, failure=came)
        session.record(operation, purpose="own_side", group=group, member="literal/192.0.2.9")
        await session.wire.sleep(first_s if group == "before" else 0.02)
        order.append(f"{group} ends")

    async def search(_session: Session) -> None:
        order.append("holes")

    async def silent(site: Site) -> None:
        await site.session.own_side_known.wait()

    async def saved(*_about: object) -> None:
        pass

    monkeypatch.setattr(runner, "own_side", look)
    monkeypatch.setattr(holes, "search", search)
    monkeypatch.setattr(website, "run", silent)
    wire, canaries = Wire(rng=random.Random(1)), Canaries(members=(), innocuous=("innocent.example",))
    session = Session(
        wire=wire,
        settings=Settings().hurried(10),
        trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
        canaries=canaries,
        asked=(Asked(number=0, endpoint=Endpoint("https://forbidden.example/"), target="forbidden.example"),),
        pacer=Pacer(wire, 1000, 10_000),
        neutrals=Neutrals(canaries, wire.random),
    )
    async with asyncio.timeout(20):
        await runner.Runner(session, save=saved, listen=lambda _event: None).run()
    return order


async def test_where_nothing_comes_back_the_second_look_begins_beside_the_first(monkeypatch: pytest.MonkeyPatch):
    """A dead line is not waited for twice, one after the other: the second look and the search for holes begin as well."""
    order = await looks_of(monkeypatch, "generic_timeout_error")
    assert order[0] == "before begins"
    assert set(order[1:4]) == {"holes", "after begins", "after ends"}
    assert order[4] == "before ends"


@pytest.mark.parametrize("came", [None, "connection_refused", "network_unreachable"])
async def test_where_anything_came_back_the_second_look_waits(monkeypatch: pytest.MonkeyPatch, came: str | None):
    """An answer, a refusal or a word of this host is no silence: looks are one after the other, as ever."""
    order = await looks_of(monkeypatch, came)
    assert order[:2] == ["before begins", "before ends"]


async def test_a_first_look_that_has_ended_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    """Where the look itself is over before silence is suspicious nothing is begun beside it, whatever it found."""
    order = await looks_of(monkeypatch, "generic_timeout_error", first_s=0.01)
    assert order[:2] == ["before begins", "before ends"]
    assert "holes" not in order


async def test_an_address_that_is_given_for_everybody_is_searched_by_nobody(monkeypatch: pytest.MonkeyPatch):
    """Ports of the provider's own box are no holes to places abroad; two names of one operator may well have one address."""
    asked: dict[str, object] = {}

    async def run(_session: object, known: object) -> None:
        asked["known"] = known

    async def names(_session: object, at: object) -> None:
        asked["at"] = at

    monkeypatch.setattr(holes, "run", run)
    monkeypatch.setattr(holes, "names", names)
    who = {"a.example": "A", "b.example": "B", "c.example": "C", "d.example": "C"}
    members = tuple(Canary(family="foreign", where=name, operator=operator) for name, operator in who.items())
    recorder = Recorder()
    for name, address in zip(who, ("192.0.2.1", "192.0.2.1", "192.0.2.3", "192.0.2.3"), strict=True):
        operation = Operation(fact=TcpFact(), started_us=1, failure="generic_timeout_error", address=address)
        recorder.add(operation, purpose="own_side", member=f"foreign/{name}")
    session = SimpleNamespace(recorder=recorder, canaries=Canaries(members=members))
    await holes.search(session)  # type: ignore[arg-type]
    assert asked == {"known": ["192.0.2.3"], "at": [("d.example", "192.0.2.3")]}
