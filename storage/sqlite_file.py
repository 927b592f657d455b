"""A SQLite file seen without SQLAlchemy: made with the right mode, its state read, its troubles put in sentences."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from storage.errors import NewerSchemaError, NoDatabaseError, StorageError
from storage.lock import FileLock
from storage.revisions import HEAD, State, state_of

BUSY_TIMEOUT_S = 30.0
"""How long a transaction waits for those of other processes. A transaction of ours takes about a millisecond."""


_SMALLEST = 131_072
"""An empty database with its log and shared memory does not fit into less."""


def uri(path: Path, mode: str) -> str:
    """An SQLite URI; *mode* is ``ro`` or ``rw``. Neither creates a file.

    SQLite reads a WAL database only with files beside it; where none can be made, and none is there, nobody writes either.
    """
    alone = mode == "ro" and not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return f"file:{quote(str(path))}?mode={mode}{'&immutable=1' if alone else ''}"


def reading_mode(path: Path) -> str:
    """How to open *path* for reading: a connection that may write takes its -wal and -shm away when it is the last."""
    return "rw" if os.access(path, os.W_OK) else "ro"


def make(path: Path) -> None:
    """See that *path* is a file that only its owner can read and that can be written, with its directories.

    The -wal and -shm files get the same mode from SQLite. Raises :class:`StorageError`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise cannot_write(path, error.strerror or str(error)) from error


def cannot_write(path: Path, reason: str) -> StorageError:
    """The sentence for a place that cannot be written; a full disk has several names in SQLite, and one here."""
    said, do = ("the disk is full", "Make room") if _is_full(path.parent) else (reason, "Make it writable")
    return StorageError(
        f"Results cannot be kept in {path}: {said}. {do}, name another file with --database, or check with --no-save."
    )


def _is_full(directory: Path) -> bool:
    try:
        disk = os.statvfs(directory)
    except OSError:
        return False
    return disk.f_blocks > 0 and disk.f_bavail * disk.f_frsize < _SMALLEST


def require(path: Path) -> None:
    """Raise :class:`NoDatabaseError` where there is no file to read."""
    if not path.exists():
        raise NoDatabaseError(str(path))


def identity(path: Path) -> tuple[int, int] | None:
    """Which file *path* is, whatever it is called; ``None`` where there is none. ``OSError`` where that cannot be told."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def is_open_as(path: Path, file: tuple[int, int] | None) -> bool:
    """Whether this process has *file* open by that very name, which the kernel follows when files are moved and removed
    (proc_pid_fd(5)); ``False`` where it does not tell.
    """
    wanted = path.resolve()
    with contextlib.suppress(OSError):
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                opened = link.stat()
                if (opened.st_dev, opened.st_ino) == file and link.readlink() == wanted:
                    return True
    return False


def read_state(path: Path) -> tuple[State, str | None]:
    """Where the file stands and its revision. Raises :class:`StorageError` where it is no SQLite database."""
    try:
        with closing(sqlite3.connect(uri(path, reading_mode(path)), uri=True, timeout=BUSY_TIMEOUT_S)) as connection:
            names = frozenset(
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            )
            row = None
            if "alembic_version" in names:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StorageError(
            f"{path} cannot be read as a database ({error}). Name another file with --database."
        ) from error
    stamp = row[0] if row else None
    return state_of(names, stamp), stamp


def check_state(shown: str, state: State, stamp: str | None) -> None:
    """Raise for a database that is not ours to touch: a newer one, or somebody else's."""
    if state == "newer":
        raise NewerSchemaError(shown, str(stamp), HEAD)
    if state == "foreign":
        raise StorageError(f"{shown} is a database of another program. Name another one with --database.")


def check_before_writing(path: Path, lock: FileLock, wait_s: float) -> None:
    """All that can be found wrong in a few milliseconds, before anything is measured. Leaves nothing locked."""
    make(path)
    try:
        with lock:
            lock.acquire(alone=False, wait_s=wait_s)
            try:
                check_state(str(path), *read_state(path))
            except StorageError:
                lock.discard()
                raise
    except OSError as error:
        raise cannot_write(path, error.strerror or str(error)) from error
