"""Where on the way the difference is made: an interval of hops, from how far names and SYNs got. Pure.

What is known for certain is how far something got: a router that says that a TTL ran out there had the packet. That nothing
came is weak, for routers may be silent, too busy to speak, or their word lost; so a silence counts only where the router
spoke of the other name, sent from the same port just before, and where the same greeting, let go all the way, failed too.
The first tells silent routers apart, the second ways: of several ways (a balancer looks at ports) only those that have the
device on them are looked at, and their share is told.

Hop *n* is the router at which a TTL of *n* runs out; hop 0 is this host. The device lies between ``after``, the last hop that
the target's greeting is known to have passed, and ``before``, the first one by which it is known to be stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from probe.observations import Came, HopScope, Network, Observation, PathFact
from probe.verdict.model import Where
from probe.verdict.networks import network_of

Fate = Literal["passed", "stopped", "reset", "ended", "reply_lost", "free"]
Manner = Literal["dropped", "reset", "ended", "reply_lost"]

PURPOSE = "locate"
NOBODYS_OWN: tuple[HopScope, ...] = ("public", "shared")
"""Addresses that routers in a building seldom have; large companies and universities do."""
TWICE = 2
"""Silences that it takes: one may be an accident."""
_ACTS = ("reset", "ended")
"""What is sent in the server's name: no accident."""


@dataclass(frozen=True, slots=True)
class Hop:
    """What is known of a router: its address, unless it is not kept or was never told, what kind of address it is, and whose
    it was where a table told it.
    """

    address: str | None = None
    scope: HopScope | None = None
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """Between which hops it is. ``manner``: what is done there; ``reply_lost`` has no interval, for what names the target
    passes every hop, and the answer is taken on the way back.

    ``what``: a ``greeting`` that names the target, or every ``connection`` to its address. ``at``: the address that the
    packets were for; ``distance``: the hop that it is itself; ``before`` may be that. ``ways`` is how many source ports
    were stopped, of how many. ``scopes`` are the kinds of address of ``after`` and ``before``.
    """

    what: Literal["greeting", "connection"]
    manner: Manner
    at: str
    after: int
    before: int | None
    distance: int | None
    after_hop: str | None = None
    before_hop: str | None = None
    after_network: Network | None = None
    before_network: Network | None = None
    scopes: tuple[HopScope | None, HopScope | None] = (None, None)
    ways: tuple[int, int] = (0, 0)
    where: Where = "unknown"
    outside: bool = False
    """Whether a router that had it is somebody else's: behind the own one, with an address that no building gives itself."""
    observations: tuple[int, ...] = ()

    @property
    def is_interval(self) -> bool:
        return self.manner != "reply_lost" and self.before is not None

    @property
    def may_be_taken(self) -> bool:
        """Whether it may have arrived, and the answer have been taken anywhere on its way back."""
        at_end = self.manner == "dropped" and self.distance is not None and self.after >= self.distance - 1
        return self.manner == "reply_lost" or (self.what == "greeting" and at_end)

    def parameters(self) -> dict[str, Any]:
        """Plain JSON values: what a finding keeps of it."""
        flat = asdict(self)
        del flat["observations"]
        flat["scopes"], flat["ways"] = list(self.scopes), list(self.ways)
        return flat


_NETWORKS = ("after_network", "before_network")
_LATER = (*_NETWORKS, "outside")
"""What older versions did not store."""


def from_parameters(parameters: dict[str, Any]) -> Located | None:
    """The inverse of :meth:`Located.parameters`; ``None`` for parameters of something else."""
    names = [name for name in Located.__dataclass_fields__ if name not in ("observations", *_LATER)]
    if any(name not in parameters for name in names):
        return None
    values = {name: parameters[name] for name in names}
    values |= {"scopes": tuple(values["scopes"]), "ways": tuple(values["ways"])}
    # What was stored before there were tables has none.
    told = {name: parameters.get(name) for name in _NETWORKS}
    values |= {name: Network(**fields) if fields else None for name, fields in told.items()}
    values["outside"] = bool(parameters.get("outside"))
    return Located(**values)


# ---------------------------------------------------------------------------------------------------------------------
# what was sent from one port


