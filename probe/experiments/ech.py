"""Greetings with an encrypted one inside (ECH): whether somebody on the way stops them for that.

Sites behind one large company show ``cloudflare-ech.com`` to whoever is on the way, and their own name inside, sealed. Some
networks drop that combination (reported from Russia since November 2024). Two greetings take turns at places that have nothing
to do with it: both show that name, both have one length, one has the extension, the other padding in its place.

Asked only for the asking (``--deep``, ``--only ech``), of the first endpoint of a run: it says something of the network, and
nothing of any site.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from probe.experiments.control_pairs import announced_by
from probe.experiments.session import guarded
from probe.experiments.steps import Place, connect
from probe.instruments import ech
from probe.observations import Arm, Purpose

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.settings import Settings
    from probe.settings.controls import Control

NAME = "ech"
PURPOSE: Purpose = "ech"
OUTER = "cloudflare-ech.com"
"""The name that everybody's greeting shows there (what the public records of Cloudflare's sites say, ``ech=`` in HTTPS)."""
_TRIES = 4


def is_wanted(settings: Settings) -> bool:
    """Whether it was asked for: by its name, or with ``--deep``."""
    return NAME not in settings.skip and (NAME in settings.only if settings.only else settings.deep)


def begin(site: Site) -> None:
    """Ask beside everything else, once a run."""
    if is_wanted(site.settings) and site.session.deep.setdefault(NAME, site.number) == site.number:
        site.group.create_task(guarded(site.session, NAME, _ask(site), endpoint=site.number))


async def _ask(site: Site) -> None:
    await site.session.own_side_known.wait()
    site.on_step(NAME)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(site.settings.deadlines.endpoint):
            await _at_all_places(site)


async def _at_all_places(site: Site) -> None:
    beside: set[str] = set()
    async with asyncio.TaskGroup() as places:
        for index in range(1, site.settings.budgets.neutrals + 1):
            places.create_task(_at_neutral(site, f"neutral/{index}", beside))
        for control in site.settings.controls[:1]:
            places.create_task(_at_control(site, control))


async def _at_neutral(site: Site, group: str, beside: set[str]) -> None:
    for _ in range(_TRIES):
        drawing = Place(purpose=PURPOSE, endpoint=site.number, group=group)
        neutral = await site.session.neutrals.draw(site.session, drawing, tuple(site.addresses), beside)
        if neutral is None or await _alternate(site, group, neutral.address, 443):
            return


async def _at_control(site: Site, control: Control) -> None:
    said = await announced_by(site, control, PURPOSE)
    port = said.port("tls")
    if said.address is not None and port is not None:
        async with said.turns:
            await _alternate(site, control.vantage, said.address, port)


async def _alternate(site: Site, group: str, address: str, port: int) -> bool:
    """I T I T … T, with padding and with the extension. Whether the one with padding was answered at all; if not the other is
    not sent. It ends when the extension passes, or when padding is lost twice running.
    """
    settings, wire = site.settings, site.wire
    patience_s, lost = settings.deadlines.tls_soft, 0
    for number in range(settings.budgets.pair_rounds):
        begun = wire.monotonic()
        if await _send(site, group, "innocuous", number, (address, port), patience_s):
            lost, patience_s = 0, max(settings.deadlines.arm_floor, 4 * (wire.monotonic() - begun))
        elif number == 0 or lost:
            return number != 0
        else:
            lost = 1
        await wire.sleep(max(0.0, begun + settings.deadlines.arm_gap - wire.monotonic()))
        begun = wire.monotonic()
        if await _send(site, group, "target", number, (address, port), patience_s):
            return True
        await wire.sleep(max(0.0, begun + settings.deadlines.arm_gap - wire.monotonic()))
    return True


async def _send(site: Site, group: str, arm: Arm, number: int, there: tuple[str, int], patience_s: float) -> bool:
    """One greeting from a fresh port, recorded; whether a ServerHello came."""
    place = Place(purpose=PURPOSE, endpoint=site.number, group=group, arm=arm, round=number)
    stream = await connect(site.session, place, *there, name=OUTER)
    if stream is None:
        return False
    stream.forget_when_closed()
    done = await ech.first_record(site.wire, stream, sni=OUTER, encrypted=arm == "target", deadline_s=patience_s)
    return site.session.record(done, **place.fields()).operation.failure is None
