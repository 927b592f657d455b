"""Facts of a run, disturbed as life disturbs them: what is true of the site stays true, so it may not become ``blocked``.

A disturbance is a list of *edits*; an edit says what an observation becomes (another one, none at all, two), and with it
whatever could not have been there then: no handshake where no connection was. Edits can be taken back one by one, which is how
:func:`shrunk` finds the few that matter. Every dice is passed in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from probe.observations import (
    AppFact,
    ArrivalFact,
    ClockFact,
    DnsFact,
    HttpFact,
    Observation,
    PathFact,
    QuicFact,
    TcpFact,
    TlsFact,
)

TIMEOUT, RESET = "generic_timeout_error", "connection_reset"
ROOM = 10
"""Numbers are spread so far apart, so that there is room between two for one that was seen twice."""
_ORDER = {"dns": 0, "tcp": 1, "tls": 2, "http": 3, "app": 3}
_WIRE = (DnsFact, TcpFact, TlsFact, HttpFact, QuicFact, AppFact, PathFact, ArrivalFact, ClockFact)
_WALKS = ("baseline", "retry")
_NOBODY = "transparent/"
"""Of connections to where nobody lives: who takes one is no canary."""
_HOME_ROUTER = "192.168.1.1"

Edit = dict[int, tuple[Observation, ...]]
Facts = tuple[Observation, ...]
Disturbance = Callable[[Facts, random.Random], list[Edit]]


def spread(observations: Iterable[Observation]) -> Facts:
    """The same facts in order, with room between their numbers."""
    return tuple(replace(o, number=o.number * ROOM) for o in sorted(observations, key=lambda o: o.number))


def apply(observations: Facts, edits: Iterable[Edit]) -> Facts:
    """What is left after *edits*; what one of them takes away stays away."""
    changed: Edit = {}
    for edit in edits:
        for number, new in edit.items():
            changed[number] = new if changed.get(number, new) else ()
    return tuple(kept for o in observations for kept in changed.get(o.number, (o,)))


def shrunk(observations: Facts, edits: Sequence[Edit], still: Callable[[Facts], bool]) -> list[Edit]:
    """Edits of which none can be taken back without changing what *still* says (halves first, then one by one)."""
    kept, step = list(edits), max(1, len(edits) // 2)
    while True:
        at = 0
        while at < len(kept):
            fewer = kept[:at] + kept[at + step :]
            if still(apply(observations, fewer)):
                kept = fewer
            else:
                at += step
        if step == 1:
            return kept
        step = max(1, step // 2)


# ---------------------------------------------------------------------------------------------------------------------
# what becomes of one operation


def worked(o: Observation) -> bool:
    """Whether something came back: what failed already cannot be lost."""
    if isinstance(o.fact, PathFact):
        return o.fact.came not in (None, "nothing")
    if isinstance(o.fact, ArrivalFact):
        return o.fact.arrived
    # An answer that there is no such name is one, and so is a certificate that does not fit.
    heard = o.failure is None or o.operation.bytes_received > 0
    return heard and o.failure != TIMEOUT and isinstance(o.fact, _WIRE)


_LOST: dict[type[Any], dict[str, Any]] = {
    DnsFact: dict.fromkeys(("rcode", "authenticated_data", "reply_ttl", "reply_bytes", "malformed", "soa"))
    | {"answers": (), "extended_errors": (), "marks": (), "truncated": False},
    TcpFact: {"rtt_us": None, "reply_ttl": None, "kernel": None},
    TlsFact: dict.fromkeys(
        ("verified", "verify_code", "version", "cipher", "alpn", "first_byte_us", "alert", "first_bytes", "kernel")
    )
    | {"chain": (), "server_hello": False, "last_operation": "write_1", "resumed": None}
    | dict.fromkeys(("shipped_store_verifies", "system_store_verifies")),
    HttpFact: dict.fromkeys(("http_version", "status", "location", "title", "body_length", "body_sha256", "body"))
    | dict.fromkeys(("body_sketch", "tags_sketch", "first_byte_us", "date_offset_s", "malformed"))
    | {"headers": (), "progress": (), "marks": ()},
    QuicFact: {"versions": (), "completed": False, "alpn": None, "datagrams_received": 0, "close_code": None}
    | dict.fromkeys(("first_reply_us", "reply_ttl", "retry")),
    AppFact: {"answered": False, "expected": None, "messages_received": 0, "detail": None}
    | dict.fromkeys(("first_bytes", "first_reply_us", "reply_ttl")),
    PathFact: {"came": "nothing", "hop": None, "network": None, "hop_is": None, "hop_of": None, "icmp_type": None}
    | {"icmp_code": None, "after_us": None, "errno": None, "again": None},
    ArrivalFact: {"arrived": False, "name": None, "named": None, "bytes": None, "whole": None, "answered": None},
    ClockFact: {"offset_s": None, "stratum": None},
}
_PATIENCE_US = {"dns": 3_000_000, "tcp": 7_500_000, "tls": 15_000_000, "http": 10_000_000}


def lost(o: Observation, dice: random.Random) -> Observation:
    """Nothing came back; a greeting was acknowledged or not, by the dice, and a body may have begun."""
    fact: Any = replace(o.fact, **_LOST[type(o.fact)])
    if isinstance(o.fact, TlsFact):
        fact = replace(fact, hello_acked=dice.random() < 0.5 if o.fact.hello_acked is not None else None)
    if isinstance(o.fact, HttpFact) and o.fact.progress and dice.random() < 0.5:
        fact = replace(fact, progress=o.fact.progress[: dice.randrange(len(o.fact.progress))])
    if isinstance(o.fact, PathFact) and o.fact.later is not None:
        fact = replace(fact, later="nothing", later_acked=False)
    waited = max(_PATIENCE_US.get(o.operation.kind, 3_000_000), o.operation.duration_us or 0)
    failure = None if isinstance(o.fact, ArrivalFact) else TIMEOUT
    return replace(o, operation=replace(o.operation, fact=fact, failure=failure, duration_us=waited, bytes_received=0))


def _changed(o: Observation, *, failure: str | None, duration_us: int | None = None, **fields: Any) -> Observation:
    fact: Any = o.fact
    operation = replace(o.operation, fact=replace(fact, **fields), failure=failure)
    return replace(o, operation=operation if duration_us is None else replace(operation, duration_us=duration_us))


def torn(o: Observation, dice: random.Random) -> Observation:
    """Broken off by a router that has forgotten the flow; a connection or a question is refused then."""
    gone, took = lost(o, dice), dice.randrange(1_000, 300_000)
    if isinstance(o.fact, ArrivalFact):
        return gone
    fields: dict[str, Any] = {"came": "reset"} if isinstance(o.fact, PathFact) else {}
    if isinstance(o.fact, TlsFact):
        fields["errno"] = "ECONNRESET"
    broken = isinstance(o.fact, TlsFact | HttpFact | AppFact | PathFact)
    return _changed(gone, failure=RESET if broken else "connection_refused", duration_us=took, **fields)


def unreachable(o: Observation, dice: random.Random) -> Observation:
    """The home router says that the host cannot be reached (RFC 792, type 3)."""
    gone = torn(o, dice)
    told: dict[str, Any] = {
        "icmp_type": 3,
        "icmp_code": dice.choice((0, 1, 13)),
        "icmp_from": _HOME_ROUTER,
        "errno": "EHOSTUNREACH",
    }
    known: dict[str, Any] = {name: value for name, value in told.items() if hasattr(gone.fact, name)}
    return _changed(gone, failure=gone.failure if isinstance(o.fact, ArrivalFact) else "host_unreachable", **known)


def _servfail(o: Observation, dice: random.Random) -> Observation:
    return _changed(lost(o, dice), failure="dns_servfail_error", rcode=2)


Fate = Callable[[Observation, random.Random], Observation]


def _flow(o: Observation) -> tuple[object, ...]:
    return o.vantage, o.endpoint, o.purpose, o.group, o.arm, o.round, o.hop, o.member


class Flows:
    """Which observations hang on which."""

    def __init__(self, observations: Facts) -> None:
        self.all = observations
        self._of: dict[tuple[object, ...], list[Observation]] = {}
        for o in observations:
            self._of.setdefault(_flow(o), []).append(o)

    def edit(self, o: Observation, fate: Fate, dice: random.Random) -> Edit:
        """*o* meets its *fate*, and what came of it later is not there."""
        found: Edit = {o.number: (fate(o, dice),)}
        rank = _ORDER.get(o.operation.kind)
        if rank == 0 and o.purpose in _WALKS and not self._other_answer(o):
            walk = (x for x in self.all if self._same_walk(o, x) and (x.hop > o.hop or x.operation.kind != "dns"))
            return found | {x.number: () for x in walk if x.hop >= o.hop}
        if rank is None or rank == 0:
            return found
        for later in self._of[_flow(o)]:
            its = _ORDER.get(later.operation.kind, 0)
            if later.number > o.number and its <= rank:
                break
            if later.number > o.number and its > rank:
                found[later.number] = ()
        if o.purpose in _WALKS:
            found |= {x.number: () for x in self.all if self._same_walk(o, x) and x.hop > o.hop}
        return found

    @staticmethod
    def _same_walk(o: Observation, other: Observation) -> bool:
        return (other.endpoint, other.purpose, other.group, other.vantage) == (
            o.endpoint,
            o.purpose,
            o.group,
            o.vantage,
        )

    def _other_answer(self, o: Observation) -> bool:
        """Whether somebody else's answer leads on; the C library is asked beside, and nobody waits for it."""
        return any(
            isinstance(x.fact, DnsFact) and x.fact.addresses and x.fact.transport != "getaddrinfo"
            for x in self.all
            if x.number != o.number and x.hop == o.hop and self._same_walk(o, x)
        )


