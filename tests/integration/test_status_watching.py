"""``dalel status`` says how ``dalel run`` is: when it last looked, what it has used, and why it measures nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.cli import status_cmd
from probe.incidents.model import OwnSide
from storage import days, own_sides
from storage.archive import Archive
from storage.when import utc_text
from tests.integration.command import dalel
from tests.storage_samples import save_sample_run

MEGABYTE = 10**6


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db")) as opened:
        save_sample_run(opened, 1)
        yield opened


def watched(archive: Archive, megabytes: int) -> None:
    """A look at the own side five minutes ago, and so much used today."""
    own_sides.save(archive, OwnSide(run="", at_us=now_us() - 300 * MEGABYTE, status="ok")).result(30)
    days.add(archive, days.Day(day=utc_text(now_us())[:10], bytes_received=megabytes * MEGABYTE)).result(30)


def told(home: Path, **settings: str) -> tuple[str, dict[str, object] | None]:
    """What people and programs are told of it."""
    text = dalel(home, "status", **settings).stdout
    document = json.loads(dalel(home, "status", "--format", "json", **settings).stdout)
    return text, document["watching"]


def test_where_nobody_watched_nothing_is_said_of_it(archive: Archive, tmp_path: Path) -> None:
    """Checks by hand have no allowance of a day."""
    text, watching = told(tmp_path)
    assert ("dalel run" not in text, watching) == (True, None)


def test_it_says_when_it_last_looked_and_what_it_used(archive: Archive, tmp_path: Path) -> None:
    """Also where its last look was at the own side only."""
    watched(archive, 12)
    text, watching = told(tmp_path)
    assert "dalel run: last look 5 min ago; 12.0 of 100 MB used in the last 24 hours.\n" in text
    assert "measured until" not in text
    assert watching is not None
    assert (watching["bytes_24h"], watching["cap_bytes_24h"]) == (12 * MEGABYTE, 100 * MEGABYTE)
    assert (watching["used_up"], watching["stopped_by"]) == (False, None)


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"DALEL_RUN_MEGABYTES_PER_DAY": "13"}, "megabytes_per_day"),
        ({"DALEL_RUN_METERED": "true"}, "metered_megabytes"),
    ],
)
def test_it_says_when_the_days_bytes_are_used_up(
    archive: Archive, tmp_path: Path, settings: dict[str, str], setting: str
) -> None:
    """What that means, until when, and which setting it is."""
    watched(archive, 12)
    text, watching = told(tmp_path, **settings)
    assert "little or nothing is measured until some of it is a day old" in text
    assert f"[run] {setting}" in text
    assert watching is not None
    assert watching["used_up"] is True


def test_it_names_the_kill_switch(archive: Archive, tmp_path: Path) -> None:
    """A file that somebody forgot is why nothing is new."""
    watched(archive, 12)
    switch = tmp_path / "stop"
    switch.touch()
    text, watching = told(tmp_path, DALEL_RUN_KILL_SWITCH=str(switch))
    assert f"Nothing is measured while {switch} exists.\n" in text
    assert watching is not None
    assert watching["stopped_by"] == str(switch)


def test_a_clock_that_was_a_year_ahead_for_an_hour_is_forgotten_soon(archive: Archive, tmp_path: Path) -> None:
    """The last look is the last one, not the one with the latest date; times are those of the corrected clock."""
    year_us = 365 * 86_400 * MEGABYTE
    wrong = OwnSide(run="", at_us=now_us() - 3600 * MEGABYTE + year_us, status="ok")
    own_sides.save(archive, wrong, clock_offset_us=-year_us).result(30)
    text, watching = told(tmp_path)
    assert "dalel run: last look 60 min ago;" in text
    watched(archive, 12)
    text, watching = told(tmp_path)
    assert "dalel run: last look 5 min ago;" in text
    assert watching is not None
    assert 300 <= int(str(watching["age_s"])) < 360


def test_a_clock_that_is_still_behind_is_no_age(archive: Archive, tmp_path: Path) -> None:
    """Where nobody sets it, it is as far behind now as it was at the last look."""
    look = OwnSide(run="", at_us=now_us() - 300 * MEGABYTE, status="ok")
    own_sides.save(archive, look, clock_offset_us=7200 * MEGABYTE).result(30)
    text, watching = told(tmp_path)
    assert "dalel run: last look 5 min ago;" in text
    assert watching is not None
    assert str(watching["last_look_at"]) > utc_text(now_us() + 6600 * MEGABYTE)


def test_a_result_is_never_wholly_sure() -> None:
    """Its column is rounded down, and is one word."""
    cells = [status_cmd._row("facebook", "blocked", "tls", confidence, 0)[3] for confidence in (0.97, 0.9974, None)]
    assert cells == ["97%", ">99%", ""]
