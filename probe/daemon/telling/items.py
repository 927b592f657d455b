"""What is told: an event of an incident, with the incident as it was then; and how the outbox keeps it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from probe.incidents.model import Event, Incident
from probe.settings.notify import EVENT_KINDS, EventKind

_INCIDENT = {field.name for field in dataclasses.fields(Incident)}
_LEFT_OUT: dict[str, Any] = {"remaining": (), "folded": ()}
"""Nothing is told of these, and they can be long."""


class ItemError(ValueError):
    """A row of the outbox that this version cannot read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to tell. ``id`` is its own for ever: telling it twice can be noticed by it.

    ``number``: of the event in its incident; a reminder has its own count.
    """

    incident: Incident
    kind: EventKind
    number: int
    at_us: int
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.incident.id}/{'reminder/' if self.kind == 'reminder' else ''}{self.number}"


def of_event(incident: Incident, event: Event) -> Item:
    """*event* of *incident*, as it is after that event."""
    return Item(incident=incident, kind=event.kind, number=event.number, at_us=event.at_us, detail=event.detail)


def reminder(incident: Incident, number: int, at_us: int) -> Item:
    """The *number*-th time that it is said that *incident* goes on."""
    return Item(incident=incident, kind="reminder", number=number, at_us=at_us)


def to_payload(item: Item) -> dict[str, Any]:
    """For the outbox: plain JSON."""
    return {
        "incident": dataclasses.asdict(item.incident) | _LEFT_OUT,
        "kind": item.kind,
        "number": item.number,
        "at_us": item.at_us,
        "detail": dict(item.detail),
    }


def from_payload(told: Mapping[str, Any]) -> Item:
    """Raises :class:`ItemError`. What a later version has added is left out."""
    try:
        known = {name: _frozen(value) for name, value in told["incident"].items() if name in _INCIDENT}
        item = Item(
            incident=Incident(**known),
            kind=told["kind"],
            number=int(told["number"]),
            at_us=int(told["at_us"]),
            detail=told.get("detail") or {},
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ItemError(f"a message that waited cannot be read: {type(error).__name__}") from error
    if item.kind not in EVENT_KINDS:
        raise ItemError("a message that waited is of a kind that this version does not know")
    return item


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
