"""The incident machine and the archive: what is read, concluded, kept, and taken up again after a crash.

The daemon calls ``load`` once, tells and keeps what that brings to light, and then ``take``s the facts of every round::

    incidents, missed = Incidents.load(archive, now_us)
    put_into_the_outbox(missed.told); incidents.keep(missed)
    …
    conclusion = incidents.take(facts)
    put_into_the_outbox(conclusion.told); incidents.keep(conclusion)

Facts are kept before they are taken, messages before the incidents that they tell of, and what one conclusion makes of all
incidents together. So whatever a crash cuts off is concluded again by the next ``load``: an event is never lost, and at worst
put into the outbox twice, with the same number. And what was kept is not concluded again.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from probe.incidents.machine import START, State, resume, run, step, wants
from probe.incidents.model import Event, Fact, Incident, Reading, Wants
from probe.incidents.redating import redated
from storage import incidents as kept_incidents
from storage import own_sides, readings
from storage.archive import Archive
from storage.database import Database

WARM_UP_US = 26 * 3_600_000_000
"""How far back readings are read again: every endpoint has had a score of them in that time, and no suspicion lasts longer."""
LOOKS_AGAIN = 5000
"""As many looks at the own side at most, which is days of them: a computer that starts in 1970 has years since then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What some facts brought: ``told`` are events, each with its incident as it was then; ``changed`` the newest version
    of every incident that is other than before; ``wants`` what should be measured next.
    """

    told: tuple[tuple[Incident, Event], ...] = ()
    changed: tuple[Incident, ...] = ()
    wants: Wants = field(default_factory=Wants)


class Incidents:
    """The machine with its state, over one archive."""

    def __init__(self, archive: Archive, state: State = START) -> None:
        self._archive = archive
        self._unkept: dict[str, tuple[Incident, tuple[Event, ...]]] = {}
        self.state = state

    @classmethod
    def load(cls, archive: Archive, now_us: int, *, read_again: bool = True) -> tuple[Incidents, Conclusion]:
        """The machine as it was when it last kept something, and what the readings since then say; without *read_again*
        incidents alone, for an archive whose readings are damaged.

        ``now_us``: UTC microseconds. Raises :class:`~storage.errors.StorageError` where the archive cannot be read.
        """
        database = archive.reader.database
        since_us = now_us - WARM_UP_US
        if read_again:
            since_us = own_sides.since_at_most(database, since_us, LOOKS_AGAIN)
        stored = {incident.id: incident for incident in kept_incidents.newest(database, open_only=True)}
        stored |= {incident.id: incident for incident in kept_incidents.newest(database, since_us=since_us)}
        facts = list(_facts(database, since_us)) if read_again else []
        state, missed = taken_up(facts, tuple(stored.values()), now_us)
        loaded = cls(archive, state)
        return loaded, loaded.take(missed)

    def take(self, facts: Iterable[Fact]) -> Conclusion:
        """Take in *facts*, which are kept already, in the order in which they were known. Keeps nothing yet."""
        told: list[tuple[Incident, Event]] = []
        changed: dict[str, Incident] = {}
        for fact in sorted(facts, key=_known_us):
            before = self.state
            self.state, events = step(before, fact)
            if self.state.incidents is not before.incidents:
                changed |= {
                    name: incident
                    for name, incident in self.state.incidents.items()
                    if before.incidents.get(name) != incident
                }
            told += [(self.state.incidents[event.incident], event) for event in events]
        return Conclusion(told=tuple(told), changed=tuple(changed.values()), wants=wants(self.state))

    def redate(self, moments: Mapping[int, int]) -> None:
        """All that is remembered, with each of *moments* as it really was. The archive corrects what it has by itself."""
        self.state = redated(self.state, moments)
        self._unkept = redated(self._unkept, moments)

    def keep(self, conclusion: Conclusion, *, told: bool = True) -> Future[None] | None:
        """Keep the incidents and events of *conclusion*; the future is resolved once they are on the disk, all together.

        What the database could not take before is given to it again, or an incident would be kept without its beginning.
        Where the messages are not kept yet (not *told*) the incidents wait as well. ``None`` if there is nothing to keep.
        """
        for incident in conclusion.changed:
            events = [event for one, event in conclusion.told if one.id == incident.id]
            self._unkept[incident.id] = (incident, (*self._unkept.get(incident.id, (incident, ()))[1], *events))
        giving = dict(self._unkept)
        if not told or not giving:
            return None

        def done(future: Future[None]) -> None:
            # On the archive's thread: what has been added meanwhile stays, and is kept twice without harm.
            if future.cancelled() or future.exception() is not None:
                return
            for name, given in giving.items():
                if self._unkept.get(name) == given:
                    del self._unkept[name]

        future = kept_incidents.save_all(self._archive, tuple(giving.values()))
        future.add_done_callback(done)
        return future


def taken_up(facts: Sequence[Fact], stored: Sequence[Incident], now_us: int) -> tuple[State, Sequence[Fact]]:
    """The machine as it was when the newest of *stored* was kept, and what of *facts* (in order) has to be taken in yet. Pure.

    The fact by which an incident changed last is none of them: all that follows from it was kept at once.
    """
    # A version later than now and than every reading was dated by a clock that was wrong, and says nothing of how far
    # the readings go. Later than now alone says nothing: a computer without a clock of its own starts in the past.
    latest_us = max(now_us, _known_us(facts[-1]) if facts else now_us)
    sure_us = max((one.changed_us for one in stored if one.changed_us <= latest_us), default=-1)
    done = bisect_right(facts, sure_us, key=_known_us)
    state, _ = run(START, facts[:done])
    return resume(state, stored), facts[done:]


def _facts(database: Database, since_us: int) -> Iterable[Fact]:
    """Readings and looks at the own side from *since_us* on, in the order in which they were known."""
    return heapq.merge(readings.between(database, since_us), own_sides.between(database, since_us), key=_known_us)


def _known_us(fact: Fact) -> int:
    return fact.until_us if isinstance(fact, Reading) else fact.at_us
