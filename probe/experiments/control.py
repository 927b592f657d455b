"""What another vantage sees of the same site at the same moment: every control that the user named is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from probe.control import client
from probe.control.protocol import MOST_ADDRESSES, Request
from probe.experiments.places import connectable

if TYPE_CHECKING:
    from probe.experiments.session import Site
    from probe.settings.controls import Control

AT_ONCE = 4
"""Questions to one control at the same time: it serves others too."""


async def run(site: Site) -> None:
    """Ask each control about the name in question and about the addresses that it has here."""
    async with asyncio.TaskGroup() as group:
        for control in site.settings.controls:
            group.create_task(_ask(site, control))


async def _ask(site: Site, control: Control) -> None:
    session = site.session
    addresses = tuple(address for address in site.addresses if connectable(address))[:MOST_ADDRESSES]
    request = Request(site.focus.url if site.focus is not None else site.asked.endpoint.url, addresses)
    async with session.control_turns.setdefault(control.name, asyncio.Semaphore(AT_ONCE)):
        await session.pacer.flow()
        deadline_s = 1.5 * site.settings.deadlines.tls_hard
        answer = await client.ask(site.wire, control, request, trust=session.trust, deadline_s=deadline_s)
    site.record(answer.operation, purpose="control", member=control.vantage)
    for seen in answer.seen:
        site.record(
            seen.operation,
            purpose=seen.purpose,
            group=seen.group,
            hop=seen.hop,
            member=seen.member,
            vantage=control.vantage,
        )
