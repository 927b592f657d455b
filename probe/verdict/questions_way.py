"""How far DNS questions about the name get: whether they leave this house or company, and who answers them before that. Pure.

Parental lists of home routers drop, refuse or answer questions in clear by name, whoever they are sent to, and let encrypted
ones be: all of it looks as a provider's doing does. What tells them apart is a question that may go only so many routers far.
If a router that is somebody else's says that it ended there, it has left the house. If it is answered where nobody outside can
have had it, the answer is the house's. What a router right behind the own one does looks like the own one's as it forwards, and
so it counts as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from probe.observations import Observation, PathFact
from probe.verdict import answers
from probe.verdict.facts import dns
from probe.verdict.findings import denials, dropped, injected
from probe.verdict.located import NOBODYS_OWN, TWICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from probe.verdict.case import Case

PURPOSE, GROUP = "dns_answers", "way"
FARTHEST = 6
"""Routers that are asked for the first one outside: few houses and companies have more of their own."""
_SILENCE = "generic_timeout_error"


@dataclass(frozen=True, slots=True)
class Sent:
    """One packet that was let go so many routers far: an observation and its fact."""

    observation: Observation
    fact: PathFact

    @property
    def ttl(self) -> int:
        return self.fact.ttl

    @property
    def is_outside(self) -> bool:
        """Whether a router that is somebody else's spoke of it: behind the own one, where no building has such addresses."""
        return self.fact.came == "icmp" and self.ttl > 1 and self.fact.hop_is in NOBODYS_OWN


@dataclass(frozen=True)
class Way:
    """What became of the questions about the name (``mine``) and of those about another one (``others``), to one place."""

    mine: tuple[Sent, ...]
    others: tuple[Sent, ...]
    rewritten: bool = False
    """Whether a connection that may not leave the house was taken all the same: somebody sets TTLs anew; they tell nothing."""

    @cached_property
    def outside(self) -> int | None:
        """The first router that is known to be somebody else's."""
        return first_outside(one.observation for one in (*self.mine, *self.others))

    @cached_property
    def got_out(self) -> tuple[Observation, ...]:
        """Questions about the name of which a router outside has spoken: no one in the house can have kept them."""
        return tuple(one.observation for one in self.mine if one.is_outside)

    @cached_property
    def answered_near(self) -> tuple[Observation, ...]:
        """Questions about the name that were answered where nobody outside is known to have had them."""
        if self.rewritten:
            return ()
        return tuple(one.observation for one in self.mine if one.fact.came == "answer" and self._is_near(one.ttl))

    def _is_near(self, ttl: int) -> bool:
        """One that ends at the own router may have been answered by that, and one that ends at another router of the house by
        that one. One that ends at a provider's may have been answered by a machine of the house that the own router sends all
        questions to: where the other name is answered there as well, and none ever got out. Who puts answers in for the one
        name there has let them pass a router: that is no household's.
        """
        if ttl == 1:
            return True
        heard = (one for one in (*self.mine, *self.others) if one.fact.came == "icmp")
        ours = {one.ttl for one in heard if one.fact.hop_is in ("gateway", "private")}
        taken = {one.ttl for one in self.others if one.fact.came == "answer" and not self.got_out}
        return ours.issuperset(range(2, ttl)) and ttl in ours | taken

    @cached_property
    def lost_inside(self) -> tuple[Observation, ...]:
        """Where the first router outside speaks of the other name and never of this one: both."""
        return self._lost_before(self.outside) if self.outside is not None else ()

    @cached_property
    def lost_at_home(self) -> tuple[Observation, ...]:
        """Where the own router itself speaks of the other name and never of this one: both."""
        return self._lost_before(1)

    def _lost_before(self, ttl: int) -> tuple[Observation, ...]:
        """Silence about this name and words about the other of router number *ttl*, twice each, where nothing at all came of
        this name.
        """
        if any(one.fact.came != "nothing" for one in self.mine if one.ttl >= ttl):
            return ()
        silent = [one.observation for one in self.mine if one.ttl == ttl]
        others = [one.observation for one in self.others if one.ttl == ttl and one.fact.came == "icmp"]
        return (*silent, *others) if min(len(silent), len(others)) >= TWICE else ()


