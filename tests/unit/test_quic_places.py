"""Places for comparisons over QUIC: asked once, drawn once, and never beside pages that are on their way."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from probe.experiments import neutrals, quic_places
from probe.experiments.quic_places import QuicPlaces
from probe.verdict.networks import network_of

pytestmark = pytest.mark.anyio

ADDRESSES = {
    "a.example": "192.0.2.1",
    "b.example": "198.51.100.2",
    "c.example": "203.0.113.3",
    "d.example": "192.0.2.4",
    "gone.example": None,
    "site.example": "203.0.113.77",
}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run that asks about one site, and places of which one has no address and one does not answer."""

    async def resolve(_session: Any, _place: Any, name: str) -> str | None:
        return ADDRESSES[name]

    async def look_at(here: Any, place: Any, _number: int) -> bool:
        here.looked.append(place.name)
        return place.name not in here.silent

    monkeypatch.setattr(neutrals, "resolve", resolve)
    monkeypatch.setattr(quic_places, "_look_at", look_at)
    site = SimpleNamespace(endpoint=SimpleNamespace(host="site.example"))
    wire = SimpleNamespace(random=SimpleNamespace(shuffle=lambda names: names.reverse()))
    canaries = SimpleNamespace(http3=tuple(ADDRESSES))
    return SimpleNamespace(asked=(site,), wire=wire, canaries=canaries, looked=[], silent=("b.example",))


async def test_the_line_is_looked_at_once(session):
    """Whoever asks, and however often; never a target of the run, nor a name without an address."""
    places = QuicPlaces()
    told = await asyncio.gather(*(places.look(session) for _ in range(3)))
    assert told == [True, True, True]
    assert session.looked == ["a.example", "b.example", "c.example"]


async def test_silence_everywhere_is_told(session):
    """Then there is nothing to compare at."""
    session.silent = tuple(ADDRESSES)
    assert await QuicPlaces().look(session) is False


async def test_a_place_serves_once_and_no_two_are_of_one_network(session):
    """Those that answered come first, then further names; none in a network that is taken."""
    places = QuicPlaces()
    await places.look(session)
    unlike = {network_of("203.0.113.200")}
    drawn = [await places.draw(session, unlike) for _ in range(2)]
    assert [place.name if place is not None else None for place in drawn] == ["a.example", None]
    assert await places.draw(session, set()) is not None


async def test_it_waits_for_pages_but_not_for_ever():
    """Until none is on its way, or its time is over."""
    places = QuicPlaces()
    async with asyncio.TaskGroup() as group:
        with places.walk():
            waiting = group.create_task(places.stillness(60.0))
            await asyncio.sleep(0)
            assert not waiting.done()
            await places.stillness(0.01)
    await places.stillness(60.0)
