"""How far this network's own router is: what breaks off as quickly as it answers may have been broken off by it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from probe.experiments.steps import Place
from probe.instruments import tcp
from probe.observations import HttpFact, Operation, TcpFact

if TYPE_CHECKING:
    from probe.experiments.site import Site

AT_ONCE_US = 20_000
"""Longer than any round trip to a router at home, slow Wi-Fi included."""
GROUP = "gateway"
_TRIES, _MOST_TRIES = 3, 8
_NEAR_US = 2_000
"""A router that answers so soon is not made nearer by asking on. One that seems farther may be, or this computer is busy."""
_PAUSE_S = 0.05
LATELY_US = 5_000_000
"""Among many endpoints one asks for all that come within so long: a busy computer is as busy for one as for the other."""
_PORT = 9
"""Discard (RFC 863): closed nearly everywhere, and a refusal is a round trip as well as a yes is."""


def broke_off_at_once(site: Site) -> bool:
    """Whether an answer that ended something in question, or a plain page in its place, came too soon to leave the own network
    out.

    The first one may have come late only because this computer was busy; so later ones are looked at too.
    """
    arms = (
        o.operation
        for o in site.session.recorder.observations
        if o.endpoint == site.number and o.purpose in ("retry", "neutral_pair", "own_pair") and o.group != GROUP
    )
    return any(
        operation is not None
        and (operation.failure not in (None, "generic_timeout_error", "interrupted") or _is_plain_page(operation))
        and operation.duration_us is not None
        and operation.duration_us < AT_ONCE_US
        for operation in (*site.suspicions.values(), *arms)
    )


def _is_plain_page(operation: Operation) -> bool:
    """Whether anybody may have written it."""
    fact = operation.fact
    return isinstance(fact, HttpFact) and operation.failure is None and fact.url.startswith("http:")


async def measure(site: Site) -> None:
    """Some connections to the router, one after the other: three, or up to eight where it seems far. Recorded without its
    address, which is nobody's business.

    Where there is no router to be asked, that is recorded too: as a network that is not reachable.
    """
    if not site.turns.crowded:
        await _ask(site)
        return
    async with site.session.router_turn:
        if not _is_known(site):
            await _ask(site)


async def _ask(site: Site) -> None:
    place = Place(purpose="neutral_pair", endpoint=site.number, group=GROUP)
    # Where there is no IPv4, everything that is compared goes over IPv6, by a router of its own.
    address = site.wire.gateway() or site.wire.gateway6()
    if address is None:
        nobody = Operation(fact=TcpFact(), started_us=site.wire.now_us(), failure="network_unreachable", port=_PORT)
        site.session.record(nobody, **place.fields())
        return
    least_us: int | None = None
    for number in range(_MOST_TRIES):
        if number >= _TRIES and (least_us is None or least_us <= _NEAR_US):
            return
        await site.wire.sleep(_PAUSE_S if number >= _TRIES else 0)
        await site.session.pacer.flow()
        connected = await tcp.connect(site.wire, address, _PORT, deadline_s=site.settings.deadlines.arm_floor)
        if connected.stream is not None:
            connected.stream.close()
        unnamed = dataclasses.replace(connected.operation, address=None)
        site.session.record(unnamed, **(place.fields() | {"round": number}))
        if unnamed.failure == "generic_timeout_error":
            return
        if unnamed.duration_us is not None:
            least_us = min(unnamed.duration_us, least_us or unnamed.duration_us)


def _is_known(site: Site) -> bool:
    """Whether another endpoint of this run has just asked the same router, among many that would; kept for this one too."""
    lately_us = site.wire.now_us() - LATELY_US
    asked = [
        o
        for o in site.session.recorder.observations
        if o.purpose == "neutral_pair" and o.group == GROUP and o.operation.started_us >= lately_us
    ]
    if not asked or any(o.endpoint == site.number for o in asked):
        return False
    first = [o for o in asked if o.endpoint == asked[0].endpoint]
    if len(first) < _TRIES:
        return False
    for o in first:
        unpaid = dataclasses.replace(o.operation, bytes_sent=0, bytes_received=0)
        site.record(unpaid, purpose=o.purpose, group=o.group, round=o.round)
    return True