def _each(observations: Facts, dice: random.Random, fate: Fate, which: Callable[[Observation], bool]) -> list[Edit]:
    flows = Flows(observations)
    return [flows.edit(o, fate, dice) for o in observations if worked(o) and which(o)]


# ---------------------------------------------------------------------------------------------------------------------
# disturbances


def loss(rate: float) -> Disturbance:
    """Each thing that worked is lost with probability *rate*, by itself."""
    return lambda facts, dice: _each(facts, dice, lost, lambda _o: dice.random() < rate)


def resets(rate: float) -> Disturbance:
    """The same, broken off instead."""
    return lambda facts, dice: _each(facts, dice, torn, lambda _o: dice.random() < rate)


def errors(rate: float) -> Disturbance:
    """The same, with an ICMP error by the home router."""
    return lambda facts, dice: _each(facts, dice, unreachable, lambda _o: dice.random() < rate)


def _window(facts: Facts, dice: random.Random, low: float, high: float) -> Callable[[Observation], bool]:
    times = [o.operation.started_us for o in facts if o.purpose != "context"] or [0]
    begin = dice.randint(min(times), max(times))
    end = begin + round(dice.uniform(low, high) * 1e6)
    return lambda o: begin <= o.operation.started_us <= end


def burst(fate: Fate = lost, times: int = 1) -> Disturbance:
    """For 2 to 10 seconds nothing gets through, *times* times."""

    def disturb(facts: Facts, dice: random.Random) -> list[Edit]:
        windows = [_window(facts, dice, 2, 10) for _ in range(times)]
        return _each(facts, dice, fate, lambda o: any(inside(o) for inside in windows))

    return disturb


