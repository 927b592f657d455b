"""The cheap check between full baselines: one question, one connection, and a handshake that takes an earlier session up.

It costs some 1.6 KB, because a server that takes its own ticket back shows no certificates, and no page is asked for. The
greeting bears the site's name as ever, so whoever acts on names acts on it. A ticket is a proof of who answers, for only
the server can open it (see :func:`probe.instruments.tls.handshake`), so what passes is ``accessible`` by the same right as a
page over a verified chain, but for the page: an error, a refusal, or a name that stalls after its first kilobytes is seen
by the full baseline, which comes at least every sixth time.

Nothing is ever blamed for a cheap check that fails: the full one follows at once, and is judged without it. A ticket that
is refused costs nothing either, for the server has shown its chain then, and the baseline goes on from there.
"""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from probe.experiments.places import connectable, is_literal, sni_of
from probe.experiments.questions import in_turn
from probe.experiments.steps import Place
from probe.instruments import dns, tcp, tickets, tls
from probe.instruments.tickets import Ticket
from probe.observations import DnsFact, Operation, TlsFact

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.instruments.tls import TlsStream
    from probe.verdict.model import Verdict

FULL_EVERY = 6
"""Of so many rounds one is full at least."""
_LONGEST_WAIT_FOR_TICKET_S = 1.0
_LOOK_AGAIN_S = 43_200.0
"""Between two looks at what a host gives, where looking costs memory for good."""
_BETWEEN_TICKETS = 4
"""Round trips that a fresh ticket is waited for: the server sends it right behind its last word (RFC 8446 §4.6.1)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One host on the way to an endpoint's page, and the ticket that it gave."""

    host: str
    port: int
    family: int
    ticket: Ticket


@dataclass(slots=True)
class _Known:
    way: tuple[Step, ...]
    cheap: int = 0


