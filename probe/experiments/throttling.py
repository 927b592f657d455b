"""The same bytes asked for with the name and with innocuous ones, at places that have nothing to do with it: who is slower?

What is asked for is the same at each place: its own page, or bytes of a control's. Only the name in the greeting differs. Two
arms of each kind come in an order that is drawn, then two more, so that what a line does in a minute it does to both, and no
line can keep time with us: one that is bad at every second moment, or for every second flow, has met every fixed order once.
The innocuous name is another one each time, for some names are free on used-up tariffs. Where only the greeting was slow,
nothing but greetings is sent. A name that keeps up in two rounds, at two places or twice at one, is not asked about any
further.

A place is one where the innocuous name gets all of it, and which shows no certificate of the name's own. Where there is none
the site's own address has to do, which proves nothing: servers slow single names down as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from probe.control import protocol
from probe.experiments.control_pairs import announced_by
from probe.experiments.places import is_literal
from probe.experiments.session import guarded
from probe.experiments.slowness import Slow, slowness
from probe.experiments.steps import Place
from probe.instruments import tcp, tls, transfer
from probe.observations import Arm, Operation, Purpose, TlsFact
from probe.verdict.certificates import covers
from probe.verdict.throttling import KEEPS_UP
from probe.wire.sockets import TcpOptions

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.settings import Settings

NAME: Purpose = "throttling"
WANTED = 24_576
"""Bytes of one arm behind its greeting: past the burst that policers let by, and the 16 to 20 KB after which some freeze."""
PIECES = 30
"""Packets that the request of each arm is sent in, where something had stopped: some freeze what is longer than 25 packets."""
BUDGET = 540_000
"""Bytes of one test, both ways, above TCP: headers and what is sent again come on top, and stay below 600 KB."""
_ARM_COSTS = {"greeting": 3_000, "bytes": 38_000, "stopped": 40_000}
_TOGETHER = 2
"""Rounds whose arms are drawn together."""
_ROUNDS, _ROUNDS_ALONE = 4, 6
"""At two places side by side, and at one alone: what chance alone does then is once in 4,900 and in 924."""
_TRIES = 5
_KEPT_UP = 2
_HANDSHAKE_S, _LONGEST_HANDSHAKE_S = 5.0, 6.5
_SHORTEST_S, _LONGEST_S = 2.5, 10.0
_GAP_S = 0.2
_TIMEOUT = "generic_timeout_error"
_REST_S = 3600.0
"""A name that kept up is not timed again for so long, in a process that lives on."""


def is_wanted(settings: Settings) -> bool:
    """Whether ``--only`` and ``--skip`` leave it in."""
    return (not settings.only or NAME in settings.only) and NAME not in settings.skip


def begin(site: Site) -> None:
    """The baseline has ended: ask on beside, if it was slow or stopped midway. Nothing waits for it but the verdict."""
    slow = slowness(site) if is_wanted(site.settings) and NAME not in site.started else None
    if slow is None or is_literal(slow.host):
        return
    site.started.add(NAME)
    site.session.trouble.set()
    site.group.create_task(guarded(site.session, NAME, _beside(site, slow), endpoint=site.number))


async def _beside(site: Site, slow: Slow) -> None:
    await site.session.own_side_known.wait()
    memory, question = site.session.memory, f"{NAME}/{slow.host}"
    if site.session.excused(NAME) or (
        memory is not None and not memory.is_due(question, site.wire.monotonic(), _REST_S)
    ):
        return
    site.on_step(NAME)
    test = _Test(site, slow)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(site.settings.deadlines.endpoint):
            await test.run()
    if memory is not None and not test.keeps_up:
        memory.take_back(question)


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """A place. ``group`` as observations have it; ``host`` and ``path`` of what is asked for, ``innocuous`` the other names."""

    group: str
    address: str
    port: int
    host: str
    path: str
    innocuous: tuple[str, ...]

    @property
    def is_a_control(self) -> bool:
        return self.group.startswith("control:")


@dataclass(frozen=True, slots=True)
class _Timed:
    """How one arm went: whether all of it came, and the seconds that its greeting and the rest took."""

    whole: bool
    in_time: bool
    serves: bool = False
    greeted_s: float = 0.0
    moved_s: float = 0.0


@dataclass(slots=True)
class _Test:
    """One test of one name: what it has cost so far, and how often the name kept up."""

    site: Site
    slow: Slow
    spent: int = 0
    kept_up: int = 0
    met: int = 0
    hopeless: bool = False
    measured: list[str] = field(default_factory=list)

    @property
    def keeps_up(self) -> bool:
        return self.kept_up >= _KEPT_UP

    async def run(self) -> None:
        """At two neutral places side by side, at one alone for longer; where there are not two, at a control's sink, else
        at its own. Only neutral places prove, so the others are asked for want of them.
        """
        async with asyncio.TaskGroup() as places:
            for number in range(1, self.site.settings.budgets.neutrals + 1):
                places.create_task(self._at_neutral(number))
        if len(self.measured) < self.site.settings.budgets.neutrals and not self._is_over:
            sink = await self._sink()
            if sink is not None:
                await self._at(sink)
        if not self.measured and not self.hopeless and (own := self._own()) is not None:
            await self._at(own)

    # places

    async def _sink(self) -> _There | None:
        """A sink of the first control that has the one that is needed."""
        site = self.site
        for control in site.settings.controls:
            said = await announced_by(site, control)
            port = said.port("tls" if self.slow.kind == "greeting" else "bulk")
            if said.address is not None and port is not None:
                return _There(
                    group=control.vantage,
                    address=said.address,
                    port=port,
                    host="sink",
                    path=f"{protocol.BULK}/{WANTED}",
                    innocuous=self._others(control.host),
                )
        return None

    async def _at_neutral(self, number: int) -> None:
        """At a neutral place that has enough to give."""
        neutrals, session = self.site.session.neutrals, self.site.session
        for attempt in range(_TRIES):
            group = f"neutral/{number}.{attempt}"
            drawing = Place(purpose=NAME, endpoint=self.site.number, group=group)
            found = await neutrals.draw(session, drawing, tuple(self.site.addresses), self.site.neutral_networks)
            if found is None or self._is_over:
                return
            there = _There(
                group=group,
                address=found.address,
                port=443,
                host=found.name,
                path="/",
                innocuous=self._others(found.name),
            )
            if await self._at(there):
                return

    def _own(self) -> _There | None:
        address = self.site.first_address()
        if address is None:
            return None
        path = urlsplit(self.slow.url).path or "/"
        return _There(
            group=f"own/{address}",
            address=address,
            port=urlsplit(self.slow.url).port or 443,
            host=self.slow.host,
            path=path,
            innocuous=self._others(self.slow.host),
        )

    def _others(self, avoid: str) -> tuple[str, ...]:
        return self.site.session.neutrals.mixed(self.slow.host, avoid, _ROUNDS_ALONE)

    # turns

    @property
    def _is_over(self) -> bool:
        return self.keeps_up or self.hopeless or self.spent + _ARM_COSTS[self.slow.kind] > BUDGET

    async def _at(self, there: _There) -> bool:
        """Both names in turns at one place; whether it was of any use, or nothing is to be asked elsewhere either."""
        if self.slow.kind == "greeting" and await self._serves(there):
            self._met_the_site()
            return False
        mine, others = list[_Timed](), list[_Timed]()
        for number, which in enumerate(self._drawn()):
            if number % 2 == 0 and (self._is_over or min(len(mine), len(others)) >= self._rounds):
                break
            timed = await self._arm(there, which, mine, others)
            if which == "innocuous" and not timed.whole:
                # A line on which even the first does not come in time is slow for everybody.
                self.hopeless |= not others and not timed.in_time
                return bool(others) or self.hopeless
            if timed.serves and not there.group.startswith("own"):
                self._met_the_site()
                return False
            (others if which == "innocuous" else mine).append(timed)
            self._note(there, mine, others)
        return True

    @property
    def _rounds(self) -> int:
        return _ROUNDS if len(self.measured) > 1 else _ROUNDS_ALONE

    def _drawn(self) -> Iterator[Arm]:
        while True:
            arms: list[Arm] = ["innocuous", "target"] * _TOGETHER
            self.site.wire.random.shuffle(arms)
            yield from arms

    def _note(self, there: _There, mine: Sequence[_Timed], others: Sequence[_Timed]) -> None:
        """Of one round nothing is concluded: whatever made the other name slow in it may be over."""
        if mine and others and there.group not in self.measured:
            self.measured.append(there.group)
        if len(mine) == len(others) >= _TOGETHER:
            self.kept_up += _as_fast(mine, others)

    def _met_the_site(self) -> None:
        """A certificate of the name's at a place that was to have none. Twice: somebody on the way goes by names."""
        self.met += 1
        self.hopeless |= self.met > 1

    # one arm

    async def _arm(self, there: _There, which: Arm, mine: Sequence[_Timed], others: Sequence[_Timed]) -> _Timed:
        """One arm, for which as much is set aside beforehand as it may cost: another place is asked at the same time."""
        reserve = _ARM_COSTS[self.slow.kind]
        self.spent += reserve
        try:
            return await self._connection(there, which, len(others if which == "innocuous" else mine), others)
        finally:
            self.spent -= reserve

    async def _connection(self, there: _There, which: Arm, number: int, others: Sequence[_Timed]) -> _Timed:
        """One connection from a fresh port, greeted with one of the names."""
        site = self.site
        name = self.slow.host if which == "target" else there.innocuous[number % len(there.innocuous)]
        await site.wire.sleep(_GAP_S * site.settings.deadline_scale)
        place = Place(purpose=NAME, endpoint=site.number, group=there.group, arm=which, round=number)
        brief = self.slow.kind == "greeting"
        stream = await self._connect(there, place, name, sips=brief)
        if stream is None:
            return _Timed(whole=False, in_time=True)
        if brief:
            stream.forget_when_closed()
            hello = tls.Hello(sni=name)
            operation = await tls.first_record(site.wire, stream, hello=hello, deadline_s=self._handshake_s(which))
            self._record(there, place, operation)
            return _timed(operation)
        greeted = await tls.unverified(
            site.wire,
            stream,
            hello=tls.Hello(sni=name, alpn=("http/1.1",)),
            deadline_s=self._handshake_s(which),
            chain=True,
        )
        self._record(there, place, greeted.operation)
        timed = replace(_timed(greeted.operation), serves=_covers(greeted.operation, self.slow.host))
        if greeted.stream is None:
            return timed
        moved = await self._transfer(there, greeted.stream, name, limit_s=_limit_s(which, others))
        self._record(there, place, moved)
        return replace(_timed(moved), serves=timed.serves, greeted_s=timed.greeted_s, moved_s=_seconds(moved))

    async def _transfer(self, there: _There, stream: tls.TlsStream, name: str, *, limit_s: float) -> Operation:
        site = self.site
        wanted = transfer.Wanted(
            host=there.host,
            path=there.path,
            bytes=WANTED,
            pieces=PIECES if self.slow.kind == "stopped" else 1,
            user_agent=site.settings.user_agent,
        )
        deadline_s = limit_s * site.settings.deadline_scale
        return await transfer.transfer(site.wire, stream, wanted, name=name, deadline_s=deadline_s)

    def _handshake_s(self, which: Arm) -> float:
        mine = min(max(1.5 * self.slow.handshake_s, _HANDSHAKE_S), _LONGEST_HANDSHAKE_S)
        return (mine if which == "target" else _HANDSHAKE_S) * self.site.settings.deadline_scale

    async def _serves(self, there: _There) -> bool:
        """Whether the place has a certificate of the name's, which a first record does not show. No arm of anything."""
        place = Place(purpose=NAME, endpoint=self.site.number, group=there.group, member="serves")
        stream = await self._connect(there, place, self.slow.host)
        if stream is None:
            return False
        greeted = await tls.unverified(
            self.site.wire,
            stream,
            hello=tls.Hello(sni=self.slow.host),
            deadline_s=self._handshake_s("target"),
            chain=True,
        )
        if greeted.stream is not None:
            greeted.stream.close()
        self._record(there, place, greeted.operation)
        return _covers(greeted.operation, self.slow.host)

    async def _connect(self, there: _There, place: Place, name: str, *, sips: bool = False) -> tcp.TcpStream | None:
        site = self.site
        await site.session.pacer.flow()
        connected = await tcp.connect(
            site.wire,
            there.address,
            there.port,
            deadline_s=site.settings.deadlines.connect,
            options=TcpOptions(sips=True) if sips else None,
            name=name,
        )
        self._record(there, place, connected.operation)
        return connected.stream

    def _record(self, there: _There, place: Place, operation: Operation) -> None:
        self.spent += operation.bytes_sent + operation.bytes_received
        if there.is_a_control:
            # A server of the user's own: its address must not end up in an export.
            operation = replace(operation, address=None)
        self.site.record(operation, **place.fields())


