"""The alternation rule: when a pair of names, asked in turn at one address, counts as a flip.

Computed over ordinary failures (nothing depends on the name): "2 of 3" calls 19 to 381 of 1,000 a flip; six target
failures with five innocuous successes *between* them and no target success call 0 to 0.8. Taking turns is the point:
whatever happens in one second (a restart, a dead link member) happens to both names, so only successes that lie between
two target failures count.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from probe.observations import AppFact, HttpFact, Observation, TlsFact
from probe.verdict import fingerprints
from probe.verdict.case import Case
from probe.verdict.facts import failed, http

TARGET_FAILURES = 6
INNOCUOUS_SUCCESSES = 5
ALTERNATIONS = 4
"""Innocuous successes with target failures on both sides: one of five may be lost to an ordinary hiccup."""

_MANNERS = {
    "generic_timeout_error": "timeout",
    "connection_reset": "reset",
    "connection_aborted": "reset",
    "eof_error": "eof",
    "connection_already_closed": "eof",
    "ssl_failed_handshake": "alert",
}


def manner(observation: Observation) -> str:
    """How an exchange failed, as a signature names it: ``timeout``, ``reset``, ``eof``, ``alert`` or a page."""
    fact = observation.fact
    if isinstance(fact, TlsFact) and fact.alert is not None:
        return "alert"
    if isinstance(fact, HttpFact) and observation.failure is None:
        return "redirect" if fact.status is not None and 300 <= fact.status < 400 else "block_page"
    return _MANNERS.get(observation.failure or "", "eof")


@dataclass(frozen=True, slots=True)
class Sent:
    """One arm that reached its address: which name, what came back, and whether that is a success."""

    target: bool
    passed: bool
    observation: Observation


class Pair:
    """All arms at one address. An arm whose connection failed says nothing about names and is left out."""

    def __init__(
        self,
        purpose: str,
        group: str,
        address: str,
        observations: Iterable[Observation],
        doubtful: frozenset[Answer] = frozenset(),
    ) -> None:
        self.purpose = purpose
        self.group = group
        self.address = address
        exchanges = sorted(
            (o for o in observations if o.arm is not None and isinstance(o.fact, TlsFact | HttpFact | AppFact)),
            key=lambda o: o.number,
        )
        innocuous = [
            o for o in exchanges if o.arm == "innocuous" and isinstance(o.fact, HttpFact) and o.failure is None
        ]
        usual = frozenset(_page(o) for o in innocuous)
        put_in = doubtful - {answer_of(http(o)) for o in innocuous}
        read = (Sent(o.arm == "target", _passed(o, usual, put_in), o) for o in exchanges if _says_something(o))
        self.sent = tuple(read)

    @cached_property
    def target_failures(self) -> tuple[Observation, ...]:
        return tuple(s.observation for s in self.sent if s.target and not s.passed)

    @cached_property
    def target_successes(self) -> tuple[Observation, ...]:
        return tuple(s.observation for s in self.sent if s.target and s.passed)

    @cached_property
    def innocuous_successes(self) -> tuple[Observation, ...]:
        return tuple(s.observation for s in self.sent if not s.target and s.passed)

    @cached_property
    def innocuous_failures(self) -> tuple[Observation, ...]:
        return tuple(s.observation for s in self.sent if not s.target and not s.passed)

    @cached_property
    def alternations(self) -> int:
        """Innocuous successes with a target failure before and after."""
        turns, waiting, count = False, False, 0
        for sent in self.sent:
            if sent.target and not sent.passed:
                count += waiting
                turns, waiting = True, False
            elif not sent.target and sent.passed and turns:
                waiting = True
        return count

    @property
    def flips(self) -> bool:
        """Target failures only, innocuous successes, at least one turn taken."""
        return bool(self.target_failures) and not self.target_successes and bool(self.innocuous_successes)

    @property
    def complete(self) -> bool:
        """The whole alternation rule."""
        return (
            not self.target_successes
            and len(self.target_failures) >= TARGET_FAILURES
            and len(self.innocuous_successes) >= INNOCUOUS_SUCCESSES
            and self.alternations >= ALTERNATIONS
        )

    @property
    def refuses_all(self) -> bool:
        """Neither name got anything, twice each at least."""
        return (
            not self.target_successes
            and not self.innocuous_successes
            and len(self.target_failures) >= 2
            and len(self.innocuous_failures) >= 2
        )

    @property
    def manner(self) -> str:
        """How the target failed most often."""
        counted = Counter(manner(o) for o in self.target_failures)
        return min(counted, key=lambda word: (-counted[word], word)) if counted else "timeout"

    @property
    def over_tls(self) -> bool:
        """Whether all that can be seen on the way is TLS, whatever is said in it."""
        return any(
            isinstance(fact := s.observation.fact, TlsFact) or fact.url.startswith("https:")
            for s in self.sent
            if isinstance(s.observation.fact, TlsFact | HttpFact)
        )

    @property
    def arms(self) -> tuple[Observation, ...]:
        return tuple(s.observation for s in self.sent)


def _says_something(observation: Observation) -> bool:
    """Not cut off by us, and not silenced by the size of packets: a segment that came out of order means that an
    earlier one was lost on the way here, a selective acknowledgement that one was lost on the way there.
    """
    if observation.failure == "interrupted":
        return False
    fact = observation.fact
    if isinstance(fact, TlsFact) and fact.kernel is not None and not fact.server_hello and fact.alert is None:
        return not (fact.kernel.rcv_ooopack or fact.kernel.sacked)
    return True


Page = tuple[int | None, str | None]


def _page(observation: Observation) -> Page:
    fact = observation.fact
    assert isinstance(fact, HttpFact)
    return fact.status, fingerprints.site_of(fact.location)


Answer = tuple[int | None, str | None, int | None, str | None]


def answer_of(fact: HttpFact) -> Answer:
    """What makes two answers the same one: the status, where it leads (the asked name left out), and every byte."""
    host = fingerprints.host_of(fact.url)
    location = fact.location.replace(host, "") if fact.location and host else fact.location
    return fact.status, location, fact.body_length, fact.body_sha256


def _doubtful(case: Case) -> frozenset[Answer]:
    """Answers over plain HTTP with which the baseline ended, and which no site has much reason to give, or which are quite
    another page than others get.

    A refusal or an error in words is none: a cache on the way that nobody has noticed would say the site's own, or one of
    its own about a dead site, whatever address is asked.
    """
    from probe.verdict.findings.likeness import another_page

    ends = (attempt.last for attempt in case.all_baselines if attempt.ok and attempt.stage == "http")
    facts = (http(last) for last in ends if last is not None)
    found = {
        answer_of(fact)
        for fact in facts
        if not fact.verified_chain
        if fingerprints.is_hollow(fact) or fingerprints.leads_to_itself(fact)
    }
    another = another_page(case)
    # A cache that takes every request goes by its name, to the site's own page. Who was not looked for may be there.
    if another is not None and _from_afar(http(another[0])) and case.own.takes_no_pages:
        found.add(answer_of(http(another[0])))
    return frozenset(found)


_HOUSEHOLD_US = 10_000
"""A router at home, or a company's gateway, may put in pages as well, and is no further than this, slow radios included."""


