"""``dalel incidents`` and ``dalel note``, as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probe.incidents.model import Event, Incident, OwnSide
from storage import days, incidents, own_sides
from storage.archive import Archive
from storage.location import Location, parse
from tests.integration.command import dalel
from tests.storage_samples import save_sample_run

HOUR = 3_600_000_000


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return parse(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db"))


def incident(name: str, hours_ago: float, lasted: float | None = 1.0, **more: object) -> Incident:
    began = time.time_ns() // 1000 - round(hours_ago * HOUR)
    ended = None if lasted is None else began + round(lasted * HOUR)
    usual: dict[str, object] = {
        "id": name,
        "status": "blocked",
        "method": "tls",
        "platforms": ("facebook",),
        "urls": ("https://facebook.example/",),
        "remaining": ("https://facebook.example/",) if lasted is None else (),
        "began_after_us": began - HOUR // 6,
        "began_by_us": began,
        "ended_after_us": ended,
        "ended_by_us": ended,
        "opened_us": began,
        "closed_us": ended,
        "changed_us": ended or began,
        "state": "open" if lasted is None else "closed",
        "events": 1,
    }
    return Incident(**{**usual, **more})  # type: ignore[arg-type]


def keep(location: Location, *found: Incident) -> None:
    with Archive.open(location) as archive:
        for one in found:
            event = Event(
                incident=one.id, number=1, kind="opened", at_us=one.opened_us, detail={"platforms": ["facebook"]}
            )
            incidents.save(archive, one, [event]).result(timeout=30)


def test_without_a_database_there_is_nothing_to_show(tmp_path: Path) -> None:
    """One line, exit code 3, and no file is made."""
    done = dalel(tmp_path, "incidents")
    assert (done.returncode, done.stderr) == (3, "")
    assert "There are no results in" in done.stdout
    assert json.loads(dalel(tmp_path, "incidents", "--format", "json").stdout)["incidents"] == []
    assert not (tmp_path / ".local").exists()


def test_open_ones_and_the_last_thirty_days_are_shown(tmp_path: Path, location: Location) -> None:
    """An old one that is open is shown, an old one that is over only when asked for."""
    keep(location, incident("living", 2000, None), incident("fresh", 5), incident("past", 1500))
    done = dalel(tmp_path, "incidents")
    assert done.returncode == 1
    assert done.stdout.index("[living]") < done.stdout.index("[fresh]")
    assert "[past]" not in done.stdout
    assert "[past]" in dalel(tmp_path, "incidents", "--since", "90d").stdout
    assert "[fresh]" not in dalel(tmp_path, "incidents", "--open").stdout
    assert "was sure of facebook" in dalel(tmp_path, "incidents", "-v").stdout


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ((), 0),
        ((incident("a", 5),), 0),
        ((incident("a", 5, None, status="no_network", method="shutdown", platforms=(), urls=(), remaining=()),), 3),
        ((incident("a", 5, None, status="outage", method="server"),), 1),
    ],
)
def test_the_exit_code_is_that_of_what_goes_on(
    tmp_path: Path, location: Location, found: tuple[Incident, ...], code: int
) -> None:
    """As of a check: 1 for a platform, 3 for the own network alone, 0 when all is over."""
    with Archive.open(location) as archive:
        own_sides.save(archive, OwnSide(run="", at_us=time.time_ns() // 1000, status="ok")).result(timeout=30)
    keep(location, *found)
    assert dalel(tmp_path, "incidents").returncode == code


def test_where_nobody_watched_no_incident_is_no_good_news(tmp_path: Path, location: Location) -> None:
    """Checks by hand open none, and a daemon that stopped a year ago has seen none since."""
    look = OwnSide(run="", at_us=time.time_ns() // 1000 - 40 * 24 * HOUR, status="ok")
    with Archive.open(location) as archive:
        assert "Nobody watched in the last 30 days" in dalel(tmp_path, "incidents").stdout
        own_sides.save(archive, look).result(timeout=30)
    done = dalel(tmp_path, "incidents")
    assert "Nobody watched in the last 30 days" in done.stdout
    assert done.returncode == dalel(tmp_path, "incidents", "--format", "json").returncode == 3
    longer = dalel(tmp_path, "incidents", "--since", "90d")
    assert (longer.returncode, longer.stdout.splitlines()[0]) == (0, "No incidents in the last 90 days.")


def test_a_time_that_is_over_is_told_of_as_it_was(tmp_path: Path, location: Location) -> None:
    """Naming its end alone shows the month before it; a time before or after anybody watched is no quiet one."""
    days_us = 24 * HOUR
    now_us = time.time_ns() // 1000
    with Archive.open(location) as archive:
        for ago in (70, 40):
            look = OwnSide(run="", at_us=now_us - ago * days_us, status="ok")
            own_sides.save(archive, look).result(timeout=30)
        days.add(archive, days.Day(day=days.day_of(now_us - 700 * days_us), own_sides=960)).result(timeout=30)
    keep(location, incident("past", 45 * 24))
    assert "[past]" in dalel(tmp_path, "incidents", "--until", "40d").stdout
    assert "past," in dalel(tmp_path, "incidents", "--until", "40d", "--format", "csv").stdout
    for until, since, code in (("65d", "80d", 0), ("80d", "90d", 3), ("50d", "60d", 3), ("690d", "710d", 0)):
        done = dalel(tmp_path, "incidents", "--since", since, "--until", until)
        assert (done.returncode, "Nobody watched in that time" in done.stdout) == (code, code == 3), since
    for words in (("--since", "9999-12-31T23:59-10:00"), ("--until", "0001-01-01T00:00+14:00"), ("--since", "999999w")):
        assert dalel(tmp_path, "incidents", *words).returncode in (0, 3)


def test_what_nobody_looks_at_any_more_is_not_said_to_go_on(tmp_path: Path, location: Location) -> None:
    """The daemon stopped hours ago, or watches other things now: that it was so then is all that is known."""
    now_us = time.time_ns() // 1000
    place = ("https://own3.example/",)
    keep(location, incident("site", 30, None, platforms=("own3.example",), urls=place, remaining=place))
    keep(location, incident("line", 30, None, status="no_network", method="link", platforms=(), urls=(), remaining=()))
    with Archive.open(location) as archive:
        save_sample_run(archive, 1, started_us=now_us - 5 * HOUR)
        own_sides.save(archive, OwnSide(run="", at_us=now_us - 5 * HOUR, status="no_network")).result(timeout=30)
        then = f"{datetime.fromtimestamp(now_us / 1e6 - 5 * 3600, UTC):%Y-%m-%d %H:%M}"
        assert dalel(tmp_path, "incidents", TZ="UTC").stdout.count(f"; not looked at since {then}: it may be over") == 2
        own_sides.save(archive, OwnSide(run="", at_us=now_us - HOUR, status="no_network")).result(timeout=30)
        said = dalel(tmp_path, "incidents", TZ="UTC").stdout
        assert (said.count("it may be over"), said.count("for 30 h so far")) == (1, 1)
        save_sample_run(archive, 2, started_us=now_us - HOUR)
        assert dalel(tmp_path, "incidents", TZ="UTC").stdout.count("for 30 h so far") == 2


def test_how_long_it_lasts_is_told_by_the_corrected_clock(tmp_path: Path, location: Location) -> None:
    """This computer's clock is half a day ahead, and the daemon knows it."""
    now_us = time.time_ns() // 1000
    keep(location, incident("line", 14, None, status="no_network", method="link", platforms=(), urls=(), remaining=()))
    with Archive.open(location) as archive:
        look = OwnSide(run="", at_us=now_us - HOUR // 60, status="no_network")
        own_sides.save(archive, look, clock_offset_us=-12 * HOUR).result(timeout=30)
    assert "; for 2 h so far" in dalel(tmp_path, "incidents").stdout


def test_json_and_csv_have_the_same_incidents(tmp_path: Path, location: Location) -> None:
    """For programs: a document with events and notes, and the rows of the export."""
    keep(location, incident("one", 5), incident("two", 3, platforms=("telegram",)))
    dalel(tmp_path, "note", "live stream", "--at", "4h")
    said = json.loads(dalel(tmp_path, "incidents", "--format", "json").stdout)
    assert [one["id"] for one in said["incidents"]] == ["one", "two"]
    assert said["incidents"][0]["events"][0]["kind"] == "opened"
    assert said["incidents"][0]["notes"] == [1]
    rows = list(csv.DictReader(io.StringIO(dalel(tmp_path, "incidents", "--format", "csv").stdout)))
    assert [row["incident"] for row in rows] == ["one", "two"]
    only = dalel(tmp_path, "incidents", "--format", "csv", "--target", "telegram").stdout
    assert [row["incident"] for row in csv.DictReader(io.StringIO(only))] == ["two"]
    assert "[one]" not in dalel(tmp_path, "incidents", "--target", "telegram").stdout


def test_times_are_those_of_the_zone_that_was_asked_for(tmp_path: Path, location: Location) -> None:
    """--zone, else the computer's; a zone that nobody knows is a usage error."""
    keep(location, incident("one", 5))
    assert "Times are those of UTC+5." in dalel(tmp_path, "incidents", "--zone", "Asia/Almaty").stdout
    assert "Times are those of UTC+5:45." in dalel(tmp_path, "incidents", TZ="Asia/Kathmandu").stdout
    done = dalel(tmp_path, "incidents", "--zone", "../../etc/passwd")
    assert done.returncode == 2
    assert "is no time zone" in done.stderr


def test_more_incidents_than_fit_into_one_question_are_all_shown(tmp_path: Path, location: Location) -> None:
    """A year of them, in their newest versions only, and the events of each."""
    with Archive.open(location) as archive:
        futures = []
        for number in range(600):
            one = incident(f"n{number}", number * 4 + 2)
            event = Event(
                incident=one.id, number=1, kind="opened", at_us=one.opened_us, detail={"platforms": ["facebook"]}
            )
            futures += [incidents.save(archive, one), incidents.save(archive, replace(one, events=2), [event])]
        for future in futures:
            future.result(timeout=60)
    said = dalel(tmp_path, "incidents", "--since", "365d", "-v").stdout
    assert said.count("[n") == 600
    assert said.count("was sure of facebook") == 600


# ---------------------------------------------------------------------------------------------------------------------
# notes


def test_a_note_is_written_shown_and_taken_back(tmp_path: Path) -> None:
    """Text by itself is a note; its time is the zone's; a removed one is shown no more."""
    done = dalel(tmp_path, "note", "opposition live stream", "--at", "2026-11-22T20:00", "--zone", "Asia/Almaty")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Note 1, 2026-11-22 20:00 (UTC+5).\n"
    listed = json.loads(dalel(tmp_path, "note", "list", "--format", "json").stdout)
    assert listed == [{"id": 1, "at": "2026-11-22T15:00:00.000000Z", "until": None, "text": "opposition live stream"}]
    shown = dalel(tmp_path, "note", "list", "--zone", "Asia/Almaty").stdout
    assert "20:00  opposition live stream" in shown
    assert shown.endswith("Times are those of UTC+5.\n")
    assert dalel(tmp_path, "note", "remove", "1").returncode == 0
    assert dalel(tmp_path, "note", "list").stderr == "There are no notes.\n"
    assert dalel(tmp_path, "note", "remove", "1").returncode == 2


def test_a_note_of_today_needs_no_date(tmp_path: Path) -> None:
    """20:00 is today's, in the zone that was named."""
    dalel(tmp_path, "note", "--at", "00:05", "--until", "00:30", "x", "--zone", "UTC")
    (one,) = json.loads(dalel(tmp_path, "note", "list", "--format", "json").stdout)
    assert one["at"][10:16] == "T00:05"
    assert one["until"][10:16] == "T00:30"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(one["at"])).total_seconds()) < 2 * 86_400


