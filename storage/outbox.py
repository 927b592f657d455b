"""Messages on their way: kept until they are sent, because what is told of happens when nothing can be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from storage.archive import Archive
    from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to tell through one channel. ``id`` is 0 before it is kept; ``payload`` is plain JSON.

    It is due from ``next_us`` on until ``sent_us`` is known. ``trouble``: why the last attempt failed.
    """

    id: int = 0
    made_us: int
    incident: str | None = None
    channel: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    sent_us: int | None = None
    attempts: int = 0
    next_us: int = 0
    trouble: str | None = None


def put(archive: Archive, messages: Sequence[Message]) -> Future[tuple[int, ...]]:
    """Keep *messages*, all or none; the future has their numbers."""
    values = [_row(message) for message in messages]

    def work(connection: Connection) -> tuple[int, ...]:
        from sqlalchemy import insert

        from storage.schema import outbox

        one = insert(outbox).returning(outbox.c.id)
        return tuple(int(connection.execute(one, row).scalar_one()) for row in values)

    return archive.call(work)


def due(database: Database, now_us: int, *, limit: int = 100) -> tuple[Message, ...]:
    """Unsent messages whose time has come, oldest first.

    One that was made in the future is due as well: the clock was set back, and its ``next_us`` means nothing.
    """
    from storage.schema import outbox

    come = (outbox.c.next_us <= now_us) | (outbox.c.made_us > now_us)
    return _read(database, _unsent().where(come).limit(limit))


def waiting(database: Database) -> tuple[Message, ...]:
    """All unsent messages, oldest first."""
    return _read(database, _unsent())


def together(rows: Sequence[Message]) -> int:
    """How many messages *rows* become: what waits for one channel and is about one incident goes in one."""
    return len({(row.channel, row.incident if row.incident is not None else row.id) for row in rows})


def about(database: Database, incidents: Sequence[str]) -> tuple[Message, ...]:
    """All messages about *incidents* that are still kept, sent or not, oldest first."""
    from sqlalchemy import select

    from storage.schema import outbox

    query = select(outbox).where(outbox.c.incident.in_(incidents)).order_by(outbox.c.made_us, outbox.c.id)
    return _read(database, query)


def sent(archive: Archive, numbers: Sequence[int], at_us: int) -> Future[None]:
    """They have arrived."""
    return _change(archive, numbers, sent_us=at_us, trouble=None)


def failed(archive: Archive, numbers: Sequence[int], *, next_us: int, trouble: str) -> Future[None]:
    """An attempt has failed, for the reason *trouble*; the next one is due at *next_us*."""
    from storage.rows import storable

    return _change(archive, numbers, next_us=next_us, trouble=storable(trouble))


def remove(archive: Archive, numbers: Sequence[int]) -> Future[None]:
    """They are not to be sent any more."""

    def work(connection: Connection) -> None:
        from sqlalchemy import delete

        from storage.schema import outbox

        connection.execute(delete(outbox).where(outbox.c.id.in_(numbers)))

    return archive.call(work)


def _change(archive: Archive, numbers: Sequence[int], **values: Any) -> Future[None]:
    def work(connection: Connection) -> None:
        from sqlalchemy import update

        from storage.schema import outbox

        changed = update(outbox).where(outbox.c.id.in_(numbers))
        connection.execute(changed.values(attempts=outbox.c.attempts + 1, **values))

    return archive.call(work)


def _unsent() -> Select[Any]:
    from sqlalchemy import select

    from storage.schema import outbox

    return select(outbox).where(outbox.c.sent_us.is_(None)).order_by(outbox.c.made_us, outbox.c.id)


def _read(database: Database, query: Select[Any]) -> tuple[Message, ...]:
    from sqlalchemy.exc import DBAPIError

    from storage.errors import StorageError

    try:
        with database.reading() as connection:
            found = connection.execute(query).mappings().all()
    except DBAPIError as error:
        raise StorageError(f"The messages in {database.location.shown} cannot be read: {error.orig}.") from error
    return tuple(Message(**{**row, "payload": json.loads(row["payload"])}) for row in found)


def _row(message: Message) -> dict[str, Any]:
    names = ("made_us", "incident", "channel", "sent_us", "attempts", "next_us", "trouble")
    # Escapes rather than letters: half a surrogate pair is no UTF-8, and no database takes a NUL.
    return {name: getattr(message, name) for name in names} | {"payload": json.dumps(dict(message.payload))}
