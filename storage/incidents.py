"""Incidents and their events. Versions are only added: the newest of an incident is the one that readers show."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from probe.incidents.model import Event, Incident
from storage.rows import Insert, Row

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.archive import Archive
    from storage.database import Database

_AT_ONCE = 500
"""Names in one question: a database has a limit for what is bound in one."""
_LISTS = ("platforms", "urls", "remaining", "folded", "holes")
_FIELDS = tuple(field.name for field in dataclasses.fields(Incident))


def save(archive: Archive, incident: Incident, events: Sequence[Event] = ()) -> Future[None]:
    """Add *incident* as its newest version, and *events*, together or not at all."""
    return save_all(archive, ((incident, events),))


def save_all(archive: Archive, changed: Sequence[tuple[Incident, Sequence[Event]]]) -> Future[None]:
    """Add the newest version of each incident, and its events: all of them together or nothing.

    Saving again what is there adds nothing, so a machine that is rebuilt by replaying may save all that it says.
    """
    rows = [(incident_row(incident), tuple(map(event_row, events))) for incident, events in changed]

    def add(connection: Connection) -> None:
        from storage.database import apply

        for row, added in rows:
            newest = _newest_row(connection, row["id"])
            if newest is None or {name: newest[name] for name in row} != row:
                version = 1 if newest is None else newest["version"] + 1
                apply(connection, (Insert("incidents", (row | {"version": version},)),))
            if added:
                apply(connection, (Insert("incident_events", added, known=True),))

    return archive.call(add)


def newest(
    database: Database, *, since_us: int | None = None, until_us: int | None = None, open_only: bool = False
) -> tuple[Incident, ...]:
    """The newest version of each incident, in the order in which they began.

    *since_us*, *until_us*: those that were under way at some moment from the one to the other (not included).
    """
    from sqlalchemy import func, select

    from storage.schema import incidents

    later = incidents.alias("later")
    last = select(func.max(later.c.version)).where(later.c.id == incidents.c.id).scalar_subquery()
    query = select(incidents).where(incidents.c.version == last)
    if open_only:
        query = query.where(incidents.c.state == "open")
    if since_us is not None:
        ended_us = func.coalesce(incidents.c.ended_by_us, incidents.c.closed_us)
        query = query.where(ended_us.is_(None) | (ended_us >= since_us))
    if until_us is not None:
        query = query.where(func.coalesce(incidents.c.began_after_us, incidents.c.began_by_us) < until_us)
    with database.reading() as connection:
        found = connection.execute(query.order_by(incidents.c.began_by_us, incidents.c.id)).mappings().all()
    return tuple(map(incident_from, found))


def find(database: Database, incident: str) -> Incident | None:
    """The newest version of one incident; ``None`` for one that is not kept."""
    with database.reading() as connection:
        row = _newest_row(connection, incident)
    return incident_from(row) if row is not None else None


def events(database: Database, incident: str) -> tuple[Event, ...]:
    """The events of one incident, in order."""
    from sqlalchemy import select

    from storage.schema import incident_events

    of_it = select(incident_events).where(incident_events.c.incident == incident).order_by(incident_events.c.number)
    with database.reading() as connection:
        found = connection.execute(of_it).mappings().all()
    return tuple(map(event_from, found))


def events_of(database: Database, incidents: Collection[str]) -> dict[str, tuple[Event, ...]]:
    """The events of several incidents, each in order, in one go."""
    from sqlalchemy import select

    from storage.schema import incident_events

    found: dict[str, list[Event]] = {name: [] for name in incidents}
    wanted = list(found)
    with database.reading() as connection:
        for begin in range(0, len(wanted), _AT_ONCE):
            among = incident_events.c.incident.in_(wanted[begin : begin + _AT_ONCE])
            query = select(incident_events).where(among).order_by(incident_events.c.incident, incident_events.c.number)
            for row in connection.execute(query).mappings():
                found[row["incident"]].append(event_from(row))
    return {name: tuple(events) for name, events in found.items()}


def _newest_row(connection: Connection, incident: str) -> Mapping[Any, Any] | None:
    from sqlalchemy import select

    from storage.schema import incidents

    versions = select(incidents).where(incidents.c.id == incident).order_by(incidents.c.version.desc())
    return connection.execute(versions.limit(1)).mappings().first()


# ---------------------------------------------------------------------------------------------------------------------
# to and from rows


def incident_row(incident: Incident) -> Row:
    """Its row, without the version."""
    row: Row = {name: getattr(incident, name) for name in _FIELDS}
    return row | {name: json.dumps(row[name], ensure_ascii=False) if row[name] else None for name in _LISTS}


def incident_from(row: Mapping[Any, Any]) -> Incident:
    lists = {name: tuple(json.loads(row[name])) if row[name] else () for name in _LISTS}
    return Incident(**{**{name: row[name] for name in _FIELDS}, **lists})


def event_row(event: Event) -> Row:
    detail = json.dumps(dict(event.detail), ensure_ascii=False) if event.detail else None
    return {
        "incident": event.incident,
        "number": event.number,
        "kind": event.kind,
        "at_us": event.at_us,
        "detail": detail,
    }


def event_from(row: Mapping[Any, Any]) -> Event:
    return Event(
        incident=row["incident"],
        number=row["number"],
        kind=row["kind"],
        at_us=row["at_us"],
        detail=json.loads(row["detail"]) if row["detail"] else {},
    )
