"""What the machine wishes to have measured next, as far as it depends on what it remembers. Pure."""

from __future__ import annotations

from probe.incidents.model import Incident, Wants
from probe.incidents.state import State, own_side_of, shadowed
from probe.incidents.track import BURST_MOST, Track

OLD_US = 24 * 3_600_000_000
"""An incident to which nothing has happened for so long may be measured less often."""


def wants(state: State) -> Wants:
    """What should be measured next; see :class:`~probe.incidents.model.Wants`."""
    own = [track for track in state.tracks.values() if not track.url]
    endpoints = [track for (interface, url), track in state.tracks.items() if url and not shadowed(state, interface)]
    held = [track for track in endpoints if track.held is not None]
    unsettled = [track for track in endpoints if track.wants_burst]
    # In an incident one endpoint is looked at for all of its platform: once it is well, the others are asked at once.
    better = {(t.platform, t.held.incident) for t in held if t.held is not None and t.held.goods}
    unsettled += [
        t
        for t in held
        if t.held is not None and not t.held.goods and t.asked < BURST_MOST and (t.platform, t.held.incident) in better
    ]
    now_us = max((track.last_us for track in state.tracks.values()), default=0)
    old = {name for name, incident in state.incidents.items() if now_us - incident.changed_us > OLD_US}
    platforms = (track.platform for track in (*held, *unsettled))
    return Wants(
        bursts=frozenset(track.url for track in unsettled),
        deep=frozenset(track.url for track in held),
        rounds=frozenset(track.url for track in held),
        old=frozenset(track.url for track in held if track.held is not None and track.held.incident in old),
        platforms=frozenset(platform for platform in platforms if platform is not None),
        own_side=any(track.wants_burst for track in own) or any(_waits(state, track) for track in endpoints),
    )


def in_sight(state: State) -> tuple[Incident, ...]:
    """Incidents of which it can be known whether they go on: behind a line that is down only the line's own."""
    return tuple(one for one in state.incidents.values() if not one.urls or not shadowed(state, one.interface or ""))


def _waits(state: State, track: Track) -> bool:
    """Whether a look at the own side is still owed to a failure that is not settled."""
    own = own_side_of(state.tracks, track.interface or "")
    if own is None:
        return track.wants_burst
    return any(own.last_us < why.first.at_us for why in track.suspicions)
