"""The lock file beside a SQLite database.

Whoever reads or writes holds it shared, so that any number of checks run beside one another (SQLite's own locks order
their transactions). Whoever creates, upgrades, empties or removes the database holds it alone.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from storage.errors import StorageError

_POLL_S = 0.02


class FileLock:
    """A lock on *path* (created with mode 0600), held from :meth:`acquire` to :meth:`release`. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._made = False

    def acquire(self, *, alone: bool, wait_s: float) -> None:
        """Take it within *wait_s* seconds, or raise :class:`StorageError`; ``OSError`` where no file can be made."""
        deadline = time.monotonic() + wait_s
        operation = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
        while True:
            self._made = self._made or not self._path.exists()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self._try(descriptor, operation):
                self._descriptor = descriptor
                return
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise StorageError(
                    f"Another dalel is using the database ({self._path} is locked). Wait until it has finished, or stop "
                    "`dalel run`."
                )
            time.sleep(_POLL_S)

    def _try(self, descriptor: int, operation: int) -> bool:
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            return False
        # `dalel purge` removes the file: a lock on a removed file locks nothing, so the file's identity is compared.
        try:
            there = os.stat(self._path)  # noqa: PTH116 - beside fstat
        except FileNotFoundError:
            return False
        mine = os.fstat(descriptor)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def release(self) -> None:
        """Let go; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Let go, and leave no file behind if there was none: what it would guard is no database of ours."""
        if self._made:
            self._path.unlink(missing_ok=True)
            self._made = False
        self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.release()
