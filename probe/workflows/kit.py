"""What a process that lives for months builds once, and what one of its rounds has to know of another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from probe.experiments.cheap import Memory
from probe.experiments.neutrals import Neutrals
from probe.experiments.pacing import Pacer
from probe.observations import Observation, TlsFact
from probe.workflows.whereabouts import Hint, Whereabouts, is_elsewhere, noted, whereabouts

if TYPE_CHECKING:
    from probe.instruments.trust import Trust
    from probe.verdict.model import NetworkVerdict
    from probe.wire import Wire
    from targets.fingerprints import Shelf
    from targets.model import Canaries
    from targets.networks import Atlas

NEUTRAL_REST_S = 180.0
"""The longest memory of a device for an address that has been reported: until then no other run has the same neutral."""


@dataclass(slots=True)
class ClockOffset:
    """How far this host's wall clock is off, as far as it has been told, and what becomes of that when somebody sets it.

    *timeline*: seconds that nobody sets, those in which the host slept included.
    """

    timeline: Callable[[], float]
    _offset_us: int | None = None
    _apart_s: float = 0.0

    def learn(self, offset_us: int, now_us: int) -> None:
        self._offset_us, self._apart_s = offset_us, self.apart_s(now_us)

    def at(self, now_us: int) -> int | None:
        """True time minus this host's, now that its clock says *now_us*; ``None`` if nobody has told yet."""
        return self.when_apart(self.apart_s(now_us))

    def apart_s(self, now_us: int) -> float:
        """What this host's clock, which says *now_us*, is ahead of the timeline. It is another number once it is set."""
        return now_us / 1e6 - self.timeline()

    def when_apart(self, apart_s: float) -> int | None:
        """True time minus this host's at any moment at which its clock was *apart_s* ahead, also before anybody told."""
        if self._offset_us is None:
            return None
        return self._offset_us - round((apart_s - self._apart_s) * 1e6)


@dataclass(slots=True, kw_only=True)
class Kit:
    """What a process builds once and measures with in all its rounds. ``interface`` names the way out that its wire takes,
    where the host has several.
    """

    trust: Trust
    canaries: Canaries
    catalogue: str
    clock: ClockOffset
    pacer: Pacer
    opt_ins: tuple[str, ...] = ()
    fingerprints: Shelf | None = None
    networks: Atlas | None = None
    interface: str | None = None
    heard: Callable[[Sequence[Observation]], None] | None = None
    """Is given what each round and each look has seen; for figures, so it may not fail."""
    memory: Memory = field(default_factory=Memory)
    whereabouts: Whereabouts | None = None
    """The network in which all this was learned."""
    before: Hint | None = None
    """What an earlier process has left of the network that it was in last, until it has been compared with this one."""
    moves: int = 0
    """How often this host has been found in another network than before."""
    moves_told: int = 0
    """As many of them as have been told of, by whatever ended first."""
    looks: int = 0
    greeted: float | None = None
    """When (timeline) the last small look shook hands."""
    trouble: tuple[float, NetworkVerdict] | None = None
    """When (timeline) a whole look last found the own side down, and what it said; ``None`` since it is well."""
    abroad: dict[str, str] = field(default_factory=dict)
    """Sites abroad among the canaries, and the address at which each answered last."""
    resting: dict[str, float] = field(default_factory=dict)
    """Names whose addresses served as neutrals, and until when (the wire's monotonic clock) they rest."""
    under_way: list[Neutrals] = field(default_factory=list)
    """Of the runs that go on at the moment: a deep one may have a round beside it."""

    def look_around(self, wire: Wire) -> int:
        """How often the host has moved by now. Where it has since this was last asked, what was learned there is forgotten."""
        now = whereabouts(wire)
        if now is None:
            return self.moves
        self.whereabouts, moved = noted(self.whereabouts, now)
        if self.before is not None:
            moved |= is_elsewhere(self.before, now)
            # Before anything was sent the kernel may not know the router yet, which tells most.
            self.before = None if moved or now.router is not None or self.before.here.router is None else self.before
        if moved:
            self.memory, self.abroad, self.trouble, self.greeted = Memory(), {}, None, None
            self.moves += 1
        return self.moves

    def rest(self, neutrals: Neutrals, observations: Sequence[Observation], now: float) -> None:
        """A run has ended: let the *neutrals* that its *observations* drew rest; those that have rested are forgotten."""
        self.under_way.remove(neutrals)
        self.resting = {name: until for name, until in self.resting.items() if until > now}
        drawn = {o.operation.name for o in observations if o.group == "draw" and o.operation.name}
        self.resting |= dict.fromkeys(drawn, now + NEUTRAL_REST_S)

    def remember(self, observations: Sequence[Observation]) -> None:
        """Note where sites abroad are while all is well: when names do not resolve any longer, somebody must be asked.

        Whoever takes a connection need not be the site, which proves itself by its certificate.
        """
        for o in observations:
            family, _, name = (o.member or "").partition("/")
            proven = isinstance(o.fact, TlsFact) and o.failure is None
            if family == "foreign" and o.purpose == "own_side" and proven and o.operation.address:
                self.abroad[name] = o.operation.address

    def drawn_from(self, wire: Wire) -> Neutrals:
        """Canaries and neutrals for one run."""
        now = wire.monotonic()
        resting = {name for name, until in self.resting.items() if until > now}
        resting.update(*(neutrals.taken for neutrals in self.under_way))
        return Neutrals(self.canaries, wire.random, resting=resting, beside=self.under_way)
