"""Where on the way a name, or every connection to an address, is stopped: packets that are let go only so many routers far.

A name first. At a neutral place where it failed and others passed, SYNs tell the routers on the way; then, from the port of
each SYN, an innocuous greeting and one with the target's name go as far as it did. The last hop that the target's greeting
is known to have passed, and the first by which it is known to be stopped, are what is looked for; what can be said of them
is :mod:`probe.verdict.located`'s business. It begins when the contrast has flipped, so it costs a healthy site nothing, and
it makes no word: it says where.

A silent address has no name to vary. SYNs to it are held against SYNs to another address, a living neighbour's if there is
one, from the same ports.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probe.experiments import answers_taken as answers
from probe.experiments.places import sni_of
from probe.experiments.steps import Place
from probe.instruments import path, tcp, tls
from probe.observations import Arm, Observation, Operation, PathFact
from probe.verdict import located, located_connections
from probe.wire import Wire
from probe.wire.sockets import TcpOptions

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.instruments.tcp import TcpStream

LONGEST_S = 6.0
"""Nothing new is begun after that. On a quiet line and computer all is known by then."""
MOST_S = 12.0
"""All of it: what was begun is waited for so long. A computer that wakes up late, or a line that loses packets, takes longer
for the same, and the first connection is still being waited for meanwhile. What is not known by then stays unknown."""
MOST_IN_A_RUN = 4
"""Endpoints of one run that it is done for: a list of blocked sites has one device before it, and flows are few."""
FARTHEST = 24
"""Hops that are looked at. Few ways are longer, and no device is that far away."""
_ALL_THE_WAY = 64
_AT_ONCE = 6
"""Greetings in flight in one volley, each from a port of its own."""
_VOLLEYS = 6
_MOST_SHOTS = 30
"""Of all volleys: each is a kilobyte or two."""
_FIRST_TRIES = 3
_STAGGER_S = 0.015
_TICK_S = 0.05
_LATELY_S = 3.0
_MUCH_LONGER = 2
_RTT_S = (0.02, 0.75)
"""Round trips are taken for no less and no more than that: the kernel's resends do not come sooner, and time is limited."""
_FIRST_S = 0.35
"""For the SYN that tells the round trip."""
_LONG_RTT_S, _LONGEST_LINE = 0.25, 3.0
"""Over a satellite all of it takes longer: up to three times, by the round trip."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A place where T fails and I passes: there the difference can be followed along the way. With ``plain`` names are said
    in plain requests, by a program of that name, and not in greetings.
    """

    address: str
    port: int
    target: str
    innocuous: str
    plain: str | None = None

    def words(self, name: str) -> path.Words:
        if self.plain is not None:
            return path.Words.of_request(name, self.plain)
        return path.Words.of_hello(tls.Hello(sni=name))


@dataclass(frozen=True, slots=True)
class Tools:
    """What a sweep needs: the wire, the turn of one flow, and where observations go."""

    wire: Wire
    flow: Callable[[], Awaitable[None]]
    record: Callable[[Operation, Place], Observation]
    place: Place
    scale: float = 1.0


async def run(site: Site) -> None:
    """Find the place of what is wrong with *site*, if the contrast says that a name is it, or if its address is silent."""
    if not path.AVAILABLE:
        return
    if "tls" not in site.suspicions and site.suspicions.keys() & {"tcp"} and await _stays_silent(site):
        await _of_address(site)
    elif "neutral_pair" in site.started and site.scheme in ("https", "http"):
        await _of_name(site)


def _tools(site: Site, group: str) -> Tools:
    place = Place(purpose="locate", endpoint=site.number, group=group)

    def record(operation: Operation, where: Place) -> Observation:
        return site.session.record(operation, **where.fields())

    rtt_s = (site.rtt_us or 0) / 1e6 or site.session.ordinary_s() / 2
    longer = min(max(rtt_s / _LONG_RTT_S, 1.0), _LONGEST_LINE)
    return Tools(site.wire, site.session.pacer.flow, record, place, site.settings.deadline_scale * longer)


