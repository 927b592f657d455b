"""A daemon's archive finds back to its database when the trouble is over, with everything that waited, once and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from storage import days, taking, writer
from storage.archive import Archive
from storage.errors import StorageError
from storage.location import parse
from tests.storage_samples import run_id, sample_asked, sample_observations, sample_result, sample_run

pytest_plugins = ("tests.postgresql",)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "TRY_AGAIN_S", 0.0)


def _pages(count: int) -> Callable[[object], None]:
    """A job that lets the database grow to *count* pages only."""

    def limit(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {count}")  # type: ignore[attr-defined]

    return limit


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set it, and the database may grow again."""
    free = threading.Event()
    real = taking.take_in

    def take_in(connection: Connection, directory: Path, identity: str) -> list[str]:
        if free.is_set():
            connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
            connection.rollback()
        return real(connection, directory, identity)

    monkeypatch.setattr(taking, "take_in", take_in)
    return free


def said(archive: Archive) -> str | None:
    """What the user is told now."""
    return archive.unsaved


def _save(archive: Archive, numbers: range) -> None:
    run, asked = sample_run(1), sample_asked(200)
    for number in numbers:
        seen = sample_observations(1 + 4 * (number - 1), number, run.started_us)
        archive.save(run.id, sample_result(asked[number - 1], run, seen), seen).result(timeout=30)


def test_a_disk_that_has_room_again_is_written_again(tmp_path: Path, room: threading.Event) -> None:
    """What waited goes in first; then nothing waits, nothing is unsaved, and what cannot wait works as well."""
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        archive.begin(sample_run(1), sample_asked(200)).result(timeout=30)
        archive.call(_pages(1)).result(timeout=30)
        _save(archive, range(1, 80))
        assert said(archive) is not None
        (waiting,) = (tmp_path / "spool").iterdir()
        with pytest.raises(StorageError, match="full"):
            days.add(archive, days.Day(day="2026-11-22", rounds=1)).result(timeout=30)
        room.set()
        _save(archive, range(80, 82))
        assert said(archive) is None
        assert not waiting.exists()
        days.add(archive, days.Day(day="2026-11-22", rounds=1)).result(timeout=30)
        assert sorted(archive.reader.verdicts(run_id(1))) == list(range(1, 82))
        assert len(archive.load(run_id(1))[2]) == 4 * 81
    assert list((tmp_path / "spool").iterdir()) == []


def test_trouble_that_comes_back_keeps_everything(tmp_path: Path, room: threading.Event) -> None:
    """Twice full, twice free: a new spool file each time, every result once."""
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        archive.begin(sample_run(1), sample_asked(200)).result(timeout=30)
        for start in (1, 101):
            room.clear()
            archive.call(_pages(1)).result(timeout=30)
            _save(archive, range(start, start + 70))
            assert said(archive) is not None
            room.set()
            _save(archive, range(start + 70, start + 100))
            assert said(archive) is None
        assert sorted(archive.reader.verdicts(run_id(1))) == list(range(1, 201))


def test_a_disk_that_stays_full_says_so_once(tmp_path: Path) -> None:
    """However often it is tried, the notes do not grow."""
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        archive.begin(sample_run(1), sample_asked(200)).result(timeout=30)
        archive.call(_pages(1)).result(timeout=30)
        _save(archive, range(1, 150))
        assert said(archive) is not None
        assert len(archive.notes) == len(list((tmp_path / "spool").iterdir())) == 1


def test_a_server_that_comes_back_is_used_again(postgresql_url: str, tmp_path: Path) -> None:
    """A connection that was cut is made anew, and all results are there."""
    with Archive.open(parse(postgresql_url, data_dir=tmp_path)) as archive:
        archive.begin(sample_run(1), sample_asked(200)).result(timeout=30)
        _save(archive, range(1, 4))
        with psycopg.connect(postgresql_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        _save(archive, range(4, 7))
        assert said(archive) is None
        assert sorted(archive.reader.verdicts(run_id(1))) == [1, 2, 3, 4, 5, 6]


def test_a_database_that_could_not_be_opened_is_opened_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that began without its database (another was upgrading it) writes there as soon as it can."""
    from storage.database import Database

    opened, tries = Database.open, []

    def fail_once(*arguments: object, **named: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise StorageError("Another dalel is using the database.")
        return opened(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "open", fail_once)
    with Archive.open(str(tmp_path / "dalel.db"), wait=False) as archive:
        archive.begin(sample_run(1), sample_asked(200)).result(timeout=30)
        _save(archive, range(1, 3))
        assert said(archive) is None
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        assert sorted(archive.reader.verdicts(run_id(1))) == [1, 2]
