"""What QUIC does on this line: all of it is filtered, its version 1 is, one name is, or one site does not answer. Pure.

For a page over TCP none of it keeps anybody out, so all that comes of it are impairments. A site that *is* QUIC
(``quic://HOST``) is judged by :mod:`probe.verdict.findings.quic`, with the same readings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from probe.observations import Observation, Operation, QuicFact
from probe.verdict.networks import network_of
from probe.verdict.pairs import Pair, Sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from probe.verdict.case import Case

PURPOSE = "quic"
OWN, LONG, PING, HERE, WAY = "own", "long", "ping", "here", "way"
NEUTRAL, CONTROL = "neutral/", "control:"
PLACES = 2
"""Places of different operators that must be silent before a line is called filtered."""

WAYS = 2
"""So often greetings are let go to each router."""
_BEHIND_HOME = 2
_EXCEEDED: dict[int | None, tuple[int, int]] = {4: (11, 0), 6: (3, 0)}
"""The TTL ran out (RFC 792, RFC 4443)."""

Word = Literal["blocked", "filtered", "version_filtered", "partly", "unanswered"]


def answered(operation: Operation) -> bool:
    """Whether anybody who has read the greeting answered it: to the end, or with a refusal.

    A part of an answer that then stops is none: a device may begin to act in the middle.
    """
    fact = operation.fact
    if not isinstance(fact, QuicFact) or fact.ttl is not None or operation.failure == "interrupted":
        return False
    return fact.completed is True or fact.close_code is not None or bool(fact.versions)


def silent(operation: Operation) -> bool:
    """Whether nobody answered within the deadline; a router's word that there is no way is none of a server."""
    return isinstance(operation.fact, QuicFact) and operation.failure == "generic_timeout_error"


def _ended_there(o: Observation) -> bool:
    """Whether a router says that the TTL ran out at it."""
    fact = o.fact
    return isinstance(fact, QuicFact) and (fact.icmp_type, fact.icmp_code) == _EXCEEDED.get(o.operation.family)


def _always(found: Sequence[Observation]) -> bool:
    return len(found) >= WAYS and all(map(_ended_there, found))


def _is_theirs(o: Observation) -> bool:
    return isinstance(o.fact, QuicFact) and o.fact.hop_is in ("public", "shared")


def _of(observations: Iterable[Observation], exchange: str) -> tuple[Observation, ...]:
    return tuple(
        o
        for o in observations
        if isinstance(o.fact, QuicFact)
        and o.fact.exchange == exchange
        and o.fact.ttl is None
        and o.failure != "interrupted"
    )


class QuicPair(Pair):
    """Two names in turn at one address; a refusal is an answer as well, for the place knows neither."""

    def __init__(self, group: str, address: str, observations: Iterable[Observation]) -> None:
        self.purpose, self.group, self.address = PURPOSE, group, address
        arms = sorted((o for o in observations if o.arm is not None), key=lambda o: o.number)
        self.sent = tuple(Sent(o.arm == "target", answered(o.operation), o) for o in arms)

    @property
    def over_tls(self) -> bool:
        """TLS is inside (RFC 9001)."""
        return True


