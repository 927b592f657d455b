"""The incident machine: ``step(state, fact) -> (state, events)``, pure, over readings and looks at the own side.

* An endpoint joins an incident when its own readings are enough (:mod:`~probe.incidents.evidence`), its service's rule
  agrees (one way of several into a messenger is no incident), and the own side was looked at since the first failure and
  not found broken.
* Endpoints whose trouble began together, with the same status by the same method, are one incident that widens.
* What fails while the own side is down belongs to that: it is folded into the own side's incident and opens none.
* Silence closes nothing. Where the probe was off or the own side down, intervals are as wide as what is not known.

Facts come in the order in which they were known (``until_us``); what comes again, or late, is passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from probe.incidents import changes
from probe.incidents import listed as of_a_list
from probe.incidents.evidence import FILTER, OWN_SIDE, of_filter, of_line
from probe.incidents.model import MOVED, Event, Fact, Incident, OwnSide, Reading
from probe.incidents.moves import after_step_back, elsewhere
from probe.incidents.resume import resume
from probe.incidents.state import (
    HOUSE,
    LINE,
    SHADOWS,
    START,
    Key,
    State,
    filter_of,
    is_blind,
    is_down,
    is_enough,
    own_side_of,
)
from probe.incidents.track import Held, Interval, Suspicion, Track, began, ended, observe, ready, recovered
from probe.incidents.wishes import wants

__all__ = ["START", "State", "changed", "resume", "run", "step", "wants"]

REOPEN_US = 30 * 60_000_000
"""What fails again so soon after its end is the same incident, and not a new one."""
STEP_BACK_US = 20 * 60_000_000
"""A fact so much older than the one before it is not late: a clock was set back. What is measured together comes a quarter of
an hour late at the most (nothing may take longer), and clocks that are wrong are often wrong by an hour.
"""
APART_US = 5_000_000
"""Two readings of one endpoint that begin sooner after each other are one look."""
FORGOTTEN_US = 24 * 3_600_000_000
"""An endpoint that has not been measured for so long has no say in its service any more."""


def step(state: State, fact: Fact) -> tuple[State, tuple[Event, ...]]:
    """*state* after *fact*, and what changed by it, in order."""
    if isinstance(fact, OwnSide) and fact.method == MOVED:
        return elsewhere(state, fact.interface or "", fact.at_us), ()
    reading = of_line(fact) if isinstance(fact, OwnSide) else fact
    key = (reading.interface or "", reading.url)
    track = state.tracks.get(key) or Track(url=reading.url, interface=reading.interface)
    if _known_already(track, reading):
        return state, ()
    turn = _Step(state, reading.until_us)
    if set_back := track.last_us - reading.until_us > STEP_BACK_US:
        track = after_step_back(track, reading)
    if isinstance(fact, OwnSide):
        turn.house(key[0], fact, set_back=set_back)
        turn.own_side(key, track, reading, fact.holes)
    else:
        turn.endpoint(key, track, fact)
    return turn.done()


def run(state: State, facts: Iterable[Fact]) -> tuple[State, tuple[Event, ...]]:
    """All of *facts* in turn."""
    events: list[Event] = []
    for fact in facts:
        state, new = step(state, fact)
        events += new
    return state, tuple(events)


def changed(before: State, after: State) -> tuple[Incident, ...]:
    """Incidents that are other than they were: what has to be kept, also where no event tells of it."""
    return tuple(
        incident for name, incident in sorted(after.incidents.items()) if before.incidents.get(name) != incident
    )


# ---------------------------------------------------------------------------------------------------------------------
# one step


class _Step:
    """One step in the making: copies that may change, and nothing of the state that was given."""

    def __init__(self, state: State, now_us: int) -> None:
        self.state = state
        self.now_us = now_us
        self.tracks = dict(state.tracks)
        self.incidents = {
            name: incident
            for name, incident in state.incidents.items()
            if incident.closed_us is None or now_us - incident.closed_us <= REOPEN_US
        }
        self.under = dict(state.under)
        self.events: list[Event] = []

    def done(self) -> tuple[State, tuple[Event, ...]]:
        state = replace(self.state, tracks=self.tracks, incidents=self.incidents, under=self.under)
        return state, tuple(self.events)

    def keep(self, change: changes.Changed) -> Incident:
        incident, events = change
        self.incidents[incident.id] = incident
        self.events += events
        return incident

    # endpoints

    def endpoint(self, key: Key, track: Track, reading: Reading) -> None:
        own = own_side_of(self.tracks, key[0])
        if own is not None and is_down(own) and reading.status != "accessible":
            if reading.status in ("blocked", "outage", "no_network"):
                self.put_under((own.interface or "", ""), reading.url)
            self.tracks[key] = replace(track, last_us=reading.until_us, run=reading.run)
            return
        track = observe(track, reading, self.state.rules)
        self.tracks[key] = track
        if track.held is not None:
            if track.held.goods:
                self.leave_what_is_over(key, track.held)
            else:
                self.look_at_method(track.held.incident)
        for candidate in self.service_of(key):
            self.join_if_ready(candidate)

    def service_of(self, key: Key) -> list[Key]:
        """The endpoints whose case *key*'s reading may have decided: itself, and those that share a rule with it."""
        track = self.tracks[key]
        if track.platform is None or track.rule not in ("any-of", "all-of"):
            return [key]
        return sorted(
            other
            for other, mate in self.tracks.items()
            if other[0] == key[0] and (mate.platform, mate.service) == (track.platform, track.service)
        )

    def join_if_ready(self, key: Key) -> None:
        track = self.tracks[key]
        for why in track.suspicions:
            if self.is_told_by_own_side(key, why):
                self.fold(key, why)
                continue
            together = of_a_list.ready(self.tracks, key[0], why, self.state.rules)
            enough = together or ready(why, self.state.rules)
            if enough and self.own_side_seen(key, why) and self.rule_agrees(key, why):
                self.join(key, why)
                if together:
                    for url in of_a_list.alike(self.tracks, key[0], why):
                        self.join_if_ready((key[0], url))
                return

    def is_told_by_own_side(self, key: Key, why: Suspicion) -> bool:
        """Whether the house has, or is suspected of, the very trouble: a filter that every look at sites meets is one incident,
        and not one a site besides.
        """
        house = filter_of(self.tracks, key[0])
        if (why.status, why.method) != ("no_network", FILTER) or house is None:
            return False
        return house.failing or (house.held is not None and not house.held.away)

    def fold(self, key: Key, why: Suspicion) -> None:
        """*why* is the house's trouble: nothing is asked about it, and after that it would have to begin anew."""
        house = filter_of(self.tracks, key[0])
        self.put_under(((house.interface if house else None) or "", HOUSE), key[1])
        track = self.tracks[key]
        kept = tuple(other for other in track.suspicions if other is not why)
        self.tracks[key] = replace(track, suspicions=kept, turn="", asked=0)

    def put_under(self, own: Key, url: str) -> None:
        self.under[own] = self.under.get(own, frozenset()) | {url}

    def own_side_seen(self, key: Key, why: Suspicion) -> bool:
        """Whether the own side was looked at since the first failure and not found broken, or is not looked at at all. The
        judge has weighed a filter for each endpoint.
        """
        own = own_side_of(self.tracks, key[0])
        return own is None or (not is_down(own) and own.turn != "bad" and own.last_us >= why.first.at_us)

    def rule_agrees(self, key: Key, why: Suspicion) -> bool:
        """Whether the service as a whole fails, as :mod:`probe.verdict.rollup` has it for one moment."""
        track = self.tracks[key]
        if track.platform is None or track.rule not in ("any-of", "all-of"):
            return True
        mates = [
            mate
            for other in self.service_of(key)
            if other != key and (mate := self.tracks[other]).last_us >= why.first.at_us - FORGOTTEN_US
        ]
        failing = [mate for mate in mates if mate.failing]
        if track.rule == "any-of":
            return bool(mates) and len(failing) == len(mates)
        if why.status == "blocked":
            return True
        alike = [mate for mate in failing if mate.fails_as(why.status)]
        return bool(alike) or not mates

    def join(self, key: Key, why: Suspicion) -> None:
        track = self.tracks[key]
        if track.held is not None:
            # It has turned from one trouble to another: the former ended in between.
            held = replace(track.held, goods=(*track.held.goods, why.first.until_us))
            self.leave(key, held)
            track = self.tracks[key]
        interval = of_a_list.began(self.tracks, key[0], why) if of_a_list.is_known(why) else began(why)
        incident = self.keep(self.into(track, why, interval))
        suspicions = tuple(other for other in track.suspicions if other.status != why.status)
        held = Held(incident=incident.id, why=replace(why, goods=()))
        self.tracks[key] = replace(track, suspicions=suspicions, held=held, turn="", asked=0)

    def into(self, track: Track, why: Suspicion, interval: tuple[int | None, int]) -> changes.Changed:
        """The incident that *track* belongs to: one that has its platform, one that began with it, a late one, or a new."""
        name = changes.name_of(track)
        alike = sorted(
            (
                incident
                for incident in self.incidents.values()
                if incident.urls and (incident.status, incident.interface) == (why.status, track.interface)
            ),
            key=lambda incident: (incident.began_by_us, incident.id),
        )
        same = [incident for incident in alike if incident.method == why.method]
        living = [incident for incident in same if incident.state == "open"]
        mine = [incident for incident in living if name in incident.platforms]
        listed = why.method in of_a_list.METHODS
        for incident in mine or [other for other in living if listed or changes.together(other, interval)]:
            return changes.joined(incident, track, why, interval, self.now_us, self.names_in(incident.id))
        for incident in same:
            if incident.state == "closed" and (listed or name in incident.platforms):
                return changes.reopened(incident, track, why, self.now_us)
        return changes.opened(track, why, interval, self.now_us)

    def names_in(self, incident: str) -> set[str]:
        """Names of what *incident* holds now."""
        return {
            name
            for track in self.tracks.values()
            if track.held is not None and track.held.incident == incident and (name := changes.name_of(track))
        }

    def leave_what_is_over(self, key: Key, held: Held) -> None:
        """*key* was good again: let go what that was enough for, which may be all that is on the same list."""
        if not of_a_list.is_known(held.why):
            if recovered(held, self.state.rules):
                self.leave(key, held)
            return
        mates = {
            other: track.held
            for other, track in self.tracks.items()
            if track.held is not None and track.held.incident == held.incident
        }
        end = of_a_list.ended(mates.values())
        for other, mate in mates.items():
            if of_a_list.recovered(mate, mates.values(), self.state.rules) and self.tracks[other].held is mate:
                self.leave(other, mate, end)

    def leave(self, key: Key, held: Held, end: Interval | None = None) -> None:
        """*key* is well again since *end*, or since its own readings say; where one way in is enough, the others of its
        service go with it.
        """
        going = [key]
        if self.tracks[key].rule == "any-of":
            going += [
                other
                for other in self.service_of(key)
                if other != key and (mate := self.tracks[other].held) is not None and mate.incident == held.incident
            ]
        for other in going:
            self.tracks[other] = replace(self.tracks[other], held=None, turn="", asked=0)
        incident = self.incidents[held.incident]
        gone = [self.tracks[other] for other in going]
        self.keep(changes.left(incident, gone, held, end or ended(held), self.now_us, self.names_in(incident.id)))
        self.look_at_method(incident.id)

    def look_at_method(self, name: str) -> None:
        """An incident's method is what most of what it holds fails by."""
        incident = self.incidents[name]
        reasons = [track.held.why for track in self.tracks.values() if track.held and track.held.incident == name]
        if not reasons:
            return
        counted = Counter(why.method for why in reasons)
        best = max(sorted(counted, key=str), key=lambda method: counted[method])
        if best != incident.method and counted[best] > counted[incident.method]:
            latest = max((why for why in reasons if why.method == best), key=lambda why: why.seen_us)
            self.keep(changes.method(incident, latest, self.now_us))

    # the own side

    def house(self, interface: str, look: OwnSide, *, set_back: bool) -> None:
        """What *look* says of a filter in the house, before what it says of the line; *set_back*: the clock was."""
        key = (interface, HOUSE)
        track = self.tracks.get(key) or Track(url="", of_filter=True, interface=look.interface)
        reading = of_filter(look)
        if set_back:
            track = self.tracks[key] = after_step_back(track, of_line(look))
            self.under = {own: urls for own, urls in self.under.items() if own[0] != interface}
        if reading is None:
            return
        if track.held is not None and reading.status == "no_network":
            # It lets those through that were well before this look met it again.
            again = {url for url in self.under.get(key, ()) if _well_us(self.tracks, url) > (track.full_us or 0)}
            self.under[key] = self.under.get(key, frozenset()) - again
        self.own_side(key, track, reading, ())

    def own_side(self, key: Key, track: Track, reading: Reading, holes: tuple[str, ...]) -> None:
        held = track.held
        if held is not None and not held.away and held.why.method in LINE and is_blind(reading):
            self.tracks[key] = replace(track, last_us=reading.until_us, run=reading.run)
            return
        track = observe(track, reading, OWN_SIDE)
        self.tracks[key] = track
        if track.held is not None:
            self.own_side_held(key, track.held, holes)
        else:
            self.own_side_free(key, track, holes)

    def own_side_held(self, key: Key, held: Held, holes: tuple[str, ...]) -> None:
        other = next((why for why in self.tracks[key].suspicions if held.away and is_enough(why)), None)
        if other is not None:
            self.leave(key, replace(held, goods=(*held.goods, other.first.until_us)))
            self.own_side_free(key, self.tracks[key], holes)
            return
        incident = self.incidents[held.incident]
        if not recovered(held, OWN_SIDE):
            if set(holes) - set(incident.holes):
                seen = tuple(sorted({*incident.holes, *holes}))
                self.incidents[incident.id] = replace(incident, holes=seen, changed_us=self.now_us)
            if not held.goods:
                self.look_at_method(incident.id)
            return
        folded = tuple(sorted({*incident.folded, *self.under.pop(key, frozenset())}))
        self.incidents[incident.id] = replace(incident, folded=folded)
        self.leave(key, held)

    def own_side_free(self, key: Key, track: Track, holes: tuple[str, ...]) -> None:
        if not track.failing:
            self.under.pop(key, None)
            if not track.turn and not track.of_filter:
                self.look_again(key[0])
            return
        (why,) = track.suspicions
        if why.method in SHADOWS:
            self.overshadow(key[0], track, why)
        if not is_enough(why):
            return
        interval = began(why)
        moved_us = self.state.moved_us.get(key[0], 0)
        late = [
            incident
            for incident in self.incidents.values()
            if (incident.state, incident.urls, incident.interface) == ("closed", (), track.interface)
            and (incident.method == FILTER) == track.of_filter
            and (incident.method == why.method or (incident.ended_after_us or incident.opened_us) >= moved_us)
        ]
        if late:
            change = changes.reopened(late[0], track, why, self.now_us)
        else:
            change = changes.opened(track, why, interval, self.now_us)
        incident = self.keep(change)
        folded = {*incident.folded, *self.under.get(key, frozenset())}
        seen = {*incident.holes, *holes}
        self.incidents[incident.id] = replace(incident, folded=tuple(sorted(folded)), holes=tuple(sorted(seen)))
        held = Held(incident=incident.id, why=replace(why, goods=()))
        self.tracks[key] = replace(track, suspicions=(), held=held, turn="", asked=0)

    def overshadow(self, interface: str, own: Track, why: Suspicion) -> None:
        """What endpoints began to fail since the own side was last well is the own side's doing."""
        well_us = max((at_us for at_us in own.goods if at_us < why.first.at_us), default=0)
        for key, track in self.tracks.items():
            if not track.url or own_side_of(self.tracks, key[0]) is not self.tracks[interface, ""]:
                continue
            kept = tuple(suspicion for suspicion in track.suspicions if suspicion.first.at_us < well_us)
            if kept != track.suspicions:
                self.tracks[key] = replace(track, suspicions=kept, turn="", asked=0)
                self.put_under((interface, ""), track.url)

    def look_again(self, interface: str) -> None:
        """The own side is well: what only waited for that may open now."""
        for key in sorted(self.tracks):
            if self.tracks[key].url and self.tracks[key].suspicions and (key[0] == interface or not interface):
                self.join_if_ready(key)


# ---------------------------------------------------------------------------------------------------------------------
# pieces


def _known_already(track: Track, reading: Reading) -> bool:
    """Whether *reading* was taken in before, came too late, or is the same look as the one before."""
    late_us = track.last_us - reading.until_us
    if late_us > STEP_BACK_US:
        return False
    if late_us > 0 or (late_us == 0 and track.run == reading.run):
        return True
    return reading.kind != "cheap" and track.full_us is not None and reading.at_us - track.full_us < APART_US


def _well_us(tracks: Mapping[Key, Track], url: str) -> int:
    return max((track.well_us for (_, other), track in tracks.items() if other == url), default=0)
