"""IPv6 for a lab that wants it: which addresses its machines and sites have, and the translator where there is no IPv4."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.lab.net import CONTROL, PROBE, PROVIDER, RESOLVER, WORLD, Machine
from tests.lab.packets6 import WELL_KNOWN, Translator, twin

if TYPE_CHECKING:
    from tests.lab.world import World

PROBE6 = "2a5c:2f90:0:10::10"
RESOLVER6 = twin(RESOLVER)
ARPA = "ipv4only.arpa"
"""A name that has only IPv4 addresses: an IPv6 one in an answer gives a translator's prefix away (RFC 7050)."""

_LINES = {
    PROBE.name: (f"{PROBE6}/64", "2a5c:2f90:0:10::1", ()),
    PROVIDER.name: (f"{RESOLVER6}/64", f"{twin('92.47.151.1')}", (f"{twin('92.47.151.0')}/48",)),
    WORLD.name: (f"{twin('62.115.44.2')}/64", twin("62.115.44.1"), ("::/0",)),
    CONTROL.name: (f"{twin('116.202.118.47')}/64", twin("116.202.118.1"), ()),
}
"""Machine → its address, its default route, and what the router sends to it besides its own addresses."""


def machine(plain: Machine, *, only6: bool = False, link: bool = True) -> Machine:
    """The same machine with IPv6, with a default route if there is a *link*; with nothing else if ``only6``."""
    address, gateway, networks = _LINES.get(plain.name, ("", None, ()))
    if not address:
        return plain
    return dataclasses.replace(
        plain,
        address6=address,
        gateway6=gateway if link else None,
        only6=only6,
        networks=(*plain.networks, *networks) if plain.networks else (),
    )


def machines(plain: Iterable[Machine], world: World) -> tuple[Machine, ...]:
    """The machines of a lab, as *world* says: only the probe may be without IPv4."""
    if not world.ipv6:
        return tuple(plain)
    only6 = world.ipv6 == "nat64"
    return tuple(
        machine(one, only6=only6 and one.name == PROBE.name, link=one.name != PROBE.name or world.route6)
        for one in plain
    )


def translator(world: World) -> Translator | None:
    """What stands at the first router where the probe has no IPv4."""
    outside = PROBE.address.partition("/")[0]
    return Translator(inside=PROBE6, outside=outside, prefix=world.prefix64) if world.ipv6 == "nat64" else None


def dual(world: World, *, without: tuple[str, ...] = ()) -> World:
    """The same world with IPv6: every site has it but those *without*, and so have the resolvers."""
    sites = {
        name: site
        if name in without or site.front is not None
        else dataclasses.replace(site, also_at=(*site.also_at, twin(site.address)))
        for name, site in world.sites.items()
    }
    names = {**world.names, ARPA: "192.0.0.170"}
    return dataclasses.replace(world, sites=sites, names=names, ipv6="dual")


def nat64(world: World, *, with6: tuple[str, ...] = (), prefix: str = WELL_KNOWN) -> World:
    """The same world seen from a machine without IPv4, whose resolver makes addresses with *prefix* up (RFC 6147).

    Only sites *with6* have IPv6 themselves.
    """
    translated = dual(world, without=tuple(name for name in world.sites if name not in with6))
    return dataclasses.replace(translated, ipv6="nat64", resolvers=(RESOLVER6,), prefix64=prefix)


def six(world: World, name: str) -> str:
    """The IPv6 address of a site; ``KeyError`` if it has none."""
    found = next((address for address in world.sites[name].also_at if ":" in address), None)
    if found is None:
        raise KeyError(name)
    return found


def provider_says(world: World) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """What the provider's resolver knows and what it lies, with what DNS64 makes of it where there is a translator."""
    if world.ipv6 != "nat64":
        return world.records(), world.lies
    said = {name: synthesised(",".join(found), world.prefix64) for name, found in world.records().items()}
    known = {name: tuple(addresses.split(",")) for name, addresses in said.items()}
    return known, {name: synthesised(lie, world.prefix64) for name, lie in world.lies.items()}


def synthesised(said: str, prefix: str = WELL_KNOWN) -> str:
    """An answer (addresses with commas) with what DNS64 adds to it: nothing where it has IPv6, or is no address."""
    if ":" in said or not said[:1].isdigit():
        return said
    return ",".join([*said.split(","), *(f"{prefix}{address}" for address in said.split(","))])
