"""What commands say where there is one of a thing or none, where a word was mistyped, and where nothing was ever kept."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from probe.cli import archive
from probe.cli.archive import sentences
from probe.cli.common import ConfigError
from probe.incidents.model import Incident, OwnSide
from storage import incidents, own_sides
from storage.archive import Archive
from storage.location import Location, parse
from tests.integration.command import dalel
from tests.storage_samples import run_id, save_sample_run

HOUR_US = 3_600_000_000


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return parse(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db"))


def keep_open_incident(location: Location) -> None:
    at_us = time.time_ns() // 1000 - HOUR_US
    one = Incident(
        id="n1", status="blocked", platforms=("facebook",), began_by_us=at_us, opened_us=at_us, changed_us=at_us
    )
    with Archive.open(location) as kept:
        incidents.save(kept, one, []).result(timeout=30)


# ---------------------------------------------------------------------------------------------------------------------
# incidents


def test_the_exit_code_of_incidents_is_the_same_in_every_form(tmp_path: Path, location: Location) -> None:
    """1 while something is blocked, also where rows are wanted."""
    keep_open_incident(location)
    done = {form: dalel(tmp_path, "incidents", "--format", form) for form in ("text", "json", "csv")}
    assert {form: one.returncode for form, one in done.items()} == {"text": 1, "json": 1, "csv": 1}
    assert [row["incident"] for row in csv.DictReader(io.StringIO(done["csv"].stdout))] == ["n1"]
    assert done["csv"].stderr == "1 incident\n"


def test_rows_of_open_incidents_alone_are_not_promised(tmp_path: Path, location: Location) -> None:
    """--open would be ignored: it is refused, and told which column says it."""
    keep_open_incident(location)
    done = dalel(tmp_path, "incidents", "--open", "--format", "csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "column 'state'" in done.stderr


@pytest.mark.parametrize(
    ("since", "told"),
    [
        ("1d", "in the last day,"),
        ("2w", "in the last 2 weeks,"),
        ("36H", "in the last 36 hours,"),
        ("2026-11-22T10:00Z", "since 2026-11-22T10:00Z,"),
        ("2026-11-22", "since 2026-11-22,"),
    ],
)
def test_a_period_is_a_period_and_a_moment_a_moment(tmp_path: Path, location: Location, since: str, told: str) -> None:
    """A moment that ends in a letter is no period."""
    Archive.open(location).close()
    assert f"Nobody watched {told}" in dalel(tmp_path, "incidents", "--since", since).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "No incidents in the last 30 days."),
        (("--target", "signal"), "No such incidents in the last 30 days."),
        (("--until", "2999-01-01"), "No incidents in that time."),
        (("--open", "--since", "2020-01-01"), "No such incidents since 2020-01-01."),
    ],
)
def test_it_is_said_of_which_time_there_are_none(
    tmp_path: Path, location: Location, words: tuple[str, ...], told: str
) -> None:
    """And that only some were asked for."""
    with Archive.open(location) as kept:
        own_sides.save(kept, OwnSide(run="", at_us=time.time_ns() // 1000, status="ok")).result(30)
    assert dalel(tmp_path, "incidents", *words).stdout.splitlines()[0] == told


def test_sentences_are_folded_on_a_screen_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is folded hangs below its line; a file has each in one line, for programs."""
    line = "  facebook: blocked by name, " * 4
    assert list(archive.folded([line])) == [line]
    monkeypatch.setattr(archive, "stdout_is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    shown = list(archive.folded([line, "", "short"]))
    assert max(map(len, shown)) <= 40
    assert [text[:4] for text in shown[:3]] == ["  fa", "    ", "    "]
    assert shown[-2:] == ["", "short"]


def test_where_nothing_was_kept_it_is_said_who_notices_incidents(tmp_path: Path) -> None:
    """A first look is no dead end."""
    done = dalel(tmp_path, "incidents")
    assert (done.returncode, "`dalel run` watches around the clock" in done.stdout) == (3, True)


@pytest.mark.parametrize(
    "words", [("status",), ("incidents",), ("export",), ("note", "list"), ("db", "check"), ("consent", "--show")]
)
def test_an_empty_name_of_a_database_is_no_database(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A variable of a script that was never set must not show somebody else's results, or none."""
    done = dalel(tmp_path, *words, "--database", "")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it is empty" in done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# notes


def test_a_text_without_quotes_is_told_to_have_some(tmp_path: Path) -> None:
    """The line says what to type, and nothing is kept."""
    done = dalel(tmp_path, "note", "opposition", "live", "stream", "--at", "20:00")
    assert done.returncode == 2
    assert 'put it in quotes, "opposition live stream"' in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["abc", "0", "²", "99999999999999999999"])
def test_what_is_no_number_of_a_note_is_told_so(tmp_path: Path, word: str) -> None:
    """In words that do not speak of ranges of integers."""
    done = dalel(tmp_path, "note", "remove", word)
    assert done.returncode == 2
    assert "is no number of a note. `dalel note list` shows them." in done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# consent, service


@pytest.mark.parametrize("where", [(), ("--database", "nowhere/at/all.db")])
def test_reading_the_consent_makes_no_file(tmp_path: Path, where: tuple[str, ...]) -> None:
    """Whoever only reads leaves nothing behind, and no directory by a name that was mistyped."""
    words = tuple(str(tmp_path / word) if word.endswith(".db") else word for word in where)
    done = dalel(tmp_path, "consent", "--show", *words)
    assert (done.returncode, "Nobody has agreed yet" in done.stdout) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_unit_for_what_nobody_can_watch_is_not_printed(tmp_path: Path) -> None:
    """A slip in a name would be a service that never starts."""
    done = dalel(tmp_path, "service", "print", "facebok")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'facebook'?" in done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# db, reclassify


def test_one_run_is_told_as_one(tmp_path: Path, location: Location) -> None:
    """Of what is judged again, and of what would be removed."""
    with Archive.open(location) as kept:
        save_sample_run(kept, 1)
    assert " results of 1 run judged again: " in dalel(tmp_path, "reclassify", "--run", run_id(1)).stdout
    told = dalel(tmp_path, "db", "prune", "--older-than", "1d", "--dry-run").stdout
    assert told.startswith("1 run with ")
    assert told.endswith(" would be removed.\n")
    tidied = dalel(tmp_path, "db", "prune", "--dry-run").stdout
    assert tidied.startswith("0 healthy checks from before 30 days would lose their details, 0 short rows ")


def test_a_sound_database_of_another_program_is_not_called_sound(tmp_path: Path) -> None:
    """It is not ours to judge."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t(a)")
    done = dalel(tmp_path, "db", "check", "--database", str(path))
    assert (done.returncode, "of another program" in done.stderr) == (2, True)
    (tmp_path / "empty.db").touch()
    done = dalel(tmp_path, "db", "check", "--database", str(tmp_path / "empty.db"))
    assert (done.returncode, "is empty" in done.stderr) == (2, True)


def test_nothing_is_said_of_a_server_that_was_not_looked_at(tmp_path: Path) -> None:
    """Nobody is connected to, so nothing is known."""
    url = "postgresql://nobody@127.0.0.1:1/results"
    done = dalel(tmp_path, "db", "check", "--database", url)
    assert (done.returncode, "nothing was looked at" in done.stdout, "sound" in done.stdout) == (0, True, False)
    assert json.loads(dalel(tmp_path, "db", "check", "--database", url, "--format", "json").stdout)["sound"] is None


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_place_that_may_not_be_used_is_no_bug_of_ours(number: int) -> None:
    """It is named, and so is what to look at; other troubles of a disk stay what they are."""
    with pytest.raises(ConfigError, match=r"/media/card/dalel\.db\.lock cannot be used: .*read-only\?"), sentences():
        raise OSError(number, os.strerror(number), "/media/card/dalel.db.lock")
    with pytest.raises(OSError, match="Bad file descriptor"), sentences():
        raise OSError(errno.EBADF, "Bad file descriptor", "x")


def test_a_copy_that_cannot_be_made_says_why_in_words(tmp_path: Path, location: Location) -> None:
    """No number of an error."""
    with Archive.open(location) as kept:
        save_sample_run(kept, 1)
    (tmp_path / "file").touch()
    done = dalel(tmp_path, "db", "backup", "-o", str(tmp_path / "file" / "copy.db"))
    assert done.returncode == 2
    assert "errno" not in done.stderr.lower()
    assert ". Name another place." in done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# settings


def test_a_variable_that_sets_nothing_is_named(tmp_path: Path) -> None:
    """With the one that was meant; those that are known, of secrets too, are not."""
    done = dalel(
        tmp_path,
        "config",
        "show",
        DALEL_CHEK_PROFILE="full",
        DALEL_DEBUG="1",
        DALEL_NOTIFY_NTFY_FILE="",
        DALEL_ACCEPT_RISK="1",
    )
    told = [line for line in done.stdout.splitlines() if "no such setting" in line]
    assert told == ["# DALEL_CHEK_PROFILE is set, and there is no such setting. Did you mean DALEL_CHECK_PROFILE?"]
    assert "no such setting" not in dalel(tmp_path, "config", "show").stdout


def test_where_nobody_can_answer_nothing_is_removed(tmp_path: Path, location: Location) -> None:
    """A script is told what it would have to say."""
    Archive.open(location).close()
    done = dalel(tmp_path, "purge")
    assert done.returncode == 2
    assert done.stderr.endswith("Error: Nobody answered, so nothing was removed. --yes removes it without asking.\n")
    assert location.path is not None
    assert location.path.exists()
