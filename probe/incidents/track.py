"""What is remembered of one endpoint (or of one way out): suspicions, and the incident that it is part of.

A *suspicion* begins with a bad reading. It ends when good ones have worn its sum away, or when it is enough and the
endpoint joins an incident: then it is *held*, until enough good readings in a row. All functions are pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from probe.incidents.evidence import (
    SEEN_BY_HANDSHAKE,
    Rules,
    Says,
    bad_status,
    goods_to_close,
    is_own_side,
    lucky,
    of_a_known_forger,
    says,
    step_down,
    step_up,
)
from probe.incidents.model import IncidentStatus, Reading
from probe.verdict.model import Where

GOODS_KEPT = 12
"""Times of good readings that are remembered: as far as :func:`~probe.incidents.evidence.lucky` mostly goes back."""
BURST_MOST = 4
"""Confirming readings asked for after one turn: two, and two more where the first ones said nothing."""
WELL_MOST = 16
"""The same after a first success inside an incident, or where somebody was met who opens a part of the connections: what fails
for a part only is neither over nor gone before many in a row went well.
"""
OWN_MOST = 12
"""Whole looks asked for about a filter after it was met or was not: as many good ones as an end may take."""
_CEILING = 20.0
"""A sum does not grow beyond: what may not open for other reasons must be able to wear away."""
_COUNTED = 40
"""Beyond so many readings the earlier ones count half: how it fails now is what matters."""

Interval = tuple[int | None, int]
"""Not before, and not after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One telling reading: whether it was bad, its start and its end."""

    bad: bool
    at_us: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """That an endpoint's status is ``status``.

    ``run``: of its first bad reading ``first``; ``second``: its second one; ``seen_us``: start of the last one.
    ``goods``: starts of the good readings before the first, oldest first. ``sum``: as of
    :class:`~probe.incidents.evidence.Rules`. ``bad`` of ``of`` telling readings were bad, ``recent`` are the last ones;
    ``full``: whether one of the bad ones was not cheap.
    ``method``, ``signature``, ``where`` are the last bad reading's; ``shift`` is a method that only the last one had.
    """

    status: IncidentStatus
    run: str
    first: Point
    second: Point | None = None
    seen_us: int
    goods: tuple[int, ...] = ()
    sum: float = 0.0
    bad: int = 0
    of: int = 0
    full: bool = False
    recent: tuple[Point, ...] = ()
    method: str | None = None
    shift: str | None = None
    signature: str | None = None
    where: Where | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Part of the incident ``incident`` because of ``why``, which goes on counting.

    ``goods``: ends of the good readings since the last bad one; ``full``: whether one of them was not cheap. ``away``: this
    host has moved to another network since, and what is good there says nothing of where it was bad.
    """

    incident: str
    why: Suspicion
    goods: tuple[int, ...] = ()
    full: bool = False
    away: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One endpoint as far as incidents are concerned.

    ``goods``: starts of the last good readings, oldest first; ``handshake_us``: start of the last good cheap one.
    ``of_filter``: of the own side, what whole looks at it say of a filter in the house, and nothing else.
    ``turn``: ``bad`` after a first failure, ``good`` after a first success inside an incident, until it is settled;
    ``asked``: confirming readings since then (of a filter, whole looks). ``last_us``: end of the last reading of any kind,
    ``run`` its run; ``full_us``: start of the last one that was not cheap.
    """

    url: str
    of_filter: bool = False
    interface: str | None = None
    platform: str | None = None
    service: str | None = None
    rule: str | None = None
    last_us: int = 0
    full_us: int | None = None
    run: str = ""
    goods: tuple[int, ...] = ()
    handshake_us: int | None = None
    suspicions: tuple[Suspicion, ...] = ()
    held: Held | None = None
    turn: str = ""
    asked: int = 0

    @property
    def wants_burst(self) -> bool:
        """Whether more readings soon would settle something; of the own side, whether a full look would."""
        if self.url:
            by_chance = self.turn == "good" or _is_met(self.suspicions)
            return bool(self.turn) and self.asked < (WELL_MOST if by_chance else BURST_MOST)
        if self.of_filter:
            return bool(self.turn) and self.asked < OWN_MOST
        if self.held is not None:
            return self.turn == "good" and not self.held.full
        return self.turn == "bad" and not any(suspicion.full for suspicion in self.suspicions)

    @property
    def well_us(self) -> int:
        """When it was last found well, in passing or wholly; 0 if never."""
        return max((*self.goods[-1:], self.handshake_us or 0))

    @property
    def failing(self) -> bool:
        """Whether the last telling reading was a failure."""
        if self.held is not None and (not self.held.away or not self.held.goods):
            return not self.held.goods
        return any(suspicion.recent[-1].bad for suspicion in self.suspicions)

    def fails_as(self, status: str) -> bool:
        """Whether its failure is of this *status*."""
        if self.held is not None:
            return self.held.why.status == status
        return any(suspicion.status == status and suspicion.recent[-1].bad for suspicion in self.suspicions)


# ---------------------------------------------------------------------------------------------------------------------
# one reading more


def observe(track: Track, reading: Reading, rules: Rules) -> Track:
    """*track* after *reading*, which is later than all before it."""
    held = _hold(track.held, reading) if track.held is not None else None
    # In another network the same status may be another trouble.
    suspicions = _suspicions(track, reading, rules, None if held is None or held.away else held.why.status)
    asked, turn = _turned(track, reading, suspicions)
    good = reading.status == "accessible"
    cheap = reading.kind == "cheap" and not is_own_side(reading)
    return replace(
        track,
        platform=reading.platform,
        service=reading.service,
        rule=reading.rule,
        last_us=reading.until_us,
        full_us=track.full_us if reading.kind == "cheap" else reading.at_us,
        run=reading.run,
        goods=(*track.goods, reading.at_us)[-GOODS_KEPT:] if good and not cheap else track.goods,
        handshake_us=reading.at_us if good and cheap else track.handshake_us,
        suspicions=suspicions,
        held=held,
        turn=turn,
        asked=asked,
    )


def _turned(track: Track, reading: Reading, suspicions: tuple[Suspicion, ...]) -> tuple[int, str]:
    """How many confirming readings there were since the last turn, and what that turn was; *suspicions* are those left."""
    turn = track.turn
    if track.held is not None:
        why = track.held.why
        told = says(reading, why.status, why.method)
        turn = {"bad": "", "good": "good", "nothing": turn}[told]
    elif _failed(reading):
        turn = "bad"
    elif reading.status == "accessible" and (reading.kind != "cheap" or is_own_side(reading)):
        turn = turn if _is_met(suspicions) else ""
    met_again = _failed(reading) and _is_met(suspicions)
    if turn != track.turn or (turn and met_again):
        return 0, turn
    return track.asked + (reading.kind == "burst" or track.of_filter), turn


def _is_met(suspicions: tuple[Suspicion, ...]) -> bool:
    """Whether somebody was met who opens a part of the connections, so that a good reading settles nothing."""
    return any(of_a_known_forger(why.method, why.signature) for why in suspicions)


def _failed(reading: Reading) -> bool:
    """Whether it is worth asking again, which takes less than being believed."""
    if bad_status(reading) is not None:
        return True
    return reading.kind == "cheap" and reading.status not in ("accessible", "no_network")


def _suspicions(track: Track, reading: Reading, rules: Rules, but: IncidentStatus | None) -> tuple[Suspicion, ...]:
    """All suspicions after *reading*, a new one with them if it speaks of something new; *but* is held already."""
    new = bad_status(reading)
    kept = [
        grown
        for suspicion in track.suspicions
        if suspicion.status != but and (grown := _grown(suspicion, reading, rules)) is not None
    ]
    if new is not None and new != but and all(suspicion.status != new for suspicion in kept):
        first = _point(reading, bad=True)
        empty = Suspicion(
            status=new, run=reading.run, first=first, seen_us=reading.at_us, goods=_goods_before(track, reading)
        )
        kept.append(_fed(empty, reading, rules))
        kept.sort(key=lambda suspicion: suspicion.status)
    return tuple(kept)


def _grown(suspicion: Suspicion, reading: Reading, rules: Rules) -> Suspicion | None:
    """*suspicion* after *reading*; ``None`` once nothing is left of it."""
    told: Says = says(reading, suspicion.status, suspicion.method)
    if told == "bad":
        return _fed(suspicion, reading, rules)
    if told == "nothing":
        return suspicion
    left = max(0.0, suspicion.sum + step_down(rules))
    recent = _kept((*suspicion.recent, _point(reading, bad=False)), rules)
    if not left and not any(point.bad for point in recent):
        return None
    return replace(suspicion, sum=left, of=suspicion.of + 1, recent=recent)


def _fed(suspicion: Suspicion, reading: Reading, rules: Rules) -> Suspicion:
    """*suspicion* after one more bad reading."""
    point = _point(reading, bad=True)
    second = suspicion.second
    if suspicion.bad == 1:
        second = point
    return replace(
        _described(suspicion, reading),
        second=second,
        seen_us=reading.at_us,
        sum=min(suspicion.sum + step_up(rules, reading.confidence), _CEILING),
        bad=suspicion.bad + 1,
        of=suspicion.of + 1,
        full=suspicion.full or reading.kind != "cheap",
        recent=_kept((*suspicion.recent, point), rules),
        method=reading.method,
    )


def _hold(held: Held, reading: Reading) -> Held:
    told = says(reading, held.why.status, held.why.method)
    if told == "nothing":
        return held
    if told == "good":
        return replace(held, goods=(*held.goods, reading.until_us), full=held.full or reading.kind != "cheap")
    why = held.why
    if held.away and reading.method != why.method:
        return held
    bad, of = why.bad + 1, why.of + 1 + len(held.goods)
    if of > _COUNTED:
        bad, of = (bad + 1) // 2, (of + 1) // 2
    # A method has changed when two failures in a row say so.
    changed = reading.method if reading.method in (why.method, why.shift) else why.method
    shift = reading.method if reading.method != changed else None
    why = replace(_described(why, reading), bad=bad, of=of, seen_us=reading.at_us, method=changed, shift=shift)
    return replace(held, why=why, goods=(), full=False, away=False)


def _described(suspicion: Suspicion, reading: Reading) -> Suspicion:
    sure = [value for value in (suspicion.confidence, reading.confidence) if value is not None]
    return replace(
        suspicion,
        signature=reading.signature,
        where=reading.where,
        confidence=max(sure) if sure else None,
    )


def _point(reading: Reading, *, bad: bool) -> Point:
    return Point(bad=bad, at_us=reading.at_us, until_us=reading.until_us)


def _kept(recent: tuple[Point, ...], rules: Rules) -> tuple[Point, ...]:
    return recent[-max(rules.among, 1) :]


def _goods_before(track: Track, reading: Reading) -> tuple[int, ...]:
    """Starts of good readings before *reading*, with the last handshake where that would have met the failure."""
    if track.handshake_us is None or reading.method not in SEEN_BY_HANDSHAKE:
        return track.goods
    return tuple(sorted((*track.goods, track.handshake_us)))


# ---------------------------------------------------------------------------------------------------------------------
# enough


def ready(suspicion: Suspicion, rules: Rules) -> bool:
    """Whether *suspicion* is enough to be called an incident."""
    if not suspicion.full or not suspicion.recent[-1].bad or suspicion.seen_us - suspicion.first.at_us < rules.span_us:
        return False
    return _need_of_among(suspicion, rules) or (suspicion.bad >= rules.need_least and suspicion.sum >= rules.open_at)


def recovered(held: Held, rules: Rules) -> bool:
    """Whether the good readings in a row are enough to call it over."""
    return held.full and len(held.goods) >= goods_to_close(rules, held.why.bad, held.why.of)


def began(suspicion: Suspicion) -> Interval:
    """When what *suspicion* speaks of began.

    What fails always began between the last good reading and the first bad one. What fails now and then may have begun
    some lucky readings before; and its first failure may have been a stray one, so it began by the second.
    """
    second = suspicion.second or suspicion.first
    return interval(suspicion.goods, suspicion.first, second, suspicion.bad, suspicion.of)


def interval(goods: tuple[int, ...], first: Point, second: Point, bad: int, of: int) -> Interval:
    """The same from what it takes: starts of the *goods* before the *first* bad reading, and how many were *bad* *of* all."""
    back = lucky(bad, of)
    by_us = first.until_us if bad == of else second.until_us
    if not goods or (back > len(goods) and len(goods) < GOODS_KEPT):
        return None, by_us
    return goods[-min(back, len(goods))], by_us


def ended(held: Held) -> Interval:
    """When what held the endpoint ended: after its last bad reading, and by the first good one that was no luck."""
    position = min(lucky(held.why.bad, held.why.of), len(held.goods))
    return held.why.seen_us, held.goods[position - 1]


def _need_of_among(suspicion: Suspicion, rules: Rules) -> bool:
    return rules.need > 0 and sum(point.bad for point in suspicion.recent) >= rules.need
