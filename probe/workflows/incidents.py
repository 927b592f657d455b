"""The incident machine and the archive: what is read, concluded, kept, and taken up again after a crash.

The daemon calls ``load`` once, tells and keeps what that brings to light, and then ``take``s the facts of every round::

    incidents, missed = Incidents.load(archive, now_us)
    put_into_the_outbox(missed.told); incidents.keep(missed)
    …
    conclusion = incidents.take(facts)
    put_into_the_outbox(conclusion.told); incidents.keep(conclusion)

Facts are kept before they are taken, and messages before the incidents that they tell of. So whatever a crash cuts off is
concluded again by the next ``load``: an event is never lost, and at worst put into the outbox twice, with the same number.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field

from probe.incidents.machine import START, State, resume, run, step, wants
from probe.incidents.model import Event, Fact, Incident, Reading, Wants
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
        # A version later than now and than every reading was dated by a clock that was wrong, and says nothing of how far
        # the readings go. Later than now alone says nothing: a computer without a clock of its own starts in the past.
        latest_us = max(now_us, _known_us(facts[-1]) if facts else now_us)
        sure_us = max((i.changed_us for i in stored.values() if i.changed_us <= latest_us), default=0)
        state, _ = run(START, (fact for fact in facts if _known_us(fact) < sure_us))
        loaded = cls(archive, resume(state, stored.values()))
        return loaded, loaded.take(fact for fact in facts if _known_us(fact) >= sure_us)

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

    def keep(self, conclusion: Conclusion, *, told: bool = True) -> list[Future[None]]:
        """Keep the incidents and events of *conclusion*; each future is resolved once one of them is on the disk.

        What the database could not take before is given to it again, or an incident would be kept without its beginning.
        Where the messages are not kept yet (not *told*) the incidents wait as well.
        """
        for incident in conclusion.changed:
            events = [event for one, event in conclusion.told if one.id == incident.id]
            self._unkept[incident.id] = (incident, (*self._unkept.get(incident.id, (incident, ()))[1], *events))
        return [self._keep(incident, events) for incident, events in tuple(self._unkept.values())] if told else []

    def _keep(self, incident: Incident, events: tuple[Event, ...]) -> Future[None]:
        def done(future: Future[None]) -> None:
            # On the archive's thread: what has been added meanwhile stays, and is kept twice without harm.
            if (
                not future.cancelled()
                and future.exception() is None
                and self._unkept.get(incident.id) == (incident, events)
            ):
                del self._unkept[incident.id]

        future = kept_incidents.save(self._archive, incident, events)
        future.add_done_callback(done)
        return future


def _facts(database: Database, since_us: int) -> Iterable[Fact]:
    """Readings and looks at the own side from *since_us* on, in the order in which they were known."""
    return heapq.merge(readings.between(database, since_us), own_sides.between(database, since_us), key=_known_us)


def _known_us(fact: Fact) -> int:
    return fact.until_us if isinstance(fact, Reading) else fact.at_us