@dataclass(frozen=True, slots=True)
class Shot:
    """All that was sent with one TTL from one port: a SYN, a greeting with another name, one with the target's."""

    ttl: int
    port: int | None
    syn: PathFact | None = None
    innocuous: PathFact | None = None
    target: PathFact | None = None

    @property
    def spoke(self) -> bool:
        """Whether anybody there is heard when the name is another one."""
        return self.innocuous is not None and self.innocuous.came in ("icmp", "answer")

    @property
    def fate(self) -> Fate | None:
        """What became of the target's greeting there; ``free``: this way has no device; ``None``: nothing can be said."""
        target = self.target
        if target is None or (self.innocuous is not None and self.innocuous.came in ("reset", "fin")):
            return None
        came: set[Came | None] = {target.came, target.again}
        if came & {"reset", "fin"}:
            return "reset" if "reset" in came else "ended"
        if "answer" in came | {target.later}:
            return "free"
        if target.later == "icmp":
            return None  # somebody speaks of it at any distance, so a router's word tells none
        if target.acked or (target.later_acked and target.later == "nothing"):
            return "reply_lost"
        if target.came == "icmp":
            # Where the copy got nowhere, somebody before the router had taken note of the first one.
            if target.later is None:
                return None
            return "stopped" if target.again == "nothing" else "passed"
        return "stopped" if target.came == "nothing" and self.spoke else None


def shots(observations: Iterable[Observation]) -> tuple[Shot, ...]:
    """What was sent by port and TTL, in order."""
    found: dict[tuple[int | None, int], Shot] = {}
    for o in observations:
        fact = o.fact
        if not isinstance(fact, PathFact):
            continue
        key = (fact.source_port, fact.ttl)
        shot = found.setdefault(key, Shot(fact.ttl, fact.source_port))
        if fact.sent == "syn":
            found[key] = replace(shot, syn=fact)
        elif o.arm == "target":
            found[key] = replace(shot, target=fact)
        else:
            found[key] = replace(shot, innocuous=fact)
    return tuple(found.values())


def distance_of(sent: Sequence[Shot]) -> int | None:
    """The least TTL with which anything was answered by the place itself."""
    facts = (fact for shot in sent for fact in (shot.syn, shot.innocuous) if fact is not None)
    return min((fact.ttl for fact in facts if fact.came == "answer"), default=None)


def hops_of(facts: Iterable[PathFact | None]) -> dict[int, Hop]:
    """Hop → what it is said to be most often, by SYNs."""
    said: dict[int, Counter[Hop]] = {}
    for fact in facts:
        if fact is not None and fact.sent == "syn" and fact.came == "icmp":
            said.setdefault(fact.ttl, Counter())[Hop(fact.hop, fact.hop_is, fact.network)] += 1
    return {ttl: min(seen, key=lambda hop: (-seen[hop], str(hop))) for ttl, seen in said.items()}


# ---------------------------------------------------------------------------------------------------------------------
# greetings


def read_greetings(observations: Sequence[Observation], at: str) -> Located | None:
    """Where greetings that name the target are stopped on the way to *at*; ``None`` where that cannot be said."""
    sent = shots(observations)
    distance = distance_of(sent)
    fates = [(shot, shot.fate) for shot in sent if shot.fate is not None]
    ways = [(shot, fate) for shot, fate in fates if fate != "free"]
    # A distance of 1 is this computer itself, or somebody who takes every connection.
    if distance is None or distance <= 1 or len(ways) < TWICE:
        return None
    share = (len({shot.port for shot, _ in ways}), len({shot.port for shot, _ in fates}))
    bounds = _between(ways, distance, _silences_needed(sent))
    numbers = tuple(o.number for o in observations if isinstance(o.fact, PathFact))
    if bounds is None:
        if sum(fate == "reply_lost" for _, fate in ways) < TWICE:
            return None
        return Located(
            "greeting", "reply_lost", at, 0, None, distance, ways=share, where="unknown", observations=numbers
        )
    after, before = bounds
    on_these_ways = {shot.port for shot, _ in ways}
    hops = hops_of(shot.syn for shot in sent) | hops_of(shot.syn for shot in sent if shot.port in on_these_ways)
    found = Located(
        "greeting", _manner(ways), at, after, before, distance, ways=share, observations=numbers
    )  # fmt: skip
    return placed(found, hops)


