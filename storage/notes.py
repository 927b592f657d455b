"""What the user wrote down beside the incidents: ``dalel note "opposition live stream" --at …``."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.rows import storable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from storage.archive import Archive
    from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that happened at ``at_us``, or from then to ``until_us``. ``id`` is 0 before it is kept."""

    id: int = 0
    at_us: int
    until_us: int | None = None
    text: str
    made_us: int


def add(archive: Archive, note: Note) -> Future[int]:
    """Keep *note*; the future has its number."""
    values = {"at_us": note.at_us, "until_us": note.until_us, "text": storable(note.text), "made_us": note.made_us}

    def work(connection: Connection) -> int:
        from sqlalchemy import insert

        from storage.schema import notes

        return int(connection.execute(insert(notes).returning(notes.c.id), values).scalar_one())

    return archive.call(work)


def remove(archive: Archive, number: int, made_us: int) -> Future[bool]:
    """Take a note back at ``made_us``, by one more row; the future tells whether there was one to take back."""

    def work(connection: Connection) -> bool:
        from sqlalchemy import insert

        from storage.schema import notes

        found = connection.execute(_standing().where(notes.c.id == number)).mappings().first()
        if found is None:
            return False
        row = {"at_us": found["at_us"], "text": "", "made_us": made_us, "removes": number}
        connection.execute(insert(notes), row)
        return True

    return archive.call(work)


def between(database: Database, since_us: int | None = None, until_us: int | None = None) -> tuple[Note, ...]:
    """The notes about any moment from *since_us* (included) to *until_us* (not included), in order of what they tell."""
    from sqlalchemy import func

    from storage.schema import notes

    query = _standing().order_by(notes.c.at_us, notes.c.id)
    if since_us is not None:
        query = query.where(func.coalesce(notes.c.until_us, notes.c.at_us) >= since_us)
    if until_us is not None:
        query = query.where(notes.c.at_us < until_us)
    with database.reading() as connection:
        return tuple(_note(row) for row in connection.execute(query).mappings())


def _standing() -> Select[Any]:
    """Notes that nobody took back."""
    from sqlalchemy import select

    from storage.schema import notes

    later = notes.alias("later")
    taken_back = select(later.c.id).where(later.c.removes == notes.c.id).exists()
    return select(notes).where(notes.c.removes.is_(None), ~taken_back)


def _note(row: Mapping[Any, Any]) -> Note:
    return Note(**{name: row[name] for name in ("id", "at_us", "until_us", "text", "made_us")})