def test_a_word_of_a_command_after_an_option_is_still_the_command(tmp_path: Path) -> None:
    """`dalel note --format json list` lists, and writes no note called "list"."""
    dalel(tmp_path, "note", "one")
    assert len(json.loads(dalel(tmp_path, "note", "--format", "json", "list").stdout)) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x", "--at", "yesterday-ish"), "is no moment"),
        (("x", "--at", "25:00"), "is no moment"),
        (("x", "--at", "0001-01-01"), "is no moment"),
        (("x", "--at", "0001-01-01", "--zone", "Asia/Almaty"), "before 1970"),
        (("x", "--at", "99999w"), "before 1970"),
        (("x", "--at", "20:00", "--until", "19:00"), "it is before --at"),
        ((" ",), "it is empty"),
        (("y" * 2001,), "longer than 2000"),
        (("remove", "9"), "There is no note 9"),
    ],
)
def test_what_cannot_be_a_note_is_one_clear_line(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    """Exit code 2, and nothing is kept."""
    done = dalel(tmp_path, "note", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert json.loads(dalel(tmp_path, "note", "list", "--format", "json").stdout) == []


def test_a_note_cannot_move_the_cursor(tmp_path: Path) -> None:
    """What was typed is kept as it is, and shown harmless."""
    dalel(tmp_path, "note", "\x1b[2Jx")
    assert "\x1b" not in dalel(tmp_path, "note", "list").stdout
    assert json.loads(dalel(tmp_path, "note", "list", "--format", "json").stdout)[0]["text"] == "\x1b[2Jx"


def test_help_has_examples(tmp_path: Path) -> None:
    """Each command shows how it is typed."""
    for words in (("incidents",), ("note",), ("export",)):
        done = dalel(tmp_path, *words, "--help")
        assert done.returncode == 0
        assert f"  dalel {words[0]} " in done.stdout
