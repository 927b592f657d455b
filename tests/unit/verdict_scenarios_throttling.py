"""Stories of bytes that were timed: with the name and with another one, in turn, at places that serve neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from probe.observations import Certificate, HttpFact, TlsFact
from tests.unit.facts import EOF, INNOCUOUS, NEUTRALS, SITE, TIMEOUT, Facts

CONTROL = "control:Helsinki"
WANTED = 32_768
MS = 1_000
Speeds = Sequence[float]
"""KB a second, an arm each."""
FAST = (190.0, 210.0, 180.0, 205.0, 195.0)
SLOW = (16.0, 17.0, 15.0, 16.5, 15.5)


def page(*, took_ms: int = 4_000, handshake_ms: int = 160, failure: str | None = None) -> Facts:
    """The own side is well, and the page came (or stopped)."""
    facts = Facts().context().healthy().dns(SITE).tcp().tls(duration_us=handshake_ms * MS)
    curve = ((160 * MS, 1_000), ((160 + took_ms) * MS, 65_536))
    return facts.http(failure=failure, progress=() if failure else curve, body_length=None if failure else 65_536)


def timed(
    facts: Facts,
    group: str,
    mine: Speeds = SLOW[:3],
    others: Speeds = FAST[:3],
    *,
    stops_at: int | None = None,
    failure: str | None = None,
    greeted_ms: int = 165,
    chain: tuple[Certificate, ...] = (),
) -> Facts:
    """I T, I T … at one place, as fast as told. ``stops_at``: bytes after which nothing comes with the name any more."""
    for number in range(max(len(mine), len(others))):
        if number < len(others):
            arm(facts, group, "innocuous", number, others[number])
        if number < len(mine):
            arm(
                facts,
                group,
                "target",
                number,
                mine[number],
                stops_at=stops_at,
                failure=failure,
                greeted_ms=greeted_ms,
                chain=chain,
            )
    return facts


def _address(group: str) -> str:
    """Each place has its own operator."""
    kind, _, which = group.partition("/")
    return NEUTRALS[int(which.partition(".")[0]) - 1] if kind == "neutral" else which


def arm(
    facts: Facts,
    group: str,
    which: str,
    number: int,
    speed: float,
    *,
    stops_at: int | None = None,
    failure: str | None = None,
    greeted_ms: int = 165,
    chain: tuple[Certificate, ...] = (),
    curve: tuple[tuple[int, int], ...] = (),
) -> None:
    """One connection: a greeting, and bytes at *speed* until all have come, or half a minute's patience is over; or as they
    come in *curve*.
    """
    name = facts.host if which == "target" else INNOCUOUS
    place: dict[str, Any] = {"purpose": "throttling", "group": group, "arm": which, "round": number, "name": name}
    place["address"] = None if group == CONTROL else _address(group)
    hello = TlsFact(
        sni=name, verify=False, server_hello=True, first_byte_us=(greeted_ms - 80) * MS, cipher="x", chain=chain
    )
    facts.add(hello, duration_us=greeted_ms * MS, **place)
    came = stops_at if stops_at is not None else WANTED
    lasted = int(came / speed * MS)
    curve = curve or ((100 * MS, 1_400), (100 * MS + lasted // 2, came // 2), (100 * MS + lasted, came))
    ended = TIMEOUT if stops_at is not None else failure
    fact = HttpFact(method="GET", url="https://www.kernel.org/", verified_chain=False, status=200, progress=curve)
    facts.add(fact, failure=ended, duration_us=6_000 * MS if ended == TIMEOUT else 100 * MS + lasted, **place)


def greeted(facts: Facts, group: str, mine_ms: Speeds, others_ms: Speeds, failure: str | None = None) -> Facts:
    """Greetings alone: how long the first record of the answer took."""
    for number, pair in enumerate(zip(others_ms, mine_ms, strict=True)):
        for which, took_ms in zip(("innocuous", "target"), pair, strict=True):
            name = facts.host if which == "target" else INNOCUOUS
            ended = failure if which == "target" else None
            first_us = None if ended else int(took_ms * MS)
            hello = TlsFact(sni=name, verify=False, server_hello=ended is None, first_byte_us=first_us)
            place: dict[str, Any] = {"purpose": "throttling", "group": group, "arm": which, "round": number}
            facts.add(hello, failure=ended, duration_us=int(took_ms * MS), name=name, address=_address(group), **place)
    return facts


def policed() -> Facts:
    """Two neutral places, three rounds each: a tenth of the speed."""
    return timed(timed(page(), "neutral/1.0"), "neutral/2.0")


def frozen() -> Facts:
    """Nothing comes after 17 KB, for this name alone; the page itself stopped."""
    facts = page(failure=TIMEOUT)
    return timed(timed(facts, "neutral/1.0", stops_at=17_000), "neutral/2.0", stops_at=17_400)


def delayed() -> Facts:
    """Greetings with the name are answered four seconds late."""
    facts = page(took_ms=100, handshake_ms=4_160)
    for group in ("neutral/1.0", "neutral/2.0"):
        greeted(facts, group, (4_080, 4_110, 4_090), (85, 90, 82))
    return facts


def at_a_sink() -> Facts:
    """Five rounds at a control's sink, and no neutral place."""
    return timed(page(), CONTROL, SLOW, FAST)


