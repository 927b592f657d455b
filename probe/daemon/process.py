"""The process around the daemon: what it tells systemd, and that there is one a database.

``sd_notify`` is written out here (sd_notify(3), "Notes": a datagram to the socket that ``NOTIFY_SOCKET`` names); it is
twenty lines, and a dependency less. Without a supervisor nothing is sent, and nothing fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storage.errors import StorageError
from storage.location import Location
from storage.lock import FileLock


class Supervisor:
    """Whoever started this process and wants to hear of its state (systemd, or nobody)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog_s = _watchdog(environ, os.getpid())
        """How often it must hear ``WATCHDOG=1``; ``None`` if it does not ask for that."""

    @property
    def listens(self) -> bool:
        return self._address is not None

    def ready(self, status: str) -> None:
        self._tell("READY=1", f"STATUS={_line(status)}")

    def reloading(self) -> None:
        """Must be followed by :meth:`ready`. systemd wants the time of its clock beside it (``Type=notify-reload``)."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=Reading the settings again.")

    def stopping(self) -> None:
        self._tell("STOPPING=1", "STATUS=Stopping: what is being measured is finished and kept.")

    def status(self, status: str) -> None:
        """One line that ``systemctl status`` shows."""
        self._tell(f"STATUS={_line(status)}")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        # A supervisor that is gone or does not read is its own trouble: nothing is measured worse for it.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
        ):
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode(), self._address)


def _address(named: str) -> str | bytes | None:
    """Where it listens. ``@`` at the beginning means Linux's abstract names, which begin with a zero byte (unix(7))."""
    if named.startswith("@"):
        return b"\0" + os.fsencode(named[1:])
    return named if named.startswith("/") else None


def _watchdog(environ: Mapping[str, str], pid: int) -> float | None:
    """Half of what it waits at most, as sd_watchdog_enabled(3) advises; ``None`` where it does not wait for us."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    try:
        microseconds = int(environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 2e6 if microseconds > 0 else None


def _line(text: str) -> str:
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Orders:
    """What somebody outside wants of the process: to stop, to stop at once, to read its settings again."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)

    def stopping(self) -> None:
        """Finish what is under way, within a deadline. Asked twice: at once."""
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Take them from signals: SIGTERM and SIGINT stop, SIGHUP reads again."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stopping)
        loop.add_signal_handler(signal.SIGINT, self.stopping)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    async def stop_within(self, seconds: float) -> bool:
        """Whether the order to stop comes within so many (real) seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self.stop.wait()
        except TimeoutError:
            return False
        return True


class AnotherRunError(StorageError):
    """Somebody else watches with this database."""


@contextlib.contextmanager
def only_one(location: Location) -> Iterator[None]:
    """Hold the place of the one daemon of this database. Raises :class:`AnotherRunError` where another has it, and
    :class:`StorageError` where there can be none.

    It is a lock of its own beside the database's: a check, an export or a backup may go on beside a daemon. Two daemons
    on one PostgreSQL database are two probes, and may be.
    """
    if location.path is None:
        yield
        return
    path = Path(f"{location.path}.run")
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire(alone=True, wait_s=0.0)
    except StorageError:
        raise AnotherRunError(
            f"Another `dalel run` is watching with this database ({location.shown}). Stop it first, or give this one a "
            "database of its own (--database)."
        ) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be made: {(error.strerror or str(error)).lower()}.") from error
    with lock:
        try:
            yield
        finally:
            # Whoever comes meanwhile sees that the file that it locked is gone, and makes another.
            path.unlink(missing_ok=True)
