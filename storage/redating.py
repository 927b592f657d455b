"""Corrects what was kept while this host's clock was wrong and nobody had told it the time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from probe.incidents.redating import redated
from storage.incidents import incident_from, incident_row

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from storage.archive import Archive


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is known now: true time minus that of the clock (µs), by a run's name, and by moments of looks and readings."""

    runs: Mapping[str, int] = field(default_factory=dict)
    moments: Mapping[int, int] = field(default_factory=dict)
    still_us: int = 0
    """By how much the clock is behind even now. When a message was made, and when it is due, is by this host's own clock."""

    @property
    def truly_us(self) -> dict[int, int]:
        """Each moment as it really was."""
        return {moment: moment + offset_us for moment, offset_us in self.moments.items()}


def correct(archive: Archive, correction: Correction) -> Future[None]:
    """Note the offset of all that has none, and date incidents, their events and messages that wait anew; all or nothing.

    An incident has a new version with the right times, and no event: nothing has happened to it.
    """
    truly_us = correction.truly_us

    def work(connection: Connection) -> None:
        from storage.schema import own_sides, readings, runs

        _note(connection, runs, "id", correction.runs)
        _note(connection, own_sides, "at_us", correction.moments)
        _note(connection, readings, "at_us", correction.moments)
        names = _incidents(connection, truly_us)
        _events(connection, names, truly_us)
        _messages(connection, names, correction)

    return archive.call(work)


def _note(connection: Connection, table: Table, column: str, offsets: Mapping[Any, int]) -> None:
    from sqlalchemy import bindparam, update

    if not offsets:
        return
    without = update(table).where(table.c[column] == bindparam("which"), table.c.clock_offset_us.is_(None))
    values = [{"which": which, "offset_us": offset_us} for which, offset_us in offsets.items()]
    connection.execute(without.values(clock_offset_us=bindparam("offset_us")), values)


def _incidents(connection: Connection, truly_us: Mapping[int, int]) -> list[str]:
    """Gives those that are dated anew."""
    from sqlalchemy import func, insert, select

    from storage.schema import incidents

    if not truly_us:
        return []
    later = incidents.alias("later")
    last = select(func.max(later.c.version)).where(later.c.id == incidents.c.id).scalar_subquery()
    meant = incidents.c.changed_us.between(min(truly_us), max(truly_us))
    rows = connection.execute(select(incidents).where(incidents.c.version == last, meant)).mappings().all()
    made = []
    for row in rows:
        before = incident_from(row)
        after = redated(before, truly_us)
        if after != before:
            made.append(incident_row(after) | {"version": row["version"] + 1})
    if made:
        connection.execute(insert(incidents), made)
    return [row["id"] for row in made]


def _events(connection: Connection, names: Iterable[str], truly_us: Mapping[int, int]) -> None:
    from sqlalchemy import select, update

    from storage.schema import incident_events

    for name in names:
        mine = incident_events.c.incident == name
        for row in connection.execute(select(incident_events).where(mine)).mappings().all():
            if row["at_us"] in truly_us:
                this = update(incident_events).where(mine, incident_events.c.number == row["number"])
                connection.execute(this.values(at_us=truly_us[row["at_us"]]))


def _messages(connection: Connection, names: Iterable[str], correction: Correction) -> None:
    """Those that wait. One that seems to have been made years ago would be dropped as too old."""
    from sqlalchemy import select, update

    from storage.schema import outbox

    truly_us = correction.truly_us
    for name in names:
        waiting = select(outbox).where(outbox.c.incident == name, outbox.c.sent_us.is_(None))
        for row in connection.execute(waiting).mappings().all():
            told = json.loads(row["payload"])
            then_us = told.get("at_us")
            if then_us not in truly_us:
                continue
            set_by_us = correction.moments[then_us] - correction.still_us
            values = {
                "payload": json.dumps(redated(told, truly_us), ensure_ascii=False),
                "made_us": row["made_us"] + set_by_us,
                "next_us": row["next_us"] + set_by_us,
            }
            connection.execute(update(outbox).where(outbox.c.id == row["id"]).values(**values))