def at_one_operator() -> Facts:
    """Two addresses, five rounds each, and both are one company's: it may have its own reason to be slow with the name."""
    facts = timed(timed(page(), "neutral/1.0", SLOW, FAST), "neutral/2.0", SLOW, FAST)
    return _moved(facts, NEUTRALS[1], "151.101.64.223")


def at_the_sites_operator() -> Facts:
    """One of the two places is in the network that the site is in."""
    facts = timed(timed(page(), "neutral/1.0", SLOW, FAST), "neutral/2.0", SLOW, FAST)
    return _moved(facts, NEUTRALS[1], "157.240.3.9")


def _moved(facts: Facts, there: str, to: str) -> Facts:
    facts.observations[:] = [
        replace(o, operation=replace(o.operation, address=to)) if o.operation.address == there else o
        for o in facts.observations
    ]
    return facts


def at_one_neutral() -> Facts:
    """Five rounds at one neutral place alone."""
    return timed(page(), "neutral/1.0", SLOW, FAST)


def at_its_own() -> Facts:
    """Five rounds at the site's own address: its server may do it."""
    return timed(page(), f"own/{SITE}", SLOW, FAST)


def keeping_up() -> Facts:
    """A slow server: elsewhere the name is as fast as any."""
    return timed(timed(page(), "neutral/1.0", FAST[:1], FAST[1:2]), "neutral/2.0", FAST[:1], FAST[1:2])


def cut_off(failure: str = EOF) -> Facts:
    """A server that ends connections with the name says nothing of speed."""
    return timed(timed(page(), "neutral/1.0", failure=failure), "neutral/2.0", failure=failure)


CODES: dict[str, Callable[[], Facts]] = {
    "slowed_by_name": policed,
    "slow_for_this_name": policed,
    "slower_at_one_place": at_its_own,
    "keeps_up_elsewhere": keeping_up,
}
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "slowed by a policer at two places": (policed, "blocked/throttling/throttling.sni"),
    "stopped after some kilobytes": (frozen, "blocked/throttling/throttling.freeze"),
    "answered four seconds late": (delayed, "blocked/throttling/throttling.delay.sni"),
    "slow at a sink of the user's own": (at_a_sink, "accessible"),
    "slow at one neutral place alone": (at_one_neutral, "accessible"),
    "slow at its own address alone": (at_its_own, "accessible"),
    "slow at two addresses of one operator": (at_one_operator, "accessible"),
    "slow at a neutral place and at its own operator's": (at_the_sites_operator, "accessible"),
    "slow, and fast elsewhere": (keeping_up, "accessible"),
    "ended by servers": (cut_off, "accessible"),
}