def burst_on_target(facts: Facts, dice: random.Random) -> list[Edit]:
    """As unlucky as can be: for 2 to 10 seconds all of the target's arms are lost and nothing else is."""
    inside = _window([o for o in facts if o.arm] or facts, dice, 2, 10)  # type: ignore[arg-type]
    return _each(facts, dice, lost, lambda o: o.arm == "target" and inside(o))


def every_target_arm(facts: Facts, dice: random.Random) -> list[Edit]:
    """No luck but malice: each of the target's arms is lost. What a flip needs, and nothing else of what a block shows."""
    return _each(facts, dice, lost, lambda o: o.arm == "target")


def dead_places(count: int) -> Disturbance:
    """*count* neutral addresses answer nothing."""

    def disturb(facts: Facts, dice: random.Random) -> list[Edit]:
        here = (o for o in facts if o.purpose in ("neutral_pair", "neutral_chain", "quic", "throttling", "ech"))
        places = sorted({o.operation.address for o in here if o.operation.address})
        dead = set(dice.sample(places, min(count, len(places))))
        return _each(facts, dice, lost, lambda o: o.operation.address in dead and o.arm is not None)

    return disturb


def only_canaries(rate: float) -> Disturbance:
    """Sites and addresses that tell of the own side are lost, as where those are stopped, and nothing else."""

    def hit(o: Observation) -> bool:
        return o.purpose == "own_side" and not (o.member or "").startswith(_NOBODY)

    return lambda facts, dice: _each(facts, dice, lost, lambda o: hit(o) and dice.random() < rate)


