"""What the machine wishes to have measured next, as far as it depends on what it remembers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from probe.incidents import listed
from probe.incidents.evidence import HOUSEHOLD
from probe.incidents.model import Incident, Wants
from probe.incidents.state import HOUSE, State, filter_of, is_down, own_side_of, shadowed
from probe.incidents.track import Track

BETWEEN_US = HOUSEHOLD.span_us // (HOUSEHOLD.need - 1)
"""Between two whole looks at a filter of the own side's, until it is told."""
WHILE_OPEN_US = 300_000_000
"""The same while it is open, and new; when it is old the hourly look will do."""
GONE_US = 600_000_000
"""A way out that was not looked at for so long, while another one was, is not there any more."""
OLD_US = 24 * 3_600_000_000
"""An incident to which nothing has happened for so long may be measured less often."""


def wants(state: State) -> Wants:
    """What should be measured next; see :class:`~probe.incidents.model.Wants`."""
    places = [(way, track) for (way, _), track in state.tracks.items() if track.url]
    endpoints = [track for way, track in places if not shadowed(state, way)]
    held = [track for track in endpoints if track.held is not None]
    failing = {track.held.incident for track in held if track.held is not None and not track.held.goods}
    unsettled = [track for track in endpoints if track.wants_burst and not _is_of_no_use(track, failing, _told(held))]
    now_us = max((track.last_us for track in state.tracks.values()), default=0)
    old = {name for name, incident in state.incidents.items() if now_us - incident.changed_us > OLD_US}
    # Who opens connections has a list, and often a part of the lines only: who else is on it says soon whether he is there.
    # A good reading at the one that he was met at takes nothing of that back.
    met = any(listed.is_known(why) for track in unsettled for why in track.suspicions)
    platforms = (track.platform for track in (endpoints if met else (*held, *unsettled)))
    return Wants(
        bursts=frozenset(track.url for track in unsettled),
        deep=frozenset(track.url for track in held),
        rounds=frozenset(track.url for track in held),
        old=frozenset(track.url for track in held if track.held is not None and track.held.incident in old),
        platforms=frozenset(platform for platform in platforms if platform is not None),
        others=frozenset(_others(held)),
        behind=frozenset(track.url for way, track in places if track.held is not None and shadowed(state, way)),
        own_side=_wants_own_side(state, old) or any(_waits(state, track) for track in endpoints),
    )


def _told(held: list[Track]) -> set[str | None]:
    """Ways out on which a known forger is told of already, in the network that they are in."""
    return {
        track.interface
        for track in held
        if track.held is not None and not track.held.away and listed.is_known(track.held.why)
    }


def _is_of_no_use(track: Track, failing: set[str], told: set[str | None]) -> bool:
    """Whether a burst would settle nothing: one name on a list is well, as some are by chance, while others are still met;
    or it was, and the next time that it is not will be enough, for he who opens it is *told* of already.
    """
    if track.held is not None:
        return listed.is_known(track.held.why) and track.held.incident in failing
    return track.interface in told and not track.failing and any(listed.is_known(why) for why in track.suspicions)


def _others(held: list[Track]) -> Iterator[str]:
    """In an incident one endpoint is looked at for all of its platform: once it is well, the others are looked at, once. And so
    are all whom a known forger was met at last, once more were well in a row than chance has it.
    """
    for incident in {track.held.incident for track in held if track.held is not None}:
        mates = [track for track in held if track.held is not None and track.held.incident == incident]
        reasons = [mate.held for mate in mates if mate.held is not None]
        since = listed.perhaps_over_us(reasons) if all(listed.is_known(one.why) for one in reasons) else None
        if since is not None:
            yield from (mate.url for mate in mates if mate.held and not mate.held.goods and (mate.full_us or 0) < since)
    well: dict[tuple[str | None, str], int] = {}
    for track in held:
        if track.held is not None and track.held.goods:
            place = (track.platform, track.held.incident)
            well[place] = min(track.held.goods[0], well.get(place, track.held.goods[0]))
    for track in held:
        if track.held is not None and not track.held.goods:
            since = well.get((track.platform, track.held.incident))
            if since is not None and (track.full_us or 0) < since:
                yield track.url


def in_sight(state: State) -> tuple[Incident, ...]:
    """Incidents of which it can be known whether they go on: behind a line that is down only the line's own."""
    return tuple(one for one in state.incidents.values() if not one.urls or not shadowed(state, one.interface or ""))


def _wants_own_side(state: State, old: set[str]) -> bool:
    """Whether a whole look at the own side would settle something, on a way out that is there still."""
    lines = {way: track for (way, url), track in state.tracks.items() if not url}
    newest_us = max((line.last_us for line in lines.values()), default=0)
    there = {way: line for way, line in lines.items() if newest_us - line.last_us <= GONE_US}
    return any(
        line.wants_burst or ((house := state.tracks.get((way, HOUSE))) is not None and _wants_look(house, line, old))
        for way, line in there.items()
    )


def _wants_look(house: Track, line: Track, old: set[str]) -> bool:
    """Whether a whole look would settle something about a filter in the *house*. It has to last to be worth a word, so it is
    looked at again when it has lasted a little longer, and not at once; then as often as whatever an open incident holds.
    """
    if is_down(line):
        return False
    rested_us = line.last_us - (house.full_us or 0)
    if house.held is not None and (not house.turn or not house.wants_burst):
        is_new = house.held.away or house.held.incident not in old
        return is_new and rested_us >= WHILE_OPEN_US
    return house.wants_burst and (house.turn == "good" or rested_us >= BETWEEN_US)


def _waits(state: State, track: Track) -> bool:
    """Whether a look at the own side is still owed: to a failure that is not settled, or to a success where a filter in the
    house was met.
    """
    own = own_side_of(state.tracks, track.interface or "")
    if own is None:
        return track.wants_burst
    return _is_let_through(state, track) or any(own.last_us < why.first.at_us for why in track.suspicions)


def _is_let_through(state: State, track: Track) -> bool:
    """Whether *track* is well since the last look that met a filter in the house, which had been met there too."""
    house = filter_of(state.tracks, track.interface or "")
    if house is None or house.held is None or track.url not in state.under.get((house.interface or "", HOUSE), ()):
        return False
    return track.well_us > max(house.full_us or 0, house.held.why.seen_us)
