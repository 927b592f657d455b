"""The archive keeps what it is given, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storage import schema
from storage.archive import Archive
from storage.database import Database
from storage.errors import NewerSchemaError, StorageError
from storage.location import Location, parse
from storage.maintenance import belongings, prune, purge, vacuum
from storage.reader import Reader
from storage.revisions import HEAD
from tests.storage_samples import (
    MINUTE_US,
    START_US,
    run_id,
    sample_asked,
    sample_observations,
    sample_result,
    sample_run,
    sample_verdict,
    save_sample_run,
)

pytest_plugins = ("tests.postgresql",)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return parse(str(tmp_path / "data" / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path / "data")


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    with Archive.open(location) as opened:
        yield opened


def test_a_run_comes_back_as_it_was(archive: Archive) -> None:
    """Run, what was asked and every observation are equal after the way through the database."""
    seen = save_sample_run(archive, endpoints=6)
    run, asked, observations = archive.load(run_id(1))
    assert run == sample_run(1, finished=True)
    assert asked == sample_asked(6)
    assert observations == tuple(seen)
    assert archive.runs() == (run,)


def test_verdicts_come_back_with_all_findings(archive: Archive) -> None:
    """The newest verdict has its findings for and against, in order, with their parameters."""
    save_sample_run(archive)
    verdicts = archive.reader.verdicts(run_id(1))
    assert verdicts[1] == sample_verdict(1, horizon=5)
    assert verdicts[2] == sample_verdict(2, status="accessible", horizon=9)
    assert verdicts[3] == sample_verdict(3, status="inconclusive", horizon=13)


def test_a_new_verdict_is_added_and_the_old_one_stays(archive: Archive) -> None:
    """After add_verdicts readers see the new one, and both rows are there."""
    save_sample_run(archive)
    new = sample_verdict(1, status="accessible", ruleset="2027.1", horizon=5)
    archive.add_verdicts(run_id(1), [new], judged_us=START_US).result(timeout=30)
    assert archive.reader.verdicts(run_id(1))[1] == new
    with archive.reader.database.reading() as connection:
        rows = connection.execute(
            select(schema.verdicts.c.version, schema.verdicts.c.status)
            .where(schema.verdicts.c.endpoint == 1)
            .order_by(schema.verdicts.c.version)
        ).all()
    assert [tuple(row) for row in rows] == [(1, "blocked"), (2, "accessible")]


def test_latest_is_the_last_measurement_of_each_endpoint(archive: Archive) -> None:
    """Two runs over the same endpoints: the later run's results, the newest verdict of each, once."""
    save_sample_run(archive, 2)
    save_sample_run(archive, 1)
    archive.add_verdicts(
        run_id(2), [sample_verdict(1, status="accessible", horizon=5, ruleset="new")], judged_us=START_US
    ).result(timeout=30)
    latest = archive.latest()
    assert {one.run.id for one in latest} == {run_id(2)}
    assert sorted(one.result.number for one in latest) == [1, 2, 3]
    (first,) = [one for one in latest if one.result.number == 1]
    assert first.result.verdict.ruleset == "new"
    assert first.asked == sample_asked(1)[0]
    expected = sample_result(sample_asked(1)[0], sample_run(2), sample_observations(1, 1, 0))
    assert dataclasses.replace(first.result, verdict=expected.verdict, observations=expected.observations) == expected


def test_a_result_is_kept_whole_or_not_at_all(archive: Archive) -> None:
    """When one row of a result cannot be kept, none of it is, and the future says so; later results are kept."""
    run, asked = sample_run(), sample_asked(2)
    archive.begin(run, asked).result(timeout=30)
    twice = sample_observations(1, 1, 0)
    with pytest.raises(IntegrityError):
        archive.save(run.id, sample_result(asked[0], run, twice), [*twice, twice[0]]).result(timeout=30)
    assert archive.load(run.id)[2] == ()
    good = sample_observations(1, 2, 0)
    archive.save(run.id, sample_result(asked[1], run, good), good).result(timeout=30)
    assert archive.load(run.id)[2] == good
    assert list(archive.reader.verdicts(run.id)) == [2]
    assert archive.unsaved is None


