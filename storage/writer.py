"""The one thread that writes. Importing this costs nothing: SQLAlchemy is imported in the thread, when it starts.

Jobs are done in the order in which they were given, each in one transaction; its future is resolved after COMMIT. When
the database cannot take a job (full disk, lost server), that one and all later ones go to the spool: later rows refer to
earlier ones, so going back and forth would lose some.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import StorageError
from storage.location import Location
from storage.rows import Changes
from storage.spool import SpoolWriter

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage.database import Database

Job = Changes | Callable[["Connection"], Any]


class Writer:
    """The writing thread of one archive.

    ``ready`` is resolved when the database is open, with the exception where it could not be. ``notes`` are sentences
    for the user. *insist*: without a database there is no writer; otherwise its jobs go to the spool.
    """

    def __init__(self, location: Location, spool_dir: Path, *, wait_s: float, insist: bool) -> None:
        self._location = location
        self._wait_s = wait_s
        self._insist = insist
        self._jobs: queue.SimpleQueue[tuple[Job, Future[Any]] | None] = queue.SimpleQueue()
        self._spool = SpoolWriter(spool_dir, location.identity)
        self._spool_dir = spool_dir
        self._spooled = 0
        self._lost = 0
        self._reason: str | None = None
        self._thread = threading.Thread(target=self._run, name="dalel-archive", daemon=True)
        self.ready: Future[None] = Future()
        self.notes: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> Future[Any]:
        """Give a job; the future is resolved when it is on the disk."""
        future: Future[Any] = Future()
        self._jobs.put((job, future))
        return future

    def stop(self) -> None:
        """Do what was given, close the database, end the thread."""
        self._jobs.put(None)
        self._thread.join()

    @property
    def trouble(self) -> str | None:
        """What the user must be told about results that are not in the database; ``None`` if all are."""
        if self._reason is None:
            return None
        where = self._location.shown
        if self._lost:
            return (
                f"Results could not be kept: {where} cannot be written ({self._reason}), and the spool cannot either."
            )
        return (
            f"Results could not be written to {where} ({self._reason}). They are kept in {self._spool.path or self._spool_dir} "
            "and go into the database the next time Dalel can write there."
        )

    # in the thread

    def _run(self) -> None:
        database = self._opened()
        if database is None and self._insist:
            return
        try:
            self._serve(database)
        finally:
            self._spool.close()
            if database is not None:
                database.close()

    def _opened(self) -> Database | None:
        try:
            from storage.database import Database

            database = Database.open(self._location, writable=True, wait_s=self._wait_s)
        except StorageError as error:
            self._reason = str(error)
            self.ready.set_exception(error)
        except BaseException as error:
            self._reason = f"a bug of ours: {error}"
            self.ready.set_exception(error)
        else:
            self.ready.set_result(None)
            return database
        return None

    def _serve(self, database: Database | None) -> None:
        if database is None:
            self._work(None)
            return
        from storage.taking import take_in

        with database.engine.connect() as connection:
            self.notes.extend(take_in(connection, self._spool_dir, self._location.identity))
            self._work(connection)

    def _work(self, connection: Connection | None) -> None:
        while (item := self._jobs.get()) is not None:
            job, future = item
            try:
                future.set_result(self._do(connection, job))
            except BaseException as error:
                # Whoever waits for the future gets it, a bug of ours as well; the thread serves the others.
                future.set_exception(error)

    def _do(self, connection: Connection | None, job: Job) -> Any:
        if connection is None or self._reason is not None:
            return self._keep(job)
        from storage.taking import commit, is_trouble

        try:
            return commit(connection, job)
        except Exception as error:
            if not is_trouble(error):
                raise
            self._reason = _first_line(error)
            return self._keep(job)

    def _keep(self, job: Job) -> None:
        if callable(job):
            raise StorageError(f"{self._location.shown} cannot be written: {self._reason}.")
        try:
            self._spool.append(job)
        except OSError as error:
            self._lost += 1
            raise StorageError(
                f"A result could not be kept: {self._location.shown} cannot be written ({self._reason}), "
                f"and {self._spool_dir} cannot either ({error.strerror})."
            ) from error
        self._spooled += 1


def _first_line(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return (str(original).strip().splitlines() or [type(original).__name__])[0]