def _between(ways: Sequence[tuple[Shot, str]], distance: int, needed: int) -> tuple[int, int] | None:
    """(last passed, first stopped); ``None`` where the greetings get to the place itself."""
    after = max((shot.ttl for shot, fate in ways if fate == "passed"), default=0)
    if any(fate == "reply_lost" for _, fate in ways) and not any(fate in _ACTS for _, fate in ways):
        return None
    acted = min((shot.ttl for shot, fate in ways if fate in _ACTS and shot.ttl > after), default=None)
    # The whole way is known to be too far: no greeting that went all of it was answered.
    bounds = (acted, silent_by([shot.ttl for shot, fate in ways if fate == "stopped"], after, needed), distance)
    return after, max(min(bound for bound in bounds if bound is not None), after + 1)


def silent_by(silences: Sequence[int], after: int, needed: int) -> int | None:
    """The hop by which *needed* packets that went beyond *after* had got no word."""
    beyond = sorted(ttl for ttl in silences if ttl > after)
    return beyond[needed - 1] if len(beyond) >= needed else None


def _silences_needed(sent: Sequence[Shot]) -> int:
    """More than can be accidents here: two, and one more for each innocuous greeting that got no word from a router who
    does speak. A line that loses packets, or a busy computer, does the same to every name.
    """
    heard = _heard(sent)
    lost = sum(shot.innocuous is not None and shot.innocuous.came == "nothing" and shot.ttl in heard for shot in sent)
    return TWICE + lost


def _manner(ways: Sequence[tuple[Shot, str]]) -> Manner:
    acts: Counter[Manner] = Counter()
    for shot, fate in ways:
        later = shot.target.later if shot.target is not None else None
        if fate == "reset" or later == "reset":
            acts["reset"] += 1
        elif fate == "ended" or later == "fin":
            acts["ended"] += 1
    return max(acts, key=lambda manner: acts[manner]) if acts else "dropped"


