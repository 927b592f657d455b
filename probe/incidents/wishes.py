"""What the machine wishes to have measured next, as far as it depends on what it remembers. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from probe.incidents import listed
from probe.incidents.evidence import HOUSEHOLD
from probe.incidents.model import Incident, Wants
from probe.incidents.state import State, own_side_of, shadowed
from probe.incidents.track import Track

BETWEEN_US = HOUSEHOLD.span_us // (HOUSEHOLD.need - 1)
"""Between two whole looks at a filter of the own side's, until it is told."""
WHILE_OPEN_US = 300_000_000
"""The same while it is open, and new; when it is old the hourly look will do."""
OLD_US = 24 * 3_600_000_000
"""An incident to which nothing has happened for so long may be measured less often."""


def wants(state: State) -> Wants:
    """What should be measured next; see :class:`~probe.incidents.model.Wants`."""
    own = [track for track in state.tracks.values() if not track.url]
    endpoints = [track for (interface, url), track in state.tracks.items() if url and not shadowed(state, interface)]
    held = [track for track in endpoints if track.held is not None]
    failing = {track.held.incident for track in held if track.held is not None and not track.held.goods}
    told = {track.interface for track in held if track.held is not None and listed.is_known(track.held.why)}
    unsettled = [track for track in endpoints if track.wants_burst and not _is_of_no_use(track, failing, told)]
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
        behind=frozenset(
            url for (way, url), track in state.tracks.items() if track.held is not None and url and shadowed(state, way)
        ),
        own_side=any(_wants_look(track, now_us, old) for track in own)
        or any(_waits(state, track) for track in endpoints),
    )


def _is_of_no_use(track: Track, failing: set[str], told: set[str | None]) -> bool:
    """Whether a burst would settle nothing: one name on a list is well, as some are by chance, while others are still met;
    or it was, and the next time that it is not will be enough, for he who opens it is *told* of already.
    """
    if track.held is not None:
        return listed.is_known(track.held.why) and track.held.incident in failing
    return track.interface in told and not track.failing and any(listed.is_known(why) for why in track.suspicions)


def _others(held: list[Track]) -> Iterator[str]:
    """In an incident one endpoint is looked at for all of its platform: once it is well, the others are looked at, once."""
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


def _wants_look(own: Track, now_us: int, old: set[str]) -> bool:
    """Whether a whole look at the own side would settle something. A filter has to last to be worth a word, so it is looked at
    again when it has lasted a little longer, and not at once; then as often as whatever an open incident holds.
    """
    if not own.meets_filter:
        return own.wants_burst
    rested_us = now_us - (own.full_us or 0)
    if own.held is not None and not own.turn:
        return own.held.incident not in old and rested_us >= WHILE_OPEN_US
    return own.wants_burst and (own.turn == "good" or rested_us >= BETWEEN_US)


def _waits(state: State, track: Track) -> bool:
    """Whether a look at the own side is still owed: to a failure that is not settled, or to a success where a filter of the
    own side's had failed.
    """
    own = own_side_of(state.tracks, track.interface or "")
    if own is None:
        return track.wants_burst
    if own.held is not None and own.meets_filter and track.url in state.under.get(own.interface or "", ()):
        well_us = max((*track.goods[-1:], track.handshake_us or 0))
        return well_us > max(own.full_us or 0, own.held.why.seen_us)
    return any(own.last_us < why.first.at_us for why in track.suspicions)
