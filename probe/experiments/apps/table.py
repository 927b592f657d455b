"""Who speaks which scheme: one line each. What is not in here has no experiment yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.experiments.steps import connect
from probe.instruments.apps import exchange

if TYPE_CHECKING:
    from probe.experiments.session import Site
    from probe.experiments.steps import Place
    from probe.instruments.apps.dialogue import Dialogue
    from probe.instruments.tcp import TcpStream
    from probe.observations import Operation


@dataclass(frozen=True, slots=True)
class Reached:
    """Where an app is to be spoken with: an address and a port, and the connection, where the scheme has one."""

    address: str
    port: int
    stream: TcpStream | None = None


Speak = Callable[["Site", Reached, "Place"], Awaitable["Operation"]]
"""One exchange. What it does before (a TLS greeting) it records itself, under the place; what it gives back is recorded by
whoever asked. The stream stays the caller's."""


@dataclass(frozen=True, slots=True)
class App:
    """``speak``: one exchange at one address, of the baseline and of each retry. ``run``: the whole baseline, for a scheme
    that has no name and address of its own to walk to.
    """

    speak: Speak | None = None
    run: Callable[[Site], Awaitable[None]] | None = None


def spoken(make: Callable[[Site], Dialogue]) -> App:
    """The app whose dialogue *make* makes afresh for every exchange."""

    async def speak(site: Site, reached: Reached, place: Place) -> Operation:  # noqa: ARG001 - nothing goes before
        dialogue, deadline_s = make(site), site.settings.deadlines.tls_hard
        name = site.asked.endpoint.host
        if reached.stream is not None:
            return await exchange.over_tcp(site.wire, reached.stream, dialogue, deadline_s=deadline_s, name=name)
        return await exchange.over_udp(
            site.wire, reached.address, reached.port, dialogue, name=name, deadline_s=deadline_s
        )

    return App(speak)


async def spoken_again(site: Site, place: Place, address: str) -> bool:
    """The same exchange once more, from a fresh port, over a connection of its own; recorded. Whether it was answered as the
    protocol has it.
    """
    endpoint = site.asked.endpoint
    app, scheme = APPS.get(endpoint.scheme), endpoint.app
    if app is None or app.speak is None or scheme is None:
        return False
    stream: TcpStream | None = None
    if scheme.transport == "udp":
        await site.session.pacer.flow()
    else:
        stream = await connect(site.session, place, address, endpoint.port, name=endpoint.host)
        if stream is None:
            return False
    try:
        operation = await app.speak(site, Reached(address, endpoint.port, stream), place)
    finally:
        if stream is not None:
            stream.close()
    site.record(operation, **place.fields())
    return operation.failure is None


APPS: Mapping[str, App] = {}
"""Scheme (as :mod:`targets.schemes` has it) → who speaks it."""