def still_open(observations: Sequence[Observation], most: int) -> tuple[int, ...]:
    """TTLs of the greetings to send next, at most *most*; none when nothing more is to be learnt, or nothing can be.

    Those between the last that passed and the first that was stopped, spread evenly (the middle one, where only one more may
    be sent), and that one again if it was silent only once. Silent hops are not asked again. Where some ways are free,
    several ports go for one hop.
    """
    sent = shots(observations)
    distance = distance_of(sent)
    fates = [(shot, shot.fate) for shot in sent if shot.fate is not None]
    ways = [(shot, fate) for shot, fate in fates if fate != "free"]
    if distance is None or distance <= 1 or (len(fates) >= 2 * TWICE and not ways):
        return ()
    needed = _silences_needed(sent)
    if ways and _between(ways, distance, needed) is None:
        return ()
    after = max((shot.ttl for shot, fate in ways if fate == "passed"), default=0)
    stops = Counter(shot.ttl for shot, fate in ways if fate != "passed" and after < shot.ttl < distance)
    first = min(stops, default=distance)
    acted = any(shot.ttl == first and fate in _ACTS for shot, fate in ways)
    wanted = [ttl for ttl in range(after + 1, first) if ttl not in _mute(sent)]
    wanted += [first] if first < distance and stops[first] < needed and not acted else []
    if most <= 1:
        return tuple(wanted[len(wanted) // 2 :][:most])
    if len(wanted) > most:
        return tuple(dict.fromkeys(wanted[(place * (len(wanted) - 1)) // (most - 1)] for place in range(most)))
    if not wanted or not fates:
        return tuple(wanted)
    # From several ports where little is left to ask: an accident must not cost another volley.
    ports = 1 if len(wanted) > TWICE else TWICE
    if len(ways) < len(fates):
        ports = min(most // len(wanted), TWICE + 1)
    asked = [ttl for ttl in wanted for _ in range(ports)]
    missing = needed - stops[first] - ports if wanted[-1] == first else 0
    return (*asked, *[first] * min(missing, most - len(asked)))


def _mute(sent: Sequence[Shot]) -> set[int]:
    """Hops that were asked with an innocuous name and never spoke, of a SYN neither."""
    return {shot.ttl for shot in sent if shot.innocuous is not None} - _heard(sent)


def _heard(sent: Sequence[Shot]) -> set[int]:
    """Hops that spoke at all, of a SYN or of an innocuous greeting."""
    return {shot.ttl for shot in sent if shot.spoke or (shot.syn is not None and shot.syn.came == "icmp")}


def on_the_way(observations: Sequence[Observation]) -> dict[int, frozenset[int]]:
    """Source ports whose way has the device on it, and the TTLs that were already tried from each."""
    sent = shots(observations)
    found = {shot.port for shot in sent if shot.fate not in (None, "free")}
    free = {shot.port for shot in sent if shot.fate == "free"}
    return {
        port: frozenset(shot.ttl for shot in sent if shot.port == port)
        for port in sorted(port for port in found - free if port is not None)
    }


# ---------------------------------------------------------------------------------------------------------------------
# whose the place is


def placed(found: Located, hops: dict[int, Hop]) -> Located:
    """*found* with its hops' addresses, and where that is."""
    assert found.before is not None
    near, far = hops.get(found.after, Hop()), hops.get(found.before, Hop())
    return replace(
        found,
        after_hop=near.address,
        before_hop=far.address,
        after_network=near.network,
        before_network=far.network,
        scopes=(near.scope, far.scope),
        outside=any(hop.scope in NOBODYS_OWN for ttl, hop in hops.items() if 1 < ttl <= found.after),
        where=where_of(found.after, found.before, found.distance, hops, acts=found.manner in ("reset", "ended")),
    )


def where_of(after: int, before: int, distance: int | None, hops: dict[int, Hop], *, acts: bool) -> Where:
    """In whose part of the way an interval lies. ``unknown`` where it spans two: the border between a provider and those
    behind it is nobody's for certain, for the address of a border router may be either's.

    *acts*: something was sent in the server's name. Where nothing was, what passes every router and is not answered may
    have arrived, and the answer have been taken anywhere on its way back.
    """
    first = hops.get(1, Hop())
    if before <= 1:
        return "lan" if first.scope == "gateway" else "unknown"
    if distance is not None and after >= distance - 1:
        return "far_side" if acts else "unknown"
    last = _last_of_provider(hops)
    if last is None:
        return "unknown"
    # Behind the gateway begins what is the provider's, though a household may have a second router.
    if before <= last and after >= 1:
        return "access"
    return "transit" if after > last else "unknown"


def _last_of_provider(hops: dict[int, Hop]) -> int | None:
    """The last hop that is the provider's: as long as addresses are not public, or in the network of the first public one,
    by their look or by a table's word. ``None`` if no public one is known.
    """
    public = [ttl for ttl, hop in sorted(hops.items()) if hop.address is not None and hop.scope == "public"]
    if not public:
        return None
    first = hops[public[0]]
    last = public[0]
    for ttl in range(last + 1, max(hops) + 1):
        hop = hops.get(ttl)
        if hop is None:
            continue
        if hop.address is not None and not _of_one_network(first, hop):
            break
        last = ttl
    return last


def _of_one_network(one: Hop, other: Hop) -> bool:
    if one.network is not None and other.network is not None and one.network.asn == other.network.asn:
        return True
    return network_of(one.address or "") == network_of(other.address or "")


# ---------------------------------------------------------------------------------------------------------------------
# what to say of it


def words(found: Located) -> tuple[str, dict[str, Any]]:
    """The code and the parameters of the one sentence that says where it is; ``probe.verdict.sentences.located`` has the
    sentence, and a report that shows a verdict's place calls both.

    Parameters: ``after`` and ``before`` hop numbers, ``after_hop`` and ``before_hop`` their addresses or ``None``,
    ``after_network`` and ``before_network`` whose they are, or ``None``, ``at_end`` whether ``before`` is the place itself that
    was asked, ``ways`` the share of ways with the device.
    """
    if found.manner == "reply_lost":
        return "located_greeting_reply_lost", {"at": found.at}
    flat, names = found.parameters(), ("at", "after", "before", "after_hop", "before_hop", *_NETWORKS)
    parameters = {name: flat[name] for name in names}
    parameters |= {"at_end": found.before == found.distance, "ways": list(found.ways)}
    if found.manner == "dropped" and found.distance is not None and found.after >= found.distance - 1:
        return f"located_{found.what}_at_end", parameters
    return f"located_{found.what}_{found.manner}", parameters
