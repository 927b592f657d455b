"""What a vendor itself says of an outage, where it says so by a DNS answer (Signal does): asked when one of its hosts fails.

Heard through public resolvers of different operators, over encryption: what the provider's own resolver says of it would be
the word of whoever may block the host.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from probe.experiments.steps import Place
from probe.instruments import dns
from probe.observations import Purpose

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from targets.model import Canary

PURPOSE: Purpose = "vendor_sign"
_RESOLVERS = 3


async def run(site: Site) -> None:
    """Ask for the sign, if this endpoint's vendor gives one."""
    if site.asked.sign is None:
        return
    async with asyncio.TaskGroup() as group:
        for resolver in site.session.canaries.family("resolver")[:_RESOLVERS]:
            group.create_task(_ask(site, site.asked.sign, resolver))


async def _ask(site: Site, sign: str, resolver: Canary) -> None:
    await site.session.pacer.flow()
    operation = await dns.ask_doh(
        site.wire,
        resolver.where,
        dns.Question(sign),
        url=f"https://{resolver.where}/dns-query",
        role="foreign",
        trust=site.session.trust,
        deadline_s=site.settings.deadlines.connect,
    )
    place = Place(purpose=PURPOSE, endpoint=site.number, group="doh")
    site.record(operation, **place.fields())
