"""Other ways out of this host: the mobile network beside the line, say. When one is shut and the other is not, that is told.

Without a privilege a flow can only be given the address that it leaves from, and many systems send it by the preferred way
all the same, where it gets lost. So a way counts from the first look on in which it was well: before that its silence is as
likely this host's own routing. Names are asked of public resolvers there, because the ones that the system knows may belong
to the other line, and nothing else is measured: platforms are, over the way that the system prefers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from probe.experiments.cheap import Memory
from probe.experiments.pacing import Pacer
from probe.wire import Wire
from probe.wire.resolvers import Nameserver
from probe.wire.this_host import HostState, WayOut, ways_out
from probe.workflows import watching

if TYPE_CHECKING:
    from probe.settings import Settings
    from probe.workflows.kit import Kit
    from probe.workflows.watching import Came
    from storage.archive import Archive


class BoundWire(Wire):
    """The network as it is by one way out: IPv4 only, and public resolvers."""

    def __init__(self, way: WayOut, resolvers: tuple[str, ...]) -> None:
        super().__init__()
        self.source = way.address
        self._resolvers = tuple(Nameserver(address) for address in resolvers)

    def nameservers(self) -> tuple[Nameserver, ...]:
        return self._resolvers

    def gateway(self) -> str | None:
        """Not known: the table's first router is another way's."""
        return None

    def gateway6(self) -> str | None:
        """The same."""
        return None

    def host(self) -> HostState:
        return replace(super().host(), default_route_v4=True, default_route_v6=False)


class OtherWays:
    """The ways out besides the preferred one, as they come and go."""

    def __init__(self, find: Callable[[], tuple[WayOut, ...]] = ways_out) -> None:
        self._find = find
        self._kits: dict[WayOut, tuple[Kit, BoundWire]] = {}
        self._proven: set[WayOut] = set()

    async def look(
        self, kit: Kit, settings: Settings, archive: Archive | None = None, *, full: bool = False
    ) -> tuple[Came, ...]:
        """A small look by each other way, a whole one where that fails or if it is to be *full* (nothing less ends what was
        told of a way). One that was never well has an own side of ``None``: nothing is known of it, but what it cost.
        """
        ways = self._find()[1:]
        for gone in self._kits.keys() - set(ways):
            del self._kits[gone]
            self._proven.discard(gone)
        return tuple([await self._look(way, kit, settings, archive, full=full) for way in ways])

    def _label(self, way: WayOut) -> str:
        """What the way is called in what is kept. Never the interface's own name, which may have its MAC address in it."""
        kind = "mobile" if way.is_mobile else "fixed"
        taken = {kit.interface for kit, _ in self._kits.values()}
        return next(name for number in range(1, 100) if (name := f"{kind}{number if number > 1 else ''}") not in taken)

    async def _look(self, way: WayOut, kit: Kit, settings: Settings, archive: Archive | None, *, full: bool) -> Came:
        if way not in self._kits:
            self._kits[way] = _kit_for(way, self._label(way), kit, settings)
        own, wire = self._kits[way]
        if way in self._proven:
            return await watching.look(own, wire, settings, archive, full=full)
        tried = await watching.look(own, wire, settings)
        if tried.own_side is None or tried.own_side.status != "ok":
            return replace(tried, own_side=None)
        self._proven.add(way)
        came = await watching.look(own, wire, settings, archive, full=full)
        sent, received = tried.bytes_sent + came.bytes_sent, tried.bytes_received + came.bytes_received
        return replace(came, bytes_sent=sent, bytes_received=received)


def _kit_for(way: WayOut, label: str, kit: Kit, settings: Settings) -> tuple[Kit, BoundWire]:
    wire = BoundWire(way, tuple(canary.where for canary in kit.canaries.family("resolver")))
    budgets = settings.budgets
    own = replace(
        kit,
        interface=label,
        pacer=Pacer(wire, budgets.flows_per_second, budgets.flows_per_120_s),
        memory=Memory(),
        greeted=None,
        trouble=None,
        looks=0,
        abroad={},
        resting={},
        under_way=[],
        whereabouts=None,
        before=None,
        moves=0,
        moves_told=0,
    )
    return own, wire
