"""What programs read: ``dalel.event/1`` (``probe/schema/event.json``), the body of a webhook. Pure.

Keys may be added; removing or renaming one, or changing what it means, makes ``/2``. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import Any

from probe.daemon.telling.items import Item
from probe.daemon.telling.messages import Message
from probe.incidents.model import Incident
from probe.report.document import timestamp

SCHEMA = "dalel.event/1"


def event_document(message: Message, *, probe: str | None, software: str) -> dict[str, Any]:
    """The body of a webhook for *message*; of a test message it has no incident and no events."""
    incident = message.items[-1].incident if message.items else None
    return {
        "schema": SCHEMA,
        "id": message.id,
        "test": incident is None,
        "probe": probe,
        "software": software,
        "kind": message.kind,
        "urgent": message.urgent,
        "language": message.language,
        "title": message.title,
        "text": message.text,
        "incident": _incident(incident) if incident is not None else None,
        "events": [_event(item) for item in message.items],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "state": incident.state,
        "status": incident.status,
        "method": incident.method,
        "signature": incident.signature,
        "where": incident.where,
        "confidence": incident.confidence,
        "platforms": list(incident.platforms),
        "urls": list(incident.urls),
        "holes": list(incident.holes),
        "began_after": _time(incident.began_after_us),
        "began_by": timestamp(incident.began_by_us),
        "ended_after": _time(incident.ended_after_us),
        "ended_by": _time(incident.ended_by_us),
        "opened_at": timestamp(incident.opened_us),
        "closed_at": _time(incident.closed_us),
    }


def _event(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "number": item.number,
        "at": timestamp(item.at_us),
        "detail": dict(item.detail),
    }


def _time(us: int | None) -> str | None:
    return timestamp(us) if us is not None else None
