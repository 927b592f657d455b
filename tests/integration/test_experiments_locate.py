"""When the way is followed: after a flip, or for a silent address, for the first few endpoints of a run, and never else.

What is found on the way is the lab's business: on loopback a TTL of 1 is enough for everything.
"""

import asyncio
import dataclasses
import time

import pytest

from probe.experiments import locate
from probe.experiments.site import Site
from probe.experiments.suspicion import FOLLOW_UPS
from probe.instruments import path
from probe.observations import Observation, PathFact, TlsFact
from tests.integration.test_experiments_pairs import OWN, TARGET, broke_off, measuring

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not path.AVAILABLE, reason="only Linux says how far a packet got"),
]


def sent(site: Site) -> list[Observation]:
    return [o for o in site.session.recorder.observations if isinstance(o.fact, PathFact)]


async def follow(site: Site) -> None:
    """A greeting has been silent: compare names, and follow the one that fails."""
    site.session.own_side_known.set()
    site.follow_ups = lambda *_about: [(name, FOLLOW_UPS[name]) for name in ("neutral_pair", "locate")]
    site.suspect("tls", None)
    await asyncio.wait_for(asyncio.gather(*site.asking), 20)


async def test_a_name_that_flipped_is_followed_to_a_place_where_it_did():
    """The packets go to one of the neutral places, and are recorded as what they are."""
    async with measuring(lambda hello: TARGET.encode() not in hello) as site:
        await follow(site)
        places = dict(site.flips)
        assert len(places) == 2
        assert site.session.located == [site.number]
    found = sent(site)
    assert found
    assert {o.purpose for o in found} == {"locate"}
    assert {o.operation.address for o in found} <= set(places)
    assert {o.group for o in found} == {f"name/{o.operation.address}" for o in found}


async def test_a_plain_site_is_followed_in_plain_requests():
    """To the web's plain port, with the name where such a request has it."""
    async with measuring(lambda _hello: True, scheme="http") as site:
        site.flips.append(("198.51.100.9", "innoce001.example"))
        site.flipped = True
        site.started.add("neutral_pair")
        site.neutrals_ended.set()
        await locate.run(site)
    found = sent(site)
    assert {o.operation.port for o in found} == {80}
    assert {o.fact.sent for o in found if isinstance(o.fact, PathFact)} <= {"syn", "request"}
    ground = locate.Ground("198.51.100.9", 80, TARGET, "innoce001.example", "Mozilla/5.0")
    assert f"Host: {TARGET}\r\n".encode() in ground.words(TARGET).data
    assert locate.Ground("198.51.100.9", 443, TARGET, "innoce001.example").words(TARGET).sent == "hello"


@pytest.mark.parametrize(
    "why", ["no flip", "its turn is over", "one of a whole list", "it came through", "at one place only"]
)
async def test_nothing_is_sent_where_there_is_nothing_to_follow(why: str):
    """A name that passes, the fifth of a list of blocked sites, the second of a list that fails whole, and one that was only slow."""
    async with measuring(lambda hello: why == "no flip" or TARGET.encode() not in hello) as site:
        if why == "its turn is over":
            site.session.located.extend(range(10, 10 + locate.MOST_IN_A_RUN))
        if why == "one of a whole list":
            site.session.located.append(10)
            site.turns._in_trouble = 99
        if why in ("it came through", "at one place only"):
            site.flips.append(("198.51.100.9", "innoce001.example"))
            site.flipped = site.succeeded = why == "it came through"
            site.started.add("neutral_pair")
            site.neutrals_ended.set()
            await locate.run(site)
        else:
            await follow(site)
    assert not sent(site)


async def test_what_is_broken_off_later_than_the_greeting_is_not_followed():
    """No single packet has it: a server had answered the greeting, and what names the site had passed everything."""
    async with measuring(lambda _hello: True) as site:
        failed = broke_off(30_000)
        assert isinstance(failed.fact, TlsFact)
        fact = dataclasses.replace(failed.fact, server_hello=True)
        site.suspicions["tls"] = dataclasses.replace(failed, fact=fact)
        site.flips.append(("198.51.100.9", "innoce001.example"))
        site.flipped = True
        site.started.add("neutral_pair")
        site.neutrals_ended.set()
        await locate.run(site)
        assert not sent(site)
        site.suspicions["tls"] = failed
        await locate.run(site)
    assert sent(site)


async def test_a_silent_address_is_followed_beside_another_one():
    """From each port a packet to an address that answers, then one to the silent one, until that has answered after all."""
    async with measuring(lambda hello: True) as site:
        site.stage = "tcp"
        site.suspicions["tcp"] = None
        await locate.run(site)
    arms = {o.arm: o.operation.address for o in sent(site)}
    assert arms["target"] == OWN
    assert arms["innocuous"] != OWN
    by_port = [(o.arm, o.fact.source_port) for o in sent(site) if isinstance(o.fact, PathFact) and o.fact.ttl == 1]
    assert {arm for arm, _ in by_port} == {"innocuous", "target"}
    assert len({port for _, port in by_port}) == 1


async def test_a_host_that_wakes_up_late_waits_longer():
    """What takes this host's time from it makes silence longer than it is."""
    async with measuring(lambda hello: True) as site:
        names = locate.Names(locate._tools(site, "name/x"), locate.Ground(OWN, 443, TARGET, "innoce001.example"))
        calm_s = names.silence_s()
        ticking = asyncio.get_running_loop().create_task(names._feel_haste())
        await asyncio.sleep(0)
        time.sleep(0.3)
        await asyncio.sleep(0.01)
        ticking.cancel()
    assert names.silence_s() > calm_s + 0.2


async def test_an_address_that_was_only_slow_is_not_followed():
    """By the time that it would be, the connection has come about and something else is waited for."""
    async with measuring(lambda hello: True) as site:
        site.stage = "tls"
        site.suspicions["tcp"] = None
        await locate.run(site)
    assert not sent(site)
