"""What the writing thread does to its connection: commit a job, tell trouble from bugs, take the spool in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage import spool
from storage.database import apply, is_trouble

if TYPE_CHECKING:
    from storage.writer import Job


def commit(connection: Connection, job: Job) -> Any:
    """Do *job* in one transaction; on return it is committed."""
    with connection.begin():
        if callable(job):
            return job(connection)
        apply(connection, job)
    return None


def take_in(connection: Connection, directory: Path, identity: str) -> list[str]:
    """Put what is in the spool into the database, and say so. What fails stays where it is.

    A file may have been taken in halfway before a crash: rows that are there already are left as they are.
    """
    notes = []
    for path in spool.files(directory, identity):
        try:
            taken = _take_file(connection, path)
        except DBAPIError as error:
            if is_trouble(error):
                notes.append(f"Results wait in {path}, because the database still cannot take them.")
                break
            notes.append(_set_aside(path, error))
        except (ValueError, KeyError, TypeError, LookupError) as error:
            notes.append(_set_aside(path, error))
        else:
            if taken is not None:
                notes.append(f"Took {taken} waiting transactions from {path.name} into the database.")
    return notes


def _take_file(connection: Connection, path: Path) -> int | None:
    with spool.taken(path) as transactions:
        if transactions is None:
            return None
        count = 0
        for changes in transactions:
            with connection.begin():
                apply(connection, changes, again=True)
            count += 1
        path.unlink()
    return count


def _set_aside(path: Path, error: Exception) -> str:
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    return f"{path.name} does not fit this database ({reason}); it is kept as {spool.reject(path).name}."