def _may(site: Site) -> bool:
    """Whether it is still this endpoint's turn: one is enough where whole lists fail, for others have yet to be proven."""
    most = 1 if site.turns.crowded else MOST_IN_A_RUN
    if len(site.session.located) >= most or site.succeeded:
        return False
    site.session.located.append(site.number)
    return True


# ---------------------------------------------------------------------------------------------------------------------
# a name


async def _of_name(site: Site) -> None:
    from probe.experiments.depth import depth_of

    await site.neutrals_ended.wait()
    sni, plain = sni_of(site.host), site.scheme == "http"
    # Of an encrypted site only what its greeting meets is followed: what comes later is in no single packet.
    if not site.flipped or not site.flips or sni is None or not (plain or depth_of(site) == "record"):
        return
    address, innocuous = site.flips[0]
    tools = _tools(site, f"name/{address}")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MOST_S * tools.scale):
            if not _may(site):
                await _others_are_followed(site)
                return
            ground = Ground(address, 80 if plain else 443, sni, innocuous, site.settings.user_agent if plain else None)
            ended = asyncio.Event()
            site.session.followed.append(ended)
            try:
                await Names(tools, ground, breaks_off=_is_broken_off(site)).sweep()
            finally:
                ended.set()


async def _others_are_followed(site: Site) -> None:
    """Wait for the places of those that are followed: a device in this house that stops one name may stop this one as well,
    and no word is to be said before that is known.
    """
    for ended in tuple(site.session.followed):
        await ended.wait()


def _is_broken_off(site: Site) -> bool:
    operation = site.suspicions.get("http" if site.scheme == "http" else "tls")
    return operation is not None and operation.failure in ("connection_reset", "eof_error")


