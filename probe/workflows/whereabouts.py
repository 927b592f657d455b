"""Which network this host is in, as far as it can tell without sending anything: enough to notice that it has moved.

What was learned in one network (tickets, addresses, what is wrong with it, suspicions) must not be believed in another.
Kept in memory only, for it would tell where somebody goes; for the next process there is a hint (:func:`hint_of`) that tells
two networks apart and names none. Behind the bridge of a container nothing is noticed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

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


# ---------------------------------------------------------------------------------------------------------------------
# for the next process

_HINT_BYTES = 1
"""Of each part. Of all routers one in 256 looks the same: enough to notice most moves, and no proof of where somebody was."""
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Hint:
    """Whereabouts of which each part is a byte that depends on a *salt*: good for a comparison, and for nothing else."""

    salt: bytes
    here: Whereabouts


def hint_of(here: Whereabouts, *, in_container: bool = False) -> dict[str, Any]:
    """*here* as plain JSON, with a salt of its own: two hints of one network have nothing in common.

    The router of a container may be a bridge of its host's, which gets another address whenever it is made anew. Its
    address is one that was made up (IEEE 802: bit 1 of the first byte is set), and is left out.
    """
    salt = os.urandom(_SALT_BYTES)
    if in_container and here.router is not None and int(here.router[:2], 16) & 2:
        here = replace(here, router=None)
    veiled = _veiled(here, salt)
    return {
        "salt": salt.hex(),
        "gateway": veiled.gateway,
        "router": veiled.router,
        "nameservers": sorted(veiled.nameservers),
        "tunnels": list(veiled.tunnels),
    }


def hint_from(said: Mapping[str, Any]) -> Hint | None:
    """The inverse; ``None`` for what is no hint."""
    try:
        here = Whereabouts(
            said["gateway"], said["router"], frozenset(map(str, said["nameservers"])), tuple(map(str, said["tunnels"]))
        )
        return Hint(bytes.fromhex(said["salt"]), here)
    except (KeyError, TypeError, ValueError):
        return None


def is_elsewhere(hint: Hint, now: Whereabouts) -> bool:
    """Whether *now* is another network than the one that *hint* was made in."""
    return noted(hint.here, _veiled(now, hint.salt))[1]


def _veiled(here: Whereabouts, salt: bytes) -> Whereabouts:
    def veil(part: str) -> str:
        return hashlib.blake2b(part.encode(errors="surrogatepass"), key=salt, digest_size=_HINT_BYTES).hexdigest()

    return Whereabouts(
        None if here.gateway is None else veil(here.gateway),
        None if here.router is None else veil(here.router),
        frozenset(map(veil, here.nameservers)),
        tuple(map(veil, here.tunnels)),
    )
