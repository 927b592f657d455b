"""The schema's revisions in order, oldest first. Known without Alembic, which costs a second and 11 MB to import.

A test compares this with what `storage/migrations/versions` holds.
"""

from __future__ import annotations

from typing import Literal

REVISIONS = ("0001", "0002", "0003")
HEAD = REVISIONS[-1]

ADVISORY_LOCK = 0x44414C454C
"""PostgreSQL's advisory lock for creating and changing the tables: ``DALEL`` in ASCII."""

State = Literal["new", "behind", "current", "newer", "foreign"]


def state_of(tables: frozenset[str], stamp: str | None) -> State:
    """Where a database stands: its tables' names and its revision (``None``: it has none).

    ``foreign`` is somebody else's database. Alembic's own table, empty, is a database before its first revision.
    """
    if stamp is not None:
        if stamp not in REVISIONS:
            return "newer"
        return "current" if stamp == HEAD else "behind"
    if "alembic_version" in tables:
        return "behind"
    return "foreign" if tables else "new"
