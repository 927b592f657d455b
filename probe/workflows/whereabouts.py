"""Which network this host is in, as far as it can tell without sending anything: enough to notice that it has moved.

What was learned in one network (tickets, addresses, what is wrong with it, suspicions) must not be believed in another.
Kept in memory only, for it would tell where somebody goes. Inside a container, whose own bridge never changes, nothing is
noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from probe.wire import Wire


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The router's address, its hardware address where that is known, the resolvers, and kinds of tunnels that are up."""

    gateway: str | None
    router: str | None
    nameservers: frozenset[str]
    tunnels: tuple[str, ...]


def whereabouts(wire: Wire) -> Whereabouts | None:
    """Where *wire*'s host is now; ``None`` while it has no way out, or none that could be told from another."""
    host = wire.host()
    if host.default_route_v4 is False and not host.default_route_v6:
        return None
    nameservers = frozenset(server.address for server in wire.nameservers())
    gateway = wire.gateway() or wire.gateway6()
    if gateway is None and not nameservers:
        return None
    return Whereabouts(gateway, wire.router(), nameservers, host.tunnels)


def noted(before: Whereabouts | None, now: Whereabouts) -> tuple[Whereabouts, bool]:
    """What to remember of *now*, and whether it is another network than *before*.

    A resolver more or less is none; nor is a router whose hardware address is not known at the moment.
    """
    if before is None:
        return now, False
    if (before.gateway, before.tunnels) != (now.gateway, now.tunnels) or _differ(before.router, now.router):
        return now, True
    if before.nameservers and now.nameservers and not before.nameservers & now.nameservers:
        return now, True
    return replace(now, router=now.router or before.router, nameservers=now.nameservers or before.nameservers), False


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
