"""How an app is spoken with, wherever it was reached: what those who speak a scheme have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.instruments.apps import exchange

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.experiments.steps import Place
    from probe.instruments.apps.dialogue import Dialogue
    from probe.instruments.tcp import TcpStream
    from probe.observations import Fact, Operation


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
    that has no name and address of its own to walk to. ``watches``: *speak* itself watches for silence (:func:`watched`), for
    it has steps.
    """

    speak: Speak | None = None
    run: Callable[[Site], Awaitable[None]] | None = None
    watches: bool = False


def watched(
    site: Site, reached: Reached, place: Place, stage: str, blank: Fact
) -> contextlib.AbstractContextManager[None]:
    """Around one step of an exchange: a silence in the baseline begins to be asked about while it lasts."""
    if place.purpose != "baseline":
        return contextlib.nullcontext()
    return site.watching(
        stage,
        blank,
        stream=reached.stream,
        place=place.fields(),
        name=site.asked.endpoint.host,
        address=reached.address,
        port=reached.port,
    )


def patience_s(site: Site, place: Place) -> float:
    """How long an answer is waited for: in the baseline twice as long as is enough for a greeting, later as long as that."""
    enough_s = site.settings.deadlines.tls_soft
    return 2 * enough_s if place.purpose == "baseline" else enough_s


def spoken(make: Callable[[Site], Dialogue]) -> App:
    """The app whose dialogue *make* makes afresh for every exchange."""

    async def speak(site: Site, reached: Reached, place: Place) -> Operation:
        dialogue, deadline_s = make(site), patience_s(site, place)
        name = site.asked.endpoint.host
        if reached.stream is not None:
            return await exchange.over_tcp(site.wire, reached.stream, dialogue, deadline_s=deadline_s, name=name)
        return await exchange.over_udp(
            site.wire, reached.address, reached.port, dialogue, name=name, deadline_s=deadline_s
        )

    return App(speak)
