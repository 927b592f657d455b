"""Pairs at a control's own sink, which answers every name alike, and what the control says arrived of them.

There no server can tell the names apart: only the network in between, or whoever runs the control. The second is why none
of this makes a word by itself. A control could drop one name, or delay and reset it, as easily as a network; it could also
tell anything of what arrived. So a flip there is worth a neutral place's only beside a flip at a place that this program
chose itself, and what it says of an arm's other side is a leaning and a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import Arm, ArrivalFact, HttpFact, Observation, TlsFact
from probe.verdict import elsewhere
from probe.verdict.case import Case
from probe.verdict.facts import verified
from probe.verdict.findings.tls import FLIPS, complete_neutrals, signature
from probe.verdict.pairs import Pair, at_neutrals, manner, pairs
from probe.verdict.rows import Match, Row, row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CERTIFICATE = "certificate"
"""The member under which the sink's own certificate was looked at."""
FAMILY = "control_pair"
_HTTPS = 443
_FEWEST = 2
"""Arms of each name whose two sides are known: one alone is anybody's hiccup."""


def _name(pair: Pair) -> str:
    return pair.group.removeprefix("control:")


def _told(case: Case) -> tuple[Pair, ...]:
    """The pairs at controls' sinks, but for controls that this run has found to say what is not."""
    liars = case.view.contradicted_controls
    return tuple(pair for pair in pairs(case, "control_pair") if pair.group not in liars)


def _is_strong(case: Case, pair: Pair) -> bool:
    """Whether the sink is as good a place as a neutral one: on the port that the name is served on, under a certificate that
    everybody trusts, in another country than this network's, and not itself where names like this are interfered with.
    """
    if _name(pair) in elsewhere.unheard(case):
        return False
    home = case.view.context.country if case.view.context is not None else None
    there = case.view.control_countries.get(pair.group)
    trusted = any(
        verified(o.fact) and o.operation.port == _HTTPS
        for o in case.of("control_pair", "tls", pair.group)
        if o.member == CERTIFICATE
    )
    at_port = all(o.operation.port == _HTTPS for o in pair.arms) and _failed_port(case) == _HTTPS
    return pair.over_tls and trusted and at_port and None not in (home, there) and home != there


def _failed_port(case: Case) -> int | None:
    attempt = case.failing
    return attempt.last.operation.port if attempt is not None and attempt.last is not None else None


def _match(case: Case, pair: Pair, beside: Sequence[Pair] = ()) -> Match:
    method, word = signature(pair)
    both = (pair, *beside)
    return Match(
        observations=tuple(o for one in both for o in one.arms),
        parameters={
            "host": case.name,
            "vantage": _name(pair),
            "manner": pair.manner,
            "target_failures": sum(len(one.target_failures) for one in both),
            "innocuous_successes": sum(len(one.innocuous_successes) for one in both),
        },
        method=method,
        signature=word,
        where="unknown",
    )


@row(
    "neutral_and_control_flip",
    speaks_for="blocked",
    weight=1.8,
    family="contrast",
    basis="contrast",
    proves=True,
    sentence="at an unrelated address abroad and at your own server {vantage}, asking for {host} failed every time "
    "({target_failures} times, {manner}) while another name, asked in turn, was answered {innocuous_successes} times",
    why="two places in two networks, one of which this program chose: a server of the user's that drops this name is not "
    "enough, and an unrelated one that does so in the same manner besides is not likely; below the cap, for the user's is "
    "not drawn by chance",
    signatures=FLIPS,
)
def neutral_and_control_flip(case: Case) -> Iterator[Match]:
    chosen = complete_neutrals(case)
    if len(chosen) != 1 or any(p.target_successes for p in at_neutrals(case)):
        return
    for pair in _told(case):
        if pair.complete and _is_strong(case, pair) and pair.manner == chosen[0].manner:
            yield _match(case, pair, chosen)


@row(
    "control_flip",
    speaks_for="blocked",
    weight=0.8,
    family=FAMILY,
    basis="contrast",
    sentence="at your own server {vantage}, which answers every name, asking for {host} failed every time "
    "({target_failures} times, {manner}) while another name, asked in turn, was answered {innocuous_successes} times",
    why="the rule of a neutral place, at one that whoever runs it could make refuse one name; less than one of our own",
    signatures=FLIPS,
)
def control_flip(case: Case) -> Iterator[Match]:
    for pair in _told(case):
        if pair.complete and _is_strong(case, pair):
            yield _match(case, pair)


@row(
    "control_flip_elsewhere",
    speaks_for="blocked",
    weight=0.4,
    family=FAMILY,
    basis="contrast",
    sentence="at your own server {vantage}, asking for {host} failed {target_failures} times ({manner}) while another name, "
    "asked in turn, was answered {innocuous_successes} times; but it is not as like other servers as it would have to be, or "
    "that was too seldom",
    why="another port, a certificate of its own, perhaps the same country, or too few tries: a hint",
    signatures=FLIPS,
)
def control_flip_elsewhere(case: Case) -> Iterator[Match]:
    for pair in _told(case):
        if pair.flips and len(pair.target_failures) >= _FEWEST and not (pair.complete and _is_strong(case, pair)):
            yield _match(case, pair)


@row(
    "control_pass",
    speaks_for="blocked",
    weight=-0.5,
    family=FAMILY,
    basis="contrast",
    sentence="your own server {vantage} answered when asked for {host}: the name passes this network on the way there",
    why="a device that acts on the name acts everywhere; less than at places of our own, for the way there may be a short one",
)
def control_pass(case: Case) -> Iterator[Match]:
    attempt = case.failing
    if attempt is None or attempt.stage != "tls" or (attempt.last is not None and _shows_certificate(attempt.last)):
        return
    for pair in _told(case):
        if pair.target_successes and _is_strong(case, pair):
            yield Match(observations=pair.target_successes, parameters={"host": case.name, "vantage": _name(pair)})


