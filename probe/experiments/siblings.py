"""Other ways to the same place, and other places on the same way: is it this address, or all around it?"""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

from probe.experiments.places import connectable
from probe.experiments.steps import Place, arm, connect, verified

if TYPE_CHECKING:
    from probe.experiments.site import Site

_MOST = 4


async def addresses(site: Site) -> None:
    """The name's other addresses (connect, and handshake on ``https://``), and its other web port."""
    usable = [address for address in site.addresses if connectable(address)]
    if not site.session.uses_ipv6:
        usable = [address for address in usable if ":" not in address]
    async with asyncio.TaskGroup() as group:
        for address in usable[1 : 1 + _MOST]:
            group.create_task(_sibling(site, address))
        if usable and site.scheme in ("http", "https"):
            group.create_task(_other_port(site, usable[0], 80 if site.port == 443 else 443))


async def _sibling(site: Site, address: str) -> None:
    place = Place(purpose="siblings", endpoint=site.number, group=f"address/{address}")
    app = site.asked.endpoint.app
    if app is not None and app.transport == "udp":
        return
    if site.scheme == "https" or (app is not None and app.transport == "websocket"):
        await verified(site, place, address, site.port, deadline_s=site.settings.deadlines.tls_soft)
        return
    stream = await connect(site.session, place, address, site.port, name=site.host)
    if stream is not None:
        stream.close()


async def _other_port(site: Site, address: str, port: int) -> None:
    place = Place(purpose="siblings", endpoint=site.number, group=f"port/{port}")
    stream = await connect(site.session, place, address, port, name=site.host)
    if stream is not None:
        stream.close()


async def neighbours(site: Site) -> None:
    """Other names of this run whose answers lie in the same /24 (IPv6: /48). Never a scan: only what was asked for."""
    async with asyncio.TaskGroup() as group:
        for address, name in list(near_names(site).items())[:_MOST]:
            place = Place(purpose="neighbours", endpoint=site.number, group=f"neighbour/{name}")
            group.create_task(_neighbour(site, place, address, name))


def near_names(site: Site) -> dict[str, str]:
    """Addresses beside the site's own, with the names that this run knows there."""
    mine = {address for address in site.addresses if connectable(address)}
    return {
        address: name
        for name, found in site.session.answers.items()
        for address in found
        if name != site.host and address not in mine and any(_same_network(address, own) for own in mine)
    }


async def _neighbour(site: Site, place: Place, address: str, name: str) -> None:
    await arm(site.session, place, address, 443, sni=name, deadline_s=site.settings.deadlines.tls_soft)


def _same_network(one: str, other: str) -> bool:
    a, b = ipaddress.ip_address(one), ipaddress.ip_address(other)
    bits = 24 if b.version == 4 else 48
    return a.version == b.version and a in ipaddress.ip_network(f"{b}/{bits}", strict=False)
