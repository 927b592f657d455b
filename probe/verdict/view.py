"""The facts of a run as the judge reads them: indexed once, up to a horizon, and cut into one case an endpoint.

Nothing in here weighs anything. A :class:`Case` answers plain questions ("which handshakes for this name succeeded?") so
that the findings read as what they mean. Order of the given observations does not matter: numbers do.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Literal, TypeGuard, cast

from probe.observations import AppFact, ContextFact, DnsFact, HttpFact, Observation, QuicFact, TcpFact, TlsFact
from probe.verdict import addresses, fingerprints

if TYPE_CHECKING:
    from probe.verdict.network import OwnSide
    from targets.model import Asked

Stage = Literal["dns", "tcp", "tls", "http", "app"]
_STAGES: tuple[Stage, ...] = ("app", "http", "tls", "tcp", "dns")
"""The deepest first."""
INTERRUPTED = "interrupted"
"""An operation that was cut off by us: nothing was learnt."""


def failed(observation: Observation) -> bool:
    """Whether the operation failed by itself; one that we cut off did not."""
    return observation.failure is not None and observation.failure != INTERRUPTED


def dns(observation: Observation) -> DnsFact:
    """The DNS fact; call it only on observations of that kind."""
    return cast("DnsFact", observation.fact)


def tcp(observation: Observation) -> TcpFact:
    """The connection's fact."""
    return cast("TcpFact", observation.fact)


def tls(observation: Observation) -> TlsFact:
    """The handshake's fact."""
    return cast("TlsFact", observation.fact)


def http(observation: Observation) -> HttpFact:
    """The request's fact."""
    return cast("HttpFact", observation.fact)


def app(observation: Observation) -> AppFact:
    """The fact of an app's own exchange."""
    return cast("AppFact", observation.fact)


