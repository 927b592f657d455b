"""The commands that look after the archive, as a user runs them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import pty
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from probe.cli.db_cmd import _gone
from probe.observations import ContextFact, Observation, Operation, TcpFact
from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.model import Verdict
from probe.verdict.ruleset import RULESET
from probe.verdict.view import View
from probe.workflows.reclassify import reclassify, rejudge
from storage.archive import Archive
from storage.database import Database
from storage.location import Location, parse
from storage.maintenance import Removed
from storage.reader import Reader
from storage.revisions import HEAD
from storage.schema import stamp
from targets.loader import load_catalogue
from targets.model import Endpoint
from targets.select import resolve
from tests.integration.command import DALEL, dalel, environment
from tests.storage_samples import START_US, run_id, sample_asked, sample_result, sample_run, save_sample_run


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return parse(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db"))


@pytest.fixture
def home(tmp_path: Path, location: Location) -> Path:
    """A home with two runs in the usual place."""
    with Archive.open(location) as archive:
        save_sample_run(archive, 1)
        save_sample_run(archive, 2)
    return tmp_path


# ---------------------------------------------------------------------------------------------------------------------
# status


def test_status_shows_the_last_word_on_everything(home: Path, location: Location) -> None:
    """A line a platform and one for each URL of one's own, how old, which run, how large; exit code as of a check."""
    done = dalel(home, "status")
    assert done.returncode == 1
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][:5] == ["platform1", "Blocked", "tls", "97%", lines[0][4]]
    assert lines[1][:3] == ["platform2", "Accessible", "99%"]
    assert lines[2][:2] == ["https://own3.example/", "Inconclusive"]
    assert all(line[-1] == "ago" for line in lines[:3])
    assert "2 in all." in done.stdout
    assert str(location.path) in done.stdout


def test_status_for_programs(home: Path, location: Location) -> None:
    """One JSON document with the newest run's results."""
    done = dalel(home, "status", "--format", "json")
    document = json.loads(done.stdout)
    assert document["schema"] == "dalel.status/1"
    assert document["database"] == str(location.path)
    assert document["last_run"]["run"] == run_id(2)
    assert [(one["platform"], one["status"]) for one in document["platforms"]] == [
        ("platform1", "blocked"),
        ("platform2", "accessible"),
    ]
    assert {one["run"] for one in document["results"]} == {run_id(2)}
    assert document["platforms"][0]["measured_at"] == "2026-09-21T14:15:20.122956Z"  # its clock was 1.5 ms ahead


def save_telegram(location: Location, words: dict[str, Verdict], *, gone: str | None = None) -> None:
    """A run of Telegram: each service's endpoints have the service's word; *gone* failed once, and is listed no more."""
    run = sample_run()
    asked = [replace(one, number=n) for n, one in enumerate(resolve(["telegram"], load_catalogue()), 1)]
    if gone is not None:
        asked.append(replace(asked[0], number=len(asked) + 1, endpoint=Endpoint(gone)))
    with Archive.open(location) as archive:
        archive.begin(run, tuple(asked))
        for one in asked:
            judged = replace(words[one.service or ""], endpoint=one.number)
            if one.endpoint.url == gone:
                judged = replace(words["web"], endpoint=one.number)
            fact = Operation(fact=TcpFact(), started_us=1)
            seen = (Observation(number=one.number, operation=fact, purpose="baseline", endpoint=one.number),)
            archive.save(run.id, replace(sample_result(one, run, seen), verdict=judged), seen).result(timeout=30)


