"""Faults under a daemon's archive: no committed row is ever lost, what cannot be written waits, and one clear line says so."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from storage import incidents, own_sides, readings, writer
from storage.archive import Archive
from storage.location import parse
from storage.reader import Reader
from tests.integration.test_storage_rounds import keep, looked
from tests.storage_samples import sample_run

KILLS = 100

# One process has imported everything and writes nothing; it forks the writers and ends each at a random moment.
WRITES = """
import os, random, sys, time
from probe.incidents.model import Event, Incident, OwnSide
from storage import incidents, outbox, own_sides, rounds
from storage.archive import Archive
from storage.database import Database
from storage.taking import take_in
from tests.integration.test_storage_rounds import looked
from tests.storage_samples import sample_run

def write(path, numbers, told):
    with Archive.open(path) as archive:
        for number in numbers:
            run = sample_run(number, finished=True)
            looks = [looked(run, 1), looked(run, 2, "blocked" if number % 3 == 0 else "accessible", "full")]
            archive.put(rounds.changes(run, looks)).result()
            own_sides.save(archive, OwnSide(run="", at_us=run.started_us, status="ok")).result()
            incident = Incident(id=f"{number:08x}", status="blocked", began_by_us=1, opened_us=1, changed_us=1)
            incidents.save(archive, incident, [Event(incident=incident.id, number=1, kind="opened", at_us=1)]).result()
            outbox.put(archive, [outbox.Message(made_us=run.started_us, incident=incident.id, channel="log")]).result()
            os.write(told, b"%d\\n" % number)

path, times, how, chance = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), random.Random(5)
for turn in range(times):
    reading, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write(path, range(turn * 1000, turn * 1000 + 1000), told)
        os._exit(1)
    os.close(told)
    with open(reading, "rb") as lines:
        first = lines.readline()
        time.sleep(chance.uniform(0, 0.1))
        os.kill(child, how)
        rest = lines.read()
    _pid, status = os.waitpid(child, 0)
    assert first and os.WTERMSIG(status) == how, (first, status)
    # The last line may be cut off, like anything else.
    sys.stdout.write((first + rest[: rest.rfind(b"\\n") + 1]).decode())
"""


def _stopped(path: Path, times: int, how: signal.Signals) -> list[int]:
    """What was acknowledged by writers that were stopped *times* times."""
    command = [sys.executable, "-c", WRITES, str(path), str(times), str(int(how))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_stopped_at_any_moment_nothing_that_was_acknowledged_is_lost(tmp_path: Path, how: signal.Signals) -> None:
    """Rounds in both forms, looks, incidents with their events, messages: all are there, whole, and the file is sound."""
    path = tmp_path / "dalel.db"
    times = KILLS if how == signal.SIGKILL else 5
    told = _stopped(path, times, how)
    assert len(told) >= times
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        kept = {row[0] for row in connection.execute("SELECT incident FROM outbox")}
    with Reader.open(parse(str(path))) as reader:
        looks = {look.at_us for look in own_sides.between(reader.database, 0)}
        seen: dict[int, int] = {}
        for reading in readings.between(reader.database, 0):
            seen[reading.at_us // 60_000_000] = seen.get(reading.at_us // 60_000_000, 0) + 1
        for number in told:
            assert f"{number:08x}" in kept
            assert len(incidents.events(reader.database, f"{number:08x}")) == 1
            run = sample_run(number)
            assert run.started_us in looks
        # A round is there with both of its readings or not at all.
        assert set(seen.values()) == {2}
        assert len(seen) >= len(told)


def test_a_database_that_another_process_holds_is_waited_for(tmp_path: Path) -> None:
    """Seconds are waited out: nothing goes to the spool, and nothing is said."""
    path = tmp_path / "dalel.db"
    with Archive.open(str(path)) as archive:
        other = sqlite3.connect(path, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(1.0, other.rollback).start()
        run = sample_run(1, finished=True)
        keep(archive, run, looked(run, 1))
        other.close()
        assert archive.unsaved is None
        assert len(list(readings.between(archive.reader.database, 0))) == 1


def said(archive: Archive) -> str | None:
    """What the user is told now."""
    return archive.unsaved


def _writer_says(archive: Archive, pragma: str) -> None:
    archive.call(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}") and None).result(30)


def test_a_database_that_is_held_for_too_long_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written waits in the spool, one line says why, and when the lock is gone everything is there."""
    monkeypatch.setattr(writer, "TRY_AGAIN_S", 0.0)
    path = tmp_path / "dalel.db"
    with Archive.open(str(path)) as archive, closing(sqlite3.connect(path)) as other:
        _writer_says(archive, "busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        for number in range(3):
            run = sample_run(number, finished=True)
            keep(archive, run, looked(run, 1), looked(run, 2, "blocked"))
        told = said(archive)
        assert told is not None
        assert "database is locked" in told
        assert len(told.splitlines()) == 1
        other.rollback()
        run = sample_run(3, finished=True)
        keep(archive, run, looked(run, 1))
        assert archive.unsaved is None
        assert len(list(readings.between(archive.reader.database, 0))) == 7


def test_a_disk_that_becomes_read_only_is_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux remounts a failing disk read-only: one line says so, and nothing is lost once it can be written again."""
    monkeypatch.setattr(writer, "TRY_AGAIN_S", 3600.0)
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        _writer_says(archive, "query_only = 1")
        for number in range(3):
            run = sample_run(number, finished=True)
            keep(archive, run, looked(run, 1))
        assert archive.unsaved is not None
        assert "readonly database" in archive.unsaved
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        archive.call(lambda _connection: None).result(30)
        assert len(list(readings.between(archive.reader.database, 0))) == 3


def test_a_page_that_fails_under_a_daemon_costs_no_new_row(tmp_path: Path) -> None:
    """Results that would go to the damaged page wait in the spool, whole, and the line says that it is damaged."""
    path = tmp_path / "dalel.db"
    with Archive.open(str(path)) as archive:
        run = sample_run(1, finished=True)
        keep(archive, run, looked(run, 1))
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'readings'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    with Archive.open(str(path)) as archive:
        run = sample_run(2, finished=True)
        keep(archive, run, looked(run, 1))
        assert archive.unsaved is not None
        assert "malformed" in archive.unsaved
        (waiting,) = (tmp_path / "spool").iterdir()
        assert waiting.read_text().count('"readings"') == 1