def _from_afar(fact: HttpFact) -> bool:
    """Whether an answer took longer than one out of the own household would; what was not timed may be from there."""
    return fact.first_byte_us is not None and fact.first_byte_us > _HOUSEHOLD_US


def _passed(observation: Observation, usual: frozenset[Page], put_in: frozenset[Answer]) -> bool:
    """TLS: a ServerHello and nothing less. An app: its own answer. Plain HTTP: an answer that nobody on the way is known to
    give, and that is not the doubtful one of the name's own address over again: two servers have no word in common that they
    say of one name.
    """
    fact = observation.fact
    if isinstance(fact, TlsFact):
        return fact.server_hello and not failed(observation)
    if isinstance(fact, AppFact):
        return fact.expected is True and observation.failure is None
    if not isinstance(fact, HttpFact) or observation.failure is not None:
        return False
    if fact.url.startswith("https:"):
        return True  # nobody on the way writes into it, and any answer at all is the server's
    if observation.arm == "target" and answer_of(fact) in put_in:
        return False
    page = fingerprints.read(fact)
    elsewhere = fingerprints.leads_elsewhere(fact) and _page(observation) not in usual
    return not (page is not None and page.blocks) and not (observation.arm == "target" and elsewhere)


def pairs(case: Case, purpose: str) -> tuple[Pair, ...]:
    """The pairs made for *purpose*, one an address."""
    found: dict[tuple[str, str], list[Observation]] = {}
    for o in case.of(purpose):
        if o.arm == "target" and not case.is_in_question(o):
            continue
        # A control's address is not kept: its name, which is the group, stands for it.
        address = o.operation.address or (o.group if purpose == "control_pair" else None)
        if o.arm is not None and address is not None and isinstance(o.fact, TlsFact | HttpFact):
            found.setdefault((o.group or "", address), []).append(o)
    doubtful = _doubtful(case)
    built = (
        Pair(purpose, group, address, _deep_enough(case, members), doubtful)
        for (group, address), members in sorted(found.items())
    )
    return tuple(pair for pair in built if pair.sent)


def _deep_enough(case: Case, members: Sequence[Observation]) -> list[Observation]:
    """Without the successes that stopped before where the name's own way ended. Where the name got nothing at all here, not
    even the first record, the first record that another name got is as good a contrast as any.
    """
    nothing = all(
        o.failure is not None and isinstance(o.fact, TlsFact) and not o.fact.server_hello
        for o in members
        if o.arm == "target"
    )
    return [o for o in members if o.failure is not None or nothing or case.is_deep_enough(o.fact)]


def at_neutrals(case: Case) -> tuple[Pair, ...]:
    """Pairs at neutral addresses, on the port that the name is served on, no two at one address."""
    by_address: dict[str, Pair] = {}
    for pair in pairs(case, "neutral_pair"):
        by_address.setdefault(pair.address, pair)
    return tuple(by_address.values())


UNLIKELY = 0.05


def uneven(found: Sequence[Pair]) -> bool:
    """Whether all failures of some pairs fell to the one name and none to the other, and that is hardly chance.

    The chance is Fisher's: that all of so many failures fall to the one name's arms.
    """
    failures = sum(len(pair.target_failures) for pair in found)
    target = failures + sum(len(pair.target_successes) for pair in found)
    successes = sum(len(pair.innocuous_successes) for pair in found)
    if any(pair.innocuous_failures for pair in found) or not failures:
        return False
    return math.comb(target, failures) / math.comb(target + successes, failures) <= UNLIKELY
