"""A protocol's packets against packets of the same sizes in which there is nothing, at the echo of a control.

The echo is a server of the user's own: it has nothing to do with any VPN, sends everything back, and is known to work by the
random packets that came back between. So what stops the one and not the other goes by what the packets look like, on the way
between here and there. It may be the provider of either side, or a household's or company's own box: only where the way shows
that it is in the provider's network is it blocked (``protocol_way.py``). Silence of everything says nothing about any protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from probe.observations import AppFact, Observation
from probe.verdict import protocol_way
from probe.verdict.case import Case
from probe.verdict.facts import app
from probe.verdict.pairs import Pair, uneven
from probe.verdict.rows import Match, Row, row

PURPOSE = "protocol_pair"
SCHEME = "protocol"
FAMILY = "protocol"
_WORDS = {
    "generic_timeout_error": "timeout",
    "connection_reset": "reset",
    "connection_aborted": "reset",
    "eof_error": "eof",
    "connection_already_closed": "eof",
}
SIGNATURES = tuple(f"app.{word}.protocol" for word in ("timeout", "reset", "eof", "unreachable", "other"))


def at_echoes(case: Case) -> tuple[Pair, ...]:
    """What was compared, one an echo. An arm whose connection failed says nothing of protocols and is left out."""
    groups: dict[str, list[Observation]] = {}
    for o in case.of(PURPOSE, "app"):
        if o.group == protocol_way.GROUP:
            continue
        groups.setdefault(o.group or "", []).append(o)
    return tuple(Pair(PURPOSE, group, group, found) for group, found in sorted(groups.items()))


def _said_no(case: Case) -> bool:
    """Whether somebody says no to the arms: on connections his word and a TTL that ran out look alike."""
    return any(_word(o) == "unreachable" for pair in at_echoes(case) for o in pair.target_failures)


def _compares(case: Case) -> bool:
    """Whether the comparison is all that was asked for."""
    return case.scheme == SCHEME


def _protocol(pairs: Sequence[Pair]) -> str:
    names = (app(o).protocol for pair in pairs for o in pair.arms if o.arm == "target")
    return next(names, "this protocol")


def _about(pairs: Sequence[Pair]) -> dict[str, object]:
    failures = [o for pair in pairs for o in pair.target_failures]
    return {
        "protocol": _protocol(pairs),
        "place": pairs[0].group.removeprefix("control:"),
        "target_failures": len(failures),
        "target_successes": sum(len(pair.target_successes) for pair in pairs),
        "innocuous_successes": sum(len(pair.innocuous_successes) for pair in pairs),
        "stopped": _stopped(failures),
    }


def _stopped(failures: Sequence[Observation]) -> str:
    """Where flows ended: at once, or after some packets."""
    after = sorted(app(o).messages_received for o in failures)
    if not after or after[-1] == 0:
        return "from the first packet on"
    return "after some packets" if after[0] == after[-1] == 0 else f"after {after[0]} to {after[-1]} packets"


def _signature(pair: Pair) -> str:
    said = {_word(o) for o in pair.target_failures}
    return f"app.{said.pop() if len(said) == 1 else 'timeout'}.protocol"


def _word(o: Observation) -> str:
    if o.failure is not None and o.failure.startswith("unknown_failure: not "):
        return "other"
    return _WORDS.get(o.failure or "", "unreachable")


def _counts(case: Case, pair: Pair) -> bool:
    """Whether the whole rule holds, and no random packets were stopped. Who takes every connection may end some himself."""
    over_tcp = any(app(o).transport != "udp" for o in pair.arms)
    return pair.complete and not pair.innocuous_failures and not (over_tcp and case.own.proxied)


def _match(pairs: Sequence[Pair], beside: Sequence[Observation] = ()) -> Match:
    return Match(
        observations=(*(o for pair in pairs for o in pair.arms), *beside),
        parameters=_about(pairs),
        method="protocol",
        signature=_signature(pairs[0]),
        where="unknown",
    )


# ---------------------------------------------------------------------------------------------------------------------
# what the comparison says


_TURNS = (
    "on the way to {place}, {protocol} was stopped every time ({target_failures} times, {stopped}), and random packets of the "
    "same sizes came back {innocuous_successes} times between; "
)
"""A screen shows 300 characters of a sentence."""


@row(
    "protocol_flip",
    speaks_for="blocked",
    weight=2.0,
    family=FAMILY,
    basis="contrast",
    proves=True,
    sentence=_TURNS + "it gets to {after} on the way and never to {before}, both of them your provider's",
    why="as neutral_flip: six failures of the one between five successes of the other are no chance (computed), an echo knows "
    "no protocol, and no box at home or at the echo's end stands between two routers of the provider's; the cap",
    signatures=SIGNATURES,
)
def protocol_flip(case: Case) -> Iterator[Match]:
    complete, stop = _complete(case), _stop(case)
    if complete and stop is not None:
        match = _match(complete, stop.observations)
        parameters = match.parameters | {"after": stop.after, "before": stop.before}
        yield replace(match, parameters=parameters, where="access")


@row(
    "protocol_flip_unplaced",
    speaks_for="blocked",
    weight=0.9,
    family=FAMILY,
    basis="contrast",
    sentence=_TURNS
    + "it leaves here; your provider, {place}'s hosting company, or a box here that takes the answers may do it",
    why="hosting companies forbid VPNs too, and who stops the answers only is met at no router; a leaning",
    signatures=SIGNATURES,
)
def protocol_flip_unplaced(case: Case) -> Iterator[Match]:
    complete = _complete(case)
    if complete and _past_home(case) and _stop(case) is None:
        yield _match(complete)


@row(
    "protocol_flip_near",
    speaks_for="blocked",
    weight=0.9,
    family=FAMILY,
    basis="contrast",
    sentence=_TURNS + "it may be your own household's or company's box that does it",
    why="many companies, schools and some routers at home let no VPN pass, and nothing shows that it is not one of them",
    signatures=SIGNATURES,
)
def protocol_flip_near(case: Case) -> Iterator[Match]:
    complete = _complete(case)
    if complete and not _past_home(case):
        yield _match(complete)


def _past_home(case: Case) -> bool:
    return bool(protocol_way.past_home(case.of(PURPOSE), said_no=_said_no(case)))


def _stop(case: Case) -> protocol_way.Stop | None:
    return protocol_way.stop(case.of(PURPOSE), said_no=_said_no(case))


def _complete(case: Case) -> list[Pair]:
    return [] if _passed_anywhere(case) else [pair for pair in at_echoes(case) if _counts(case, pair)]


@row(
    "protocol_flip_short",
    speaks_for="blocked",
    weight=0.4,
    family=FAMILY,
    basis="contrast",
    sentence="on the way to {place}, a server that sends everything back, {protocol} was stopped {target_failures} "
    "times while random packets of the same sizes came back {innocuous_successes} times: too few to count",
    why="as neutral_flip_short: ordinary trouble looks the same; a hint",
    signatures=SIGNATURES,
)
def protocol_flip_short(case: Case) -> Iterator[Match]:
    short = [pair for pair in at_echoes(case) if pair.flips and len(pair.target_failures) >= 2]
    proven = [pair for pair in short if _counts(case, pair)]
    if short and not proven and not _passed_anywhere(case):
        yield _match(short)


@row(
    "protocol_uneven",
    speaks_for="blocked",
    weight=0.4,
    family=FAMILY,
    basis="contrast",
    sentence="on the way to {place}, {protocol} was stopped {target_failures} times and passed {target_successes} times, while "
    "random packets of the same sizes always came back",
    why="a device on one of several paths, or one that acts now and then, does this; what passes is not blocked: a hint",
    signatures=SIGNATURES,
)
def protocol_uneven(case: Case) -> Iterator[Match]:
    pairs = [pair for pair in at_echoes(case) if pair.target_successes and pair.target_failures]
    if pairs and uneven(pairs):
        yield _match(pairs)


@row(
    "protocol_passed",
    speaks_for="blocked",
    weight=-1.5,
    family="protocol_pass",
    basis="contrast",
    sentence="{protocol} passes on the way to {place}, its first packet and the data after it",
    why="a device that acts on what packets look like acts everywhere; less than the cap, for some act on the address as well",
)
def protocol_passed(case: Case) -> Iterator[Match]:
    passed = [pair for pair in at_echoes(case) if pair.target_successes]
    if passed and not _compares(case):
        yield Match(observations=tuple(o for pair in passed for o in pair.target_successes), parameters=_about(passed))


# ---------------------------------------------------------------------------------------------------------------------
# where nothing but the comparison was asked for


@row(
    "protocol_lives",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="contrast",
    proves=True,
    sentence="{protocol} passes on the way to {place}, a server that sends everything back: its first packet and the "
    "data after it",
    why="what came back was sent by this program a moment ago, and no two packets are alike; the cap",
)
def protocol_lives(case: Case) -> Iterator[Match]:
    passed = [pair for pair in at_echoes(case) if pair.target_successes]
    if passed and _compares(case):
        yield Match(observations=tuple(o for pair in passed for o in pair.target_successes), parameters=_about(passed))


@row(
    "protocol_stopped",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="contrast",
    sentence="{protocol} did not come back from {place}, a server that sends everything back ({target_failures} times, "
    "{stopped}), and random packets of the same sizes did ({innocuous_successes} times)",
    why="as app_failed: what does not come back does not work; whose fault that is it does not say",
    signatures=SIGNATURES,
)
def protocol_stopped(case: Case) -> Iterator[Match]:
    stopped = [pair for pair in at_echoes(case) if pair.target_failures and pair.innocuous_successes]
    if stopped and _compares(case) and not _passed_anywhere(case):
        yield replace(_match(stopped), method=None, where=None)


@row(
    "protocol_echo_silent",
    speaks_for="accessible",
    weight=-1.9,
    family="baseline",
    basis="behaviour",
    sentence="nothing came back from {place}, a server that sends everything back, whatever was sent: so nothing can "
    "be said of {protocol}",
    why="as app_failed; a port that is closed on the server's side, and a network that carries nothing of the kind, look alike",
)
def protocol_echo_silent(case: Case) -> Iterator[Match]:
    silent = [pair for pair in at_echoes(case) if pair.innocuous_failures and not pair.innocuous_successes]
    if silent and _compares(case) and not any(pair.innocuous_successes for pair in at_echoes(case)):
        parameters = _about(silent) | {"protocol": case.asked.endpoint.host}
        yield Match(observations=tuple(o for pair in silent for o in pair.arms), parameters=parameters)


@row(
    "protocol_echo_answers",
    speaks_for="outage",
    weight=-1.9,
    family="protocol_echo",
    basis="contrast",
    sentence="{place} sent random packets back {innocuous_successes} times meanwhile: it is up",
    why="a server that answers between two failures is not down; the baseline's weight",
)
def protocol_echo_answers(case: Case) -> Iterator[Match]:
    up = [pair for pair in at_echoes(case) if pair.innocuous_successes]
    if up and _compares(case):
        yield Match(observations=tuple(o for pair in up for o in pair.innocuous_successes), parameters=_about(up))


def _passed_anywhere(case: Case) -> bool:
    """Whether a flow of the protocol lived to its end at any echo, or the server that was named answered after all."""
    spoken = {app(o).protocol for pair in at_echoes(case) for o in pair.arms if o.arm == "target"}
    answered = any(
        isinstance(o.fact, AppFact) and o.fact.expected is True and o.fact.protocol in spoken and o.arm is None
        for o in case.observations
    )
    return answered or any(pair.target_successes for pair in at_echoes(case))


ROWS: tuple[Row, ...] = (
    protocol_flip,
    protocol_flip_unplaced,
    protocol_flip_near,
    protocol_flip_short,
    protocol_uneven,
    protocol_passed,
    protocol_lives,
    protocol_stopped,
    protocol_echo_silent,
    protocol_echo_answers,
)
