"""Do questions about the name leave this house? Some that may go only so many routers far, where DNS has lied or was silent.

A household's own router can do to names what a provider does: drop, refuse or answer questions about them, whoever is asked.
So the first router outside is looked for with questions about another name, once a run; and those about this one go as far as
that, or as far as three where it is not known yet. What is read from it is :mod:`probe.verdict.questions_way`'s business. A
healthy site costs nothing, and neither does one whose trouble is not in DNS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from probe.experiments.steps import Place
from probe.instruments import dns, dns_path, path
from probe.observations import Arm
from probe.verdict import questions_way
from probe.verdict.view import View

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.verdict.case import Case

_WAIT_S = 1.5
"""For a reply or a router's word. A filter in the house may have to ask somebody first."""
_STAGGER_S = 0.015
_UNKNOWN = 3
"""So far questions about the name go where no router outside has spoken."""
_HTTPS = 443


async def follow(site: Site) -> None:
    """Ask, if what is known by now speaks for a block in DNS."""
    address = questions_way.whom_to_ask(_case(site)) if path.AVAILABLE else None
    if address is None or site.session.pacer.is_used_up:
        return
    other = site.session.neutrals.innocuous(site.host, site.host)
    gone = 0
    if address in site.session.ways:
        await site.session.ways[address].wait()
    else:
        gone = _UNKNOWN
        await _beside_the_other(site, address, other)
    outside = _outside(site)
    await _let_go(site, address, site.host, "target", range(gone + 1, (outside or _UNKNOWN) + 1))
    found = questions_way.read(_case(site))
    if found is None:
        return
    came = {one.fact.came for one in found.mine}
    if outside is not None and not found.got_out and "answer" not in came:
        # One silence may be an accident, and the next router may be the one that speaks.
        async with asyncio.TaskGroup() as both:
            both.create_task(_let_go(site, address, other, "innocuous", (1, outside)))
            both.create_task(_let_go(site, address, site.host, "target", (1, outside, outside + 1)))
    if any(one.fact.came == "answer" and one.ttl == 1 for one in found.mine):
        await _are_ttls_kept(site)


def _case(site: Site) -> Case:
    return View(site.session.recorder.observations, site.session.asked).case(site.asked)


def _outside(site: Site) -> int | None:
    """The first router outside, as questions of this run have told."""
    hops = View(site.session.recorder.observations, site.session.asked).everywhere(
        questions_way.PURPOSE, "path", questions_way.GROUP
    )
    return questions_way.first_outside(hops)


async def _beside_the_other(site: Site, address: str, other: str) -> None:
    """Both names as far as most routers outside are, and the other one farther where none has spoken."""
    heard = site.session.ways[address] = asyncio.Event()
    near = range(1, _UNKNOWN + 1)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_let_go(site, address, other, "innocuous", near))
            both.create_task(_let_go(site, address, site.host, "target", near))
        if _outside(site) is None:
            await _let_go(site, address, other, "innocuous", range(_UNKNOWN + 1, questions_way.FARTHEST + 1))
    finally:
        heard.set()


async def _let_go(site: Site, address: str, name: str, arm: Arm, ttls: Iterable[int]) -> None:
    scale = site.settings.deadline_scale

    async def one(ttl: int) -> None:
        operation = await dns_path.let_go(site.wire, address, dns.Question(name), ttl=ttl, deadline_s=_WAIT_S * scale)
        site.record(operation, **_place(site, arm).fields())

    async with asyncio.TaskGroup() as group:
        for ttl in ttls:
            await site.session.pacer.flow()
            group.create_task(one(ttl))
            await site.wire.sleep(_STAGGER_S * scale)


async def _are_ttls_kept(site: Site) -> None:
    """A connection that may get no farther than the own router: where it opens, that router sends everything on as if it had
    come from afar, and TTLs tell nothing.
    """
    resolvers = site.session.canaries.family("resolver")
    if resolvers:
        await site.session.pacer.flow()
        deadline_s = _WAIT_S * site.settings.deadline_scale
        operation = await path.syn(site.wire, resolvers[0].where, _HTTPS, ttl=1, deadline_s=deadline_s)
        site.record(operation, **_place(site, None).fields())


def _place(site: Site, arm: Arm | None) -> Place:
    return Place(purpose="dns_answers", endpoint=site.number, group=questions_way.GROUP, arm=arm)
