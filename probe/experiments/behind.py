"""Behind a reset: does the server's own answer arrive while somebody else breaks the connection off in its name?

Linux can be told to ignore packets that came from farther away than some distance (IP_MINTTL). So the distance of the
server's packets is learned first, from acknowledgements, with nobody named. Then the name is asked in turn with everything
heard and with what came from farther than the server ignored. Where the answer arrives then, and a packet was ignored on
the very connection that it arrived on, the reset was not the server's: a server that resets does not answer as well.

Where that recovers nothing, the opposite is asked: with the server's own packets ignored, what still arrives came from
nearer by. That alone is weak, for balancers and scrubbers send resets of their own.

Nothing of this works where the censor copies the server's TTL, where a device on the way sets all TTLs to one, or where the
own router forgets a connection at its first reset. There it finds nothing, which is no evidence for anything.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.experiments.depth import depth_of
from probe.experiments.places import sni_of
from probe.experiments.steps import Place, connect
from probe.instruments import distance, kernel, tls
from probe.observations import Arm, HttpFact, Operation, TlsFact
from probe.wire.sockets import TcpOptions

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.instruments.tcp import TcpStream

HEARD, FARTHER, NEARER = "heard", "min_ttl/farther", "min_ttl/nearer"
"""Groups of arms: nothing ignored; what comes from farther than the server; the server's own packets as well."""
MARGIN = 2
"""Routers more or less between the server and one flow or another: what is nearer than this to the server's distance counts
as the server's."""
ROUNDS = 3
_SEARCHES = 4
_MOST_ENDPOINTS = 4
"""In a run. It is evidence beside other evidence, takes some seconds each, and one after the other."""
_MOST_TTL = 255
_GREETING = bytes.fromhex("1603010200010001fc0303")
"""The beginning of a ClientHello of 512 bytes (RFC 8446 §4.1.2): its random follows, and a name would only come later."""


async def run(site: Site) -> None:
    """Ask, if something that was asked of the name ended with a reset. Two endpoints are never asked about at once: what is
    ignored is counted for the whole host.
    """
    address = site.first_address()
    if address is None or not await site.still_asks():
        return
    waiting = site.wire.ttl_turn.locked()
    async with site.wire.ttl_turn:
        asked = {o.endpoint for o in site.session.recorder.observations if o.purpose == "behind"}
        if len(asked) < _MOST_ENDPOINTS and not (waiting and site.flipped):
            await _Behind(site, address).ask()


@dataclass(frozen=True, slots=True)
class _Exchange:
    """How one arm went: answered, reset, or neither (silence); ``ignored``: segments that the kernel threw away."""

    answered: bool
    reset: bool
    ignored: int | None


