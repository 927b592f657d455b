"""QUIC: whether a name gets through over it, and if not, whether that is this name, all of QUIC here, or the site alone.

Browsers take HTTP/3 where a site says that it has it, and go back to TCP without a word where it does not come. So for a page
a silent QUIC is an impairment and never a block; a site that *is* QUIC (``quic://HOST``) is judged by the same comparisons.
One variable at a time: the name (T and I in turn, at the site's own address, at places that serve neither, at a control's
sink), the version (a handshake, and the question which versions are spoken), the length of the greeting (one datagram, and two
as a browser's with post-quantum keys), and how far a greeting is let go.

aioquic may not be installed (``dalel[quic]``): nothing of this is asked then, and the check says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from probe.experiments.alt_svc import http3_port
from probe.experiments.control_pairs import announced_by
from probe.experiments.places import connectable, is_literal, sni_of
from probe.experiments.quic_places import PURPOSE
from probe.experiments.session import guarded
from probe.experiments.steps import Place
from probe.instruments import quic
from probe.observations import Arm, HttpFact, Operation, QuicFact
from probe.verdict.networks import network_of
from probe.verdict.quic import LONG, NEUTRAL, OWN, PING, WAY, WAYS, answered

if TYPE_CHECKING:
    from probe.experiments.site import Site
    from probe.settings import Settings
    from probe.settings.controls import Control

NAME = "quic"
_HOUR_S = 3600.0
_TRIES = 4
_OWN_ROUNDS = 2
"""At the site's own address: enough to see whether another name is answered there; the server can tell names apart too."""
_LONG_ALPN = (*quic.ALPN, *(f"{number:03}".ljust(200, "x") for number in range(6)))
"""With these a greeting takes two datagrams, as browsers' greetings do."""
_HOPS = 8
_WAY_S = 1.0


def is_wanted(settings: Settings) -> bool:
    """Whether ``--only`` and ``--skip`` leave QUIC in."""
    return (not settings.only or NAME in settings.only) and NAME not in settings.skip


# ---------------------------------------------------------------------------------------------------------------------
# a page


def begin(site: Site) -> None:
    """The page has come over TCP: ask for QUIC beside, if the site says that it has it. Nothing waits but the verdict."""
    if site.succeeded and is_wanted(site.settings) and NAME not in site.started:
        site.started.add(NAME)
        site.group.create_task(guarded(site.session, NAME, _beside(site), endpoint=site.number))


async def _beside(site: Site) -> None:
    offer = _offer(site)
    if offer is None or not _is_due(site, offer[0]):
        return
    await site.session.quic.stillness(site.settings.deadlines.suspicion_floor)
    # The import takes 0.2 s of CPU, and in the loop every handshake of that moment would look slow.
    if not await quic.is_ready(site.wire):
        return
    site.on_step(NAME)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(site.settings.deadlines.endpoint):
            await Question(site, *offer).ask()


def _offer(site: Site) -> tuple[str, str, int] | None:
    """Name, address and port of the host that gave the page, if it says over a verified chain that it has HTTP/3; and without
    that word if QUIC is all that was asked for.
    """
    for o in reversed(site.session.recorder.observations):
        fact, operation = o.fact, o.operation
        if o.endpoint != site.number or o.purpose != "baseline" or not isinstance(fact, HttpFact):
            continue
        host = operation.name or ""
        if not fact.verified_chain or operation.failure is not None or operation.address is None or is_literal(host):
            continue
        port = http3_port(fact.headers, host)
        if port is None and NAME in site.settings.only:
            port = operation.port
        return (host, operation.address, port) if port is not None else None
    return None


def _is_due(site: Site, host: str) -> bool:
    """Once a run for each name, or in the light profile for each platform, of which one name tells the most; and once an hour
    in a process that lives on. A handshake is 7 KB, as much as all the rest of a light check of one place.
    """
    session, platform = site.session, site.asked.platform
    about = platform if platform is not None and site.settings.profile == "light" else host
    if about in session.quic.asked:
        return False
    session.quic.asked.add(about)
    if session.memory is None:
        return True
    return session.memory.is_due(f"quic/{about}", session.wire.monotonic(), _HOUR_S)


