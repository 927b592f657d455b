"""The part of the pretend Internet that every act has: canaries, innocuous sites, public resolvers, clocks, one provider.

Their names are those of the shipped list, so that nothing in the program has to know that it is being shown around; their
addresses are invented, each in a network of its own, as different operators' would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from probe.demo.pages import WELCOME
from probe.demo.world import Page, Reply, Resolver, Server, World
from probe.wire.resolvers import Nameserver
from targets.model import Canaries, Canary

PROVIDER_RESOLVER = "21.0.0.53"
"""The provider's resolver: what a home router hands out."""
_NAME_OF_RESOLVER = {"8.8.8.8": "dns.google", "9.9.9.9": "dns.quad9.net", "1.1.1.1": "one.one.one.one"}


def networks(first: int) -> Iterator[str]:
    """One address out of each /16 of a /8: 21.1.0.10, 21.2.0.10 …, so that no two share an operator."""
    return (f"{first}.{second}.0.10" for second in range(1, 255))


def quiet_neighbourhood(canaries: Canaries) -> World:
    """A world in which nothing is the matter: every canary answers as it should."""
    addresses = networks(21)
    hosts = {name: next(addresses) for name in sorted(_host_names(canaries))}
    portals = {urlsplit(canary.where).hostname or "": canary for canary in canaries.family("portal")}
    clocks = {canary.where for canary in canaries.family("clock")}
    public = {canary.where for canary in canaries.family("resolver")}
    literals = {canary.where for canary in canaries.family("literal")} - public
    return World(
        servers=(
            *(_server(name, address, portals.get(name)) for name, address in hosts.items() if name not in clocks),
            *(Server(address=address, names=(address,), ports=(443,)) for address in sorted(literals)),
        ),
        zone={name: Reply((address,)) for name, address in hosts.items()},
        resolvers=(
            Resolver(address=PROVIDER_RESOLVER),
            *(_public_resolver(address) for address in sorted(public)),
        ),
        clocks=tuple(hosts[name] for name in sorted(clocks)),
        nameservers=(Nameserver(PROVIDER_RESOLVER),),
    )


def with_http3(world: World, canaries: Canaries) -> World:
    """*world*, and in it the well-known sites that have HTTP/3, each in a network of its own."""
    places = dict(zip(canaries.http3, networks(27), strict=False))
    servers = (Server(address=address, names=(name,), ports=(), http3=True) for name, address in places.items())
    zone = {name: Reply((address,)) for name, address in places.items()}
    return replace(world, servers=(*world.servers, *servers), zone={**world.zone, **zone})


def _host_names(canaries: Canaries) -> set[str]:
    sites = {c.where for family in ("foreign", "domestic", "clock") for c in canaries.members if c.family == family}
    portals = {urlsplit(canary.where).hostname or "" for canary in canaries.family("portal")}
    return sites | portals | set(canaries.innocuous) | set(canaries.ad_domains)


def _public_resolver(address: str) -> Resolver:
    name = _NAME_OF_RESOLVER.get(address)
    # Abroad: its word comes after the provider's.
    return Resolver(address=address, names=(name,) if name else (), encrypted=True, delay_s=0.012)


def _server(name: str, address: str, portal: Canary | None) -> Server:
    if portal is None:
        return Server(address=address, names=(name,), pages={"": WELCOME})
    page = Page(status=portal.status or 200, body=portal.expect or "", headers=(("Content-Type", "text/html"),))
    return Server(address=address, names=(name,), pages={urlsplit(portal.where).path or "/": page})
