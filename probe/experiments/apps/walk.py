"""An app's baseline: its name, its connection where it has one, and what the app would say first."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from probe.experiments import website
from probe.experiments.apps.speaking import Reached, watched
from probe.experiments.apps.table import APPS
from probe.experiments.places import connectable
from probe.experiments.site import Focus
from probe.experiments.steps import Place
from probe.experiments.system_answers import Library, addresses_of
from probe.observations import AppFact

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.instruments.tcp import TcpStream
    from probe.observations import Operation


async def run(site: Site) -> None:
    """Measure the endpoint as its app would, over each address family that this host has."""
    app = APPS[site.asked.endpoint.scheme]
    if app.run is not None:
        await app.run(site)
        return
    await website.over_families(site, lambda family, libraries: _walk(site, family, libraries))


async def _walk(site: Site, family: int, libraries: list[Library]) -> None:
    endpoint = site.asked.endpoint
    place = Place(purpose="baseline", endpoint=site.number, group=f"v{family}")
    focus = Focus(host=endpoint.host, port=endpoint.port, scheme=endpoint.scheme, url=endpoint.url)
    site.look_at(focus, [])
    addresses = await addresses_of(site, endpoint.host, place, libraries)
    site.look_at(focus, addresses)
    usable = [address for address in addresses if connectable(address)]
    if not usable:
        if addresses:
            site.suspect("dns", None)
        return
    stream: TcpStream | None = None
    if _connects(site):
        stream = await website.connect_to(site, usable[0], endpoint.port, endpoint.host, place)
        if stream is None:
            return
    try:
        operation = await _speak(site, Reached(usable[0], endpoint.port, stream), place)
    finally:
        if stream is not None:
            stream.close()
    if operation.failure is None:
        site.succeeded = True
    else:
        site.suspect("tls" if operation.kind == "tls" else "app", operation)


def _connects(site: Site) -> bool:
    app = site.asked.endpoint.app
    return app is not None and app.transport != "udp"


async def _speak(site: Site, reached: Reached, place: Place) -> Operation:
    """One exchange, watched and recorded."""
    app, scheme = APPS[site.asked.endpoint.scheme], site.asked.endpoint.app
    assert scheme is not None
    assert app.speak is not None
    if reached.stream is None:
        await site.session.pacer.flow()
    blank = AppFact(protocol=scheme.protocol, transport=scheme.transport, sent=scheme.protocol)
    with contextlib.nullcontext() if app.watches else watched(site, reached, place, "app", blank):
        operation = await app.speak(site, reached, place)
    return site.record(operation, **place.fields()).operation