@dataclass(slots=True)
class Names:
    """How far greetings get that name one thing or another, at one place."""

    tools: Tools
    ground: Ground
    seen: list[Observation] = field(default_factory=list)
    rtt_s: float = _RTT_S[0]
    distance: int | None = None
    breaks_off: bool = False
    """The name is known to be broken off and not dropped: what does that speaks at once, and less has to be waited for."""
    _begun: float = 0.0
    _late: deque[tuple[float, float]] = field(default_factory=deque)
    """When something came late, and by how much."""

    @property
    def slowest_s(self) -> float:
        """What took longest of all that came lately: a busy line or host is slow with every name, and silence is longer."""
        while self._late and self._late[0][0] < self.tools.wire.monotonic() - _LATELY_S:
            self._late.popleft()
        return max((late for _, late in self._late), default=0.0)

    def _was_late(self, late_s: float) -> None:
        self._late.append((self.tools.wire.monotonic(), late_s))

    async def sweep(self) -> None:
        """SYNs over the whole way, then greetings in volleys, each where it is still open; see the module."""
        async with asyncio.TaskGroup() as beside:
            ticking = beside.create_task(self._feel_haste())
            try:
                await self._sweep()
                await answers.ask(self)
            finally:
                ticking.cancel()

    async def _feel_haste(self) -> None:
        """How late this host wakes up: what it hears late it must wait for as long."""
        while True:
            asleep = self.tools.wire.monotonic()
            await asyncio.sleep(_TICK_S)
            self._was_late(self.tools.wire.monotonic() - asleep - _TICK_S)

    async def all_the_way(self, arm: Arm | None = None) -> bool:
        """Whether the place answers a SYN that may go as far as it likes, which tells the round trip. One may get lost."""
        for _ in range(_FIRST_TRIES):
            first = await self.syn(_ALL_THE_WAY, arm, patience_s=_FIRST_S * self.tools.scale)
            if first.came == "answer":
                self.rtt_s = min(max((first.after_us or 0) / 1e6, _RTT_S[0]), _RTT_S[1])
                return True
            if first.came != "nothing":
                break
        return False

    async def _sweep(self) -> None:
        self._begun = self.tools.wire.monotonic()
        if not await self.all_the_way():
            return
        await self._syns()
        fresh = {shot.ttl: shot.port for shot in located.shots(self.seen)}
        shots = 0
        for _ in range(_VOLLEYS):
            volley = located.still_open(self.seen, min(_AT_ONCE, _MOST_SHOTS - shots))
            if not volley or self.is_late():
                return
            shots += len(volley)
            # A balancer's other ways say nothing, so ports whose way has the device come first. One that holds a forbidden
            # name against its port answers nothing there any more; then the next volley is from fresh ones.
            known = located.on_the_way(self.seen)
            async with asyncio.TaskGroup() as group:
                for ttl in volley:
                    port = fresh.pop(ttl, None) or _take(known, ttl)
                    group.create_task(self._shoot(ttl, port))
                    await self.tools.wire.sleep(_STAGGER_S * self.tools.scale)

    def is_late(self) -> bool:
        """Whether nothing new is to be begun."""
        return self.tools.wire.monotonic() - self._begun > LONGEST_S * self.tools.scale

    async def _syns(self) -> None:
        """One SYN for each hop, until the place itself has answered one that is as near or nearer."""
        async with asyncio.TaskGroup() as group:
            for ttl in range(1, FARTHEST + 1):
                if self.distance is not None and ttl > self.distance:
                    return
                group.create_task(self.syn(ttl))
                await self.tools.wire.sleep(_STAGGER_S * self.tools.scale)

    async def syn(
        self, ttl: int, arm: Arm | None = None, *, port: int | None = None, patience_s: float = 0.0
    ) -> PathFact:
        """One SYN so far, recorded. Silence is waited for as long as ever, and *patience_s* at least."""
        tools = self.tools
        await tools.flow()
        operation = await path.syn(
            tools.wire,
            self.ground.address,
            self.ground.port,
            ttl=ttl,
            deadline_s=max(self.silence_s(), patience_s),
            source_port=port,
        )
        fact = self._note(operation, arm)
        if fact.came == "answer" and ttl <= FARTHEST:
            self.distance = min(ttl, self.distance or ttl)
        return fact

    def _note(self, operation: Operation, arm: Arm | None) -> PathFact:
        self.seen.append(self.tools.record(operation, dataclasses.replace(self.tools.place, arm=arm)))
        fact = operation.fact
        assert isinstance(fact, PathFact)
        if arm != "target" and fact.came in ("icmp", "answer"):
            self._was_late((fact.after_us or 0) / 1e6)
        return fact

    async def _shoot(self, ttl: int, port: int | None) -> None:
        """From one port: a SYN if none was sent from it yet, an innocuous greeting, and the target's if that was heard of.

        The innocuous one comes first: devices may hold a forbidden name against its port for minutes.
        """
        if port is None:
            port = (await self.syn(ttl)).source_port
        innocuous = await self._greet("innocuous", self.ground.innocuous, ttl, port)
        if innocuous is not None and innocuous.came in ("icmp", "answer"):
            await self._greet("target", self.ground.target, ttl, port)

    async def _greet(self, arm: Arm, name: str, ttl: int, port: int | None) -> PathFact | None:
        """One greeting so far, recorded."""
        stream = await self.open(arm, name, port)
        if stream is None:
            return None
        operation = await path.say(
            self.tools.wire,
            stream,
            words=self.ground.words(name),
            ttl=ttl,
            deadline_s=self.silence_s(stream),
            later_s=self.later_s(stream) if arm == "target" else 0.0,
            twice=not self.breaks_off,
        )
        return self._note(operation, arm)

    async def open(self, arm: Arm, name: str, port: int | None) -> TcpStream | None:
        """A connection to the place, from *port* if that is given; one that fails is recorded."""
        tools = self.tools
        await tools.flow()
        options = TcpOptions(source_port=port)
        patience_s = max(1.0, 4 * self.rtt_s) * tools.scale
        connected = await tcp.connect(
            tools.wire, self.ground.address, self.ground.port, deadline_s=patience_s, options=options, name=name
        )
        if connected.stream is None:
            tools.record(connected.operation, dataclasses.replace(tools.place, arm=arm))
        return connected.stream

    def _resend_s(self, stream: TcpStream | None) -> float:
        """When Linux sends again what was not acknowledged on a fresh connection (RFC 6298, with a floor of 200 ms).

        It goes by the round trip of the connection's own handshake, which may have been a slow one.
        """
        rtt_s = max(self.rtt_s, (stream.rtt_us or 0) / 1e6 if stream is not None else 0.0)
        return rtt_s + max(2 * rtt_s, 0.2)

    def silence_s(self, stream: TcpStream | None = None) -> float:
        """Long enough for one resend and its answer: one lost packet is no silence."""
        return self._resend_s(stream) + max(self.rtt_s + 0.1 * self.tools.scale, _MUCH_LONGER * self.slowest_s)

    def later_s(self, stream: TcpStream) -> float:
        """From then on, long enough for the next resend, which comes after twice that time, and its answer."""
        return 2 * self._resend_s(stream) + max(0.1 * self.tools.scale, _MUCH_LONGER * self.slowest_s)


