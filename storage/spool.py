"""Results that the database could not take, kept as JSON Lines until a later run can put them in.

One file a run, mode 0600. The first line says whose it is; each further line is one transaction. The writer holds the
file locked; a line without its newline was cut off by a crash and was never acknowledged. No SQLAlchemy in here.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.revisions import HEAD
from storage.rows import Changes, changes_from_json, changes_to_json

SUFFIX = ".jsonl"
REJECTED = ".rejected"


class SpoolWriter:
    """An open spool file of one archive; made at the first line. ``OSError`` where it cannot be written."""

    def __init__(self, directory: Path, identity: str) -> None:
        self._directory = directory
        self._identity = identity
        self._descriptor: int | None = None
        self.path: Path | None = None

    def append(self, changes: Changes) -> None:
        """Write one transaction and see that it is on the disk before returning."""
        descriptor = self._open()
        start = os.lseek(descriptor, 0, os.SEEK_END)
        try:
            _write(descriptor, {"changes": changes_to_json(changes)})
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(descriptor, start)
            raise

    def _open(self) -> int:
        if self._descriptor is not None:
            return self._descriptor
        if self.path is not None and (again := self._reopen(self.path)) is not None:
            self._descriptor = again
            return again
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._directory / f"{os.urandom(8).hex()}{SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(descriptor, {"dalel_spool": 1, "database": self._identity, "schema": HEAD})
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self._descriptor, self.path = descriptor, path
        return descriptor

    def _reopen(self, path: Path) -> int | None:
        """Go on with our file where it is still there and nobody is taking it in."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink == 0:
                raise FileNotFoundError(path)
        except OSError:
            os.close(descriptor)
            return None
        return descriptor

    def close(self) -> None:
        """Let go of the file, so that it can be taken in; another line goes on with it if it is still there."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _write(descriptor: int, line: dict[str, Any]) -> None:
    data = memoryview(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


def files(directory: Path, identity: str) -> list[Path]:
    """The spool files of one database, oldest first; those that are somebody else's or unreadable are left out."""
    try:
        found = [path for path in directory.glob(f"*{SUFFIX}") if _identity(path) == identity]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)
    except OSError:
        return []


def _identity(path: Path) -> object:
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    return header.get("database") if isinstance(header, dict) else None


@contextmanager
def taken(path: Path) -> Iterator[Iterator[Changes] | None]:
    """The transactions of a spool file, which is locked meanwhile; ``None`` where another process is busy with it.

    The iterator raises ``ValueError``, ``KeyError`` or ``TypeError`` for lines that are none of ours.
    """
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield _transactions(file)


def _transactions(lines: Iterator[bytes]) -> Iterator[Changes]:
    next(lines, None)
    for line in lines:
        if line.endswith(b"\n"):
            yield changes_from_json(json.loads(line)["changes"])


def reject(path: Path) -> Path:
    """Set a file aside that no database can take; nothing is ever thrown away here."""
    return path.rename(path.with_name(path.name + REJECTED))
