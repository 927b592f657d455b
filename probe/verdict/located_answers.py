"""Whether answers to a name are taken beyond this household: see :mod:`probe.experiments.answers_taken`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from probe.observations import Observation, PathFact
from probe.verdict.located import NOBODYS_OWN, TWICE, distance_of, hops_of, shots

GROUP = "near"
"""Of greetings that say the target's name as far as their TTL goes, and another one all the way."""


def first_outside(observations: Sequence[Observation]) -> int | None:
    """The first router behind the own one that is somebody else's by its address; ``None`` if none is known."""
    sent = shots(observations)
    distance, hops = distance_of(sent), hops_of(shot.syn for shot in sent)
    first = min((ttl for ttl, hop in hops.items() if ttl > 1 and hop.scope in NOBODYS_OWN), default=None)
    return first if first is not None and distance is not None and first < distance else None


def is_hidden(observations: Sequence[Observation]) -> bool:
    """Whether the place was heard over some routers, all of them were asked with SYNs, and none of those outside ever spoke."""
    distance = distance_of(shots(observations))
    asked = {o.fact.ttl for o in observations if isinstance(o.fact, PathFact) and o.fact.sent == "syn"}
    behind = set(range(2, distance)) if distance is not None else set()
    return bool(behind) and behind <= asked and first_outside(observations) is None


def came_all_the_same(near: Sequence[Observation], outside: int) -> bool:
    """Whether answers came although the household, and router number *outside*, had just had the target's name on that
    connection: then none of those takes them, and whoever does is farther away.
    """
    told = [shot.target for shot in shots(near) if shot.target is not None and shot.target.came == "icmp"]
    came = [fact.later == "answer" for fact in told if fact.ttl >= outside]
    return sum(came) >= TWICE and 2 * sum(came) > len(came)
