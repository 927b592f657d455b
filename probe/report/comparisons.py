"""Pairs as a reader sees them: at one place, with this name and with another one, how often each failed and how. Pure.

What counts as sent, failed and passed is read as the judge reads it (:mod:`probe.verdict.pairs`), up to the same number,
so that a table never says more than the verdict above it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probe.observations import AppFact, DnsFact, HttpFact, Observation, TlsFact
from probe.verdict import fingerprints, networks, pairs, quic, sentences
from probe.verdict.case import Case
from probe.verdict.findings import protocols
from probe.verdict.model import EndpointResult
from probe.verdict.view import View
from targets.model import Asked, Endpoint

PLACES = {
    "protocol_pair": "echo",
    "neutral_pair": "neutral",
    "control_pair": "control",
    "own_pair": "own",
    "quic": "neutral",
}
"""Purpose → what kind of place the two names were compared at. The most telling place first; over QUIC the group tells it."""
_OVER_QUIC = {quic.NEUTRAL: "neutral", quic.CONTROL: "control", quic.OWN: "own"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One half of a comparison: the name that was sent, how often, how often it failed, and how (manner, times).

    ``more``: so many further names were sent in its turns; innocuous ones are another one each time.
    """

    name: str | None
    tried: int
    failed: int
    how: tuple[tuple[str, int], ...] = ()
    more: int = 0

    @property
    def passed(self) -> int:
        return self.tried - self.failed

    @property
    def manner(self) -> str | None:
        """The one way in which it failed; ``None`` for several, or none."""
        return self.how[0][0] if len(self.how) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two names, asked in turn at one place; or a protocol (which stands as a name) and random packets.

    ``place``: ``neutral`` (a server that has nothing to do with the site), ``own`` (the site's own address), ``control`` (a
    server of the user's, whose name stands for its ``address``, which is not kept) or ``echo`` (the same, which sends back what
    it gets; there a protocol is compared). ``known_as``: a name that the server
    is known under; ``network``: whose network it is in, for the few that are known. ``over_tls`` is false for unencrypted
    requests; ``over_quic``: the names were sent over QUIC.
    """

    place: str
    address: str
    known_as: str | None
    network: str | None
    over_tls: bool
    over_quic: bool
    this: Side
    other: Side
    observations: tuple[int, ...]


def comparisons(result: EndpointResult, observations: Iterable[Observation]) -> tuple[Comparison, ...]:
    """All pairs that were made for *result*, out of the *observations* of its run; those at neutral places first."""
    seen = tuple(observations)
    mine = set(result.observations)
    # Most results have no pair at all, and reading a run costs more than looking.
    if not any(o.number in mine and o.arm is not None and o.purpose in PLACES for o in seen):
        return ()
    asked = Asked(number=result.number, endpoint=Endpoint(result.url), target=result.target)
    case = View(seen, (asked,), horizon=result.verdict.horizon or None).case(asked)
    drawn = _drawn(case.observations)
    return tuple(_comparison(place, pair, drawn) for purpose in PLACES for place, pair in _placed(case, purpose))


def _placed(case: Case, purpose: str) -> tuple[tuple[str, pairs.Pair], ...]:
    """The pairs of *purpose*, each with the kind of its place."""
    if purpose != quic.PURPOSE:
        return tuple((PLACES[purpose], pair) for pair in _pairs(case, purpose))
    read = quic.Quic(case)
    found = ((place, pair) for prefix, place in _OVER_QUIC.items() for pair in read.pairs(prefix))
    return tuple((place, pair) for place, pair in found if pair.innocuous_failures or pair.innocuous_successes)


def _pairs(case: Case, purpose: str) -> tuple[pairs.Pair, ...]:
    return protocols.at_echoes(case) if purpose == protocols.PURPOSE else pairs.pairs(case, purpose)


def _drawn(observations: Sequence[Observation]) -> dict[str, str]:
    """Address → the name under which it was found when a neutral place was looked for."""
    return {
        address: o.fact.qname
        for o in observations
        if isinstance(o.fact, DnsFact) and o.purpose == "neutral_pair" and o.group == "draw"
        for address in o.fact.addresses
    }


def _comparison(place: str, pair: pairs.Pair, drawn: dict[str, str]) -> Comparison:
    network = networks.network_of(pair.address)
    return Comparison(
        place=place,
        address=pair.address.removeprefix("control:"),
        known_as=drawn.get(pair.address),
        network=network.capitalize() if network.isalpha() else None,
        over_tls=pair.over_tls,
        over_quic=isinstance(pair, quic.QuicPair),
        this=_side(pair.target_failures, pair.target_successes),
        other=_side(pair.innocuous_failures, pair.innocuous_successes),
        observations=tuple(o.number for o in pair.arms),
    )


def _side(failed: Sequence[Observation], passed: Sequence[Observation]) -> Side:
    how = Counter(pairs.manner(o) for o in failed)
    names = list(dict.fromkeys(name for o in (*passed, *failed) if (name := _name(o))))
    return Side(
        name=names[0] if names else None,
        more=len(names[1:]),
        tried=len(failed) + len(passed),
        failed=len(failed),
        how=tuple(sorted(how.items(), key=lambda item: (-item[1], item[0]))),
    )


def _name(observation: Observation) -> str | None:
    fact = observation.fact
    if isinstance(fact, TlsFact):
        return fact.sni
    if isinstance(fact, AppFact):
        return sentences.protocol(fact.protocol)
    return fingerprints.host_of(fact.url) if isinstance(fact, HttpFact) else observation.operation.name


# ---------------------------------------------------------------------------------------------------------------------
# in words


def title(comparison: Comparison) -> str:
    """Where it was: ``At a server that has nothing to do with the site (www.kernel.org, 192.0.2.7)``."""
    known = ", ".join(part for part in (comparison.known_as, comparison.address, _network(comparison)) if part)
    where = {
        "neutral": "At a server that has nothing to do with the site",
        "own": "At the site's own address",
        "control": "At your own server elsewhere",
        "echo": "At your own server elsewhere, which sends everything back",
    }[comparison.place]
    how = ", over QUIC" if comparison.over_quic else ""
    return f"{where} ({known}){how}:"


def _network(comparison: Comparison) -> str:
    return f"run by {comparison.network}" if comparison.network else ""


def sides(comparison: Comparison) -> tuple[tuple[str, str], tuple[str, str]]:
    """The two lines of the table: what was sent, and what came of it."""
    this, other = ("name", "other names" if comparison.other.more else "another name")
    if comparison.place == "echo":
        this, other = "protocol", "none"
    return (f"with this {this}", _told(comparison.this)), (f"with {other}", _told(comparison.other))


def _told(side: Side) -> str:
    more = f" and {side.more} more" if side.more else ""
    name = f"{side.name}{more}: " if side.name else ""
    if not side.tried:
        return f"{name}not asked"
    if not side.failed:
        return f"{name}answered {side.passed} of {side.tried} times"
    how = ", ".join(
        sentences.manner(word) if len(side.how) == 1 else f"{sentences.manner(word)} {times(count)}"
        for word, count in side.how
    )
    return f"{name}failed {side.failed} of {side.tried} times ({how})"


def times(count: int) -> str:
    """``once``, ``2 times`` …"""
    return "once" if count == 1 else f"{count} times"


def to_json(comparison: Comparison) -> dict[str, object]:
    """Plain JSON values, as ``dalel schema check`` describes them."""
    return {
        "place": comparison.place,
        "address": comparison.address,
        "known_as": comparison.known_as,
        "network": comparison.network,
        "encrypted": comparison.over_tls,
        "over_quic": comparison.over_quic,
        "this_name": _side_json(comparison.this),
        "another_name": _side_json(comparison.other),
        "observations": list(comparison.observations),
    }


def _side_json(side: Side) -> dict[str, object]:
    how = [{"manner": manner, "times": times} for manner, times in side.how]
    return {"name": side.name, "tried": side.tried, "failed": side.failed, "how": how}