def proxy_unseen(facts: Facts, dice: random.Random) -> list[Edit]:
    """Whoever takes every connection is not seen doing it: both of his SYN-ACKs are lost, or all in that half second."""
    return _each(facts, dice, lost, lambda o: (o.member or "").startswith(_NOBODY))


def no_control(facts: Facts, _dice: random.Random) -> list[Edit]:
    """The control is not there."""
    return [{o.number: ()} for o in facts if o.vantage != "local" or o.purpose in ("control", "control_pair")]


def control_fails(facts: Facts, dice: random.Random) -> list[Edit]:
    """The control answers, and reaches nothing itself."""
    return _each(facts, dice, lost, lambda o: o.vantage != "local" and dice.random() < 0.8)


def slow(facts: Facts, dice: random.Random) -> list[Edit]:
    """For 5 to 30 seconds all takes three to ten times as long."""
    inside, factor = _window(facts, dice, 5, 30), dice.uniform(3, 10)
    return [{o.number: (_slowed(o, factor),)} for o in facts if isinstance(o.fact, _WIRE) and inside(o)]


def slow_target(facts: Facts, dice: random.Random) -> list[Edit]:
    """Now and then one is slower, and it happens to be the target's twice as often."""
    return [
        {o.number: (_slowed(o, dice.uniform(3, 10)),)}
        for o in facts
        if isinstance(o.fact, _WIRE) and o.arm and dice.random() < (0.4 if o.arm == "target" else 0.2)
    ]


def _slowed(o: Observation, factor: float) -> Observation:
    changed: dict[str, Any] = {}
    for name in ("rtt_us", "first_byte_us", "first_reply_us", "after_us"):
        value = getattr(o.fact, name, None)
        if value is not None:
            changed[name] = round(value * factor)
    progress = getattr(o.fact, "progress", ())
    if progress:
        changed["progress"] = tuple((round(at * factor), count) for at, count in progress)
    kernel = getattr(o.fact, "kernel", None)
    if kernel is not None:
        stretched = {name: getattr(kernel, name) for name in ("rtt_us", "min_rtt_us")}
        changed["kernel"] = replace(kernel, **{k: round(v * factor) for k, v in stretched.items() if v is not None})
    took = o.operation.duration_us
    fact: Any = replace(o.fact, **changed)
    return replace(
        o, operation=replace(o.operation, fact=fact, duration_us=None if took is None else round(took * factor))
    )


def clock_jumps(facts: Facts, dice: random.Random) -> list[Edit]:
    """The clock is set by a minute during the run, either way."""
    at, step = dice.choice(facts).number, dice.choice((-60, 60))
    found: list[Edit] = []
    for o in facts:
        if o.number >= at:
            fact: Any = o.fact
            for name in ("offset_s", "date_offset_s"):
                if getattr(fact, name, None) is not None:
                    fact = replace(fact, **{name: getattr(fact, name) - step})
            moved = replace(o.operation, fact=fact, started_us=o.operation.started_us + step * 1_000_000)
            found.append({o.number: (replace(o, operation=moved),)})
    return found


def reordered(facts: Facts, dice: random.Random) -> list[Edit]:
    """What was going on side by side ends in another order."""
    found: list[Edit] = []
    at = 0
    while at < len(facts) - 1:
        size = min(dice.randint(2, 4), len(facts) - at)
        group = list(facts[at : at + size])
        numbers = [o.number for o in group]
        dice.shuffle(group)
        if dice.random() < 0.3:
            # One edit: two observations may not have one number.
            found.append({o.number: (replace(o, number=n),) for o, n in zip(group, numbers, strict=True)})
        at += size
    return found


def resolver_fails(facts: Facts, dice: random.Random) -> list[Edit]:
    """The resolvers of the list fail at half of what they are asked, by silence or SERVFAIL."""

    def fate(o: Observation, dice: random.Random) -> Observation:
        return (lost if dice.random() < 0.5 else _servfail)(o, dice)

    def asked(o: Observation) -> bool:
        return isinstance(o.fact, DnsFact) and o.fact.role == "system" and dice.random() < 0.5

    return _each(facts, dice, fate, asked)


