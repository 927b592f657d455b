"""Where an app's datagrams get no answer: do anybody's? Two well-known servers of different operators are asked (STUN).

They are nobody's target. If one of them answers, datagrams pass here, and the silence is about this server or the way to it;
if none does, this line may carry no datagrams but DNS, as in many companies and hotels.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from probe.experiments import neutrals
from probe.experiments.steps import Place
from probe.instruments.apps import exchange
from probe.instruments.apps.stun import StunDialogue
from probe.observations import Purpose

if TYPE_CHECKING:
    from probe.experiments.site import Site

PURPOSE: Purpose = "udp_here"
_PLACES = 2


async def run(site: Site) -> None:
    """Ask them at once; each once for this endpoint."""
    own = site.host
    chosen = [where for where in site.session.canaries.stun if where.rpartition(":")[0] != own][:_PLACES]
    async with asyncio.TaskGroup() as group:
        for where in chosen:
            name, _, port = where.rpartition(":")
            group.create_task(_ask(site, name, int(port)))


async def _ask(site: Site, name: str, port: int) -> None:
    place = Place(purpose=PURPOSE, endpoint=site.number, group=f"here/{name}")
    address = await neutrals.resolve(site.session, place, name)
    if address is None:
        return
    await site.session.pacer.flow()
    dialogue, deadline_s = StunDialogue(site.wire.random), site.settings.deadlines.tls_soft
    operation = await exchange.over_udp(site.wire, address, port, dialogue, name=name, deadline_s=deadline_s)
    site.record(operation, **place.fields())