class Memory:
    """What a process remembers of its endpoints from round to round: the hosts on the way to the page, and their tickets.

    It is held in memory only: a ticket on disk would tell who has been visited, and is worth nothing after a restart.
    *at_most* endpoints are remembered, those that were measured last.
    """

    def __init__(self, at_most: int = 2000) -> None:
        self._at_most = at_most
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._held: OrderedDict[str, Ticket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def way(self, url: str, now: float) -> tuple[Step, ...]:
        """The hosts to go by, with tickets that are worth offering at the moment *now*; empty where a full check is due."""
        known = self._known.get(url)
        if known is None or known.cheap >= FULL_EVERY - 1:
            return ()
        return known.way if all(step.ticket.is_fresh(now) for step in known.way) else ()

    def learn(self, url: str, way: Sequence[Step]) -> None:
        """A full check found *url* well, and went by *way*; an empty one is forgotten."""
        self._known.pop(url, None)
        if way:
            self._known[url] = _Known(tuple(way))
        while len(self._known) > self._at_most:
            self._known.popitem(last=False)

    def renew(self, url: str, way: Sequence[Step]) -> None:
        """A cheap check went well by *way*."""
        if (known := self._known.get(url)) is not None:
            known.way, known.cheap = tuple(way), known.cheap + 1

    def is_due(self, question: str, now: float, every_s: float) -> bool:
        """Whether *question* has not been put for *every_s* (monotonic seconds); if so it counts as put *now*."""
        last = self._asked.get(question)
        if last is not None and now - last < every_s:
            return False
        self._asked.pop(question, None)
        self._asked[question] = now
        while len(self._asked) > self._at_most:
            self._asked.popitem(last=False)
        return True

    def take_back(self, question: str) -> None:
        """As if *question* had not been put: its answer makes it worth asking again soon."""
        self._asked.pop(question, None)

    def ticket(self, stream: TlsStream, host: str, now: float) -> Ticket | None:
        """What *stream*'s server gave for next time. Where looking costs memory for good (``tickets.LOSES_MEMORY``), that is
        looked at twice a day, and what it gave then serves again: servers take a ticket more than once.
        """
        if not tickets.LOSES_MEMORY:
            return stream.ticket(host, now)
        held = self._held.get(host)
        if (held is None or not held.is_fresh(now)) and self.is_due(f"ticket of {host}", now, _LOOK_AGAIN_S):
            self.refused(host)
            held = stream.ticket(host, now)
            if held is not None:
                self._held[host] = held
            while len(self._held) > self._at_most:
                self._held.popitem(last=False)
        return stream.same_ticket(held) if held is not None else None

    def refused(self, host: str) -> None:
        """The ticket of *host* is worth nothing any more."""
        self._held.pop(host, None)

    def forget(self, url: str) -> None:
        """The next check of *url* is full."""
        self._known.pop(url, None)


@dataclass(frozen=True, slots=True)
class Ready:
    """A connection whose ticket was refused: its chain has been verified, so the baseline goes on with it.

    ``operations`` are what led to it, not recorded yet; ``addresses`` all that the name resolved to.
    """

    host: str
    family: int
    addresses: tuple[str, ...]
    stream: TlsStream
    operations: tuple[Operation, ...]


async def check(site: Site) -> bool | Ready:
    """Check the endpoint cheaply, if its last full check allows it. ``True``: it is well. Else the full baseline is due,
    with the connection that there is, if there is one; it is the caller's then.
    """
    memory, url = site.session.memory, site.asked.endpoint.url
    way = memory.way(url, site.wire.monotonic()) if memory is not None else ()
    if memory is None or not way or any(site.wire.hosts_file(step.host) for step in way):
        return False
    renewed: list[Step] = []
    for hop, step in enumerate(way):
        attempt = _Attempt(site, step, hop)
        came = await attempt.run()
        if isinstance(came, Ready):
            memory.refused(step.host)
        if isinstance(came, Ready) and hop == 0:
            return came
        attempt.record()
        if isinstance(came, Ready):
            came.stream.close()
        if not isinstance(came, Ticket):
            memory.forget(url)
            if came is None:
                site.session.trouble.set()
            return False
        renewed.append(replace(step, ticket=came))
    memory.renew(url, renewed)
    site.succeeded = True
    return True


def learn(memory: Memory, site: Site, verdict: Verdict) -> None:
    """Remember how *site* is come by, if it was found well by a full check: nothing but that can be told from a ticket.

    A site that refuses or fails over a verified chain would take its ticket as well.
    """
    url = site.asked.endpoint.url
    if verdict.status != "accessible":
        memory.forget(url)
    elif site.way:
        # IPv4 first: where that works an ordinary visitor gets through whatever IPv6 does.
        whole = (way for _, way in sorted(site.way.items()) if way and all(step is not None for step in way))
        # A site that sends its visitors on to another page of its own is greeted once.
        hosts = {(step.host, step.port): step for step in next(whole, []) if step is not None}
        memory.learn(url, tuple(hosts.values()))


class _Attempt:
    """One step: what was done is kept until it is known whether it belongs to a cheap check or begins a full one."""

    def __init__(self, site: Site, step: Step, hop: int) -> None:
        self._site = site
        self._step = step
        self._hop = hop
        self._operations: list[Operation] = []
        self._addresses: tuple[str, ...] = ()

    def record(self) -> None:
        """Record everything as a cheap check's."""
        place = Place(purpose="cheap", endpoint=self._site.number, group=f"v{self._step.family}", hop=self._hop)
        for operation in self._operations:
            self._site.record(operation, **place.fields())

    async def run(self) -> Ticket | Ready | None:
        """The ticket for next time; a connection if this one was refused; ``None`` if anything failed."""
        wire, begun_us, begun = self._site.wire, self._site.wire.now_us(), self._site.wire.monotonic()
        try:
            return await self._go()
        except asyncio.CancelledError:
            # What was cut off must not look as if it had never been begun.
            blank = TlsFact(sni=sni_of(self._step.host), verify=True)
            elapsed = int((wire.monotonic() - begun) * 1e6)
            cut = Operation(fact=blank, started_us=begun_us, duration_us=elapsed, failure="interrupted")
            self._operations.append(replace(cut, name=self._step.host, port=self._step.port))
            self.record()
            raise

    async def _go(self) -> Ticket | Ready | None:
        address = await self._address()
        if address is None:
            return None
        session, step = self._site.session, self._step
        await session.pacer.flow()
        deadlines = session.settings.deadlines
        connected = await tcp.connect(session.wire, address, step.port, deadline_s=deadlines.connect, name=step.host)
        self._operations.append(connected.operation)
        if connected.stream is None:
            return None
        shaken = await tls.handshake(
            session.wire,
            connected.stream,
            hello=tls.Hello(sni=sni_of(step.host)),
            trust=session.trust,
            host=step.host,
            deadline_s=deadlines.tls_soft,
            ticket=step.ticket,
        )
        self._operations.append(shaken.operation)
        if shaken.stream is None:
            return None
        assert isinstance(shaken.operation.fact, TlsFact)
        self._site.rtt_us = connected.stream.rtt_us
        if (shaken.operation.duration_us or 0) / 1e6 > self._site.patience_s():
            # It came, but late: why, only a full check can tell.
            shaken.stream.close()
            return None
        if not shaken.operation.fact.resumed:
            return Ready(step.host, step.family, self._addresses, shaken.stream, tuple(self._operations))
        return await self._renewed(shaken.stream, shaken.operation)

    async def _address(self) -> str | None:
        """Where the platform's first resolver says the name is, asked once; nothing that may not be connected to."""
        session, step = self._site.session, self._step
        if is_literal(step.host):
            self._addresses = (step.host,)
            return step.host
        servers = session.wire.nameservers()
        if not servers:
            return None
        deadlines = session.settings.deadlines
        ask = functools.partial(
            dns.ask_udp,
            session.wire,
            servers[0],
            dns.Question(step.host, "AAAA" if step.family == 6 else "A"),
            role="system",
            deadline_s=deadlines.dns,
            resend_s=deadlines.dns_resend,
        )
        asked = await in_turn(session, ask, refused=self._operations.append, patient=False)
        self._site.lingering.append(asked.lingering)
        self._operations.append(asked.operation)
        fact = asked.operation.fact
        assert isinstance(fact, DnsFact)
        self._addresses = fact.addresses
        return next((address for address in fact.addresses if connectable(address)), None)

    async def _renewed(self, stream: TlsStream, operation: Operation) -> Ticket:
        """The ticket for next time, a fresh one if it comes soon, and the connection's end.

        Its bytes are the handshake's: a socket that is closed before they come would answer them with a reset.
        """
        wire, patience_s = self._site.wire, _BETWEEN_TICKETS * (stream.tcp.rtt_us or 0) / 1e6
        begun = (stream.tcp.bytes_sent, stream.tcp.bytes_received)
        try:
            async with asyncio.timeout(min(patience_s + 0.05, _LONGEST_WAIT_FOR_TICKET_S)):
                await stream.read(1)
        except OSError:  # TimeoutError is one: some servers give no second ticket, and the first serves again
            pass
        finally:
            stream.close()
        more = (stream.tcp.bytes_sent - begun[0], stream.tcp.bytes_received - begun[1])
        self._operations[-1] = replace(
            operation,
            bytes_sent=operation.bytes_sent + more[0],
            bytes_received=operation.bytes_received + more[1],
        )
        memory = self._site.session.memory
        assert memory is not None
        return memory.ticket(stream, self._step.host, wire.monotonic()) or self._step.ticket
