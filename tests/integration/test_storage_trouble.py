"""When it goes wrong: killed at any moment, a full disk, a server that goes away. What was acknowledged is not lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from storage import spool
from storage.archive import Archive
from storage.errors import StorageError
from storage.location import parse
from storage.reader import Reader
from tests.storage_samples import (
    run_id,
    sample_asked,
    sample_observations,
    sample_result,
    sample_run,
    save_sample_run,
)

pytest_plugins = ("tests.postgresql",)

KILLS = 12
CHILD = """
import os, sys
from storage.archive import Archive
from tests.storage_samples import sample_asked, sample_observations, sample_result, sample_run

number, run = 1, sample_run(int(sys.argv[2]))
asked = sample_asked(4000)
with Archive.open(sys.argv[1]) as archive:
    archive.begin(run, asked)
    for one in asked:
        seen = sample_observations(number, one.number, run.started_us)
        number += len(seen)
        archive.save(run.id, sample_result(one, run, seen), seen).result()
        # A result is acknowledged by its number on stdout; the pipe keeps it when we are killed.
        os.write(1, b"%d\\n" % one.number)
"""


def _kill_after(path: Path, number: int, seconds: float) -> list[int]:
    """Run a writing child, kill it that long after its first result, and return what it had acknowledged."""
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path), str(number)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    try:
        first = child.stdout.readline()
        time.sleep(seconds)
    finally:
        child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    child.stdout.close()
    assert child.wait(timeout=30) == -signal.SIGKILL
    # The last line may be cut off, like anything else.
    return [int(line) for line in (first + rest).splitlines(keepends=True) if line.endswith(b"\n")]


def test_killed_at_any_moment_it_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """kill -9, many times over: the file is sound, every acknowledged result is there and whole, one more at most."""
    path, chance = tmp_path / "dalel.db", random.Random(20261121)
    acknowledged = {number: _kill_after(path, number, chance.uniform(0, 0.15)) for number in range(1, KILLS + 1)}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert sum(map(len, acknowledged.values())) > 10 * KILLS
    with Reader.open(parse(str(path))) as reader:
        for number, told in acknowledged.items():
            _run, _asked, observations = reader.load(run_id(number))
            kept = sorted(reader.verdicts(run_id(number)))
            assert kept[: len(told)] == told
            assert len(kept) - len(told) <= 1
            # All of a result or nothing of it: four observations for each verdict, numbered without a gap.
            assert [o.number for o in observations] == list(range(1, 4 * len(kept) + 1))


# ---------------------------------------------------------------------------------------------------------------------
# full disk

FULL = """
import json, sys
from storage.archive import Archive
from storage.errors import StorageError
from tests.storage_samples import sample_asked, sample_observations, sample_result, sample_run

run, asked, number, lost = sample_run(1), sample_asked(400), 1, 0
with Archive.open(sys.argv[1], spool_dir=sys.argv[2]) as archive:
    archive.begin(run, asked).result()
    for one in asked:
        seen = sample_observations(number, one.number, run.started_us)
        number += len(seen)
        try:
            archive.save(run.id, sample_result(one, run, seen), seen).result()
        except StorageError as error:
            lost, words = lost + 1, str(error)
    archive.finish(sample_run(1, finished=True))
