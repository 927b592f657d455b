"""Pairs at a control's own sink: two names in turn at a server that answers every name, and what it says arrived of them.

The sink is up and treats all names alike, so the name's own server explains nothing there. Whoever runs it could refuse one
name, though, which is why the judge takes it for no neutral place by itself. What is unlike anywhere else is the other side:
the control tells which arms arrived, whether whole, and whether its answers left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from probe.control import client
from probe.control.guard import is_public
from probe.control.protocol import ArmsRequest
from probe.experiments.contrast import BesidePair
from probe.experiments.places import is_literal
from probe.instruments import tcp, tls
from probe.observations import ArrivalFact, HttpFact, Observation, Operation, Purpose, TcpFact, TlsFact
from probe.verdict.networks import network_of

if TYPE_CHECKING:
    from probe.control.protocol import Sink, SinkKind
    from probe.experiments.site import Site
    from probe.settings.controls import Control

PURPOSE: Purpose = "control_pair"
_AT_ONCE = 2
"""Pairs at one control at the same time: an arm that lost its name on the way is known by its moment only."""
_WELL_KNOWN = 443


@dataclass(slots=True)
class Announced:
    """What one control said of its sinks, asked once in a run. ``address``: where it was reached; sinks are there too."""

    address: str | None = None
    sinks: tuple[Sink, ...] = ()
    asked: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def port(self, kind: SinkKind) -> int | None:
        return next((sink.port for sink in self.sinks if sink.kind == kind), None)


async def run(site: Site) -> None:
    """Alternate T and I at the first control that has a sink for it, and ask what arrived.

    Where many endpoints are in trouble the neutral places have to do: a control is one machine.
    """
    if is_literal(site.host) or site.turns.crowded:
        return
    kind: SinkKind = "http" if site.scheme == "http" else "tls"
    for control in site.settings.controls:
        said = await announced_by(site, control)
        port = said.port(kind)
        if said.address is None or port is None:
            continue
        async with said.turns:
            if await _alternate(site, control, said.address, port):
                return


async def announced_by(site: Site, control: Control, purpose: Purpose = PURPOSE) -> Announced:
    """What *control* says of its sinks; asked once in a run, for whoever comes first, and recorded under *purpose*."""
    said = site.session.sinks.setdefault(control.name, Announced())
    async with said.lock:
        if not said.asked and control.name not in site.session.absent_controls:
            said.asked = True
            await site.session.pacer.flow()
            exchanged, said.sinks = await client.sinks(
                site.wire,
                control,
                trust=site.session.trust,
                deadline_s=2 * site.settings.deadlines.tls_soft,
                reach_s=site.settings.deadlines.tls_soft,
            )
            said.address = exchanged.address
            site.record(exchanged.operation, purpose=purpose, group=control.vantage, member="sinks")
    return said


async def _alternate(site: Site, control: Control, address: str, port: int) -> bool:
    """The pair, and what arrived of it. Whether the sink answered another name at all."""
    innocuous = site.session.neutrals.innocuous(site.host, control.host)
    begun = len(site.session.recorder.observations)
    pair = BesidePair(site, PURPOSE, control.vantage, address, (innocuous,), port)
    first = await pair.send("innocuous", 0)
    if not first.passed:
        return False
    await pair.alternate(first)
    mine = [o for o in site.session.recorder.observations[begun:] if _is_arm(o, site, control)]
    failed = [o for o in mine if o.arm == "target" and not isinstance(o.fact, TcpFact) and o.failure is not None]
    if not failed or site.succeeded:
        return True
    await _look_at_certificate(site, control, address, port)
    await _ask_what_arrived(site, control, mine, (site.host, innocuous))
    return True


def _is_arm(o: Observation, site: Site, control: Control) -> bool:
    here = o.purpose == PURPOSE and o.endpoint == site.number and o.group == control.vantage
    return here and o.arm is not None and o.vantage == "local"


# ---------------------------------------------------------------------------------------------------------------------
# whether it is a place like others


async def _look_at_certificate(site: Site, control: Control, address: str, port: int) -> None:
    """Whether the sink shows a certificate for the control's own name that everybody trusts.

    Not asked where no answer would make it a neutral place: on another port, in this network, or beside the site's own
    address or a neutral place that was drawn; nor where those decide without it.
    """
    if site.flipped:
        return
    taken = {network_of(one) for one in site.addresses} | site.neutral_networks
    if port != _WELL_KNOWN or is_literal(control.host) or not is_public(address) or network_of(address) in taken:
        return
    await site.session.pacer.flow()
    deadlines = site.settings.deadlines
    connected = await tcp.connect(site.wire, address, port, deadline_s=deadlines.connect)
    if connected.stream is None:
        return
    shaken = await tls.handshake(
        site.wire,
        connected.stream,
        hello=tls.Hello(sni=control.host),
        trust=site.session.trust,
        host=control.host,
        deadline_s=deadlines.tls_soft,
    )
    if shaken.stream is not None:
        shaken.stream.close()
    fact = shaken.operation.fact
    assert isinstance(fact, TlsFact)
    seen = replace(shaken.operation, fact=replace(fact, sni=None, chain=()), name=control.name)
    site.record(seen, purpose=PURPOSE, group=control.vantage, member="certificate")


# ---------------------------------------------------------------------------------------------------------------------
# the other side


async def _ask_what_arrived(site: Site, control: Control, arms: Sequence[Observation], names: tuple[str, ...]) -> None:
    """Ask the control for these arms, and record what it says of each; nothing, if it does not know them all."""
    session = site.session
    begun = min(o.operation.started_us for o in arms)
    within_s = max(1, min(600, round((site.wire.now_us() - begun) / 1e6) + 5))
    await session.pacer.flow()
    exchanged, arrived = await client.arms(
        site.wire,
        control,
        ArmsRequest(names, within_s),
        trust=session.trust,
        deadline_s=2 * site.settings.deadlines.tls_soft,
        reach_s=site.settings.deadlines.tls_soft,
    )
    now_us = site.wire.now_us()
    site.record(exchanged.operation, purpose=PURPOSE, group=control.vantage, member="arms")
    if exchanged.operation.failure is not None:
        return
    # What came to another sink, or for a stream of bytes, is another experiment's.
    sink = "http" if site.scheme == "http" else "tls"
    mine = [arm for arm in arrived if arm.fact.sink == sink and arm.fact.bulk is None]
    came = [Came(now_us - arm.ago_us, arm.fact) for arm in mine]
    for arm, seen in match(arms, came, gap_us=round(site.settings.deadlines.arm_gap * 1e6)):
        operation = Operation(fact=seen.fact, started_us=seen.at_us, name=arm.operation.name, port=arm.operation.port)
        site.record(
            operation,
            purpose=PURPOSE,
            group=control.vantage,
            arm=arm.arm,
            round=arm.round,
            vantage=control.vantage,
        )


@dataclass(frozen=True, slots=True)
class Came:
    """One arrival, and when it was by this side's clock (as long ago as the control said, from when its answer came)."""

    at_us: int
    fact: ArrivalFact


