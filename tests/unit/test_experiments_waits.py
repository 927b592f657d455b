"""Waiting at addresses that DNS gave, and its end once it is proven that DNS lied."""

import asyncio
import dataclasses
import random

import pytest

from probe.experiments import dns_answers
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer, Turns
from probe.experiments.session import Session
from probe.experiments.site import Site
from probe.experiments.steps import Place, connect
from probe.experiments.waits import AT_LEAST_S, ENOUGH_S, OF_ADDRESSES, Waits
from probe.instruments.trust import Trust
from probe.observations import Answer, DnsFact, Operation, Purpose
from probe.settings import Settings
from probe.wire import Transport, Wire
from targets.model import Asked, Canaries, Endpoint
from tests import nano

pytestmark = pytest.mark.anyio

NOWHERE = "10.10.34.35"
LONG_S = 1000.0


@pytest.mark.parametrize("purpose", sorted(OF_ADDRESSES))
async def test_a_wait_is_shortened_while_it_runs(purpose: Purpose):
    """It ends after as long as three tries of the kernel's take."""
    loop, waits = asyncio.get_running_loop(), Waits()
    with waits.one(0, purpose) as begins:
        async with asyncio.timeout(LONG_S) as limit:
            before = loop.time()
            begins(limit)
            after = loop.time()
            waits.shorten(0)
            assert before + ENOUGH_S <= (limit.when() or 0) <= after + ENOUGH_S


async def test_what_begins_later_has_less_to_wait():
    """Others have waited at that address already: what begins after the end of their waiting has the least."""
    loop, waits = asyncio.get_running_loop(), Waits(scale=0.0001)
    with waits.one(0, "baseline") as begins:
        async with asyncio.timeout(LONG_S) as limit:
            begins(limit)
            waits.shorten(0)
            limit.reschedule(None)
            await asyncio.sleep(0.001)
    waits.scale = 1.0
    with waits.one(0, "retry") as begins:
        async with asyncio.timeout(LONG_S) as limit:
            before = loop.time()
            begins(limit)
            assert before + AT_LEAST_S <= (limit.when() or 0) <= loop.time() + AT_LEAST_S


@pytest.mark.parametrize(("purpose", "endpoint"), [("neutral_pair", 0), ("baseline", 1), ("own_side", None)])
async def test_other_waits_are_let_be(purpose: Purpose, endpoint: int | None):
    """Pairs go to other addresses; other endpoints have answers of their own."""
    waits = Waits()
    with waits.one(endpoint, purpose) as begins:
        async with asyncio.timeout(LONG_S) as limit:
            begins(limit)
            planned = limit.when()
            waits.shorten(0)
            assert limit.when() == planned


async def test_a_wait_is_never_made_longer():
    """What would have ended sooner ends as it would have."""
    waits = Waits()
    with waits.one(0, "baseline") as begins:
        async with asyncio.timeout(0.5) as limit:
            begins(limit)
            planned = limit.when()
            waits.shorten(0)
            assert limit.when() == planned


class Silent(Wire):
    """Nobody is anywhere."""

    def place(self, address: str, port: int, transport: Transport) -> None:
        return None


def a_site(group: asyncio.TaskGroup) -> Site:
    """A site under measurement, whose connections are waited for longer than any test lasts."""
    wire, canaries = Silent(rng=random.Random(1)), Canaries(members=(), innocuous=("innocent.example",))
    asked = Asked(number=0, endpoint=Endpoint("https://forbidden.example/"), target="forbidden.example")
    settings = Settings().hurried(100)
    session = Session(
        wire=wire,
        settings=dataclasses.replace(settings, deadlines=dataclasses.replace(settings.deadlines, connect=LONG_S)),
        trust=Trust.load({"SSL_CERT_FILE": nano.authority().file}),
        canaries=canaries,
        asked=(asked,),
        pacer=Pacer(wire, 1000, 10_000),
        neutrals=Neutrals(canaries, wire.random),
    )
    return Site(
        session=session,
        asked=asked,
        group=group,
        on_step=lambda _step: None,
        turns=Turns(),
        follow_ups=lambda *_about: [],
    )


def told(site: Site, transport: str, server: str, address: str) -> None:
    """An answer about the name: over ``udp`` by the provider's resolver, over anything else by one abroad."""
    role = "system" if transport == "udp" else "foreign"
    fact = DnsFact(
        transport=transport,  # type: ignore[arg-type]
        role=role,  # type: ignore[arg-type]
        qname=site.host,
        qtype="A",
        rcode=0,
        resolver_is_private=False,
        answers=(Answer(name=site.host, rtype="A", value=address, ttl=60),),
    )
    operation = Operation(fact=fact, started_us=1, name=site.host, address=server, port=53)
    place = (
        {"purpose": "baseline", "group": "v4"} if role == "system" else {"purpose": "dns_answers", "group": transport}
    )
    site.record(operation, **place)


async def test_a_proven_lie_ends_the_waiting():
    """The provider's resolver gives an address that no site can have, and operators abroad give a real one."""
    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        site = a_site(group)
        told(site, "udp", "92.47.151.210", NOWHERE)
        told(site, "doh", "8.8.8.8", "20.1.2.3")
        told(site, "dot", "1.1.1.1", "20.1.2.3")
        place = Place(purpose="baseline", endpoint=0)
        waiting = group.create_task(connect(site.session, place, NOWHERE, 443))
        await asyncio.sleep(0.01)
        dns_answers._stop_waiting_for_a_lie(site)
        assert await waiting is None
    operation = site.session.recorder.observations[-1].operation
    assert operation.failure == "generic_timeout_error"
    assert (operation.duration_us or 0) >= 1e6 * ENOUGH_S / 100 - 1e4


async def test_an_answer_that_may_be_right_is_waited_for():
    """Two addresses of one name are no lie, though one of them is silent."""
    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        site = a_site(group)
        told(site, "udp", "92.47.151.210", "20.9.9.9")
        told(site, "doh", "8.8.8.8", "20.1.2.3")
        place = Place(purpose="baseline", endpoint=0)
        waiting = group.create_task(connect(site.session, place, "20.9.9.9", 443))
        await asyncio.sleep(0.01)
        dns_answers._stop_waiting_for_a_lie(site)
        assert site.session.waits.may_be_shortened(0)
        waiting.cancel()