def read(case: Case) -> Way | None:
    """What was found of the way of questions about the name; ``None`` where it was not looked for."""
    mine = tuple(_sent(o for o in case.of(PURPOSE, "path", GROUP) if o.arm == "target" and case.is_in_question(o)))
    if not mine:
        return None
    at = {one.observation.operation.address for one in mine}
    everything = case.view.everywhere(PURPOSE, "path", GROUP)
    # The routers are the same for all names: they are asked once a run.
    others = tuple(_sent(o for o in everything if o.arm == "innocuous" and o.operation.address in at))
    opened = any(isinstance(o.fact, PathFact) and o.fact.sent == "syn" and o.fact.came == "answer" for o in everything)
    return Way(mine, others, rewritten=opened and not case.own.proxied)


def first_outside(observations: Iterable[Observation]) -> int | None:
    """The first router that spoke of one of these questions and is somebody else's."""
    return min((one.ttl for one in _sent(observations) if one.is_outside), default=None)


def _sent(observations: Iterable[Observation]) -> Iterator[Sent]:
    for o in observations:
        if isinstance(o.fact, PathFact) and o.fact.sent == "question":
            yield Sent(o, o.fact)


def whom_to_ask(case: Case) -> str | None:
    """Where to send such questions: to whoever lied or was silent about the name and is not of the house, or to where no
    resolver runs, if it was there that an answer was put in. ``None`` where nothing speaks for a block in DNS.
    """
    found = next(iter((*_told(case), *_put_in(case), *_lost(case))), None)
    return found.operation.address if found is not None else None


def _told(case: Case) -> tuple[Observation, ...]:
    """Lies and refusals of whoever is not of the house."""
    codes = (denials.BLOCKED_BY_OPERATOR, denials.CENSORED)
    own_word = (o for o in answers.main_replies(case) if set(codes) & set(dns(o).extended_errors))
    return tuple(o for o in (*answers.lies(case), *own_word) if answers.from_provider((o,)))


def _put_in(case: Case) -> tuple[Observation, ...]:
    matches = (match for row in (injected.dns_injected_denial,) for match in row.find(case))
    denied = (o for m in matches for o in m.observations if dns(o).role == "no_resolver" and o.arm != "innocuous")
    return (*injected.put_in(case)[0], *denied)


def _lost(case: Case) -> tuple[Observation, ...]:
    """Silence about the name, of whoever is not of the house, where others' questions arrive."""
    # The first question of all may still be waiting for its answer.
    here = (*answers.denied(case, _SILENCE), *answers.repeats(case, _SILENCE))
    return here if answers.from_provider(here) and dropped.lost_at_nobodys(case) else ()


# ---------------------------------------------------------------------------------------------------------------------
# what it says of a block


def answered_inside(case: Case) -> tuple[str, tuple[Observation, ...]] | None:
    """A name, this one, and the questions about it that were answered where nobody outside is known to have had them.

    Of a name that was not followed, as among many, another one that the same resolver was asked for: who takes questions to
    himself takes all, or those of one list.
    """
    way = read(case)
    if way is not None:
        return (case.name, way.answered_near) if way.answered_near else None
    asked = whom_to_ask(case) if case.failing is not None else None
    for other in case.view.cases() if asked is not None else ():
        found = read(other)
        if found is not None and found.answered_near and found.mine[0].observation.operation.address == asked:
            return other.name, found.answered_near
    return None


def may_be_lost_here(case: Case) -> bool:
    """Whether questions about the name may get lost in this household or company: unless one is known to have left it, or, of
    a name that was not followed, one about each other name that gets lost alike.
    """
    way = read(case)
    if way is not None:
        return not way.got_out
    others = [found for other in case.view.cases() if other is not case and (found := _read_if_lost(other)) is not None]
    return not others or not all(found.got_out for found in others)


def _read_if_lost(case: Case) -> Way | None:
    return read(case) if answers.denied(case, _SILENCE) else None