def match(arms: Iterable[Observation], came: Sequence[Came], *, gap_us: int) -> list[tuple[Observation, Came]]:
    """Which arrival belongs to which exchange among *arms* (connections and exchanges of one pair). Pure.

    What was answered here must have been answered there: if one such arm is not found, this is not the ledger of these arms
    (an address that changes, a proxy in between), and nothing is known of any.
    """
    sent = _sent(tuple(arms), gap_us)
    by_order = _by_order(sent, came)
    paired = by_order if by_order is not None else _by_moment(sent, came)
    nothing = [Came(one.at_us, ArrivalFact(sink=_sink_of(one.exchange), arrived=False)) for one in sent]
    found = [(one.exchange, seen or none) for one, seen, none in zip(sent, paired, nothing, strict=True)]
    well = [seen.fact for o, seen in found if o.failure is None]
    return found if well and all(fact.whole and fact.answered for fact in well) else []


def _by_order(sent: Sequence[_Sent], came: Sequence[Came]) -> list[Came | None] | None:
    """By the turns that the names took: the arms of the name that was always answered stand still, the others between them.

    No clock is needed for it. ``None`` where that name's arms are not as many there as here, or more is between two of them
    than was sent: somebody else uses the same name from the same address.
    """
    lost = {_name_of(one.exchange) for one in sent if one.exchange.failure is not None}
    fixed = [one for one in sent if _name_of(one.exchange) not in lost]
    names = {_name_of(one.exchange) for one in fixed}
    there = sorted((one for one in came if one.fact.name in names), key=lambda one: one.at_us)
    if len(fixed) != len(there):
        return None
    places = {one.at_us: seen for one, seen in zip(fixed, there, strict=True)}
    found: list[Came | None] = []
    for one in sent:
        before = max((at for at in places if at <= one.at_us), default=None)
        after = min((at for at in places if at > one.at_us), default=None)
        if one.at_us in places:
            found.append(places[one.at_us])
            continue
        low = places[before].at_us if before is not None else -1
        high = places[after].at_us if after is not None else 2**62
        name = _name_of(one.exchange)
        between = [c for c in came if low < c.at_us < high and c.fact.name in (None, name)]
        if len(between) > 1:
            return None
        found.append(between[0] if between else None)
    return found


