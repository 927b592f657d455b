"""The one thread that writes. Importing this costs nothing: SQLAlchemy is imported in the thread, when it starts.

Jobs are done in the order in which they were given, each in one transaction; its future is resolved after COMMIT. When
the database cannot take a job (full disk, lost server), that one and all later ones go to the spool: later rows refer to
earlier ones, so the way back is taken only with all of them. It is tried at the first job after :data:`TRY_AGAIN_S`.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
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

TRY_AGAIN_S = 30.0
"""A daemon meets a full disk or a restarting server once in its life, and must not remember it to its end."""

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
        self._tried = 0.0
        self._connection: Connection | None = None
        self._stack = contextlib.ExitStack()
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
        with self._stack as stack:
            stack.callback(self._spool.close)
            try:
                self._connect()
            except StorageError as error:
                self._unusable(str(error), error)
            except BaseException as error:
                self._unusable(f"a bug of ours: {error}", error)
            else:
                self.ready.set_result(None)
            if self._connection is not None or not self._insist:
                self._work()

    def _connect(self) -> None:
        """Open the database, and take in what waits in the spool."""
        from storage.database import Database
        from storage.taking import take_in

        with contextlib.ExitStack() as stack:
            database = stack.enter_context(Database.open(self._location, writable=True, wait_s=self._wait_s))
            connection = stack.enter_context(database.engine.connect())
            self.notes.extend(take_in(connection, self._spool_dir, self._location.identity))
            self._stack.push(stack.pop_all())
        self._connection = connection

    def _unusable(self, reason: str, error: BaseException) -> None:
        self._troubled(reason)
        self.ready.set_exception(error)

    def _troubled(self, reason: str) -> None:
        self._reason = reason
        self._tried = time.monotonic()

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, future = item
            # Whoever waited may have been cancelled (Ctrl-C); what was measured is kept all the same.
            waited_for = future.set_running_or_notify_cancel()
            try:
                done = self._do(job)
            except BaseException as error:
                # Whoever waits for the future gets it, a bug of ours as well; the thread serves the others.
                if waited_for:
                    future.set_exception(error)
            else:
                if waited_for:
                    future.set_result(done)

    def _do(self, job: Job) -> Any:
        if self._reason is not None and time.monotonic() - self._tried >= TRY_AGAIN_S:
            self._try_again()
        if self._connection is None or self._reason is not None:
            return self._keep(job)
        from storage.database import is_trouble
        from storage.taking import commit

        try:
            return commit(self._connection, job)
        except Exception as error:
            if not is_trouble(error):
                raise
            self._troubled(_first_line(error))
            return self._keep(job)

    def _try_again(self) -> None:
        """Go back to the database if it takes all that waits in our spool file."""
        self._tried = time.monotonic()
        try:
            self._spool.close()
            if self._connection is None:
                self._connect()
            else:
                self._take_in(self._connection)
        except Exception as error:
            self._reason = _first_line(error)
            return
        if self._spool.path is None or not self._spool.path.exists():
            self._reason, self._lost = None, 0

    def _take_in(self, connection: Connection) -> None:
        from storage.taking import take_in

        # A connection that has met trouble may be half in a transaction.
        connection.rollback()
        notes = take_in(connection, self._spool_dir, self._location.identity)
        # A disk that stays full for days says so every half a minute.
        self.notes.extend(note for note in notes if note not in self.notes)

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