def _take(ports: dict[int, frozenset[int]], ttl: int) -> int | None:
    """One of *ports* that has not been tried with *ttl*, out of them; ``None`` if there is none."""
    found = next((port for port, tried in ports.items() if ttl not in tried), None)
    if found is not None:
        del ports[found]
    return found


# ---------------------------------------------------------------------------------------------------------------------
# an address


async def _stays_silent(site: Site) -> bool:
    """Whether connections are still without any answer a while after the suspicion."""
    operation = site.suspicions.get("tcp")
    if operation is None:
        await site.wire.sleep(2 * site.settings.deadlines.suspicion_floor)
        operation = site.suspicions.get("tcp")
    silent = operation is None or operation.failure == "generic_timeout_error"
    return silent and not site.succeeded and site.stage == "tcp"


async def _of_address(site: Site) -> None:
    address = site.first_address()
    # First whose turn it is: another address is taken from a pool that a list of silent sites would use up.
    other = await _reference(site, address) if address is not None and _may(site) else None
    if address is None or other is None:
        return
    tools = _tools(site, f"connection/{address}")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MOST_S * tools.scale):
            await Connections(tools, address, site.port, other).sweep()


async def _reference(site: Site, address: str) -> str | None:
    """An address that others reach: a neighbour's that this run knows, else one that has nothing to do with the site."""
    from probe.experiments.siblings import near_names

    near = list(near_names(site))
    if near:
        return near[0]
    place = Place(purpose="locate", endpoint=site.number, group="draw")
    neutral = await site.session.neutrals.draw(site.session, place, tuple(site.addresses), set())
    return None if neutral is None or (":" in neutral.address) != (":" in address) else neutral.address


@dataclass(slots=True)
class Connections:
    """How far SYNs to a silent address get, beside those to one that answers."""

    tools: Tools
    address: str
    port: int
    other: str

    async def sweep(self) -> None:
        """SYNs to the other address over the whole way, and from the port of each one to the silent address."""
        theirs = Names(self.tools, Ground(self.other, 443, "", ""))
        mine = Names(self.tools, Ground(self.address, self.port, "", ""))
        begun = self.tools.wire.monotonic()
        if not await theirs.all_the_way("innocuous"):
            return
        mine.rtt_s = theirs.rtt_s
        async with asyncio.TaskGroup() as group:
            for ttl in range(1, FARTHEST + 1):
                if theirs.distance is not None and ttl > theirs.distance:
                    break
                group.create_task(self._both(theirs, mine, ttl))
                await self.tools.wire.sleep(_STAGGER_S * self.tools.scale)
        for _ in range(_VOLLEYS):
            again = located_connections.silent_yet([*theirs.seen, *mine.seen], _AT_ONCE)
            if not again or self.tools.wire.monotonic() - begun > LONGEST_S * self.tools.scale:
                return
            async with asyncio.TaskGroup() as group:
                for ttl in again:
                    group.create_task(self._both(theirs, mine, ttl))
                    await self.tools.wire.sleep(_STAGGER_S * self.tools.scale)

    async def _both(self, theirs: Names, mine: Names, ttl: int) -> None:
        port = (await theirs.syn(ttl, "innocuous")).source_port
        if theirs.distance is None or ttl <= theirs.distance:
            await mine.syn(ttl, "target", port=port)
