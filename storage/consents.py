"""Consent to measure around the clock: which text, in which language, when, and how it was given."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.rows import Insert

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """``version`` of the text that was shown in ``language``; ``how``: ``terminal``, ``environment`` …"""

    version: str
    language: str
    at_us: int
    how: str


def give(archive: Archive, consent: Consent) -> Future[None]:
    """Keep *consent*; earlier ones stay."""
    row = {"version": consent.version, "language": consent.language, "at_us": consent.at_us, "how": consent.how}
    return archive.put((Insert("consents", (row,)),))


def last(database: Database) -> Consent | None:
    """The consent that was given last (by order, for clocks may be set back); ``None`` where there was none."""
    from sqlalchemy import select

    from storage.schema import consents

    query = select(consents).order_by(consents.c.id.desc()).limit(1)
    with database.reading() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Consent(version=row["version"], language=row["language"], at_us=row["at_us"], how=row["how"])
