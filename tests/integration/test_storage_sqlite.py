"""The SQLite file: who may read it, who may write it, what it is told apart from, and how it grows up."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.database import Database
from storage.errors import StorageError
from storage.location import Location, parse
from storage.maintenance import alone, backup, belongings, purge, size, vacuum
from storage.reader import Reader
from tests.storage_samples import run_id, save_sample_run

MANY = 6


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "dalel.db"


@pytest.fixture
def location(path: Path) -> Location:
    return parse(str(path))


def _modes(directory: Path) -> dict[str, int]:
    return {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in directory.iterdir()}


def test_only_the_owner_can_read_it(path: Path) -> None:
    """Database, write-ahead log and lock have mode 0600 whatever the umask, in a directory with 0700."""
    before = os.umask(0)
    try:
        with Archive.open(str(path)) as archive:
            save_sample_run(archive)
            modes = _modes(path.parent)
    finally:
        os.umask(before)
    assert {"dalel.db", "dalel.db-wal", "dalel.db-shm", "dalel.db.lock"} == set(modes)
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_connection_is_set_as_designed(location: Location) -> None:
    """WAL, synchronous NORMAL, a busy timeout and foreign keys."""
    with Database.open(location, writable=True) as database, database.writing() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "busy_timeout": 30_000, "foreign_keys": 1}


def test_who_writes_for_months_holds_few_pages(location: Location) -> None:
    """Half a megabyte; whoever reads, and goes again, has SQLite's own two."""
    with Database.open(location, writable=True) as database, database.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar_one() == -500
    with Database.open(location, writable=False) as database, database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar_one() == -2000


def test_several_checks_at_once_are_all_saved(path: Path) -> None:
    """Processes that start together on a database that is not there yet: every run of every one is whole."""
    code = (
        "import sys\n"
        "from storage.archive import Archive\n"
        "from tests.storage_samples import save_sample_run\n"
        "sys.stdin.readline()\n"
        "with Archive.open(sys.argv[1]) as archive:\n"
        "    for number in range(5):\n"
        "        save_sample_run(archive, int(sys.argv[2]) * 100 + number)\n"
        "    assert archive.unsaved is None\n"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path), str(number)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in range(1, MANY + 1)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
    errors = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0] * MANY, errors
    with Reader.open(parse(str(path))) as reader:
        assert {run.id for run in reader.runs()} == {run_id(n * 100 + k) for n in range(1, MANY + 1) for k in range(5)}
        assert all(len(reader.load(run.id)[2]) == 13 for run in reader.runs())
    assert not (path.parent / "spool").exists()


def test_a_reader_does_not_stop_a_writer(location: Location) -> None:
    """An export that takes long sees one moment, and checks go on."""
    with Archive.open(location) as archive, Reader.open(location) as reader:
        save_sample_run(archive, 1)
        with reader.database.reading() as connection:
            count = "SELECT count(*) FROM runs"
            assert connection.exec_driver_sql(count).scalar_one() == 1
            save_sample_run(archive, 2)
            assert connection.exec_driver_sql(count).scalar_one() == 1
        assert reader.count_runs() == 2


def test_a_writer_has_its_place_from_the_beginning(location: Location, path: Path) -> None:
    """A transaction that reads first cannot be overtaken between its reading and its writing."""

    def overtake(_connection: object) -> None:
        with closing(sqlite3.connect(path, timeout=0.01)) as other:
            other.execute("DELETE FROM runs")

    with Archive.open(location) as archive:
        save_sample_run(archive)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            archive.call(overtake).result(timeout=30)
        assert archive.unsaved is None


def test_a_reader_cannot_write(location: Location) -> None:
    """Not even by mistake."""
    Archive.open(location).close()
    with (
        Reader.open(location) as reader,
        reader.database.reading() as connection,
        pytest.raises(Exception, match="readonly"),
    ):
        connection.exec_driver_sql("DELETE FROM runs")


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("name", ["/proc/dalel.db", "{directory}", "{file}/dalel.db", "{text}", "{stranger}"])
def test_where_nothing_can_be_kept_is_said_before_anything_is_measured(
    tmp_path: Path, name: str, *, wait: bool
) -> None:
    """An unwritable place, a directory, a text file and another program's database each give a sentence at once."""
    (tmp_path / "file").write_text("")
    (tmp_path / "text.db").write_text("This is a thesis, and not a database at all. " * 40)
    stranger = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(stranger)) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")
    typed = name.format(directory=tmp_path, file=tmp_path / "file", text=tmp_path / "text.db", stranger=stranger)
    before = stranger.read_bytes()
    with pytest.raises(StorageError, match="--database") as caught:
        Archive.open(typed, wait=wait)
    assert typed in str(caught.value)
    assert stranger.read_bytes() == before
    assert "thesis" in (tmp_path / "text.db").read_text()


