"""Where the archive is, from flags and environment alone."""

from pathlib import Path

import pytest

from storage.errors import StorageError
from storage.location import parse, resolve


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/home/a"}, "/home/a/.local/state/dalel/dalel.db"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/state"}, "/state/dalel/dalel.db"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "state"}, "/home/a/.local/state/dalel/dalel.db"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/state", "DALEL_DATA_DIR": "/data"}, "/data/dalel.db"),
        ({"DALEL_DATA_DIR": "/data", "DALEL_DATABASE_URL": "sqlite:////other/x.db"}, "/other/x.db"),
        ({"DALEL_DATABASE_URL": "/other/x.db"}, "/other/x.db"),
    ],
)
def test_the_environment_says_where(environ: dict[str, str], expected: str) -> None:
    """DALEL_DATABASE_URL, then DALEL_DATA_DIR, then XDG (absolute only), then the home directory."""
    assert resolve(None, environ).path == Path(expected)


def test_what_is_named_outranks_the_environment() -> None:
    """A flag comes first; the setting for the directory comes before the environment's."""
    environ = {"DALEL_DATABASE_URL": "/other/x.db", "DALEL_DATA_DIR": "/data"}
    assert resolve("sqlite:////flag.db", environ).path == Path("/flag.db")
    assert resolve(None, {"DALEL_DATA_DIR": "/data"}, data_dir="/set").path == Path("/set/dalel.db")


def test_without_a_home_it_says_what_to_set() -> None:
    """No place at all is an error that names the variable."""
    with pytest.raises(StorageError, match="DALEL_DATA_DIR"):
        resolve(None, {})


def test_a_server_keeps_its_password_to_itself() -> None:
    """What is shown and what marks spool files has no password, wherever it was given."""
    location = parse("postgres://me:se%40cret@db.example:5433/dalel?password=secret2&host=/run/pg", data_dir=Path("/d"))
    assert location.url == "postgresql+psycopg://me:se%40cret@db.example:5433/dalel?password=secret2&host=/run/pg"
    assert location.shown == "postgresql://me@db.example:5433/dalel?host=%2Frun%2Fpg"
    assert location.path is None
    assert location.spool_dir == Path("/d/spool")


def test_what_belongs_to_a_file_lies_beside_it() -> None:
    """Lock, spool and copies are next to the database."""
    location = parse("/x/dalel.db")
    assert (location.lock_path, location.spool_dir, location.backup_dir) == (
        Path("/x/dalel.db.lock"),
        Path("/x/spool"),
        Path("/x/backups"),
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://x/y", r"mysql:// is no database that Dalel can use"),
        ("sqlite://", r"in memory keeps nothing"),
        ("sqlite:///:memory:", r"in memory keeps nothing"),
        ("postgresql://host", r"names no database"),
    ],
)
def test_what_is_no_archive_is_said(url: str, sentence: str) -> None:
    """Each of these is a sentence, not a traceback."""
    with pytest.raises(StorageError, match=sentence):
        resolve(url, {"HOME": "/home/a"})


def test_odd_file_names_are_files() -> None:
    """Spaces, percent escapes and question marks of a URL are understood."""
    assert parse("sqlite:////a%20b/c.db?timeout=5").path == Path("/a b/c.db")
    for name in ("/a b/c?.db", "/a%20b/ж#.db"):
        assert parse(name).path == Path(name)
        assert parse(parse(name).url) == parse(name)
