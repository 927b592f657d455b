"""The archive as a check sees it: begin a run, save each result as it comes, finish.

One thread writes; every call gives a :class:`concurrent.futures.Future` that is resolved after COMMIT
(``asyncio.wrap_future`` waits for it), so a result that was acknowledged survives ``kill -9``. Importing this module does
not import SQLAlchemy, and :meth:`Archive.open` with ``wait=False`` lets that happen beside the first packets.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from probe.observations import Observation
from probe.verdict.model import EndpointResult, Run, Verdict
from storage import rows, sqlite_file
from storage.location import Location, resolve
from storage.lock import FileLock
from storage.sqlite_file import BUSY_TIMEOUT_S
from storage.writer import Writer
from targets.model import Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from probe.incidents.model import Kind
    from storage.reader import Latest, Reader
    from storage.rows import Changes

T = TypeVar("T")


class Archive:
    """One open archive. Close it, or use it as a context manager."""

    def __init__(self, location: Location, writer: Writer) -> None:
        self.location = location
        self._writer = writer
        self._reader: Reader | None = None
        self._file: tuple[int, int] | None = None
        with contextlib.suppress(OSError):
            self._file = sqlite_file.identity(location.path) if location.path is not None else None

    @classmethod
    def open(
        cls,
        url: str | Location,
        *,
        spool_dir: str | Path | None = None,
        wait: bool = True,
        wait_s: float = BUSY_TIMEOUT_S,
    ) -> Self:
        """Open the archive that *url* (a URL, a path or a :class:`Location`) names; it is made if it is not there.

        Raises :class:`~storage.errors.StorageError` where it cannot be used: a newer schema, no permission, no database.
        With ``wait=False`` only what can be seen in a few milliseconds is checked before returning (SQLite: all of these);
        trouble that comes later sends the results to the spool. *wait_s* bounds the wait for another process that upgrades
        or empties the database.
        """
        location = url if isinstance(url, Location) else resolve(url, os.environ)
        if location.path is not None and location.lock_path is not None:
            sqlite_file.check_before_writing(location.path, FileLock(location.lock_path), wait_s)
        directory = Path(spool_dir) if spool_dir is not None else location.spool_dir
        writer = Writer(location, directory, wait_s=wait_s, insist=wait)
        writer.start()
        if wait:
            writer.ready.result()
        return cls(location, writer)

    # writing

    def begin(self, run: Run, asked: Sequence[Asked]) -> Future[None]:
        """Keep the run and what was asked. First of all, once a run."""
        return self._writer.put(rows.begin(run, asked))

    def save(
        self,
        run_id: str,
        result: EndpointResult,
        observations: Iterable[Observation],
        *,
        kind: Kind | None = None,
        interface: str | None = None,
    ) -> Future[None]:
        """Keep one endpoint: its measures, observations, findings and verdict, in one transaction.

        *kind* and *interface*: how and through which way out the daemon measured it; ``None`` for a check by hand.
        """
        return self._writer.put(rows.save(run_id, result, observations, kind=kind, interface=interface))

    def put(self, changes: Changes) -> Future[None]:
        """Make *changes* in one transaction; where the database cannot take them they wait in the spool."""
        return self._writer.put(changes)

    def save_observations(self, run_id: str, observations: Iterable[Observation]) -> Future[None]:
        """Keep observations of the own side, or ones that came late."""
        return self._writer.put(rows.add_observations(run_id, observations))

    def finish(self, run: Run) -> Future[None]:
        """Keep what the run knows at its end."""
        return self._writer.put(rows.finish(run))

    def add_verdicts(self, run_id: str, verdicts: Sequence[Verdict], *, judged_us: int) -> Future[None]:
        """Add verdicts by another ruleset to a run that is kept; the earlier ones stay."""

        def add(connection: Connection) -> None:
            from storage.reader import add_versions

            add_versions(connection, run_id, verdicts, judged_us)

        return self._writer.put(add)

    def call(self, work: Callable[[Connection], T]) -> Future[T]:
        """Do *work* in a transaction of its own, in turn with the rest; the future has what it returned.

        What needs the database to be made cannot wait in the spool: :class:`~storage.errors.StorageError` then.
        """
        return self._writer.put(work)

    # reading

    @property
    def reader(self) -> Reader:
        """For reading beside the writing, from any one thread."""
        if self._reader is None:
            from storage.reader import Reader

            self._writer.ready.result()
            self._reader = Reader.open(self.location)
        return self._reader

    def runs(self) -> tuple[Run, ...]:
        """All runs, oldest first."""
        return tuple(self.reader.runs())

    def load(self, run_id: str) -> tuple[Run, tuple[Asked, ...], tuple[Observation, ...]]:
        """A run as it was; ``LookupError`` for one that is not kept."""
        return self.reader.load(run_id)

    def latest(self) -> tuple[Latest, ...]:
        """The last word on every endpoint."""
        return self.reader.latest()

    # state

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what was done besides (the spool was taken in)."""
        return tuple(self._writer.notes)

    @property
    def unsaved(self) -> str | None:
        """What the user must be told about results that are not in the database; ``None`` if all are."""
        return self._writer.trouble

    def is_in_place(self) -> bool:
        """Whether the file that is written is still where it was. Once somebody has moved or removed it, or put another in its
        place, all that is written is lost with it, and no error says so.
        """
        path = self.location.path
        if path is None:
            return True
        try:
            found = sqlite_file.identity(path)
        except OSError:  # a disk that does not answer now
            return True
        self._file = self._file or found
        # Some file systems that another machine shares number their files anew, so the number alone proves nothing.
        return found is not None and (found == self._file or sqlite_file.is_open_as(path, self._file))

    def close(self) -> None:
        """Write what was given, then close."""
        if self._reader is not None:
            self._reader.close()
        self._writer.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
