"""Notes in the archive: added, and taken back by one row more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import notes
from storage.archive import Archive
from storage.location import parse
from storage.notes import Note

pytest_plugins = ("tests.postgresql",)


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = str(tmp_path / "dalel.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Archive.open(parse(url, data_dir=tmp_path)) as opened:
        yield opened


def test_a_note_is_kept_as_it_was_given(archive: Archive) -> None:
    """Its number comes back with it."""
    number = notes.add(archive, Note(at_us=5, until_us=9, text="сөз", made_us=20)).result(timeout=30)
    assert notes.between(archive.reader.database) == (Note(id=number, at_us=5, until_us=9, text="сөз", made_us=20),)


def test_a_note_that_is_taken_back_is_gone_and_its_row_is_still_there(archive: Archive) -> None:
    """Removing adds a row, changes none, and works once."""
    first = notes.add(archive, Note(at_us=5, text="one", made_us=20)).result(timeout=30)
    second = notes.add(archive, Note(at_us=6, text="two", made_us=21)).result(timeout=30)
    assert notes.remove(archive, first, 30).result(timeout=30)
    assert not notes.remove(archive, first, 31).result(timeout=30)
    assert not notes.remove(archive, 999, 31).result(timeout=30)
    assert [note.id for note in notes.between(archive.reader.database)] == [second]
    with archive.reader.database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT text, removes, made_us FROM notes ORDER BY id").all()
    assert [tuple(row) for row in kept] == [("one", None, 20), ("two", None, 21), ("", first, 30)]


def test_notes_are_found_by_the_time_that_they_are_about(archive: Archive) -> None:
    """A note that lasts until later than the beginning of the search is found."""
    for at_us, until_us in ((1, None), (2, 10), (7, None), (12, None)):
        notes.add(archive, Note(at_us=at_us, until_us=until_us, text=str(at_us), made_us=50)).result(timeout=30)
    assert [note.text for note in notes.between(archive.reader.database, 5, 12)] == ["2", "7"]
