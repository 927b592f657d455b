"""What the packets look like that break a connection off: their distance and their marks, where they may be listened to.

Nothing is sent for it. While other follow-ups ask the site's own addresses, a process of its own (:mod:`probe.raw`) hears what
comes back from there; of that, only the connections of this run are kept, and of these only headers. A reset that is marked
otherwise than what the server sent just before is a hint that somebody else has sent it, and no more than a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from probe import raw
from probe.experiments.steps import Place
from probe.observations import Arrived, Operation, PacketsFact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probe.experiments.site import Site

LISTENS_S = 4.0
"""Long enough for retries and pairs at the site's own address, and shorter than they take where all is well decided."""
ENOUGH = 4
"""Connections with a reset: nothing more is to be learnt from a fifth."""
MOST_IN_A_RUN = 4
_POLL_S = 0.1
_MOST_FLOWS = 12
_FIRST, _LAST = 8, 4
"""Packets that are kept of a flow: a reset ends it, or comes between the first ones."""


async def run(site: Site) -> None:
    """Listen to the site's own addresses for some seconds, one endpoint after the other, the first few of a run."""
    wire, session = site.wire, site.session
    if not wire.may_listen or len(session.listened) >= MOST_IN_A_RUN or wire.flows is not None:
        return
    session.listened.append(site.number)
    places = {
        place: address for address in site.addresses if (place := wire.place(address, site.port, "tcp")) is not None
    }
    wire.flows, begun_us = set(), wire.now_us()
    try:
        async with raw.listening(tuple(places), deadline_s=LISTENS_S + 1) as ear:
            if ear is None:
                return
            wire.flows.clear()  # what went before was not heard from its beginning
            await _listen(site, ear, wire.flows)
        heard = ear.of(wire.flows)
    finally:
        wire.flows = None
    for (address, port, own_port), packets in list(heard.items())[:_MOST_FLOWS]:
        asked = places[address, port]
        record_at = Place(purpose="packets", endpoint=site.number, group=f"own/{asked}")
        fact = _fact(own_port, packets)
        operation = Operation(fact=fact, started_us=begun_us, address=asked, port=port)
        site.record(operation, **record_at.fields())


async def _listen(site: Site, ear: raw.Ear, flows: set[tuple[str, int, int]]) -> None:
    wire = site.wire
    until = wire.monotonic() + LISTENS_S * site.settings.deadline_scale
    while wire.monotonic() < until:
        broken = sum(any("R" in packet.flags for packet in packets) for packets in ear.of(flows).values())
        if broken >= ENOUGH:
            return
        await wire.sleep(_POLL_S)


def _fact(own_port: int, packets: Sequence[raw.Heard]) -> PacketsFact:
    kept = packets if len(packets) <= _FIRST + _LAST else (*packets[:_FIRST], *packets[-_LAST:])
    return PacketsFact(
        own_port=own_port,
        left_out=len(packets) - len(kept),
        packets=tuple(
            Arrived(
                after_us=max(packet.at_us - packets[0].at_us, 0),
                flags=packet.flags,
                ttl=packet.ttl,
                window=packet.window,
                identification=packet.identification,
                size=packet.size,
            )
            for packet in kept
        ),
    )
