"""The facts of one endpoint as the judge reads them.

Nothing in here weighs anything. A :class:`Case` answers plain questions ("which handshakes for this name succeeded?") so
that the findings read as what they mean.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from probe.observations import HttpFact, Observation, TlsFact
from probe.verdict import addresses, fingerprints
from probe.verdict.attempts import Attempt, Stage, read_attempt
from probe.verdict.facts import dns, failed, http, verified

if TYPE_CHECKING:
    from probe.verdict.network import OwnSide
    from probe.verdict.view import View
    from targets.model import Asked


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
            read_attempt(group, observations, self._goal)
            for group, observations in sorted(self.groups("baseline").items())
        )
        counting = tuple(a for a in found if not self._does_not_count(a))
        return counting or found

    @cached_property
    def all_baselines(self) -> tuple[Attempt, ...]:
        """The baseline over every address family, whether it counts or not."""
        return tuple(
            read_attempt(group, observations, self._goal)
            for group, observations in sorted(self.groups("baseline").items())
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
            read_attempt(group, observations, self._retry_goal(observations))
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
            and self.is_target(named(o))
        )

    def _is_answer(self, fact: object) -> bool:
        if isinstance(fact, HttpFact):
            return self.depth == "request" and fact.url.startswith("https:")
        return isinstance(fact, TlsFact) and fact.server_hello and self.is_deep_enough(fact)

    def bogon(self, address: str) -> bool:
        """Whether no public site can have *address*, and the catalogue does not say that this one may."""
        return address not in self.asked.loopback_answers and addresses.is_bogon(address, self.view.prefixes)


def named(observation: Observation) -> str:
    """The name that was asked for, plain: what the greeting named, else the operation's."""
    fact = observation.fact
    name = fact.sni if isinstance(fact, TlsFact) and fact.sni else observation.operation.name
    return (name or "").rstrip(".").lower()


def _in_group(group: str | None, wanted: str) -> bool:
    return group is not None and (group.startswith(wanted) if wanted.endswith("/") else group == wanted)