# ---------------------------------------------------------------------------------------------------------------------
# a site that is QUIC


async def run(site: Site) -> None:
    """What is asked about ``quic://HOST`` when its first greeting got no answer."""
    address = site.first_address()
    if address is None or not await quic.is_ready(site.wire):
        return
    question = Question(site, site.host, address, site.port)
    await question.look_closer()
    await question.follow()


# ---------------------------------------------------------------------------------------------------------------------
# the questions


@dataclass(frozen=True, slots=True)
class _Manner:
    """How an arm is sent: how long it waits, the round trip that is expected, and what it offers besides the name."""

    patience_s: float
    rtt_us: int | None = None
    alpn: tuple[str, ...] = quic.ALPN


def _learnt(other: Operation, floor_s: float) -> _Manner:
    """As long, and as seldom repeated, as the answer to another name at that place allows."""
    assert isinstance(other.fact, QuicFact)
    return _Manner(max(floor_s, 4 * (other.duration_us or 0) / 1e6), other.fact.first_reply_us)


class Question:
    """Everything that is asked about one name at one address over QUIC."""

    def __init__(self, site: Site, host: str, address: str, port: int) -> None:
        self._site = site
        self._session = site.session
        self._host = host
        self._address = address
        self._port = port
        self._answered = False
        self._own_twice = False

    @property
    def _passed(self) -> bool:
        """Whether a greeting with the name has been answered, anywhere: then nothing more is asked."""
        return self._answered or (self._site.asked.endpoint.app is not None and self._site.succeeded)

    async def ask(self) -> None:
        """One greeting; and the rest beside it where it is silent for longer than is ordinary, or refused on the way."""
        async with asyncio.TaskGroup() as group:
            first = group.create_task(self._own("target", 0))
            await asyncio.wait({first}, timeout=self._site.patience_s())
            if not first.done() or not answered(first.result()):
                group.create_task(self.look_closer())

    async def look_closer(self) -> None:
        """A greeting in two datagrams and the question for versions beside the look at the line; then the names in turn."""
        async with asyncio.TaskGroup() as group:
            long = group.create_task(self._long())
            group.create_task(self._ping())
            if await self._session.quic.look(self._session) and not self._passed:
                await self._compare()
        if long.result() and not self._own_twice:
            await self._own("target", 1)

    async def _compare(self) -> None:
        unlike = {network_of(address) for address in (*self._site.addresses, self._address)}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._alternate(OWN, self._address, self._port, rounds=_OWN_ROUNDS, first=1))
            for index in range(1, self._site.settings.budgets.neutrals + 1):
                group.create_task(self._neutral(f"{NEUTRAL}{index}", unlike))
            for control in self._site.settings.controls[:1]:
                group.create_task(self._at_control(control))

    async def _long(self) -> bool:
        manner = _Manner(self._site.settings.deadlines.quic, self._site.rtt_us, _LONG_ALPN)
        return answered(await self._shake("target", LONG, self._address, self._port, self._host, 0, manner))

    async def _ping(self) -> None:
        place = Place(purpose=PURPOSE, endpoint=self._site.number, group=PING)
        await self._session.pacer.flow()
        asked = await quic.ping(
            self._site.wire, self._address, port=self._port, deadline_s=self._site.settings.deadlines.quic
        )
        self._session.record(replace(asked, name=self._host), **place.fields())

    async def _own(self, arm: Arm, number: int) -> Operation:
        return await self._shake(arm, OWN, self._address, self._port, self._host, number)

    # names in turn

    async def _neutral(self, group: str, unlike: set[str]) -> None:
        for _ in range(_TRIES):
            place = await self._session.quic.draw(self._session, unlike)
            if place is None or await self._alternate(group, place.address, quic.PORT, avoid=place.name):
                return

    async def _at_control(self, control: Control) -> None:
        said = await announced_by(self._site, control, PURPOSE)
        port = said.port("quic")
        if said.address is not None and port is not None:
            async with said.turns:
                await self._alternate(control.vantage, said.address, port, avoid=control.host)

    async def _alternate(
        self,
        group: str,
        address: str,
        port: int,
        *,
        avoid: str | None = None,
        rounds: int | None = None,
        first: int = 0,
    ) -> bool:
        """I T I T … T at one place, as :class:`probe.experiments.contrast.Pair` has it. Whether I was answered at all: if not
        T is never sent.
        """
        settings = self._site.settings
        others = self._session.neutrals.mixed(self._host, avoid or self._host, rounds or settings.budgets.pair_rounds)
        manner = _Manner(patience_s=settings.deadlines.quic)
        lost = 0
        for number, innocuous in enumerate(others, first):
            begun = self._site.wire.monotonic()
            other = await self._shake("innocuous", group, address, port, innocuous, number, manner)
            if answered(other):
                lost, manner = 0, _learnt(other, settings.deadlines.arm_floor)
            elif number == first or lost:
                return number != first
            else:
                lost = 1
            await self._gap(begun)
            begun = self._site.wire.monotonic()
            if self._passed:
                break
            await self._shake("target", group, address, port, self._host, number, manner)
            self._own_twice |= group == OWN
            await self._gap(begun)
        return True

    async def _gap(self, begun: float) -> None:
        wire = self._site.wire
        await wire.sleep(max(0.0, begun + self._site.settings.deadlines.arm_gap - wire.monotonic()))

    async def _shake(
        self,
        arm: Arm,
        group: str,
        address: str,
        port: int,
        name: str,
        number: int = 0,
        manner: _Manner | None = None,
    ) -> Operation:
        """One greeting from a fresh port, recorded."""
        manner = manner or _Manner(self._site.settings.deadlines.quic, self._site.rtt_us)
        place = Place(purpose=PURPOSE, endpoint=self._site.number, group=group, arm=arm, round=number)
        await self._session.pacer.flow()
        operation = await quic.handshake(
            self._site.wire,
            address,
            port=port,
            sni=sni_of(name),
            name=name,
            alpn=manner.alpn,
            deadline_s=manner.patience_s,
            rtt_us=manner.rtt_us,
        )
        assert operation is not None  # nothing begins without aioquic
        self._answered |= arm == "target" and answered(operation)
        return self._session.record(operation, **place.fields()).operation

    # where on the way

    async def follow(self) -> None:
        """Greetings that get only so many routers far, with the name and with another one, to a place where names were
        compared: the last router that speaks of the name's, and the next that speaks of the other's only. Who counts greetings
        with the name stops them by their turn: so they go from far to near, and back.
        """
        address = self._compared_at()
        if address is None or self._passed:
            return
        names: dict[Arm, str] = {
            "innocuous": self._session.neutrals.innocuous(self._host, self._host),
            "target": self._host,
        }
        async with asyncio.TaskGroup() as group:
            for number in range(WAYS):
                for ttl in sorted(range(1, _HOPS + 1), reverse=number % 2 == 0):
                    for arm, name in names.items():
                        group.create_task(self._let_go(address, arm, name, ttl, number))

    def _compared_at(self) -> str | None:
        """A neutral place where the name failed."""
        return next(
            (
                o.operation.address
                for o in self._session.recorder.observations
                if o.endpoint == self._site.number
                and o.purpose == PURPOSE
                and (o.group or "").startswith(NEUTRAL)
                and o.arm == "target"
                and not answered(o.operation)
                and o.operation.address is not None
                and connectable(o.operation.address)
            ),
            None,
        )

    async def _let_go(self, address: str, arm: Arm, name: str, ttl: int, number: int) -> None:
        place = Place(purpose=PURPOSE, endpoint=self._site.number, group=WAY, arm=arm, round=number)
        await self._session.pacer.flow()
        operation = await quic.let_go(
            self._site.wire, address, sni=name, ttl=ttl, deadline_s=_WAY_S * self._site.settings.deadline_scale
        )
        if operation is not None:
            self._session.record(operation, **place.fields())
