"""The machine after a restart: what it remembers comes from recent readings, and the incidents from where they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from probe.incidents.evidence import FILTER
from probe.incidents.model import Incident
from probe.incidents.state import HOUSE, Key, State
from probe.incidents.track import Held, Point, Suspicion, Track


def resume(state: State, stored: Iterable[Incident]) -> State:
    """*state*, made from readings up to some moment, with the incidents that were kept at that moment as the truth.

    Memberships follow them: what *state* holds for an incident that was never kept is a suspicion again, and what was
    kept as open is held, whether or not the readings that opened it are still among the recent ones.
    """
    incidents = {incident.id: incident for incident in stored}
    owner: dict[Key, Incident] = {}
    for incident in incidents.values():
        if incident.state == "open":
            for url in incident.remaining or (HOUSE if incident.method == FILTER else "",):
                owner[incident.interface or "", url] = incident
    tracks = {}
    for key, track in state.tracks.items():
        if track.held is not None and key not in owner:
            tracks[key] = _let_go(track, track.held, incidents.values())
        else:
            tracks[key] = _owned(track, owner.get(key), state.moved_us.get(key[0]))
    for key, incident in owner.items():
        if key not in tracks:
            house = key[1] == HOUSE
            track = Track(url="" if house else key[1], of_filter=house, interface=incident.interface)
            tracks[key] = _owned(track, incident, state.moved_us.get(key[0]))
    return replace(state, tracks=tracks, incidents=incidents)


def _let_go(track: Track, held: Held, stored: Iterable[Incident]) -> Track:
    """*track* as a member of no incident: well again if one that had it ended since, else under suspicion."""
    over = any(
        incident.closed_us is not None
        and incident.closed_us > held.why.seen_us
        and (incident.status, incident.interface) == (held.why.status, track.interface)
        and (track.url in incident.urls or (not (track.url or incident.urls) and _is_of(track, incident)))
        for incident in stored
    )
    left = any(held.incident == incident.id and incident.state == "open" for incident in stored)
    if over or left or held.away or held.goods or not held.why.recent:
        return replace(track, held=None)
    # Who is held needs no good readings from before; who is suspected does, to say since when.
    goods = tuple(at_us for at_us in track.goods if at_us < held.why.first.at_us)
    return replace(track, held=None, suspicions=(*track.suspicions, replace(held.why, goods=goods)))


def _is_of(own: Track, incident: Incident) -> bool:
    return own.of_filter == (incident.method == FILTER)


def _owned(track: Track, incident: Incident | None, moved_us: int | None) -> Track:
    """*track* as a member of *incident*, if there is one; *moved_us*: when this host was last found in another network."""
    if incident is None:
        return track
    if track.held is not None:
        return replace(track, held=replace(track.held, incident=incident.id))
    why = next((suspicion for suspicion in track.suspicions if suspicion.status == incident.status), None)
    others = tuple(suspicion for suspicion in track.suspicions if suspicion.status != incident.status)
    why = why or _reason(incident)
    away = moved_us is not None and why.seen_us < moved_us
    return replace(track, suspicions=others, held=Held(incident=incident.id, why=why, away=away))


def _reason(incident: Incident) -> Suspicion:
    """Why an endpoint is held, where the readings that said so are no longer at hand."""
    first_us = incident.began_by_us
    return Suspicion(
        status=incident.status,
        run="",
        first=Point(bad=True, at_us=first_us, until_us=first_us),
        seen_us=incident.ended_after_us or incident.opened_us,
        bad=3,
        of=3,
        method=incident.method,
        signature=incident.signature,
        where=incident.where,
        confidence=incident.confidence,
    )
