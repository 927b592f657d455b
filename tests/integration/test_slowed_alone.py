"""A page that comes, and slowly, where all else is well: it is compared by name, and that nobody takes every connection is seen."""

from dataclasses import replace
from pathlib import Path

import pytest

from probe.demo.internet import open_internet
from probe.demo.wire import DemoWire
from probe.demo.world import Rule
from probe.instruments.trust import Trust
from probe.instruments.warm import warm
from probe.settings import Settings
from probe.workflows.check import CheckRequest, check
from targets.loader import load_canaries
from targets.model import Asked, Endpoint
from tests.integration.control_world import site, world_of

pytestmark = pytest.mark.anyio

URL = "https://snails.example/"


async def test_where_only_one_page_is_slow_it_is_asked_whether_a_proxy_stands_in_the_way(tmp_path: Path) -> None:
    """A proxy that goes by names would make a slow site look slowed down by name everywhere."""
    world = world_of(site(URL, rule=Rule(name="", holds_s=1.0)))
    async with open_internet(world, tmp_path) as internet:
        trust = Trust.load({"SSL_CERT_FILE": str(internet.trusted)})
        warm(trust)
        request = CheckRequest(
            asked=(Asked(number=1, endpoint=Endpoint(URL), target=URL),),
            settings=replace(Settings().hurried(5.0), country="KZ"),
            catalogue="test",
            canaries=load_canaries(),
            trust=trust,
        )
        outcome = await check(request, DemoWire(internet), lambda _event: None)
    compared = [o for o in outcome.observations if o.purpose == "throttling"]
    looked = [o for o in outcome.observations if (o.member or "").startswith("transparent/")]
    assert compared
    assert {o.group for o in looked} == {"after"}
    assert "maybe_a_proxy" not in outcome.results[0].verdict.gates