class _Behind:
    """One address, and what comes from there by distance."""

    def __init__(self, site: Site, address: str) -> None:
        self._site = site
        self._address = address
        innocuous = site.session.neutrals.innocuous(site.host, site.host)
        self._names: dict[Arm, str] = {"target": site.host, "innocuous": innocuous}
        self._depth = depth_of(site)
        self._patience_s = max(site.settings.deadlines.arm_floor, site.patience_s())
        # Where the first record is enough, no more is taken; what is to be read to its end comes as it does to a browser.
        self._options = TcpOptions(sips=True) if site.scheme == "https" and self._depth == "record" else None
        self._begun = 0.0

    async def ask(self) -> None:
        """Learn the distance; then innocuous, heard, ignored, heard, ignored …, and innocuous again."""
        ttl = await self._learn()
        if ttl is None or ttl <= MARGIN + 1:
            return
        lowest = ttl - MARGIN
        if (await self._send("innocuous", 0, lowest)).ignored:
            return  # the server's own packets come from several distances
        for number in range(ROUNDS):
            if not (await self._send("target", number, None)).reset:
                return  # nothing to look behind, at this moment
            behind = await self._send("target", number, lowest)
            if behind.reset:
                await self._nearer(ttl + MARGIN + 1)
                return
            if not behind.answered and (number or not behind.ignored):
                return
        if (await self._send("target", ROUNDS, None)).reset:
            await self._send("innocuous", 1, lowest)

    async def _nearer(self, lowest: int) -> None:
        """With the server's own packets ignored: what still breaks the name off, and not another one, came from nearer by."""
        if lowest > _MOST_TTL:
            return
        for number in range(2):
            if not (await self._send("target", number, lowest, group=NEARER)).reset:
                return
        await self._send("innocuous", 0, lowest, group=NEARER)

    async def _learn(self) -> int | None:
        """The TTL of the server's packets; on several connections, where it soon gives up waiting for the rest."""
        site, bounds = self._site, distance.Bounds()
        place = Place(purpose="behind", endpoint=site.number, group="distance")
        for number in range(_SEARCHES):
            place = dataclasses.replace(place, round=number)
            stream = await connect(site.session, place, self._address, site.port)
            if stream is None:
                return None
            operation = await distance.measure(
                site.wire, stream, bounds, beginning=self._beginning(), deadline_s=site.settings.deadlines.tls_soft
            )
            site.record(operation, **place.fields())
            if bounds.found is not None or not bounds.low:
                return bounds.found
        return None

    def _beginning(self) -> bytes:
        if self._site.scheme == "http":
            return f"GET / HTTP/1.1\r\nUser-Agent: {self._site.settings.user_agent}\r\n".encode()
        return _GREETING + self._site.wire.random.randbytes(32)

    async def _send(self, which: Arm, number: int, lowest: int | None, *, group: str = FARTHER) -> _Exchange:
        """One arm from a fresh port; *lowest*: ignore what arrives with less TTL than that."""
        wire = self._site.wire
        await wire.sleep(max(0.0, self._begun + self._site.settings.deadlines.arm_gap - wire.monotonic()))
        self._begun = wire.monotonic()
        group = HEARD if lowest is None else group
        place = Place(purpose="behind", endpoint=self._site.number, group=group, arm=which, round=number)
        name = self._names[which]
        stream = await connect(
            self._site.session, place, self._address, self._site.port, name=name, options=self._options
        )
        if stream is None:
            return _Exchange(answered=False, reset=False, ignored=None)
        before = kernel.ignored()
        if lowest is not None and not kernel.ignore_below(stream.socket, lowest):
            stream.close()
            return _Exchange(answered=False, reset=False, ignored=None)
        if lowest is not None or self._options is not None:
            # What the kernel would go on ignoring for a closed connection would be counted for the next one.
            stream.forget_when_closed()
        operation = await self._exchange(stream, name)
        after = kernel.ignored()
        ignored = after - before if lowest is not None and before is not None and after is not None else None
        kept = self._site.record(_marked(operation, lowest, ignored), **place.fields())
        return _Exchange(answered=kept.failure is None, reset=kept.failure == "connection_reset", ignored=ignored)

    async def _exchange(self, stream: TcpStream, name: str) -> Operation:
        """As deep as the name's own way came, and one step further. Closes *stream*."""
        site, sni = self._site, sni_of(name)
        if site.scheme == "http":
            return await self._request(stream, name)
        if self._depth == "record":
            return await tls.first_record(site.wire, stream, hello=tls.Hello(sni=sni), deadline_s=self._patience_s)
        shaken = await tls.unverified(site.wire, stream, hello=tls.Hello(sni=sni), deadline_s=self._patience_s)
        if shaken.stream is None:
            return shaken.operation
        if self._depth == "request":
            return await self._request(shaken.stream, name)
        shaken.stream.close()
        return shaken.operation

    async def _request(self, stream: TcpStream | tls.TlsStream, name: str) -> Operation:
        from probe.instruments import http

        site = self._site
        return await http.request(
            site.wire,
            stream,
            method="GET" if site.scheme == "http" else "HEAD",
            url=f"{site.scheme}://{name}/",
            user_agent=site.settings.user_agent,
            verified_chain=False,
            head_deadline_s=self._patience_s,
            body_deadline_s=self._patience_s,
            body_cap=site.settings.budgets.body_light,
            header_cap=site.settings.budgets.headers,
            keep_body=site.scheme == "http",
        )


def _marked(operation: Operation, lowest: int | None, ignored: int | None) -> Operation:
    """*operation* with what the kernel was told to ignore, and how much it did."""
    fact = operation.fact
    assert isinstance(fact, TlsFact | HttpFact)
    return dataclasses.replace(operation, fact=dataclasses.replace(fact, min_ttl=lowest, ignored=ignored))