def questions_fail(facts: Facts, dice: random.Random) -> list[Edit]:
    """Half of all questions fail, whoever is asked."""
    return _each(facts, dice, lost, lambda o: isinstance(o.fact, DnsFact) and dice.random() < 0.5)


def way_changes(facts: Facts, dice: random.Random) -> list[Edit]:
    """From some moment on packets come another way: some hops more or fewer."""
    at, by = dice.choice(facts).number, dice.choice((-3, -2, -1, 1, 2, 3))
    found: list[Edit] = []
    for o in facts:
        ttl = getattr(o.fact, "reply_ttl", None)
        if o.number >= at and ttl is not None:
            found.append({o.number: (_changed(o, failure=o.failure, reply_ttl=ttl + by),)})
    return found


def cut(facts: Facts, dice: random.Random) -> list[Edit]:
    """The run is broken off: Ctrl-C, or a full disk."""
    return [{o.number: ()} for o in facts[dice.randrange(len(facts)) :]]


def holes(facts: Facts, dice: random.Random) -> list[Edit]:
    """Some observations never got into the archive."""
    return [{o.number: ()} for o in facts if o.purpose != "context" and dice.random() < 0.1]


def twice(facts: Facts, dice: random.Random) -> list[Edit]:
    """Some observations are there twice."""
    return [{o.number: (o, replace(o, number=o.number + 1))} for o in facts if dice.random() < 0.2]


def rounds_swapped(facts: Facts, dice: random.Random) -> list[Edit]:
    """Two rounds of one comparison have each other's numbers."""
    arms = [o for o in facts if o.round is not None and o.arm is not None]
    if not arms:
        return []
    group = dice.choice(arms)
    same = [o for o in arms if (o.purpose, o.group, o.endpoint) == (group.purpose, group.group, group.endpoint)]
    rounds = sorted({o.round for o in same if o.round is not None})
    if len(rounds) < 2:
        return []
    a, b = dice.sample(rounds, 2)
    first, second = ([o for o in same if o.round == r] for r in (a, b))
    pairs = list(zip(first, second, strict=False))
    return [{x.number: (replace(x, number=y.number),), y.number: (replace(y, number=x.number),)} for x, y in pairs]


def together(*parts: Disturbance) -> Disturbance:
    """One upon the other: of two edits of one observation the later one counts, unless it was taken away."""

    def disturb(facts: Facts, dice: random.Random) -> list[Edit]:
        return [edit for part in parts for edit in part(facts, dice)]

    return disturb


KINDS: dict[str, Disturbance] = {
    "2 % lost": loss(0.02),
    "5 % lost": loss(0.05),
    "10 % lost": loss(0.10),
    "20 % lost": loss(0.20),
    "40 % lost": loss(0.40),
    "a burst of loss": burst(),
    "three bursts of loss": burst(times=3),
    "a burst on the target's arms": burst_on_target,
    "2 % reset": resets(0.02),
    "10 % reset": resets(0.10),
    "a burst of resets": burst(torn),
    "10 % unreachable": errors(0.10),
    "a burst of unreachable": burst(unreachable),
    "one neutral place dead": dead_places(1),
    "two neutral places dead": dead_places(2),
    "half of the canaries lost": only_canaries(0.5),
    "all canaries lost": only_canaries(1.0),
    "no control": no_control,
    "the control fails": control_fails,
    "slow for a while": slow,
    "the target slower by chance": slow_target,
    "clock set by a minute": clock_jumps,
    "another order": reordered,
    "the resolver fails half": resolver_fails,
    "half of all questions fail": questions_fail,
    "the way changes": way_changes,
    "broken off": cut,
    "10 % not kept": holes,
    "some twice": twice,
    "two rounds swapped": rounds_swapped,
    "10 % lost, broken off": together(loss(0.10), cut),
    "10 % lost, half of the canaries lost": together(loss(0.10), only_canaries(0.5)),
    "resolver and burst": together(resolver_fails, burst()),
    "slow, 10 % lost, 2 % reset": together(slow, loss(0.10), resets(0.02)),
}
MALICE: dict[str, Disturbance] = {
    "every arm of the target lost": every_target_arm,
    "who takes every connection is not seen": proxy_unseen,
}
"""Not what chance does: to see what still stands between it and a word."""