def _by_moment(sent: Sequence[_Sent], came: Sequence[Came]) -> list[Came | None]:
    """By when they came: arms are some time apart, and all of them are as much later by the control's word (half a round trip
    on the way there, and what its answer took to come back).
    """
    later_us = _later_us([one for one in sent if one.exchange.failure is None], came)
    left, found = list(came), list[Came | None]()
    for one in sent:
        seen = _nearest(one, later_us, left) if later_us is not None else None
        if seen is not None:
            left.remove(seen)
        found.append(seen)
    return found


@dataclass(frozen=True, slots=True)
class _Sent:
    """One arm: its exchange, when its connection was there, and half the way to the next arm before or after."""

    exchange: Observation
    at_us: int
    slack_us: int


def _sent(arms: Sequence[Observation], gap_us: int) -> list[_Sent]:
    begun = {(o.arm, o.round): o.ended_us for o in arms if isinstance(o.fact, TcpFact) and o.failure is None}
    found = []
    for o in arms:
        at_us = begun.get((o.arm, o.round))
        if at_us is None or not isinstance(o.fact, TlsFact | HttpFact):
            continue
        next_us = min((abs(other - at_us) for other in begun.values() if other != at_us), default=gap_us)
        found.append(_Sent(o, at_us, max(gap_us, next_us) // 2))
    return found


def _later_us(answered: Sequence[_Sent], came: Sequence[Came]) -> int | None:
    """How much later arms were by the control's word: so that most of those that were answered here are found there."""
    if not answered:
        return None
    first = answered[0]
    tries = [one.at_us - first.at_us for one in came if one.fact.name == _name_of(first.exchange)]
    return max(
        tries,
        key=lambda later: (sum(_nearest(one, later, came) is not None for one in answered), -abs(later)),
        default=None,
    )


def _nearest(sent: _Sent, later_us: int, left: Sequence[Came]) -> Came | None:
    """The arrival that is so much later under the arm's name, else one that lost its name."""
    name, at_us = _name_of(sent.exchange), sent.at_us + later_us
    may_be = [one for one in left if abs(one.at_us - at_us) <= sent.slack_us and one.fact.name in (None, name)]
    return min(may_be, key=lambda one: (one.fact.name is None, abs(one.at_us - at_us)), default=None)


def _name_of(arm: Observation) -> str:
    return (arm.operation.name or "").rstrip(".").lower()


def _sink_of(arm: Observation) -> Literal["tls", "http"]:
    return "http" if isinstance(arm.fact, HttpFact) and arm.fact.url.startswith("http:") else "tls"
