"""What is remembered where the clock was set back, or this host is in another network. Pure."""

from __future__ import annotations

from dataclasses import replace

from probe.incidents.model import Reading
from probe.incidents.state import HOUSE, State
from probe.incidents.track import Track


def after_step_back(track: Track, reading: Reading) -> Track:
    """A clock was set back: what was remembered in its time is of no use, but what is held is still held."""
    held = track.held
    if held is not None:
        held = replace(held, goods=(), full=False, why=replace(held.why, seen_us=min(held.why.seen_us, reading.at_us)))
    return replace(
        track, last_us=0, full_us=None, goods=(), handshake_us=None, suspicions=(), held=held, turn="", asked=0
    )


def elsewhere(state: State, interface: str, at_us: int) -> State:
    """*state* in another network: what failed or went well in the one before proves nothing here, and is not added up.

    What is held stays held until it is well here; when it ended there is not known then.
    """
    tracks = {key: _unsuspected(track) if key[0] == interface else track for key, track in state.tracks.items()}
    under, incidents = dict(state.under), dict(state.incidents)
    for key in ((interface, ""), (interface, HOUSE)):
        own, failed = tracks.get(key), under.pop(key, frozenset())
        if failed and own is not None and own.held is not None:
            incident = incidents[own.held.incident]
            incidents[incident.id] = replace(incident, folded=tuple(sorted({*incident.folded, *failed})))
    moved_us = {**state.moved_us, interface: at_us}
    return replace(state, tracks=tracks, incidents=incidents, under=under, moved_us=moved_us)


def _unsuspected(track: Track) -> Track:
    held = replace(track.held, goods=(), full=False, away=True) if track.held is not None else None
    return replace(track, goods=(), handshake_us=None, suspicions=(), held=held, turn="", asked=0)
