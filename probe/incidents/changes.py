"""What happens to one incident: each function gives its new version and the event, if it is worth one. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from probe.incidents.model import Event, EventKind, Incident
from probe.incidents.track import Held, Interval, Suspicion, Track

TOGETHER_US = 30 * 60_000_000
"""Troubles whose beginnings are certainly farther apart than this did not begin together."""
_UNSEEN_US = 60 * 60_000_000
"""How far back a beginning is looked for that nobody saw: what was so at the first look began "just before" in this sense,
so that forty sites found blocked by a new probe are one incident."""

Changed = tuple[Incident, tuple[Event, ...]]


def name_of(track: Track) -> str | None:
    """What people call it: the platform, or the host of a URL of one's own; ``None`` for the own side."""
    if not track.url:
        return None
    return track.platform or urlsplit(track.url).hostname or track.url


def opened(track: Track, why: Suspicion, began: Interval, at_us: int) -> Changed:
    """A new incident. Its id comes from its first bad reading, so that replaying makes the same one again."""
    words = "|".join((why.status, track.interface or "", why.run, track.url, str(why.first.at_us)))
    name = name_of(track)
    incident = Incident(
        id=hashlib.sha256(words.encode(errors="surrogatepass")).hexdigest()[:16],
        status=why.status,
        method=why.method,
        signature=why.signature,
        where=why.where,
        platforms=(name,) if name else (),
        urls=(track.url,) if name else (),
        remaining=(track.url,) if name else (),
        interface=track.interface,
        began_after_us=began[0],
        began_by_us=began[1],
        opened_us=at_us,
        changed_us=at_us,
        confidence=why.confidence,
    )
    return _event(incident, "opened", at_us, _who(track) | {"method": why.method})


def together(incident: Incident, began: Interval) -> bool:
    """Whether the two may have begun at the same time, or nearly."""
    return _gap(_known(incident.began_after_us, incident.began_by_us), _known(*began)) <= TOGETHER_US


def joined(
    incident: Incident, track: Track, why: Suspicion, began: Interval, at_us: int, held: Iterable[str]
) -> Changed:
    """One more endpoint is part of it. *held*: names of what it holds already; a name that is not is an event."""
    name = name_of(track)
    assert name is not None
    after_us, by_us = _narrowed(incident, began)
    sure = [value for value in (incident.confidence, why.confidence) if value is not None]
    changed = replace(
        incident,
        platforms=_with(incident.platforms, name),
        urls=_with(incident.urls, track.url),
        remaining=_with(incident.remaining, track.url),
        signature=_common(incident.signature, why.signature),
        where=incident.where if incident.where == why.where else "unknown",
        began_after_us=after_us,
        began_by_us=by_us,
        changed_us=at_us,
        confidence=max(sure) if sure else None,
    )
    return (changed, ()) if name in set(held) else _event(changed, "widened", at_us, _who(track))


def reopened(incident: Incident, track: Track, why: Suspicion, at_us: int) -> Changed:
    """It had ended, and fails again so soon that it is the same."""
    name = name_of(track)
    changed = replace(
        incident,
        state="open",
        method=why.method,
        platforms=_with(incident.platforms, name) if name else incident.platforms,
        urls=_with(incident.urls, track.url) if name else incident.urls,
        remaining=(track.url,) if name else (),
        ended_after_us=None,
        ended_by_us=None,
        closed_us=None,
        changed_us=at_us,
    )
    return _event(changed, "reopened", at_us, _who(track) | {"method": why.method})


def left(
    incident: Incident, tracks: Iterable[Track], held: Held, ended: Interval, at_us: int, still: Iterable[str]
) -> Changed:
    """*tracks* are well again since *ended*, as *held* of one of them tells; *still*: names of what remains.

    Where that was seen in another network than the trouble, the incident is closed without an end.
    """
    gone = {track.url for track in tracks}
    after_us, by_us = ended
    after_us = max(value for value in (after_us, incident.ended_after_us, incident.began_by_us) if value is not None)
    remaining = tuple(url for url in incident.remaining if url not in gone)
    changed = replace(incident, remaining=remaining, ended_after_us=after_us, changed_us=at_us)
    if not remaining and held.away:
        return _event(replace(changed, state="closed", closed_us=at_us), "closed", at_us, {"moved": True})
    if not remaining:
        by_us = max(by_us, after_us)
        return _event(replace(changed, state="closed", ended_by_us=by_us, closed_us=at_us), "closed", at_us, {})
    names = sorted({name for track in tracks if (name := name_of(track))} - set(still))
    if not names or held.away:
        return changed, ()
    return _event(changed, "narrowed", at_us, {"platforms": names, "urls": sorted(gone)})


def method(incident: Incident, new: Suspicion, at_us: int) -> Changed:
    """It works in another way now."""
    changed = replace(incident, method=new.method, signature=new.signature, where=new.where, changed_us=at_us)
    return _event(changed, "method", at_us, {"method": [incident.method, new.method]})


# ---------------------------------------------------------------------------------------------------------------------
# pieces


def _event(incident: Incident, kind: EventKind, at_us: int, detail: Mapping[str, Any]) -> Changed:
    number = incident.events + 1
    said = {key: value for key, value in detail.items() if value is not None}
    return replace(incident, events=number), (
        Event(incident=incident.id, number=number, kind=kind, at_us=at_us, detail=said),
    )


def _who(track: Track) -> dict[str, Any]:
    name = name_of(track)
    return {"platforms": [name], "urls": [track.url]} if name else {}


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names, name}))


def _known(after_us: int | None, by_us: int) -> tuple[int, int]:
    return (by_us - _UNSEEN_US if after_us is None else after_us), by_us


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    """How far apart two intervals certainly are; below zero where they overlap."""
    return max(one[0], other[0]) - min(one[1], other[1])


def _narrowed(incident: Incident, began: Interval) -> Interval:
    """When it began, seen from two endpoints: what began at one time did so in both intervals; else the first counts."""
    mine = (incident.began_after_us, incident.began_by_us)
    if _gap(_known(*mine), _known(*began)) > 0:
        return min(mine, began, key=lambda interval: interval[1])
    known = [value for value in (mine[0], began[0]) if value is not None]
    return (max(known) if known else None), min(mine[1], began[1])


def _common(one: str | None, other: str | None) -> str | None:
    """The part of two signatures that both have: ``tls.timeout.sni`` and ``tls.reset.sni`` are ``tls``."""
    if one is None or other is None or one == other:
        return one if one == other else None
    shared = []
    for left_word, right_word in zip(one.split("."), other.split("."), strict=False):
        if left_word != right_word:
            break
        shared.append(left_word)
    return ".".join(shared) or None
