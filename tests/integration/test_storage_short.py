"""Readings in short form are seen wherever results are: in the last word on everything, and in an export."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.incidents.model import Kind
from probe.workflows.export import ExportRequest, export
from storage.archive import Archive
from storage.export.columns import choose
from storage.export.query import Selection
from storage.location import Location, parse
from tests.integration.test_storage_rounds import keep, looked
from tests.storage_samples import MINUTE_US, START_US, run_id, sample_run

pytest_plugins = ("tests.postgresql",)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return parse(str(tmp_path / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path)


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    with Archive.open(location) as opened:
        yield opened


def rows(location: Location, *columns: str, **selection: object) -> list[dict[str, str]]:
    out = io.BytesIO()
    chosen = Selection(what="verdicts", **selection)  # type: ignore[arg-type]
    export(ExportRequest(location=location, selection=chosen, columns=choose("verdicts", columns)), out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


def test_the_last_word_may_be_a_short_one(archive: Archive) -> None:
    """Whatever form it has, the newest counts; a place that has only short ones is there as well."""
    early, late = sample_run(1, finished=True), sample_run(2, finished=True)
    keep(archive, early, looked(early, 1, "blocked", "full"), looked(early, 2, "blocked", "full"))
    keep(archive, late, looked(late, 1), looked(late, 3))
    found = {one.result.url: (one.result.verdict.status, one.run.id) for one in archive.latest()}
    assert found == {
        "https://www.platform1.example/": ("accessible", ""),
        "https://www.platform2.example/": ("blocked", run_id(1)),
        "https://own3.example/": ("accessible", ""),
    }
    newest = sample_run(3, finished=True)
    keep(archive, newest, looked(newest, 1, "blocked", "full"))
    (one,) = [one for one in archive.latest() if one.result.url == "https://www.platform1.example/"]
    assert (one.result.verdict.status, len(one.result.verdict.findings)) == ("blocked", 2)
    assert archive.latest()[-1].result.platform is None


@pytest.mark.parametrize("form", ["full", "cheap"])
def test_a_clock_that_was_wrong_hides_nothing_that_came_after_it(archive: Archive, form: Kind) -> None:
    """A look that was dated a year too late is the last word until the next look, and not for a year."""
    year_us = 365 * 24 * 60 * MINUTE_US
    wrong, right = sample_run(1, finished=True), sample_run(2, finished=True)
    now_us, ahead_us = right.started_us + MINUTE_US, wrong.started_us + year_us
    wrong = dataclasses.replace(wrong, started_us=ahead_us, finished_us=ahead_us, clock_offset_us=-year_us)
    keep(archive, wrong, looked(wrong, 1, "blocked" if form == "full" else "accessible", form))
    (one,) = archive.reader.latest(now_us)
    assert (one.result.started_us > now_us, one.at_us < now_us) == (True, True)
    keep(archive, right, looked(right, 1, "accessible", form))
    (one,) = archive.reader.latest(now_us)
    assert (one.result.verdict.status, one.result.started_us < now_us) == ("accessible", True)
    last = archive.reader.last_run(now_us)
    assert last is None or last.id == right.id


def test_an_export_has_both_forms_in_order_of_time(archive: Archive, location: Location) -> None:
    """Every column is filled with what a short row has; what it has not is empty; no row is lost or doubled."""
    for number in (3, 1, 2):
        run = sample_run(number, finished=True)
        keep(archive, run, looked(run, 1, "blocked" if number == 2 else "accessible"), looked(run, 3))
    found = rows(location, "all")
    assert [row["started_at"] for row in found] == sorted(row["started_at"] for row in found)
    assert [row["status"] for row in found] == ["accessible"] * 2 + ["blocked", "accessible"] + ["accessible"] * 2
    short = found[0]
    run = sample_run(1, finished=True)
    assert (short["run"], short["endpoint"], short["evidence"], short["version"]) == ("", "", "", "1")
    assert (short["platform"], short["rule"], short["named_as_url"]) == ("platform1", "all-of", "false")
    assert (short["software"], short["country"], short["asn"]) == (run.software, "KZ", str(run.asn))
    assert (short["bytes_sent"], short["duration_us"], short["clock_offset_us"]) == ("1800", "250000", "-1500")
    assert short["network_status"] == "ok"
    assert set(short) == set(found[2])


def test_an_export_narrows_short_rows_as_others(archive: Archive, location: Location) -> None:
    """By time (the corrected one), target and status, from and to."""
    for number in range(4):
        run = dataclasses.replace(sample_run(number, finished=True), clock_offset_us=0)
        keep(archive, run, looked(run, 1), looked(run, 3))
    start_us = START_US + 1 * MINUTE_US + 1000
    assert len(rows(location, "url")) == 8
    assert len(rows(location, "url", since_us=start_us, until_us=start_us + MINUTE_US)) == 2
    assert len(rows(location, "url", since_us=start_us + 1, until_us=start_us + MINUTE_US)) == 1
    assert len(rows(location, "url", targets=("platform1",))) == 4
    assert len(rows(location, "url", targets=("https://own3.example/",), since_us=start_us)) == 3
    assert rows(location, "url", statuses=("blocked",)) == []


def test_a_short_row_is_exported_at_its_true_time(archive: Archive, location: Location) -> None:
    """Measured by a clock that was a year behind: it is in the week in which it was, and nowhere else."""
    year_us = 365 * 24 * 60 * MINUTE_US
    run = dataclasses.replace(sample_run(1, started_us=START_US - year_us), clock_offset_us=year_us)
    keep(archive, run, looked(run, 1))
    assert len(rows(location, "url", since_us=START_US - MINUTE_US, until_us=START_US + MINUTE_US)) == 1
    assert rows(location, "url", until_us=START_US - MINUTE_US) == []
