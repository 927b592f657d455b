"""Slower by name: what the same bytes took with this name and with others, in turn, where nobody serves them.

A page that came says that the name is not stopped, and nothing of how it is treated. So where it is proven that the network
slows the name down, the page is no word against that (gate ``slow_is_not_open``). Servers slow single names down too, so what
was seen at the site's own address, or at one neutral place alone, leans and no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from probe.verdict.case import Case
from probe.verdict.findings.tls import serving
from probe.verdict.rows import Match, Row, row
from probe.verdict.throttling import Place, Slower, compared, keeps_up, places

SIGNATURES = {"rate": "throttling.sni", "delay": "throttling.delay.sni", "freeze": "throttling.freeze"}
_MANY = 1000
_WORDS = {"rate": "slower", "delay": "later", "freeze": "stopped"}


def _elsewhere(case: Case) -> tuple[Place, ...]:
    return tuple(place for place in places(case) if place.kind != "own")


def proven(case: Case) -> Slower | None:
    """The name is slower at two places that have nothing to do with it; no control's sink, for who runs it can be slow.

    Two places of one operator are one, and one in a network that serves the name is none: whoever is there may know it.
    """
    served = serving(case)
    found = tuple(place for place in places(case) if place.kind == "neutral" and place.network not in served)
    operators = {place.network for place in found} - {None}
    return compared(found) if len(operators) >= 2 else None


def _match(case: Case, slower: Slower) -> Match:
    return Match(
        observations=slower.observations,
        parameters={"host": case.name, "places": len(slower.places), **_told(slower)},
        method="throttling",
        signature=SIGNATURES[slower.manner],
        where="unknown",
    )


def _told(slower: Slower) -> dict[str, Any]:
    low, middle, high = (1 / ratio if ratio else math.inf for ratio in reversed(slower.ratio))
    return {
        "how": _how(slower),
        "rounds": sum(len(place.named(target=True)) for place in slower.places),
        "times": "over 1,000 times" if low > _MANY else f"{_times(middle)} times ({_times(low)} to {_times(high)})",
        "chance": float(f"{slower.chance:.2g}"),
        "manner": _WORDS[slower.manner],
    }


def _times(ratio: float) -> str:
    """How many times slower, in a figure or two: ``2.4``, ``17``."""
    if ratio > _MANY:
        return "over 1,000"
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"


def _how(slower: Slower) -> str:
    """What became of the name's bytes, in words."""
    if slower.manner == "freeze":
        return f"nothing more came after {max(slower.bytes, 0) / 1000:.0f} KB"
    if not slower.answered:
        return f"no greeting with it was answered to its end in {slower.seconds:.0f} s"
    if slower.manner == "delay":
        return f"the first answer came {slower.seconds:.1f} s later"
    if slower.rate is None or slower.others_rate is None:
        return "hardly any greeting came to its end"
    return f"{_speed(slower.rate)} came in a second instead of {_speed(slower.others_rate)}"


def _speed(rate: float) -> str:
    return f"{rate / 1000:,.1f} KB" if rate < 10_000 else f"{rate / 1000:,.0f} KB"


@row(
    "slowed_by_name",
    speaks_for="blocked",
    weight=2.0,
    family="throttling",
    basis="contrast",
    proves=True,
    sentence="at {places} unrelated places the same bytes came slower when {host} was named than with other names, in turn, "
    "{rounds} times each: {how}. That is {times} slower, by chance less than once in a hundred tests",
    why="exact test over places where nobody serves either name; chance alone passes it and the interval once in thousands; "
    "the cap",
    signatures=tuple(SIGNATURES.values()),
)
def slowed_by_name(case: Case) -> Iterator[Match]:
    slower = proven(case)
    if slower is not None:
        yield _match(case, slower)


@row(
    "slow_for_this_name",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="contrast",
    sentence="whoever opens {host} here gets it slowed down, as other names are not",
    why="as the failures of the baseline: who is slowed down on purpose does not reach the site as others do",
)
def slow_for_this_name(case: Case) -> Iterator[Match]:
    slower = proven(case)
    if slower is not None:
        yield Match(observations=slower.observations, parameters={"host": case.name})


@row(
    "slower_at_one_place",
    speaks_for="blocked",
    weight=0.7,
    family="throttling",
    basis="contrast",
    sentence="at one place alone the same bytes came slower when {host} was named than with other names, in turn, "
    "{rounds} times each: {how}",
    why="one server may have its own reason to be slow with a name, and the site's own surely may; as own_flip",
    signatures=tuple(SIGNATURES.values()),
)
def slower_at_one_place(case: Case) -> Iterator[Match]:
    if proven(case) is not None:
        return
    for place in (*_elsewhere(case), *(place for place in places(case) if place.kind == "own")):
        slower = compared((place,))
        if slower is not None:
            yield _match(case, slower)


@row(
    "keeps_up_elsewhere",
    speaks_for="blocked",
    weight=-0.7,
    family="throttling_pass",
    basis="contrast",
    sentence="at an unrelated place the same bytes came as quickly when {host} was named as with other names",
    why="who slows a name down does so at any address; policers that work now and then are missed so: a reason only",
)
def keeps_up_elsewhere(case: Case) -> Iterator[Match]:
    fast = _fast(case)
    if fast and proven(case) is None:
        observations = tuple(o for place in fast for arm in place.arms for o in arm.observations)
        yield Match(observations=observations, parameters={"host": case.name})


def _fast(case: Case) -> Sequence[Place]:
    found = _elsewhere(case)
    return [place for place in found if keeps_up(place)] if found and all(keeps_up(place) for place in found) else []


ROWS: tuple[Row, ...] = (slowed_by_name, slow_for_this_name, slower_at_one_place, keeps_up_elsewhere)
