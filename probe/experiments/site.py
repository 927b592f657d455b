"""One endpoint while it is measured: the hop in question, what is suspected, and the follow-ups that this starts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from probe.experiments.alarm import Alarm
from probe.experiments.places import connectable
from probe.experiments.session import guarded
from probe.instruments.kernel import read
from probe.observations import Fact, Observation, Operation

if TYPE_CHECKING:
    from probe.experiments.cheap import Step
    from probe.experiments.pacing import Turns
    from probe.experiments.session import Session
    from probe.instruments.dns_lingering import Lingering
    from probe.instruments.tcp import TcpStream
    from probe.settings import Settings
    from probe.wire import Wire
    from targets.model import Asked

_SILENCES = (None, "generic_timeout_error", "interrupted", "dns_servfail_error")
"""How what is asked abroad fails where nobody abroad is reached."""

FLOWS = {
    "neutral_pair": 18,
    "retry": 1,
    "dns_answers": 16,
    "own_pair": 12,
    "path_mtu": 6,
    "siblings": 5,
    "neighbours": 4,
    "behind": 12,
    "neutral_chain": 12,
    "vendor_sign": 3,
    "quic": 12,
    "udp_here": 4,
}
"""How many a follow-up begins at the most in a crowd, as a rule. What is not named begins none then, or is for one endpoint."""
_AT_LENGTH = ("neutral_pair", "neutral_chain", "retry")
"""Waits for flows that others give back; of the rest, only what there are flows for when its turn comes is asked."""

DEEP = ("residual", "split")
"""Asked with ``--deep`` only: they take minutes, and say how a block works."""

ASIDE = frozenset({"behind", "locate", "control_pair", "protocol_pair", *DEEP})
"""Nothing that they find is a failure which the own side could excuse, so it is looked at again while they go on: a place on
the way, or what counts only beside successes of the same moments."""

# A certificate that does not verify is an answer, not a silence.
CERTIFICATE = ("ssl_invalid_certificate", "ssl_invalid_hostname", "ssl_unknown_authority")


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """The hop that is in question: the follow-ups ask about this name, not about the one that redirected to it."""

    host: str
    port: int
    scheme: str
    url: str


FollowUp = Callable[["Site"], Awaitable[None]]
FollowUps = Callable[[str, str, Operation | None, "Settings"], Sequence[tuple[str, FollowUp]]]
"""(scheme, stage, operation or ``None`` for silence, settings) → names and functions of what to ask."""


@dataclass(slots=True)
class Site:
    """One endpoint being measured. Follow-ups are added to ``group`` as suspicion arises, each at most once."""

    session: Session
    asked: Asked
    group: asyncio.TaskGroup
    on_step: Callable[[str], None]
    turns: Turns
    follow_ups: FollowUps
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    suspicions: dict[str, Operation | None] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    asking: list[asyncio.Task[None]] = field(default_factory=list)
    failing: list[asyncio.Task[None]] = field(default_factory=list)
    """Those of them in which a failure counts: all but :data:`ASIDE`."""
    turn_asked_for: bool = False
    is_wide: bool = False
    """Whether its turn is one of many, and ends with the neutral places."""
    stage: str = "dns"
    focus: Focus | None = None
    addresses: list[str] = field(default_factory=list)
    """What the system's resolver (or hosts file) answered for the name in focus, both families."""
    way: dict[int, list[Step | None]] = field(default_factory=dict)
    """By address family, how to come cheaply by each host that answered; ``None`` for one that gave nothing to come by."""
    lingering: list[Lingering] = field(default_factory=list)
    """Sockets that go on listening for later replies; whoever made the site closes them."""
    rtt_us: int | None = None
    neutral_networks: set[str] = field(default_factory=set)
    """Where its neutrals are: no two should be one operator's."""
    neutrals_ended: asyncio.Event = field(default_factory=asyncio.Event)
    neutrals_settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set as soon as it is known whether the neutral places decide: at the end, or when one of them cannot any more."""
    alternating: int = 0
    """Neutral places where another name was answered and the two now take turns."""
    flipped: bool = False
    """Whether the name failed to the end at every neutral place: then nothing more is needed to tell a block."""
    flips: list[tuple[str, str]] = field(default_factory=list)
    """Neutral places where it did, and the name that was answered there."""
    succeeded: bool = False

    @property
    def host(self) -> str:
        """The name in question: of the hop in focus, else of the endpoint."""
        return self.focus.host if self.focus is not None else self.asked.endpoint.host

    @property
    def port(self) -> int:
        return self.focus.port if self.focus is not None else self.asked.endpoint.port

    @property
    def scheme(self) -> str:
        return self.focus.scheme if self.focus is not None else self.asked.endpoint.scheme

    @property
    def number(self) -> int:
        return self.asked.number

    @property
    def wire(self) -> Wire:
        return self.session.wire

    @property
    def settings(self) -> Settings:
        return self.session.settings

    def record(self, operation: Operation, **place: Any) -> Observation:
        """Record an operation made for this endpoint."""
        return self.session.record(operation, **(place | {"endpoint": self.number}))

    def first_address(self) -> str | None:
        """The address that the baseline went to: the first one that may be connected to, where IPv6 leads nowhere an IPv4
        one. What is asked at an address of a dead version waits for nothing.
        """
        usable = [address for address in self.addresses if connectable(address)]
        v6 = self.session.uses_ipv6
        return next((address for address in usable if v6 or ":" not in address), None)

    def look_at(self, focus: Focus, addresses: list[str]) -> None:
        """The baseline has come to this hop.

        Once something has failed the focus stays where it is. A hop that was only slow has been passed: what was being
        asked about it is dropped, and the next one starts afresh.
        """
        if self.focus is not None and (self.focus.host, self.focus.scheme) != (focus.host, focus.scheme):
            if self._was_only_slow():
                self._start_over()
            elif self.suspicions and self.focus.host != focus.host:
                return
        if self.focus is None or self.focus.host != focus.host:
            self.addresses.clear()
        self.focus = focus
        self.addresses.extend(address for address in addresses if address not in self.addresses)
        known = self.session.answers.get(focus.host, ())
        self.session.answers[focus.host] = tuple(dict.fromkeys((*known, *addresses)))

    def _was_only_slow(self) -> bool:
        """Whether every suspicion was a silence. Where two families walk side by side it may be the other one's still."""
        silent = all(operation is None for operation in self.suspicions.values())
        return bool(self.suspicions) and silent and not self.session.has_ipv6

    def _start_over(self) -> None:
        for task in self.asking:
            task.cancel()
        self.asking.clear()
        self.failing.clear()
        self.suspicions.clear()
        self.started.clear()
        self.neutrals_ended.clear()
        self.neutrals_settled.clear()
        self.alternating = 0
        self.flipped = False
        self.flips.clear()

    def patience_s(self) -> float:
        """How long silence is ordinary: max(1 s, 4 × the path's RTT, 3 × a canary's handshake).

        The last is for narrow lines: there a certificate takes seconds for every site, and to ask more would only make the
        queue longer.
        """
        rtt_s = (self.rtt_us or 0) / 1e6
        return max(self.settings.deadlines.suspicion_floor, 4 * rtt_s, 3 * self.session.ordinary_s())

    def _patience_on_s(self, stream: TcpStream | None) -> float:
        """The same, with the round trip as it has become on *stream*: a full queue makes it ten times longer."""
        kernel = read(stream.socket) if stream is not None else None
        return max(self.patience_s(), 4 * ((kernel.rtt_us if kernel is not None else None) or 0) / 1e6)

    @contextlib.contextmanager
    def watching(self, stage: str, blank: Fact, *, stream: TcpStream | None = None, **known: Any) -> Iterator[None]:
        """Raise a suspicion if the block is silent for longer than is ordinary, without ending it.

        Bytes that come in on *stream* are no silence: a handshake may take until it counts as slow, a page until its
        deadline. A block that is cancelled leaves an ``interrupted`` observation, so that what was begun is not forgotten.
        ``known`` holds ``place`` (of the observation) and the operation's name, address and port.
        """
        place = known.pop("place")
        self.stage = stage
        begun_us, begun = self.wire.now_us(), self.wire.monotonic()
        deadlines = self.settings.deadlines
        alarm = Alarm(
            patience_s=lambda: self._patience_on_s(stream),
            received=lambda: stream.bytes_received if stream is not None else 0,
            ready=self.session.is_looked_at,
            at_most_s=deadlines.http_body if stage == "http" else deadlines.tls_soft,
            ring=lambda: self.suspect(stage, None),
            loop=asyncio.get_running_loop(),
        )
        alarm.start()
        try:
            yield
        except asyncio.CancelledError:
            elapsed = int((self.wire.monotonic() - begun) * 1e6)
            operation = Operation(fact=blank, started_us=begun_us, duration_us=elapsed, failure="interrupted", **known)
            self.record(operation, **place)
            raise
        finally:
            alarm.stop()

    def suspect(self, stage: str, operation: Operation | None) -> None:
        """Something at *stage* failed (*operation*) or has been silent too long (``None``): ask on, concurrently."""
        self.session.trouble.set()
        if not self.turn_asked_for:
            self.turn_asked_for = True
            self.group.create_task(self._take_turn())
        self.suspicions[stage] = operation if operation is not None else self.suspicions.get(stage)
        for name, run in self.follow_ups(self.scheme, stage, operation, self.settings):
            if name in self.started:
                continue
            self.started.add(name)
            task = self.group.create_task(self._follow_up(name, stage, run))
            self.asking.append(task)
            if name not in ASIDE:
                self.failing.append(task)

    async def failures_are_in(self) -> None:
        """Wait until no failure can come any more that the own side could excuse. To be called when the baseline has ended."""
        while waiting := [task for task in self.failing if not task.done()]:
            await asyncio.wait(waiting)

    async def still_asks(self) -> bool:
        """Whether its own address is still worth asking.

        Only a few questions fit into the flows of two minutes. Where many endpoints are in trouble at once, the neutral
        places are asked first, and what they have decided needs no more.
        """
        if self.turns.crowded and "neutral_pair" in self.started:
            await self.neutrals_ended.wait()
            return not (self.flipped or self.succeeded)
        return True

    async def _is_asked_in_crowds(self, name: str) -> bool:
        """Whether the follow-up *name* is still worth its flows, beside many other endpoints in trouble."""
        if self.session.second_look is not None:
            await self.session.second_look.wait()
        if self.session.is_cut_off() and self._met_silence():
            return False
        # The neutral places decide, and a page that comes after all at its own address would withdraw that.
        if name in ("neutral_pair", "retry", *ASIDE) or (name == "dns_answers" and "dns" in self.suspicions):
            return True
        return await self.still_asks()

    def _met_silence(self) -> bool:
        """Whether all that went wrong is that nothing came back."""
        return all((o.failure if o is not None else None) in _SILENCES for o in self.suspicions.values())

    async def _is_crowded(self, name: str) -> bool:
        """Whether many are in trouble. In a long list a moment is waited to see who else is; least for what is decisive."""
        if len(self.session.asked) > self.turns.crowd and not self.turns.crowded:
            gap_s = self.settings.deadlines.arm_gap
            await self.wire.sleep(gap_s / 3 if name == "neutral_pair" else gap_s)
        return self.turns.crowded

    def _about_certificate(self, stage: str) -> bool:
        operation = self.suspicions.get(stage)
        return stage == "tls" and operation is not None and operation.failure in CERTIFICATE

    async def _take_turn(self) -> None:
        self.is_wide = await self.turns.take(self.asked, self._may_be_wide)
        if self.is_wide and "neutral_pair" not in self.started:
            self.turns.give_back(self.asked)
        self.turn.set()

    async def _may_be_wide(self) -> bool:
        """Whether this is one of many, on a line for many. Names that are not found are asked of the one resolver there is."""
        await self.session.own_side_known.wait()
        return await self._is_crowded("neutral_pair") and self.session.is_brisk() and self.stage != "dns"

    async def _follow_up(self, name: str, stage: str, run: FollowUp) -> None:
        try:
            await self.session.own_side_known.wait()
            await self.turn.wait()
            if self.succeeded or self.session.excused("certificate" if self._about_certificate(stage) else stage):
                return
            if not await self._is_crowded(name):
                await self._ask(name, run)
            elif await self._is_asked_in_crowds(name):
                wait = name in _AT_LENGTH or (name == "dns_answers" and "dns" in self.suspicions)
                async with self.session.pacer.promised(FLOWS.get(name, 0), wait=wait) as granted:
                    if granted:
                        await self._ask(name, run)
                    else:
                        self.session.cut_short.add(self.number)
        finally:
            if name == "neutral_pair":
                self.neutrals_ended.set()
                self.neutrals_settled.set()
                if self.is_wide:
                    self.turns.give_back(self.asked)

    async def _ask(self, name: str, run: FollowUp) -> None:
        self.on_step(name)
        deadlines = self.settings.deadlines
        try:
            async with asyncio.timeout(deadlines.deep if name in DEEP else deadlines.endpoint):
                await guarded(self.session, name, run(self), endpoint=self.number)
        except TimeoutError:
            if self.session.pacer.is_used_up:
                self.session.cut_short.add(self.number)