def _limit_s(which: Arm, others: Sequence[_Timed]) -> float:
    """How long the bytes of an arm may take: those of the name three times as long as the others' ever did."""
    if which == "innocuous":
        return _LONGEST_S
    if not others:
        return _LONGEST_S / 2
    return min(max(3 * max(other.moved_s for other in others), _SHORTEST_S), _LONGEST_S)


def _timed(operation: Operation) -> _Timed:
    return _Timed(operation.failure is None, operation.failure != _TIMEOUT, greeted_s=_seconds(operation))


def _seconds(operation: Operation) -> float:
    return (operation.duration_us or 0) / 1e6


def _covers(operation: Operation, host: str) -> bool:
    fact = operation.fact
    return isinstance(fact, TlsFact) and bool(fact.chain) and covers(fact.chain[0], host)


def _as_fast(mine: Sequence[_Timed], others: Sequence[_Timed]) -> bool:
    """Whether the name's arms, in the middle, were as quick as the quickest of the other's, or nearly."""
    greeted_s = statistics.median(one.greeted_s for one in mine) * KEEPS_UP
    moved_s = statistics.median(one.moved_s for one in mine) * KEEPS_UP
    quick = greeted_s <= min(one.greeted_s for one in others) + _GAP_S and moved_s <= min(one.moved_s for one in others)
    return quick and all(one.whole for one in mine)
