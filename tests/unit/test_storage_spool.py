"""The spool: lines that are whole or not there, one owner a file."""

import fcntl
import json
from pathlib import Path

import pytest

from storage import rows, spool
from storage.errors import StorageError
from storage.lock import FileLock
from storage.revisions import HEAD, REVISIONS, state_of
from tests.storage_samples import sample_asked, sample_run


def _written(directory: Path, identity: str = "dalel.db") -> Path:
    writer = spool.SpoolWriter(directory, identity)
    writer.append(rows.begin(sample_run(), sample_asked(2)))
    writer.append(rows.finish(sample_run()))
    writer.close()
    assert writer.path is not None
    return writer.path


def _read(path: Path) -> list[rows.Changes]:
    with spool.taken(path) as transactions:
        assert transactions is not None
        return list(transactions)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """The transactions come back in order; only the owner can read the file."""
    path = _written(tmp_path / "spool")
    assert _read(path) == [rows.begin(sample_run(), sample_asked(2)), rows.finish(sample_run())]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path, cut: int) -> None:
    """A crash in the middle of a line costs that line, which was never acknowledged."""
    path = _written(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    assert _read(path) == [rows.begin(sample_run(), sample_asked(2))]


def test_each_database_takes_only_its_own(tmp_path: Path) -> None:
    """Two databases in one directory do not mix their spools, and a stranger's file is left alone."""
    mine, _other = _written(tmp_path), _written(tmp_path, "other.db")
    (tmp_path / "notes.jsonl").write_text("hello\n")
    assert spool.files(tmp_path, "dalel.db") == [mine]
    assert spool.files(tmp_path / "nowhere", "dalel.db") == []


def test_a_file_that_is_being_written_is_not_taken(tmp_path: Path) -> None:
    """Its writer may be alive in another process."""
    writer = spool.SpoolWriter(tmp_path, "dalel.db")
    writer.append(rows.finish(sample_run()))
    assert writer.path is not None
    with spool.taken(writer.path) as transactions:
        assert transactions is None
    writer.close()


def test_lines_of_something_else_are_errors(tmp_path: Path) -> None:
    """They are told apart from lines that were cut off."""
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"dalel_spool": 1, "database": "dalel.db"}) + "\n{}\n")
    with pytest.raises(KeyError):
        _read(path)


def test_readers_share_the_lock_and_an_upgrade_is_alone(tmp_path: Path) -> None:
    """Any number hold it shared; alone means alone; whoever waits too long is told that another uses it."""
    path = tmp_path / "lock"
    first, second, third = FileLock(path), FileLock(path), FileLock(path)
    first.acquire(alone=False, wait_s=0)
    second.acquire(alone=False, wait_s=0)
    with pytest.raises(StorageError, match="Another dalel is using the database"):
        third.acquire(alone=True, wait_s=0.05)
    first.release()
    second.release()
    third.acquire(alone=True, wait_s=0)
    with pytest.raises(StorageError, match="Another dalel"):
        first.acquire(alone=False, wait_s=0)
    third.release()


@pytest.mark.parametrize("made_again", [True, False])
def test_a_lock_on_a_removed_file_is_not_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, made_again: bool
) -> None:
    """A purge that removes the file between opening and locking it, and another that makes a new one: what is held in the end is the lock that others see."""
    path, flock = tmp_path / "lock", fcntl.flock
    removed: list[Path] = []

    def remove_first(descriptor: int, operation: int) -> None:
        if not removed:
            path.unlink()
            removed.append(path)
            if made_again:
                path.touch()
        flock(descriptor, operation)

    with FileLock(path) as mine, FileLock(path) as other:
        with monkeypatch.context() as patched:
            patched.setattr("storage.lock.fcntl.flock", remove_first)
            mine.acquire(alone=True, wait_s=5)
        with pytest.raises(StorageError):
            other.acquire(alone=False, wait_s=0)
    assert removed


@pytest.mark.parametrize(
    ("tables", "stamp", "state"),
    [
        ((), None, "new"),
        (("alembic_version", "runs"), HEAD, "current"),
        (("alembic_version",), None, "behind"),
        (("alembic_version", "runs"), "9999", "newer"),
        (("moz_places",), None, "foreign"),
    ],
)
def test_where_a_database_stands(tables, stamp, state) -> None:
    """From its tables and its revision alone."""
    assert state_of(frozenset(tables), stamp) == state


def test_the_last_revision_is_the_head() -> None:
    """Revisions are numbers in order."""
    assert list(REVISIONS) == sorted(REVISIONS)
    assert REVISIONS[-1] == HEAD