def verified(fact: object) -> TypeGuard[TlsFact]:
    """A handshake whose chain the shipped store verifies. One that only this host's store trusts is not *verified*."""
    return isinstance(fact, TlsFact) and fact.verified is True and fact.shipped_store_verifies is not False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One walk from name to page: the operations of its last hop that count, and where it ended.

    ``ok`` is ``None`` while it is not known (nothing measured, or cut off). ``stage`` and ``last`` are the deepest
    operation; ``hop`` how many redirects were followed before it.
    """

    group: str
    hop: int
    steps: tuple[Observation, ...]
    ok: bool | None
    stage: Stage | None
    last: Observation | None

    @property
    def failure(self) -> str | None:
        """Why it failed; an answer that nobody may connect to has no failure of its own."""
        if self.last is None or self.ok is not False:
            return None
        return self.last.failure or "dns_bogon_error"

    def of(self, kind: str) -> tuple[Observation, ...]:
        """The steps of one kind."""
        return tuple(o for o in self.steps if o.operation.kind == kind)


def _attempt(group: str, observations: Sequence[Observation], deepest: Stage) -> Attempt:
    """Read the last hop of an attempt. *deepest*: the operation whose success is the goal."""
    hop = max(o.hop for o in observations)
    steps = tuple(o for o in observations if o.hop == hop and o.operation.kind in _STAGES)
    order = _STAGES
    for stage in order:
        here = [o for o in steps if o.operation.kind == stage and (stage != "dns" or dns(o).reply_index == 0)]
        if not here:
            continue
        good = [o for o in here if o.failure is None and _usable(o)]
        bad = [o for o in here if failed(o)]
        if stage == deepest == "http" and here[-1].failure is None:
            return Attempt(group, hop, steps, ok=True, stage=stage, last=here[-1])
        if good and order.index(stage) <= order.index(deepest):
            return Attempt(group, hop, steps, ok=True, stage=stage, last=good[-1])
        if good and stage == "dns" and not any(addresses.connectable(a) for o in good for a in dns(o).addresses):
            return Attempt(group, hop, steps, ok=False, stage=stage, last=good[-1])
        if good or not bad:
            return Attempt(group, hop, steps, ok=None, stage=stage, last=here[-1])
        return Attempt(group, hop, steps, ok=False, stage=stage, last=bad[-1])
    return Attempt(group, hop, steps, ok=None, stage=None, last=None)


def _usable(observation: Observation) -> bool:
    fact = observation.fact
    return not isinstance(fact, DnsFact) or bool(fact.addresses)


class Case:
    """Everything of one endpoint, and the own side of its run."""

    def __init__(self, view: View, asked: Asked, observations: Sequence[Observation]) -> None:
        self.view = view
        self.asked = asked
        # How a control was asked is no fact about the site.
        local = tuple(o for o in observations if o.vantage == "local" and o.purpose != "control")
        # What happens at a control's own sink is what whoever runs it lets happen: only who asks for it by name is told.
        self.observations = tuple(o for o in local if o.purpose not in ("control_pair", "protocol_pair"))
        away = tuple(o for o in observations if o.vantage != "local")
        self.elsewhere = tuple(o for o in away if o.purpose != "control_pair")
        self.arrivals = tuple(o for o in away if o.purpose == "control_pair")
        by_purpose: dict[str, list[Observation]] = defaultdict(list)
        for observation in local:
            by_purpose[observation.purpose].append(observation)
        self._by_purpose = {purpose: tuple(found) for purpose, found in by_purpose.items()}

    # plain questions

    @property
    def own(self) -> OwnSide:
        """What the run says of the own side."""
        return self.view.own_side

    @property
    def scheme(self) -> str:
        return self.asked.endpoint.scheme

    @property
    def scale(self) -> float:
        """By how much this run's deadlines differ from the shipped ones."""
        context = self.view.context
        return context.deadline_scale if context is not None and context.deadline_scale > 0 else 1.0

    def of(self, purpose: str, kind: str | None = None, group: str | None = None) -> tuple[Observation, ...]:
        """Observations made for *purpose*, in order; of one kind; of one group (``address/`` takes all that start so)."""
        return tuple(
            o
            for o in self._by_purpose.get(purpose, ())
            if (kind is None or o.operation.kind == kind) and (group is None or _in_group(o.group, group))
        )

    def groups(self, purpose: str) -> dict[str, tuple[Observation, ...]]:
        """Observations of *purpose* by group, in order."""
        found: dict[str, list[Observation]] = defaultdict(list)
        for observation in self._by_purpose.get(purpose, ()):
            if observation.operation.kind != "bug":
                found[observation.group or ""].append(observation)
        return {group: tuple(members) for group, members in found.items()}

    @cached_property
    def bugs(self) -> tuple[Observation, ...]:
        return tuple(o for o in self.observations if o.operation.kind == "bug")

    # walks from name to page

    @property
    def _goal(self) -> Stage:
        if self.asked.endpoint.app is not None:
            return "app"
        if self.asked.handshake_only:
            return "tls"
        return "tcp" if self.scheme == "tcp" else "http"

    @cached_property
    def baseline(self) -> tuple[Attempt, ...]:
        """The baseline over each address family that counts.

        A family for which the name has no address, or that this network is known not to carry, is left out as long as
        another one is there to be judged.
        """
        found = tuple(
            _attempt(group, observations, self._goal) for group, observations in sorted(self.groups("baseline").items())
        )
        counting = tuple(a for a in found if not self._does_not_count(a))
        return counting or found

    @cached_property
    def all_baselines(self) -> tuple[Attempt, ...]:
        """The baseline over every address family, whether it counts or not."""
        return tuple(
            _attempt(group, observations, self._goal) for group, observations in sorted(self.groups("baseline").items())
        )

    def _does_not_count(self, attempt: Attempt) -> bool:
        if attempt.ok is True:
            return False
        empty = attempt.stage == "dns" and attempt.hop == 0 and attempt.failure == "dns_no_answer"
        pending_name = attempt.stage == "dns" and attempt.last is not None and attempt.last.failure is None
        return empty or pending_name or (attempt.group == "v6" and self.own.ipv6 is False)

    @cached_property
    def retries(self) -> tuple[Attempt, ...]:
        """Fresh walks after the baseline, about the name in question: a first site that is only slow, and sends on to one
        that fails, is asked again too. Groups ``min_ttl/…`` are not ordinary ones and are left out.
        """
        about = (
            (group, tuple(o for o in observations if self.is_in_question(o)))
            for group, observations in sorted(self.groups("retry").items())
            if not group.startswith("min_ttl")
        )
        return tuple(
            _attempt(group, observations, self._retry_goal(observations))
            for group, observations in about
            if observations
        )

    def _retry_goal(self, observations: Sequence[Observation]) -> Stage:
        """Retries end at the greeting where there is one (also of an https hop behind an http:// address)."""
        if self._goal != "http":
            return self._goal
        return "tls" if any(isinstance(o.fact, TlsFact) for o in observations) else "http"

    @cached_property
    def failing(self) -> Attempt | None:
        """The attempt that the verdict is about: the first counted baseline that failed, if none succeeded."""
        if any(a.ok is True for a in self.baseline):
            return None
        return next((a for a in self.baseline if a.ok is False), None)

    @cached_property
    def name(self) -> str:
        """The name in question: of the hop that failed, else of the endpoint."""
        attempt = self.failing
        named = attempt.last.operation.name if attempt is not None and attempt.last is not None else None
        return (named or self.asked.endpoint.host).rstrip(".").lower()

    def is_target(self, name: str | None) -> bool:
        """Whether *name* is the one in question (or the endpoint's own)."""
        plain = (name or "").rstrip(".").lower()
        return bool(plain) and plain in (self.name, self.asked.endpoint.host.rstrip(".").lower())

    def is_in_question(self, observation: Observation) -> bool:
        """Whether an operation was about the hop that failed: another name, or a plain request where it was the greeting
        that failed, tells of another hop.
        """
        if self.failing is None:
            return True
        fact, name = observation.fact, observation.operation.name
        if self.failing.stage == "tls" and isinstance(fact, HttpFact) and not fact.verified_chain:
            return False
        return name is None or name.rstrip(".").lower() == self.name

    # the name's answers

    @cached_property
    def system_replies(self) -> tuple[Observation, ...]:
        """Replies of the platform's resolvers about the name in question, in the baseline and after."""
        found = (*self.of("baseline", "dns"), *self.of("dns_answers", "dns", "other"))
        return tuple(
            o
            for o in found
            if dns(o).role == "system"
            and dns(o).transport != "getaddrinfo"
            and dns(o).qname.rstrip(".").lower() == self.name
        )

    @cached_property
    def library_replies(self) -> tuple[Observation, ...]:
        """What the C library answered for the name in question."""
        return tuple(
            o
            for o in self.of("baseline", "dns")
            if dns(o).transport == "getaddrinfo" and dns(o).qname.rstrip(".").lower() == self.name
        )

    @cached_property
    def foreign_replies(self) -> tuple[Observation, ...]:
        """Replies of public resolvers about the name, plain and encrypted."""
        return tuple(
            o
            for group in ("foreign", "tcp", "dot", "doh")
            for o in self.of("dns_answers", "dns", group)
            if o.arm != "innocuous" and dns(o).role == "foreign" and self.is_target(dns(o).qname)
        )

    @cached_property
    def handshakes(self) -> tuple[Observation, ...]:
        """Handshakes that verify, for the name in question, from wherever an address came."""
        return tuple(
            o
            for o in self.observations
            if isinstance(o.fact, TlsFact)
            and o.fact.verify
            and o.purpose in ("baseline", "retry", "dns_answers", "siblings")
            and self.is_target(o.fact.sni or o.operation.name)
        )

    def right(self, address: str) -> bool:
        """Whether a handshake at *address* verified for the name: then an answer with it is right, whatever it is."""
        return any(o.operation.address == address and verified(o.fact) for o in self.handshakes)

    def proven_elsewhere(self, address: str) -> bool:
        """Whether the trial of answers verified *address*; retries by the user's own path do not count here."""
        return any(
            o.operation.address == address and verified(o.fact)
            for o in self.handshakes
            if o.purpose in ("dns_answers", "siblings")
        )

    def wrong(self, address: str) -> Observation | None:
        """What shows that *address* is not the name's: a certificate for somebody else, or a notice of an order there.

        ``None`` where neither was seen: an address that could not be tried is unjudged, not wrong.
        """
        if self.right(address):
            return None
        strangers = (
            o
            for o in self.handshakes
            if o.operation.address == address and failed(o) and isinstance(o.fact, TlsFact) and o.fact.chain
        )
        return next(itertools.chain(strangers, self._notices(address)), None)

    def _notices(self, address: str) -> Iterator[Observation]:
        for o in self.of("dns_answers", "http"):
            page = fingerprints.read(http(o)) if o.operation.address == address and o.failure is None else None
            if page is not None and page.blocks and page.certain:
                yield o

    @cached_property
    def depth(self) -> Literal["record", "handshake", "request"]:
        """How far an exchange must have come to be a success: further than where the name's own way ended.

        Whoever was broken off after the server's first record is not contradicted by a first record.
        """
        attempt = self.failing
        if attempt is None or attempt.last is None or (attempt.failure or "").startswith("ssl_"):
            return "record"
        fact = attempt.last.fact
        if isinstance(fact, HttpFact):
            return "request" if fact.url.startswith("https:") else "record"
        return "handshake" if isinstance(fact, TlsFact) and fact.server_hello and not fact.chain else "record"

    def is_deep_enough(self, fact: object) -> bool:
        """Whether a success with this fact is one at the depth that counts here."""
        if isinstance(fact, TlsFact):
            return self.depth == "record" or (self.depth == "handshake" and fact.cipher is not None)
        return isinstance(fact, HttpFact)

    @cached_property
    def target_successes(self) -> tuple[Observation, ...]:
        """Every ServerHello that the target's name got, anywhere, in any way that a user's packets go; where that says too
        little, every handshake that came to its end, or every encrypted page.
        """
        return tuple(
            o
            for o in self.observations
            if self._is_answer(o.fact)
            and o.failure is None
            and o.arm != "innocuous"
            and o.purpose not in ("own_side", "neighbours", "split")
            and not (o.group or "").startswith("min_ttl")
            and self.is_target(o.fact.sni if isinstance(o.fact, TlsFact) and o.fact.sni else o.operation.name)
        )

    def _is_answer(self, fact: object) -> bool:
        if isinstance(fact, HttpFact):
            return self.depth == "request" and fact.url.startswith("https:")
        return isinstance(fact, TlsFact) and fact.server_hello and self.is_deep_enough(fact)

    def bogon(self, address: str) -> bool:
        """Whether no public site can have *address*, and the catalogue does not say that this one may."""
        return address not in self.asked.loopback_answers and addresses.is_bogon(address, self.view.prefixes)