print(json.dumps({"unsaved": archive.unsaved, "lost": lost}))
"""
MOUNT = 'mount -t tmpfs -o size=600k none "$1" && "$2" -c "$3" "$1/dalel.db" "$4" && cp "$1"/dalel.db* "$5"'


def _in_full_disk(tmp_path: Path, spool_dir: str) -> str:
    """Run ``FULL`` on a disk of 600 KB in a mount namespace of its own; the database is copied to ``kept`` after."""
    small, kept = tmp_path / "small", tmp_path / "kept"
    small.mkdir()
    kept.mkdir()
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", MOUNT, "sh", str(small), sys.executable, FULL, spool_dir, str(kept)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_on_a_full_disk_results_go_to_the_spool_and_back(tmp_path: Path) -> None:
    """A real full disk: everything is kept in one place or the other, the user is told, and a later run takes it in."""
    waiting = tmp_path / "spool"
    told = _in_full_disk(tmp_path, str(waiting))
    assert "disk is full" in told
    assert str(waiting) in told
    assert '"lost": 0' in told
    database = parse(str(tmp_path / "kept" / "dalel.db"))
    with Reader.open(database) as reader:
        before = len(reader.verdicts(run_id(1)))
    assert 0 < before < 400
    with Archive.open(database, spool_dir=waiting) as archive:
        archive.finish(sample_run(1, finished=True)).result(timeout=60)
        assert archive.unsaved is None
        (note,) = archive.notes
        assert "Took" in note
        assert sorted(archive.reader.verdicts(run_id(1))) == list(range(1, 401))
        run, _asked, observations = archive.load(run_id(1))
    assert run == sample_run(1, finished=True)
    assert [o.number for o in observations] == list(range(1, 1601))
    assert list(waiting.iterdir()) == []


def test_a_database_that_cannot_be_made_for_want_of_space_is_said(tmp_path: Path) -> None:
    """Before anything is measured, with the reason; not as a bug of ours."""
    script = 'mount -t tmpfs -o size=24k none "$1" && "$2" -c "$3" "$1/dalel.db"'
    code = (
        "import sys\nfrom storage.archive import Archive\nfrom storage.errors import StorageError\n"
        "try:\n    Archive.open(sys.argv[1])\nexcept StorageError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", str(tmp_path), sys.executable, code],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Results cannot be kept in {tmp_path}/dalel.db: ")
    assert "full" in done.stdout
    assert "--no-save" in done.stdout


def test_when_the_spool_is_full_too_each_lost_result_is_said(tmp_path: Path) -> None:
    """Nothing is lost silently: the future fails and the archive says so."""
    told = _in_full_disk(tmp_path, str(tmp_path / "small" / "spool"))
    assert '"lost": 0' not in told
    assert "could not be kept" in told


# ---------------------------------------------------------------------------------------------------------------------
# the spool, step by step


def _fill(archive: Archive, endpoints: Sequence[int], *, first: int = 1) -> None:
    run, number = sample_run(1), first
    for one in sample_asked(max(endpoints)):
        if one.number in endpoints:
            seen = sample_observations(number, one.number, run.started_us)
            number += len(seen)
            archive.save(run.id, sample_result(one, run, seen), seen).result(timeout=30)


def _limit(archive: Archive, pages: int | None) -> Callable[[object], None]:
    """A job that lets the database grow no further, or again."""

    def limit(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages or 2**30}")  # type: ignore[attr-defined]

    return limit


def test_once_in_trouble_later_results_stay_in_order(tmp_path: Path) -> None:
    """After the first that the database could not take, all go to the spool, even if it could take them again."""
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        archive.begin(sample_run(1), sample_asked(60)).result(timeout=30)
        archive.call(_limit(archive, 1)).result(timeout=30)
        _fill(archive, range(1, 60))
        assert archive.unsaved is not None
        (waiting,) = (tmp_path / "spool").iterdir()
        # What cannot wait in a file says so instead.
        with pytest.raises(StorageError, match="full"):
            archive.call(_limit(archive, None)).result(timeout=30)
    with spool.taken(waiting) as transactions:
        assert transactions is not None
        assert len(list(transactions)) > 1
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        assert sorted(archive.reader.verdicts(run_id(1))) == list(range(1, 60))


def test_a_spool_that_was_taken_in_halfway_is_taken_in_once(tmp_path: Path) -> None:
    """A crash after COMMIT and before the file was removed: the same rows again change nothing."""
    path = tmp_path / "dalel.db"
    with Archive.open(str(path)) as archive:
        save_sample_run(archive)
    (tmp_path / "spool").mkdir()
    writer = spool.SpoolWriter(tmp_path / "spool", "dalel.db")
    from storage import rows

    asked, run = sample_asked(3), sample_run(1)
    seen = sample_observations(2, 1, run.started_us)
    for changes in (rows.begin(run, asked), rows.save(run.id, sample_result(asked[0], run, seen), seen)):
        writer.append(changes)
    writer.close()
    with Archive.open(str(path)) as archive:
        archive.call(lambda _connection: None).result(timeout=30)
        assert sorted(archive.reader.verdicts(run.id)) == [1, 2, 3]
        assert len(archive.load(run.id)[2]) == 13
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_cancelled_waiter_loses_nothing(tmp_path: Path) -> None:
    """Ctrl-C cancels whoever waits; the result is kept, and the writer goes on with the next."""
    gate = threading.Event()

    def hold(_connection: object) -> None:
        assert gate.wait(30)

    run, asked, seen = sample_run(1), sample_asked(1), sample_observations(1, 1, 0)
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        archive.begin(run, asked).result(timeout=30)
        archive.call(hold)
        saved = archive.save(run.id, sample_result(asked[0], run, seen), seen)
        assert saved.cancel()
        gate.set()
        archive.finish(sample_run(1, finished=True)).result(timeout=30)
        assert list(archive.reader.verdicts(run.id)) == [1]
        assert archive.load(run.id)[0].finished_us is not None


@pytest.mark.parametrize("line", ["{}", "not json", '{"changes": [{"insert": "moz_places", "rows": [{"a": 1}]}]}'])
def test_a_spool_that_fits_nowhere_is_set_aside(tmp_path: Path, line: str) -> None:
    """It is neither lost nor tried again for ever, and the user is told its new name."""
    (tmp_path / "spool").mkdir()
    path = tmp_path / "spool" / "odd.jsonl"
    path.write_text('{"dalel_spool": 1, "database": "dalel.db", "schema": "0001"}\n' + line + "\n")
    with Archive.open(str(tmp_path / "dalel.db")) as archive:
        save_sample_run(archive)
        (note,) = archive.notes
        assert "odd.jsonl.rejected" in note
    assert [entry.name for entry in path.parent.iterdir()] == ["odd.jsonl.rejected"]


def test_without_waiting_trouble_at_the_start_goes_to_the_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that has begun already keeps its results although the database cannot be opened."""
    from storage.database import Database

    def fail(*_args: object, **_named: object) -> None:
        raise StorageError("The disk is gone.")

    with monkeypatch.context() as patched:
        patched.setattr(Database, "open", fail)
        with Archive.open(str(tmp_path / "dalel.db"), wait=False) as archive:
            archive.begin(sample_run(1), sample_asked(3)).result(timeout=30)
            _fill(archive, (1, 2, 3))
            assert "The disk is gone" in str(archive.unsaved)
        with pytest.raises(StorageError, match="The disk is gone"):
            Archive.open(str(tmp_path / "dalel.db"))
    with Archive.open(str(tmp_path / "dalel.db"), wait=False) as archive:
        archive.call(lambda _connection: None).result(timeout=30)
        assert sorted(archive.reader.verdicts(run_id(1))) == [1, 2, 3]


def test_a_server_that_goes_away_costs_nothing(postgresql_url: str, tmp_path: Path) -> None:
    """The connection is cut in the middle of a run: what follows waits in the spool and comes in later."""
    location = parse(postgresql_url, data_dir=tmp_path)
    with Archive.open(location) as archive:
        archive.begin(sample_run(1), sample_asked(6)).result(timeout=30)
        _fill(archive, (1, 2, 3))
        with psycopg.connect(postgresql_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        _fill(archive, (4, 5, 6), first=13)
        assert archive.unsaved is not None
    with Archive.open(location) as archive:
        archive.call(lambda _connection: None).result(timeout=30)
        assert sorted(archive.reader.verdicts(run_id(1))) == [1, 2, 3, 4, 5, 6]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """Opening and closing a hundred times leaves no file open."""

    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    Archive.open(str(tmp_path / "dalel.db")).close()
    before = count()
    for _ in range(100):
        with Archive.open(str(tmp_path / "dalel.db")) as archive:
            archive.runs()
    assert count() == before