def test_purge_does_not_touch_what_is_not_ours(tmp_path: Path) -> None:
    """A file that is no database of ours is refused, whatever --database says."""
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("Chapter one. " * 100)
    with pytest.raises(StorageError, match="cannot be read as a database"):
        purge(parse(str(thesis)))
    assert thesis.exists()


def test_purge_removes_everything_of_ours_and_nothing_else(location: Location, path: Path) -> None:
    """Database, lock, copies, spool; not a file that happens to lie there."""
    with Archive.open(location) as archive:
        save_sample_run(archive)
    backup(location)
    (path.parent / "spool").mkdir()
    (path.parent / "spool" / "a.jsonl").write_text('{"dalel_spool": 1, "database": "dalel.db", "schema": "0001"}\n')
    (path.parent / "notes.txt").write_text("mine")
    named = {item.path for item in belongings(location)}
    assert {item.path for item in purge(location)} == named
    assert [entry.name for entry in path.parent.iterdir()] == ["notes.txt"]


def test_purge_waits_for_nobody_who_is_writing(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a check runs, nothing is removed and the sentence says why."""
    monkeypatch.setattr("storage.maintenance._LOCK_WAIT_S", 0.1)
    with Archive.open(location) as archive:
        save_sample_run(archive)
        for action in (purge, vacuum):
            with pytest.raises(StorageError, match="Another dalel is using the database"):
                action(location)
        assert len(archive.runs()) == 1


def test_opening_waits_for_an_upgrade_but_not_for_ever(location: Location) -> None:
    """Whoever holds the database alone is waited for, as long as was asked."""
    Archive.open(location).close()
    with alone(location), pytest.raises(StorageError, match="Wait until it has finished"):
        Archive.open(location, wait_s=0.1)
    Archive.open(location, wait_s=0.1).close()


def test_a_backup_is_one_whole_file(location: Location, tmp_path: Path) -> None:
    """Made while a writer is at work; the same rows, mode 0600; an existing file is not overwritten."""
    with Archive.open(location) as archive:
        save_sample_run(archive)
        copy = backup(location, to=tmp_path / "copy.db")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with Reader.open(parse(str(copy))) as reader:
        assert reader.count_runs() == 1
    with pytest.raises(StorageError, match="not overwritten"):
        backup(location, to=copy)
    assert not list(tmp_path.glob(".*.part"))


def test_vacuum_gives_space_back(location: Location) -> None:
    """After everything is removed the file is smaller, the log included."""
    from storage.maintenance import prune

    with Archive.open(location) as archive:
        for number in range(40):
            save_sample_run(archive, number)
    with Database.open(location, writable=True) as database:
        prune(database, 4_000_000_000_000_000, dry_run=False)
    before, after = vacuum(location)
    assert after < before / 2
    assert after == size(location)


def test_a_database_in_a_read_only_place_can_be_read(location: Location, path: Path) -> None:
    """An analyst opens a copy on a read-only disk: no lock file, no writing, the rows are there."""
    with Archive.open(location) as archive:
        save_sample_run(archive)
    code = (
        "import sys\n"
        "from storage.reader import Reader\n"
        "from storage.location import parse\n"
        "with Reader.open(parse(sys.argv[1])) as reader:\n"
        "    print(reader.count_runs())\n"
    )
    path.with_name("dalel.db.lock").unlink()
    script = 'mount -t tmpfs none "$1" && cp "$2" "$1/dalel.db" && mount -o remount,ro "$1" && exec "$3" -c "$4" "$1/dalel.db"'
    place = path.parent / "read-only"
    place.mkdir()
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(place), str(path), sys.executable, code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr
