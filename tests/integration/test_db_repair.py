"""A damaged database: what is on the damaged page is counted and named, and everything else is saved."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage import schema
from storage.archive import Archive
from storage.errors import StorageError
from storage.location import Location, parse
from storage.repair import Saved, repair
from storage.sqlite_file import read_state
from tests.integration.command import dalel
from tests.integration.test_storage_rounds import keep, looked
from tests.storage_samples import sample_run

PAGE = 4096


@pytest.fixture
def location(tmp_path: Path) -> Location:
    """Some hundred rows in every table of results."""
    place = parse(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db"))
    with Archive.open(place) as archive:
        for number in range(80):
            run = sample_run(random.Random(number).getrandbits(100), started_us=10**15 + number * 10**9, finished=True)
            keep(archive, run, *(looked(run, n, "blocked", "full") for n in (1, 2)))
            short = sample_run(number, started_us=10**15 + number * 10**9, finished=True)
            keep(archive, short, looked(short, 1), looked(short, 3))
    return place


def rows(path: Path) -> dict[str, set[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table.name: set(connection.execute(f"SELECT * FROM {table.name}").fetchall())
            for table in schema.metadata.sorted_tables
        }


def leaves(path: Path, kinds: tuple[int, ...]) -> list[int]:
    """Numbers of the pages that are leaves of these kinds (13: rows of a table, 10: of an index), but the first."""
    data = path.read_bytes()
    return [n for n in range(1, len(data) // PAGE) if data[n * PAGE] in kinds]


def spoil(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(b"\xa5" * PAGE)


def test_a_sound_database_is_saved_whole(location: Location, tmp_path: Path) -> None:
    """Every row of every table, and nothing is said to be lost."""
    assert location.path is not None
    saved = repair(location, tmp_path / "new.db")
    assert all(one.lost == 0 for one in saved)
    assert rows(tmp_path / "new.db") == rows(location.path)


@pytest.mark.parametrize("seed", range(12))
def test_a_page_takes_its_own_rows_and_no_others(location: Location, tmp_path: Path, seed: int) -> None:
    """Whichever page it is: what is saved is true, only one page's rows are missing, and the loss is not hidden."""
    assert location.path is not None
    before = rows(location.path)
    kind = (13,) if seed % 2 else (10,)
    spoil(location.path, random.Random(seed).choice(leaves(location.path, kind)))
    try:
        read_state(location.path)
    except StorageError:
        # The page had the list of tables: then a copy is all that helps, and that is said.
        with pytest.raises(StorageError, match="cannot be read as a database"):
            repair(location, tmp_path / "new.db")
        return
    saved = {one.table: one for one in repair(location, tmp_path / "new.db")}
    after = rows(tmp_path / "new.db")
    for name, found in after.items():
        assert found <= before[name]
        missing = len(before[name] - found)
        assert missing <= PAGE // 20
        said = saved[name].lost
        assert said is None or said == missing, name
        assert said != 0 or missing == 0
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_lost_observations_are_named(location: Location, tmp_path: Path) -> None:
    """By run and number, as the index still has them."""
    assert location.path is not None
    before = rows(location.path)["observations"]
    with closing(sqlite3.connect(location.path)) as connection:
        page = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = 'observations' AND pagetype = 'leaf' LIMIT 1 OFFSET 7"
        ).fetchone()[0]
    spoil(location.path, page - 1)
    (told,) = [one for one in repair(location, tmp_path / "new.db") if one.table == "observations"]
    missing = {f"{row[0]} {row[1]}" for row in before - rows(tmp_path / "new.db")["observations"]}
    assert missing
    assert told == Saved(table="observations", rows=len(before) - len(missing), lost=len(missing), named=told.named)
    assert set(told.named) == missing


def test_the_commands_say_what_to_do(location: Location, tmp_path: Path) -> None:
    """`db check` finds it and names the way out; `db repair` goes it; the damaged file stays; the new one is sound."""
    assert location.path is not None
    done = dalel(tmp_path, "db", "check")
    assert (done.returncode, done.stdout) == (0, f"{location.path} is sound.\n")
    spoil(location.path, leaves(location.path, (13,))[40])
    damaged = location.path.read_bytes()
    done = dalel(tmp_path, "db", "check")
    assert done.returncode == 1
    assert "`dalel db repair` saves what can be read" in done.stdout
    done = dalel(tmp_path, "db", "repair")
    assert done.returncode == 1
    assert "Lost of " in done.stdout
    assert f"mv {location.path} {location.path}.damaged" in done.stdout
    assert location.path.read_bytes() == damaged
    new = location.path.with_name("dalel-repaired.db")
    assert new.stat().st_mode & 0o777 == 0o600
    done = dalel(tmp_path, "db", "check", "--database", str(new), "--format", "json")
    assert json.loads(done.stdout) == {"sound": True, "problems": []}
    assert dalel(tmp_path, "db", "repair").returncode == 2
    location.path.rename(f"{location.path}.damaged")
    new.rename(location.path)
    done = dalel(tmp_path, "purge", "--yes")
    assert f"{location.path}.damaged" in done.stderr
    assert list(location.data_dir.iterdir()) == []
