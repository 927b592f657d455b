"""``dalel export incidents``: rows for pandas and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probe.incidents.model import Incident
from probe.workflows.export import ExportRequest, export
from storage import incidents
from storage.archive import Archive
from storage.export.columns import choose
from storage.export.formats import Format
from storage.export.query import Selection
from storage.location import parse

pytest_plugins = ("tests.postgresql",)

HOUR = 3_600_000_000
FIRST = Incident(
    id="a1",
    status="blocked",
    method="tls",
    signature="tls.timeout.sni",
    where="access",
    platforms=("facebook", "телеграмм"),
    urls=("https://a.example/?q=%41_b", "https://б.example/"),
    began_after_us=10 * HOUR,
    began_by_us=11 * HOUR,
    ended_after_us=13 * HOUR,
    ended_by_us=14 * HOUR,
    opened_us=11 * HOUR,
    closed_us=14 * HOUR,
    changed_us=14 * HOUR,
    confidence=0.97,
    state="closed",
    events=2,
)
OPEN = Incident(
    id="=cmd()",
    status="no_network",
    method="shutdown",
    holes=("tcp/179", "udp/53"),
    began_by_us=20 * HOUR,
    opened_us=20 * HOUR,
    changed_us=20 * HOUR,
    events=1,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = str(tmp_path / "dalel.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Archive.open(parse(url, data_dir=tmp_path)) as opened:
        incidents.save(opened, replace(FIRST, state="open", ended_by_us=None, closed_us=None)).result(timeout=30)
        for one in (FIRST, OPEN):
            incidents.save(opened, one).result(timeout=30)
        yield opened


def exported(archive: Archive, form: Format = "csv", names: tuple[str, ...] = (), **chosen: Any) -> str:
    out = io.BytesIO()
    request = ExportRequest(
        location=archive.location,
        selection=Selection(what="incidents", **chosen),
        columns=choose("incidents", names),
        format=form,
    )
    export(request, out)
    return out.getvalue().decode()


def test_the_newest_version_of_each_incident_is_a_row(archive: Archive) -> None:
    """Lists are words in a cell, times end in Z, what is not known is empty, and a formula is text."""
    first, second = csv.DictReader(io.StringIO(exported(archive)))
    assert (first["incident"], first["state"], first["platforms"]) == ("a1", "closed", "facebook телеграмм")
    assert first["urls"] == "https://a.example/?q=%41_b https://б.example/"
    assert (first["began_after"], first["ended_by"]) == ("1970-01-01T10:00:00.000Z", "1970-01-01T14:00:00.000Z")
    assert (int(first["shortest_us"]), int(first["longest_us"])) == (2 * HOUR, 4 * HOUR)
    assert (second["incident"], second["ended_by"], second["longest_us"]) == ("'=cmd()", "", "")
    assert second["holes"] == "tcp/179 udp/53"


def test_json_lines_have_lists(archive: Archive) -> None:
    """A list is a list there, also an empty one."""
    first, second = map(json.loads, exported(archive, "jsonl", ("all",)).splitlines())
    assert first["platforms"] == ["facebook", "телеграмм"]
    assert (second["platforms"], second["version"], first["version"]) == ([], 1, 2)


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ({"since_us": 14 * HOUR}, ["a1", "'=cmd()"]),
        ({"since_us": 14 * HOUR + 1}, ["'=cmd()"]),
        ({"until_us": 10 * HOUR}, []),
        ({"until_us": 10 * HOUR + 1}, ["a1"]),
        ({"statuses": ("blocked", "outage")}, ["a1"]),
        ({"targets": ("facebook",)}, ["a1"]),
        ({"targets": ("face",)}, []),
        ({"targets": ("телеграмм", "nobody")}, ["a1"]),
        ({"targets": ("https://a.example/?q=%41_b",)}, ["a1"]),
        ({"targets": ("https://a.example/?q=%41xb",)}, []),
    ],
)
def test_a_selection_keeps_what_was_under_way(archive: Archive, chosen: dict[str, Any], ids: list[str]) -> None:
    """By time, status, platform and URL; a sign that SQL would take for any text is a sign."""
    assert [row["incident"] for row in csv.DictReader(io.StringIO(exported(archive, **chosen)))] == ids