def _shows_certificate(observation: Observation) -> bool:
    return isinstance(observation.fact, TlsFact) and bool(observation.fact.chain)


# ---------------------------------------------------------------------------------------------------------------------
# both sides of an arm


@dataclass(frozen=True, slots=True)
class _Sides:
    """One arm: how it went here, and what the control says arrived of it."""

    here: Observation
    there: Observation

    @property
    def arrival(self) -> ArrivalFact:
        assert isinstance(self.there.fact, ArrivalFact)
        return self.there.fact

    @property
    def arrived(self) -> bool:
        return self.arrival.arrived and self.arrival.whole is True

    @property
    def altered(self) -> bool:
        """Whether what arrived whole is not what was sent: under another name, of another length, or from another hand."""
        sent, got = self.here.fact, self.arrival
        if not self.arrived:
            return False
        if got.name is None:
            return got.named is not None
        if isinstance(sent, TlsFact):
            pairs_of = ((sent.hello_bytes, got.bytes), (sent.hello_hash, got.hello_hash))
            return any(None not in pair and pair[0] != pair[1] for pair in pairs_of)
        plain = isinstance(sent, HttpFact) and sent.url.startswith("http:")
        return plain and got.bytes is not None and self.here.operation.bytes_sent != got.bytes


@dataclass(frozen=True, slots=True)
class _BothSides:
    """A pair of which both sides are known: arms of the target, all of which failed here, and of the other name."""

    pair: Pair
    target: tuple[_Sides, ...]
    innocuous: tuple[_Sides, ...]

    def match(self, case: Case) -> Match:
        arms = tuple(o for side in (*self.target, *self.innocuous) for o in (side.here, side.there))
        method, word = signature(self.pair)
        return Match(
            observations=arms,
            parameters={
                "host": case.name,
                "vantage": _name(self.pair),
                "times": len(self.target),
                "others": len(self.innocuous),
                "manner": self.pair.manner,
            },
            method=method,
            signature=word,
            where="unknown",
        )


def _both_sides(case: Case) -> Iterator[_BothSides]:
    """Pairs whose arms can be followed: what was answered here must have been answered there, else nothing is known."""
    for pair in _told(case):
        if not pair.flips:
            continue
        there = {
            (o.arm, o.round): o for o in case.arrivals if o.vantage == pair.group and isinstance(o.fact, ArrivalFact)
        }
        target = _joined(pair.target_failures, there)
        innocuous = _joined(pair.innocuous_successes, there)
        whole = all(side.arrived and side.arrival.answered for side in innocuous)
        if whole and min(len(target), len(innocuous)) >= _FEWEST and len(innocuous) == len(pair.innocuous_successes):
            yield _BothSides(pair, target, innocuous)


def _joined(
    arms: Sequence[Observation], there: Mapping[tuple[Arm | None, int | None], Observation]
) -> tuple[_Sides, ...]:
    return tuple(_Sides(o, there[o.arm, o.round]) for o in arms if (o.arm, o.round) in there)


@row(
    "control_never_arrived",
    speaks_for="blocked",
    weight=0.5,
    family=FAMILY,
    basis="control",
    sentence="what named {host} left here and never arrived at your server {vantage} ({times} times); what named another site "
    "arrived every time ({others} times)",
    why="the network lost it on the way there, if the server tells the truth; it could say so of anything: a leaning",
    signatures=FLIPS,
)
def control_never_arrived(case: Case) -> Iterator[Match]:
    for both in _both_sides(case):
        if not any(side.arrived for side in both.target) and not any(side.altered for side in both.innocuous):
            yield both.match(case)


@row(
    "control_answer_lost",
    speaks_for="blocked",
    weight=0.5,
    family=FAMILY,
    basis="control",
    sentence="what named {host} arrived at your server {vantage} and was answered there ({times} times); what came back here "
    "was: {manner}. Answers under another name came back every time ({others} times)",
    why="somebody on the way swallowed the answer or broke the connection in the server's name, if the server tells the "
    "truth; it could say so of anything: a leaning",
    signatures=FLIPS,
)
def control_answer_lost(case: Case) -> Iterator[Match]:
    for both in _both_sides(case):
        answered = all(
            side.arrived and side.arrival.answered and not side.altered and not _came_back(side) for side in both.target
        )
        if answered:
            yield both.match(case)


def _came_back(side: _Sides) -> bool:
    """Whether the control's kernel was told from here that the whole answer had come: then it was not lost on the way."""
    return side.arrival.acknowledged is True and manner(side.here) == "timeout"


@row(
    "control_altered",
    speaks_for="blocked",
    weight=0.5,
    family=FAMILY,
    basis="control",
    sentence="what named {host} arrived at your server {vantage} changed ({times} times); what named another site arrived "
    "as it was sent ({others} times)",
    why="a device that changes one name's packets acts on names, if the server tells the truth; it could say so of anything: "
    "a leaning",
    signatures=FLIPS,
)
def control_altered(case: Case) -> Iterator[Match]:
    for both in _both_sides(case):
        if all(side.altered for side in both.target) and not any(side.altered for side in both.innocuous):
            yield both.match(case)


ROWS: tuple[Row, ...] = (
    neutral_and_control_flip,
    control_flip,
    control_flip_elsewhere,
    control_pass,
    control_never_arrived,
    control_answer_lost,
    control_altered,
)