def _in_group(group: str | None, wanted: str) -> bool:
    return group is not None and (group.startswith(wanted) if wanted.endswith("/") else group == wanted)


class View:
    """The observations of one run up to *horizon* (a number; everything without one), read-only."""

    def __init__(self, observations: Iterable[Observation], asked: Sequence[Asked], horizon: int | None = None) -> None:
        seen = sorted((o for o in observations if horizon is None or o.number <= horizon), key=lambda o: o.number)
        self.asked = tuple(asked)
        self.horizon = horizon if horizon is not None else max((o.number for o in seen), default=0)
        by_endpoint: dict[int | None, list[Observation]] = defaultdict(list)
        for observation in seen:
            by_endpoint[observation.endpoint].append(observation)
        self._by_endpoint = by_endpoint
        self._cases: dict[int, Case] = {}

    @cached_property
    def context(self) -> ContextFact | None:
        """What the run says of itself."""
        return next((o.fact for o in self._by_endpoint.get(None, ()) if isinstance(o.fact, ContextFact)), None)

    @cached_property
    def own_observations(self) -> tuple[Observation, ...]:
        """The local observations of the own side."""
        return tuple(o for o in self._by_endpoint.get(None, ()) if o.purpose == "own_side" and o.vantage == "local")

    @cached_property
    def asked_of_controls(self) -> tuple[Observation, ...]:
        """How controls were asked in this run, about whichever endpoint: one that gave no answer is asked once."""
        return tuple(
            o
            for observations in self._by_endpoint.values()
            for o in observations
            if o.purpose == "control" and o.vantage == "local"
        )

    @cached_property
    def quic_here(self) -> tuple[Observation, ...]:
        """What sites that are nobody's target said over QUIC."""
        return tuple(
            o for o in self._by_endpoint.get(None, ()) if isinstance(o.fact, QuicFact) and o.vantage == "local"
        )

    @cached_property
    def quic_shaken(self) -> tuple[Observation, ...]:
        """What was asked over QUIC for all endpoints, at their own addresses or elsewhere."""
        return tuple(
            o
            for number, observations in self._by_endpoint.items()
            if number is not None
            for o in observations
            if isinstance(o.fact, QuicFact) and o.vantage == "local"
        )

    @cached_property
    def control_countries(self) -> dict[str, str]:
        """Vantage of each control that said, or of which the user said, in which country it is; always the same one."""
        told: dict[str, set[str]] = defaultdict(set)
        for o in self.asked_of_controls:
            kind, _, country = (o.group or "").partition("/")
            if kind == "country" and o.member is not None:
                told[o.member].add(country)
        return {member: countries.pop() for member, countries in told.items() if len(countries) == 1}

    @cached_property
    def contradicted_controls(self) -> frozenset[str]:
        """Vantages of controls that missed a site which was reached here at that time, or reached one that nobody has."""
        by_question: dict[tuple[str, str], list[Observation]] = defaultdict(list)
        for o in self._by_endpoint.get(None, ()):
            if o.purpose == "control" and o.vantage != "local" and o.group is not None:
                by_question[o.vantage, o.group].append(o)
        return frozenset(
            vantage
            for (vantage, group), found in by_question.items()
            if any(verified(o.fact) for o in found) is not group.startswith("known/")
        )

    @cached_property
    def own_side(self) -> OwnSide:
        from probe.verdict.network import read_own_side

        return read_own_side(self)

    def everywhere(self, purpose: str, kind: str, group: str) -> tuple[Observation, ...]:
        """Local observations of all endpoints, made for one purpose, of one kind and group."""
        return tuple(
            o
            for number, observations in self._by_endpoint.items()
            if number is not None
            for o in observations
            if o.purpose == purpose and o.group == group and o.operation.kind == kind and o.vantage == "local"
        )

    @cached_property
    def prefixes(self) -> tuple[IPv6Network, ...]:
        """Translation prefixes of this network."""
        told = tuple(
            address
            for o in self.own_observations
            if isinstance(o.fact, DnsFact) and o.fact.qname.rstrip(".").lower() == "ipv4only.arpa"
            for address in o.fact.addresses
        )
        return addresses.prefixes_of(told)

    @cached_property
    def system_answers(self) -> dict[str, frozenset[str]]:
        """Address → registrable-looking names that the system's resolvers gave it for, over the whole run."""
        found: dict[str, set[str]] = defaultdict(set)
        for observations in self._by_endpoint.values():
            for o in observations:
                fact = o.fact
                if isinstance(fact, DnsFact) and fact.role == "system" and o.vantage == "local":
                    site = ".".join(fact.qname.rstrip(".").lower().split(".")[-2:])
                    for address in fact.addresses:
                        found[address].add(site)
        return {address: frozenset(names) for address, names in found.items()}

    @cached_property
    def known_issuers(self) -> frozenset[str]:
        """Names of authorities that signed for a site whose chain the shipped store verified in this run."""
        return frozenset(
            o.fact.chain[0].issuer
            for observations in self._by_endpoint.values()
            for o in observations
            if o.vantage == "local" and verified(o.fact) and o.fact.chain
        )

    def case(self, asked: Asked) -> Case:
        """Everything of one endpoint; built once."""
        if asked.number not in self._cases:
            self._cases[asked.number] = Case(self, asked, self._by_endpoint.get(asked.number, ()))
        return self._cases[asked.number]

    def cases(self) -> tuple[Case, ...]:
        """The cases of all endpoints that were asked for."""
        return tuple(self.case(asked) for asked in self.asked)
