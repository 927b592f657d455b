"""When the own side is looked at again: after the last failure that it could excuse, and beside what finds none."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from probe import runner
from probe.experiments import website
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.experiments.session import Session
from probe.experiments.site import ASIDE, Site
from probe.experiments.suspicion import FOLLOW_UPS
from probe.instruments.trust import Trust
from probe.observations import Operation, TlsFact
from probe.settings import Settings
from probe.wire import Wire
from targets.model import Asked, Canaries, Endpoint
from tests import nano

pytestmark = pytest.mark.anyio

FollowUp = Callable[[Site], Awaitable[None]]


async def run_with(monkeypatch: pytest.MonkeyPatch, asked: dict[str, FollowUp], own_side: FollowUp) -> None:
    """One endpoint whose greeting is reset, with these follow-ups; *own_side* is each look after the first."""

    async def look(_session: Session, group: str, _number: int) -> None:
        if group == "after":
            await own_side(None)  # type: ignore[arg-type]

    async def baseline(site: Site) -> None:
        fact = TlsFact(sni="forbidden.example", verify=True)
        site.suspect("tls", Operation(fact=fact, started_us=1, failure="connection_reset"))

    async def saved(*_about: object) -> None:
        pass

    monkeypatch.setattr(runner, "own_side", look)
    monkeypatch.setattr(website, "run", baseline)
    monkeypatch.setattr(runner, "follow_ups", lambda *_about: list(asked.items()))
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


@pytest.mark.parametrize("aside", sorted(ASIDE))
async def test_the_own_side_is_looked_at_while_it_is_asked_where_and_how(monkeypatch: pytest.MonkeyPatch, aside: str):
    """A place on the way or an answer behind a reset is no failure, so nothing waits for it but the word."""
    looked, order = asyncio.Event(), list[str]()

    async def waits(_site: Site) -> None:
        await looked.wait()
        order.append(aside)

    async def look(_site: Site) -> None:
        order.append("own side")
        looked.set()

    assert aside in FOLLOW_UPS
    await run_with(monkeypatch, {aside: waits}, look)
    assert order == ["own side", aside]


async def test_the_own_side_is_looked_at_after_the_last_failure(monkeypatch: pytest.MonkeyPatch):
    """What broke while a pair was asked is found broken by the look that follows."""
    order: list[str] = []

    async def pair(site: Site) -> None:
        await site.wire.sleep(0.6)
        order.append("pair")

    async def look(_site: Site) -> None:
        order.append("own side")

    await run_with(monkeypatch, {"neutral_pair": pair}, look)
    assert order == ["pair", "own side"]
