"""The same again, from fresh ports: a passing trouble passes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from probe.experiments.apps.table import spoken_again
from probe.experiments.steps import Place, connect, fetch, shake_hands, verified

if TYPE_CHECKING:
    from probe.experiments.site import Site

_TRIES = 3


async def run(site: Site) -> None:
    """The same up to three times more at the address of the baseline, as deep as the baseline failed.

    Begun a gap apart and not one after the other: three silent ones take one deadline, not three. Among many endpoints in
    trouble once: that a passing trouble hit all of them is told by the neutral places.
    """
    address = site.first_address()
    if address is None:
        return
    passed = asyncio.Event()
    async with asyncio.TaskGroup() as tries:
        for number in range(1, _TRIES + 1):
            tries.create_task(_try(site, address, number, passed))
            await site.wire.sleep(site.settings.deadlines.arm_gap)
            if passed.is_set() or site.succeeded or site.turns.crowded:
                return


async def _try(site: Site, address: str, number: int, passed: asyncio.Event) -> None:
    place = Place(purpose="retry", endpoint=site.number, group=f"retry/{number}", round=number)
    if await _once(site, place, address):
        passed.set()


async def _once(site: Site, place: Place, address: str) -> bool:
    """As far as the baseline came, and one step on: an answer at an earlier step says nothing about a later failure."""
    if site.asked.endpoint.app is not None:
        return await spoken_again(site, place, address)
    if site.scheme == "https":
        if "http" not in site.suspicions:
            return await verified(site, place, address, site.port, deadline_s=site.settings.deadlines.tls_soft)
        secure = await shake_hands(site, place, address, site.port, deadline_s=site.settings.deadlines.tls_soft)
        return secure is not None and await fetch(site, place, secure, verified_chain=True, as_baseline=True)
    stream = await connect(site.session, place, address, site.port, name=site.host)
    if stream is None:
        return False
    if site.scheme == "tcp":
        stream.close()
        return True
    return await fetch(site, place, stream, verified_chain=False, as_baseline=True)