class Quic:
    """Everything that one case, and its run, tell of QUIC."""

    def __init__(self, case: Case) -> None:
        self.case = case
        mine = case.of(PURPOSE, "quic")
        self.shaken = _of(mine, "handshake")
        self.targets = tuple(o for o in self.shaken if o.arm == "target")
        self.pings = _of(mine, "ping")
        self.at_own = tuple(o for o in self.targets if o.group in (OWN, LONG))
        self._way = tuple(o for o in mine if o.group == WAY)
        self._here = _of(case.view.quic_here, "handshake")
        self._pings_here = _of(case.view.quic_here, "ping")

    @property
    def first(self) -> Observation | None:
        """The first greeting with the name at its own address."""
        return next((o for o in self.at_own if o.group == OWN), None)

    @property
    def passes_here(self) -> bool:
        """Whether anybody in this run was answered over QUIC, be it another target."""
        shaken = (*self._here, *_of(self.case.view.quic_shaken, "handshake"))
        return any(answered(o.operation) for o in shaken)

    @property
    def passed(self) -> tuple[Observation, ...]:
        """Greetings with the name that were answered, wherever they went."""
        return tuple(o for o in self.targets if answered(o.operation))

    @property
    def rescued_by_length(self) -> tuple[Observation, ...]:
        """Answers to greetings in two datagrams, where those in one, twice at least, got none."""
        good = tuple(o for o in self.passed if o.group == LONG)
        short = [o for o in self.targets if o.group == OWN]
        return good if len(short) >= 2 and not any(answered(o.operation) for o in short) else ()

    def pairs(self, prefix: str) -> tuple[QuicPair, ...]:
        """Pairs of names at the places whose group begins so; a place has one operator, and is none of the site's own."""
        found: dict[str, list[Observation]] = {}
        for o in self.shaken:
            # A control's address is not kept: its name, which is the group, stands for it.
            address = o.operation.address or o.group
            if o.arm is not None and (o.group or "").startswith(prefix) and address is not None:
                found.setdefault(address, []).append(o)
        return tuple(QuicPair(members[0].group or "", address, members) for address, members in sorted(found.items()))

    def complete(self) -> tuple[QuicPair, ...]:
        """Neutral pairs that satisfy the whole alternation rule in silence, one a network, never in the target's own."""
        own = {network_of(o.operation.address) for o in self.at_own if o.operation.address is not None}
        chosen: dict[str, QuicPair] = {}
        for pair in self.pairs(NEUTRAL):
            network = network_of(pair.address)
            if pair.complete and network not in own and all(silent(o.operation) for o in pair.target_failures):
                chosen.setdefault(network, pair)
        return tuple(chosen.values())

    def at_controls(self) -> tuple[QuicPair, ...]:
        """The same at sinks of controls."""
        liars = self.case.view.contradicted_controls
        found = self.pairs(CONTROL)
        return tuple(
            pair
            for pair in found
            if pair.complete and pair.group not in liars and all(silent(o.operation) for o in pair.target_failures)
        )

    @property
    def stopped_beyond_home(self) -> tuple[Observation, ...]:
        """The way, where a router behind this household has had every greeting with the name that was let go so far, and a
        farther one none of them, and every other.

        What a box at home reads and drops never gets there; where it drops the answers alone, or some greetings of many, no
        farther router is left out. One with a private address may be in the same building.
        """
        heard: dict[str, dict[int, list[Observation]]] = {"target": {}, "innocuous": {}}
        for o in self._way:
            if isinstance(o.fact, QuicFact) and o.arm is not None and o.fact.ttl is not None:
                heard[o.arm].setdefault(o.fact.ttl, []).append(o)
        target, innocuous = heard["target"], heard["innocuous"]
        passed = [
            ttl
            for ttl, found in target.items()
            if ttl >= _BEHIND_HOME and _always(found) and all(map(_is_theirs, found))
        ]
        farthest = max((ttl for ttl, found in target.items() if any(map(_ended_there, found))), default=0)
        beyond = (ttl for ttl, found in innocuous.items() if ttl > farthest and _always(found))
        return self._way if passed and any(len(target.get(ttl, ())) >= WAYS for ttl in beyond) else ()

    @property
    def silent_places(self) -> tuple[Observation, ...]:
        """Greetings to sites that are nobody's target and are known to have QUIC, and that nobody answered."""
        return tuple(o for o in self._here if not answered(o.operation))

    @property
    def negotiated(self) -> tuple[Observation, ...]:
        """Answers to the question which versions a place speaks, here or at the site itself."""
        return tuple(
            o
            for o in (*self._pings_here, *self.pings)
            if isinstance(o.fact, QuicFact) and "00000001" in o.fact.versions
        )

    def word(self) -> Word | None:
        """What is the matter with QUIC for a page; ``None`` where nothing is, or nothing is known."""
        first = self.first
        if first is None or answered(first.operation):
            return None
        if any(o.group in (OWN, LONG) for o in self.passed):
            return "partly" if self.rescued_by_length else None
        if not self.passes_here:
            return self._of_the_line()
        places = len(self.complete())
        if not self.passed and (places >= PLACES or (places and self.at_controls())):
            return "blocked"
        return "unanswered"

    def _of_the_line(self) -> Word | None:
        networks = {network_of(o.operation.address) for o in self.silent_places if o.operation.address}
        if len(networks) < PLACES:
            return None
        return "version_filtered" if len(self.negotiated) >= PLACES else "filtered"
