"""What the experiments of one run share: the wire, the recorder, the pace, and what is known of the own side."""

from __future__ import annotations

import asyncio
import statistics
import traceback
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from probe.experiments.company import Companions
from probe.experiments.marks import marked
from probe.experiments.owners import named
from probe.experiments.questions import Questions
from probe.experiments.quic_places import QuicPlaces
from probe.experiments.waits import Waits
from probe.observations import BugFact, Observation, Operation, Recorder, TlsFact

if TYPE_CHECKING:
    from probe.experiments.cheap import Memory
    from probe.experiments.control_pairs import Announced
    from probe.experiments.neutrals import Neutrals
    from probe.experiments.pacing import Pacer
    from probe.instruments.trust import Trust
    from probe.settings import Settings
    from probe.verdict.model import NetworkVerdict
    from probe.wire import Wire
    from targets.fingerprints import Shelf
    from targets.model import Asked, Canaries
    from targets.networks import Atlas

BRISK_S = 0.6
"""A handshake over some 200 ms and back. On a slower line, or a busier computer, many at once would wait for each other."""
_CUT_OFF = ("international", "whitelist", "shutdown")
_EXCUSES: dict[str, frozenset[str]] = {
    "resolver": frozenset({"dns"}),
    "clock": frozenset({"certificate"}),
    "filter": frozenset(),
    "international": frozenset(),
    "whitelist": frozenset(),
}


@dataclass(slots=True)
class Session:
    """One run. ``network`` is what is known of the own side so far; ``own_side_known`` is set once that is anything."""

    wire: Wire
    settings: Settings
    trust: Trust
    canaries: Canaries
    asked: tuple[Asked, ...]
    pacer: Pacer
    neutrals: Neutrals
    fingerprints: Shelf | None = None
    networks: Atlas | None = None
    recorder: Recorder = field(default_factory=Recorder)
    network: NetworkVerdict | None = None
    own_side_known: asyncio.Event = field(default_factory=asyncio.Event)
    glanced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a first small look has found the own side well; only a daemon's rounds begin with one."""
    trouble: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the first failure or suspicious silence of the run."""
    memory: Memory | None = None
    """What a daemon remembers between rounds; a check by hand remembers nothing."""
    hopeless: asyncio.Event = field(default_factory=asyncio.Event)
    has_ipv6: bool = False
    over_ipv6: dict[str, bool] = field(default_factory=dict)
    """Canaries that were asked over IPv6, and whether they took the connection."""
    silent_resolvers: set[str] = field(default_factory=set)
    translator_asked: asyncio.Event | None = None
    """On a host without IPv4: set once it is known whether a translator serves it. ``None``: there is nothing to wait for."""
    control_turns: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    cut_short: set[int] = field(default_factory=set)
    """Endpoints about which something was left unasked because there were no flows left for it."""
    absent_controls: set[str] = field(default_factory=set)
    """Names of controls that gave no answer: not asked again in this run."""
    second_look: asyncio.Event | None = None
    """Set once it is known whether the country is cut off; ``None``: nothing was seen that looks like it."""
    sinks: dict[str, Announced] = field(default_factory=dict)
    """Names of controls, and what each said of its own sinks."""
    router_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Among many endpoints in trouble one asks the own router how far it is, for all."""
    companions: Companions = field(default_factory=Companions)
    """Endpoints that would share a neutral place with another one."""
    quic: QuicPlaces = field(default_factory=QuicPlaces)
    """What is known of QUIC on this line."""
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses that names of this run resolved to: neighbours are chosen among these, never by scanning."""
    deep: dict[str, int] = field(default_factory=dict)
    """Deep questions (``--deep``), and the one endpoint of the run that each is asked about."""
    listened: list[int] = field(default_factory=list)
    """Endpoints whose packets were listened to: only the first few of a run are."""
    located: list[int] = field(default_factory=list)
    """Endpoints whose trouble was followed along the way: only the first few of a run are."""
    followed: list[asyncio.Event] = field(default_factory=list)
    """One for each name that is followed, set when that has ended: what is found says something of the others."""
    ways: dict[str, asyncio.Event] = field(default_factory=dict)
    """Resolvers on whose way questions were let go only so many routers far; set when the routers there have been heard."""
    handshakes_s: list[float] = field(default_factory=list)
    """How long handshakes with canaries took that came to their end: what is ordinary on this line."""
    questions: Questions = field(init=False)
    waits: Waits = field(init=False)

    def __post_init__(self) -> None:
        self.questions = Questions(self.wire, self.settings.deadline_scale)
        self.waits = Waits(self.settings.deadline_scale)

    @property
    def uses_ipv6(self) -> bool:
        """Whether it is of use to ask anything over IPv6: there is a route, and no word yet that it leads nowhere."""
        return self.has_ipv6 and (not self.over_ipv6 or any(self.over_ipv6.values()))

    def record(self, operation: Operation, **place: Any) -> Observation:
        if place.get("purpose") == "own_side" and isinstance(operation.fact, TlsFact) and operation.failure is None:
            self.handshakes_s.append((operation.duration_us or 0) / 1e6)
        at_control = (place.get("group") or "").startswith("control:")
        if at_control or place.get("purpose") in ("control_pair", "protocol_pair"):
            # The place is a server of the user's own: its address must not end up in an export.
            operation = replace(operation, address=None)
        operation = named(marked(operation, self.fingerprints, self.settings.country), self.networks)
        return self.recorder.add(operation, **place)

    def is_looked_at(self) -> bool:
        """Whether anything is known of the own side yet, be it by a small look."""
        return self.own_side_known.is_set() or self.glanced.is_set()

    def ordinary_s(self) -> float:
        """How long a handshake takes on this line, as far as the canaries have told."""
        return statistics.median(self.handshakes_s) if self.handshakes_s else 0.0

    def is_brisk(self) -> bool:
        """Whether handshakes end so soon on this line that many endpoints may be asked about at once."""
        return 0 < self.ordinary_s() <= BRISK_S * self.settings.deadline_scale

    def is_cut_off(self) -> bool:
        """Whether nobody abroad answers: there is no place left where names could be compared."""
        return self.network is not None and self.network.method in _CUT_OFF

    def excused(self, stage: str) -> bool:
        """Whether what is known of the own side explains a failure at *stage*, so that asking on explains nothing.

        A dead resolver excuses names, a wrong clock certificates (stage ``certificate``, not all of ``tls``: it drops no
        greeting); only a dead or captured link excuses everything.
        """
        if self.network is None or self.network.status != "no_network":
            return False
        scope = _EXCUSES.get(self.network.method or "")
        return scope is None or stage in scope


async def guarded(session: Session, name: str, work: Awaitable[None], *, endpoint: int | None) -> None:
    """Do *work*; a bug in it becomes an observation that is labelled as ours and stops nothing else."""
    try:
        await work
    except Exception as error:
        record_bug(session, name, error, endpoint=endpoint)


def record_bug(session: Session, name: str, error: Exception, *, endpoint: int | None) -> None:
    """Keep a bug of ours as an observation: exit code 4, and never read as anything about the network."""
    text = "".join(traceback.format_exception(error, limit=-8))
    fact = BugFact(experiment=name, error=f"{type(error).__name__}: {error}"[:500], traceback=text[:8000])
    session.record(
        Operation(fact=fact, started_us=session.wire.now_us()),
        purpose="baseline" if endpoint is not None else "own_side",
        endpoint=endpoint,
    )