def test_status_as_csv_has_a_row_and_a_sentence_for_each_platform(tmp_path: Path, location: Location) -> None:
    """The apps carry the platform, its web keeps its own word, and what the catalogue lists no more counts for nothing."""
    works = Verdict(endpoint=1, status="accessible", confidence=0.99)
    blocked = Verdict(endpoint=1, status="blocked", method="tls", signature="tls.timeout.sni", confidence=0.95)
    save_telegram(location, {"apps": works, "web-apps": works, "web": blocked}, gone="tcp://192.0.2.1:443")
    done = dalel(tmp_path, "status", "--format", "csv")
    assert done.returncode == 0
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["platform"], row["status"], row["method"], row["confidence"]) == (
        "telegram",
        "accessible",
        "",
        "0.9900",
    )
    assert (row["impairments"], row["partial"]) == ("web_blocked", "0")
    assert row["sentence"].startswith("Telegram: the apps")
    assert row["sentence"].endswith("the web is blocked by name.")
    assert set(row["services"].split()) == {"apps=accessible", "web-apps=accessible", "web=blocked"}
    assert "the web is blocked by name." in dalel(tmp_path, "status").stdout


@pytest.mark.parametrize(("words", "code"), [((), 3), (("--format", "json"), 3)])
def test_status_of_nothing_is_not_good_news(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    """Without results it says what to do, makes no file, and does not exit with 0."""
    done = dalel(tmp_path, "status", *words)
    assert done.returncode == code
    assert "dalel check" in done.stdout or json.loads(done.stdout)["results"] == []
    assert list(tmp_path.iterdir()) == []


def test_old_results_can_be_left_out(home: Path) -> None:
    """With --since only fresh results count, for the table and for the exit code."""
    assert dalel(home, "status", "--since", "2026-09-21T14:15").returncode == 1
    done = dalel(home, "status", "--since", "2026-09-22")
    assert (done.returncode, "There are older results" in done.stdout) == (3, True)


def test_escapes_in_a_url_do_not_reach_the_screen(tmp_path: Path, location: Location) -> None:
    """What was typed may be anything; what is shown is one printable line."""
    run, (asked,) = sample_run(), sample_asked(1)
    asked = replace(asked, endpoint=Endpoint("https://a/\x1b]0;title\x07\u202e\nb"), platform=None)
    seen = (Observation(number=1, operation=Operation(fact=TcpFact(), started_us=1), purpose="baseline", endpoint=1),)
    with Archive.open(location) as archive:
        archive.begin(run, (asked,))
        archive.save(run.id, sample_result(asked, run, seen), seen).result(timeout=30)
    shown = dalel(tmp_path, "status", "-v").stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert len(shown.splitlines()) == 4


# ---------------------------------------------------------------------------------------------------------------------
# db


def test_backup_prune_vacuum_and_upgrade(home: Path, location: Location) -> None:
    """Each says what it did, in words or as JSON."""
    done = dalel(home, "db", "backup", "-o", str(home / "copy.db"))
    assert (done.returncode, done.stdout.startswith(f"Copied to {home / 'copy.db'} (")) == (0, True)
    done = dalel(home, "db", "backup", "-o", str(home / "copy.db"))
    assert (done.returncode, "not overwritten" in done.stderr) == (2, True)
    done = dalel(home, "db", "prune", "--older-than", "1d", "--dry-run")
    assert done.stdout == "2 runs with 6 results and 26 observations would be removed.\n"
    assert json.loads(dalel(home, "db", "prune", "--older-than", "1d", "--format", "json").stdout) == {
        "removed": True,
        "runs": 2,
        "endpoints": 6,
        "observations": 26,
        "verdicts": 6,
        "findings": 6,
        **dict.fromkeys(("readings", "rollups", "own_sides", "days", "incidents", "incident_events", "notes"), 0),
    }
    assert set(json.loads(dalel(home, "db", "vacuum", "--format", "json").stdout)) == {"bytes_before", "bytes_after"}
    assert dalel(home, "db", "upgrade").stdout == f"{location.path} is as this version needs it (schema {HEAD}).\n"


def test_all_that_a_prune_removes_is_named(home: Path) -> None:
    """Incidents and notes as well: whoever reads only of runs would miss them for ever."""
    assert dalel(home, "note", "a cut", "--at", "2026-01-01T10:00").returncode == 0
    done = dalel(home, "db", "prune", "--older-than", "1d", "--dry-run")
    assert done.stdout == "2 runs with 6 results and 26 observations and 1 note would be removed.\n"
    gone = Removed(
        runs=1, endpoints=1, observations=1, verdicts=1, findings=1, readings=2, own_sides=1, incidents=3, notes=1
    )
    assert _gone(gone) == (
        "1 run with 1 result and 1 observation, 2 results that are kept in short form, 1 look at the own network, "
        "3 incidents and 1 note"
    )


@pytest.mark.parametrize("words", [("upgrade",), ("backup",), ("prune", "--older-than", "1d"), ("vacuum",)])
def test_looking_after_nothing_makes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Where there is no database, none is made, and the sentence says what to do."""
    done = dalel(tmp_path, "db", *words)
    assert done.returncode == 2
    assert "There are no results yet" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["text", "stranger"])
def test_vacuum_leaves_alone_what_is_no_database_of_results(tmp_path: Path, kind: str) -> None:
    """A sentence and exit code 2; the file is as it was, and there is none beside it."""
    path = tmp_path / "other.db"
    if kind == "text":
        path.write_text("Chapter one. " * 100)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE thesis (page)")
            connection.execute("DROP TABLE thesis")
            connection.execute("CREATE TABLE book (page)")
    before = path.read_bytes()
    done = dalel(tmp_path, "db", "vacuum", "--database", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Name another" in done.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_vacuum_that_fails_is_no_bug_of_ours(home: Path, location: Location) -> None:
    """Here a page is damaged; a full card is told in the same way: whoever makes room on one needs a sentence."""
    assert location.path is not None
    with contextlib.closing(sqlite3.connect(location.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
        root, size = connection.execute("SELECT max(pageno), max(pgsize) FROM dbstat WHERE name = 'runs'").fetchone()
    with location.path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)
    done = dalel(home, "db", "vacuum")
    assert done.returncode == 2
    assert "cannot be made smaller" in done.stderr


def test_a_prune_of_more_than_all_time_is_of_nothing(home: Path) -> None:
    """A period that goes back behind the first year is no bug of ours."""
    done = dalel(home, "db", "prune", "--older-than", "999999w", "--dry-run")
    assert (done.returncode, done.stdout.split()[:3]) == (0, ["0", "runs", "with"])


def test_a_newer_database_is_exit_2_with_both_versions(home: Path, location: Location) -> None:
    """For every command that opens it."""
    with Database.open(location, writable=True) as database, database.writing() as connection:
        connection.execute(stamp.update().values(version_num="0042"))
    for words in (("status",), ("db", "upgrade"), ("db", "prune", "--older-than", "1d"), ("reclassify",)):
        done = dalel(home, *words)
        assert done.returncode == 2
        assert "has schema 0042" in done.stderr
        assert f"only up to {HEAD}" in done.stderr


# ---------------------------------------------------------------------------------------------------------------------
# purge


def test_purge_names_everything_and_asks(home: Path, location: Location) -> None:
    """Every file is named first; anything but yes keeps all of it."""
    assert location.path is not None
    dalel(home, "db", "backup")
    done = dalel(home, "purge", stdin="n\n")
    (copy,) = location.backup_dir.iterdir()
    for path in (location.path, location.lock_path, copy):
        assert f"  {path}  (" in done.stderr
    assert done.stdout == "Nothing was removed.\n"
    assert location.path.exists()
    assert dalel(home, "purge", stdin="y\n").returncode == 0
    assert list(location.data_dir.iterdir()) == []


def test_purge_without_asking(home: Path, location: Location) -> None:
    """--yes does not ask; a second time there is nothing."""
    assert dalel(home, "purge", "--yes").stdout == "2 things removed.\n"
    assert "nothing to remove" in dalel(home, "purge", "--yes").stdout


# ---------------------------------------------------------------------------------------------------------------------
# reclassify


def _context(number: int) -> Observation:
    fact = ContextFact(software="dalel 0.1.0", catalogue="2026-11-01", trust="mozilla")
    return Observation(number=number, operation=Operation(fact=fact, started_us=START_US), purpose="context")


def test_reclassify_adds_verdicts_and_says_what_changed(home: Path, location: Location) -> None:
    """Old verdicts stay; the new ones are by today's rules; a second time there is nothing to add."""
    done = dalel(home, "reclassify", "--run", run_id(1), "--format", "json")
    document = json.loads(done.stdout)
    assert (document["runs"], document["judged"], document["added"]) == (1, 3, 3)
    for change in document["changed"]:
        assert change["new"]["ruleset"] == RULESET
        assert change["old"]["ruleset"] == "2026.11"
    with Reader.open(location) as reader:
        assert {verdict.ruleset for verdict in reader.verdicts(run_id(1)).values()} == {RULESET}
        assert {verdict.ruleset for verdict in reader.verdicts(run_id(2)).values()} == {"2026.11"}
        with reader.database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM verdicts").scalar_one() == 9
    assert json.loads(dalel(home, "reclassify", "--run", run_id(1), "--format", "json").stdout)["added"] == 0
    done = dalel(home, "reclassify")
    assert done.stdout.splitlines()[-1].startswith("6 results of 2 runs judged again: ")
    assert done.stdout.splitlines()[-1].endswith(" 3 verdicts added.")


def test_whoever_waits_sees_how_many_runs_are_done(home: Path, location: Location) -> None:
    """On a terminal a line that is taken away at the end; the answer has none of it."""
    heard: list[tuple[int, int]] = []
    reclassify(
        location, run_id=None, since_us=None, priors=Priors(), now_us=START_US, tell=lambda *at: heard.append(at)
    )
    assert heard == [(0, 2), (1, 2)]
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        command = [str(DALEL), "reclassify"]
        done = subprocess.run(
            command, env=environment(home), stdout=subprocess.PIPE, stderr=follower, timeout=60, check=True
        )
        os.close(follower)
        seen = terminal.read(4096).decode()
    assert "1 of 2 runs judged again" in seen
    assert seen.endswith("\r\x1b[K")
    assert b"\x1b" not in done.stdout
    assert dalel(home, "reclassify").stderr == ""


def test_reclassify_of_an_unknown_run(home: Path) -> None:
    """It is said, with exit code 2."""
    done = dalel(home, "reclassify", "--run", "nothing")
    assert (done.returncode, "There is no run nothing in" in done.stderr) == (2, True)
    assert dalel(home, "reclassify", "--run", "").returncode == 2


def test_a_run_is_found_by_the_beginning_of_its_number(home: Path, location: Location) -> None:
    """A check shows eight digits; what fits two runs is an error that says so."""
    with Archive.open(location) as archive:
        archive.begin(replace(sample_run(3), id="feedbeef" + "0" * 24), sample_asked(1)).result(30)
    done = dalel(home, "reclassify", "--run", "FEEDBEEF", "--format", "json")
    assert json.loads(done.stdout)["runs"] == 1
    done = dalel(home, "reclassify", "--run", "0000")
    assert (done.returncode, "2 runs begin with 0000 in" in done.stderr) == (2, True)


def test_each_is_judged_on_what_its_first_judge_could_see(home: Path, location: Location) -> None:
    """Observations past the stored horizon are not looked at: the verdict is that of a view cut off there."""
    with Reader.open(location) as reader:
        run, asked, observations = reader.load(run_id(1))
        old = reader.verdicts(run_id(1))
    assert [verdict.horizon for verdict in old.values()] == [5, 9, 13]
    for again in rejudge(run, asked, observations, old, Priors()):
        cut = View(observations, asked, horizon=again.old.horizon)
        assert again.new == judge(cut, again.asked, Priors())
        assert again.new.horizon == again.old.horizon


def test_what_was_not_measured_to_the_end_gets_no_verdict(location: Location) -> None:
    """A run that was killed: endpoints without a verdict stay without one."""
    run = sample_run()
    with Archive.open(location) as archive:
        archive.begin(run, sample_asked(2))
        archive.save_observations(run.id, [_context(1)]).result(timeout=30)
    outcome = reclassify(location, run_id=None, since_us=None, priors=Priors(), now_us=START_US)
    assert (outcome.runs, outcome.judged, outcome.added) == (1, 0, 0)