def test_a_result_for_an_endpoint_never_asked_is_refused(archive: Archive) -> None:
    """The mistake is ours, so it is raised and nothing goes to the spool."""
    run = sample_run()
    archive.begin(run, sample_asked(1)).result(timeout=30)
    stranger, seen = sample_asked(2)[1], sample_observations(1, 2, 0)
    with pytest.raises(LookupError):
        archive.save(run.id, sample_result(stranger, run, seen), seen).result(timeout=30)
    assert not archive.location.spool_dir.exists()


def test_text_that_no_database_takes_is_kept_as_escapes(archive: Archive) -> None:
    """A NUL and half a surrogate in a typed URL are stored readably instead of failing."""
    run = sample_run()
    (asked,) = sample_asked(1)
    asked = dataclasses.replace(asked, target="bad\0\udcff")
    archive.begin(run, (asked,)).result(timeout=30)
    assert archive.load(run.id)[1][0].target == "bad\\x00\\udcff"


def test_an_unknown_run_is_a_lookup_error(archive: Archive) -> None:
    """Loading what is not there names it."""
    with pytest.raises(LookupError, match="f" * 32):
        archive.load("f" * 32)


def test_prune_removes_old_runs_whole(location: Location) -> None:
    """Only runs before the cut go, with all their rows; a dry run counts the same and removes nothing."""
    with Archive.open(location) as archive:
        for number in range(1, 6):
            save_sample_run(archive, number)
    # Half a minute before the fourth: what counts is when it was by a right clock, and this host's is not quite.
    cut = START_US + 4 * MINUTE_US - MINUTE_US // 2
    with Database.open(location, writable=True) as database:
        would = prune(database, cut, dry_run=True)
        assert (would.runs, would.endpoints, would.observations, would.verdicts, would.findings) == (3, 9, 39, 9, 9)
        with Reader.open(location) as reader:
            assert reader.count_runs() == 5
        assert prune(database, cut, dry_run=False) == would
    with Reader.open(location) as reader, reader.database.reading() as connection:
        assert [run.id for run in reader.runs()] == [run_id(4), run_id(5)]
        left = [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in schema.CHILDREN_FIRST]
    assert left == [6, 6, 26, 6, 2]
    vacuum(location)
    with Reader.open(location) as reader:
        assert reader.load(run_id(5))[0].id == run_id(5)


def test_a_newer_database_is_refused_with_both_versions(location: Location) -> None:
    """What a newer Dalel wrote is neither read nor written, and the sentence has both versions."""
    Archive.open(location).close()
    with Database.open(location, writable=True) as database, database.writing() as connection:
        connection.execute(schema.stamp.update().values(version_num="9999"))
    for opening in (lambda: Archive.open(location), lambda: Reader.open(location)):
        with pytest.raises(NewerSchemaError, match=rf"schema 9999.*only up to {HEAD}"):
            opening()


def test_reading_where_nothing_was_written_says_what_to_do(location: Location) -> None:
    """A reader makes no database and says which command does."""
    with pytest.raises(StorageError, match="dalel check"):
        Reader.open(location)
    with pytest.raises(StorageError, match="dalel check"):
        Reader.open(location)


def test_purge_leaves_nothing(location: Location) -> None:
    """After a purge there is nothing of ours, and a new archive can be made in the same place."""
    with Archive.open(location) as archive:
        save_sample_run(archive)
    assert purge(location)
    with Archive.open(location) as archive:
        assert archive.runs() == ()
    assert all(item.amount == 0 for item in belongings(location) if item.path is None)


def test_a_file_that_is_numbered_anew_is_still_in_its_place(tmp_path, monkeypatch):
    """Some file systems of other machines give a file another number after a while. That is no reason for a daemon to end."""
    path = tmp_path / "dalel.db"
    with Archive.open(str(path)) as archive:
        assert archive.is_in_place()
        with monkeypatch.context() as anew:
            anew.setattr("storage.sqlite_file.identity", lambda _path: (0, 1))
            assert archive.is_in_place()
        path.rename(tmp_path / "elsewhere.db")
        assert not archive.is_in_place()
        path.write_bytes((tmp_path / "elsewhere.db").read_bytes())
        with path.open("rb"):
            assert not archive.is_in_place(), "another file of that name, though this process has it open"
        path.unlink()
        (tmp_path / "elsewhere.db").rename(path)
        assert archive.is_in_place()
