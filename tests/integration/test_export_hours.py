"""``dalel export hours``: all that was measured, one row an hour and address, in whatever form it is kept now."""

from __future__ import annotations

import csv
import dataclasses
import gc
import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probe.settings.keep import Keep
from probe.workflows.export import ExportRequest, export, rolled_up
from probe.workflows.prune import tidy
from storage.archive import Archive
from storage.export import hours as hourly
from storage.export.columns import What, choose
from storage.export.query import Selection
from storage.location import Location, parse
from storage.rounds import Looked
from targets.model import Endpoint
from tests.integration.command import dalel
from tests.integration.test_storage_rounds import keep as keep_round
from tests.integration.test_storage_rounds import looked
from tests.storage_samples import MINUTE_US, START_US, sample_run

pytest_plugins = ("tests.postgresql",)

HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
T_US = START_US // HOUR_US * HOUR_US
KEEP = Keep(details_days=10, readings_days=20)
ALL_OLD_US = T_US + 60 * DAY_US
STATUSES = ("accessible", "blocked", "denied", "outage", "no_network", "inconclusive")


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return parse(str(tmp_path / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path)


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    with Archive.open(location) as opened:
        yield opened


def exported(archive: Archive, *columns: str, redact: bool = False, **chosen: Any) -> list[dict[str, str]]:
    chosen.setdefault("what", "hours")
    selection = Selection(**chosen)
    out = io.BytesIO()
    names = choose(selection.what, columns)
    request = ExportRequest(location=archive.location, selection=selection, columns=names, redact=redact)
    rows = export(request, out)
    found = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    assert len(found) == rows
    return found


def lasting(look: Looked, duration_us: int) -> Looked:
    return dataclasses.replace(look, result=dataclasses.replace(look.result, duration_us=duration_us))


def some_weeks(archive: Archive, offsets: tuple[int, ...]) -> None:
    """Rounds of every kind and outcome, some of them checks by hand, in some hours of two weeks; the clock was off by these."""
    chance = random.Random(1)
    for number in range(60):
        offset_us = chance.choice(offsets) + chance.randrange(-1000, 1000)
        at_us = T_US + chance.randrange(14) * DAY_US + chance.randrange(2 * HOUR_US)
        run = sample_run(number, started_us=at_us - offset_us, finished=True)
        run = dataclasses.replace(run, clock_offset_us=offset_us)
        kind: Any = chance.choice(("cheap", "cheap", "full"))
        status = chance.choice(("accessible", "accessible", "accessible", "blocked", "inconclusive"))
        looks = [
            lasting(looked(run, one, status if one == 2 else "accessible", kind), chance.randrange(10**6))
            for one in sorted(chance.sample((1, 2, 3), chance.randrange(1, 4)))
        ]
        if number % 20:
            keep_round(archive, run, *looks)
            continue
        archive.begin(run, [look.asked for look in looks]).result(30)
        for look in looks:
            archive.save(run.id, look.result, ()).result(30)


def test_what_is_kept_in_three_forms_is_told_in_one(archive: Archive) -> None:
    """Counts of each word, the median of the good ones, all bytes: the same before housekeeping as after."""
    for minute, duration in ((5, 100), (20, 400), (50, 200)):
        run = sample_run(minute, started_us=T_US + minute * MINUTE_US, finished=True)
        keep_round(archive, run, lasting(looked(run, 1), duration), looked(run, 3, kind="full"))
    expected = {
        "hour": "2026-09-21T14:00:00.000Z", "platform": "platform1", "service": "web",
        "url": "https://www.platform1.example/", "looks": "3", "accessible": "3", "blocked": "0", "denied": "0",
        "outage": "0", "no_network": "0", "inconclusive": "0", "median_us": "200", "bytes_sent": "5400",
        "bytes_received": "27000", "rolled_up": "0",
    }  # fmt: skip
    first, own = exported(archive)
    assert first == expected
    assert (own["platform"], own["service"], own["url"], own["looks"]) == ("", "", "https://own3.example/", "3")
    tidy(archive, KEEP, ALL_OLD_US, pause_s=0)
    assert exported(archive) == [first | {"rolled_up": "3"}, own | {"rolled_up": "3"}]


def test_an_hour_that_is_kept_in_parts_is_one_row(archive: Archive) -> None:
    """What was not well keeps its details when the rest becomes sums: that hour's row has both."""
    for minute, status in ((1, "accessible"), (2, "accessible"), (3, "blocked")):
        run = sample_run(minute, started_us=T_US + minute * MINUTE_US, finished=True)
        keep_round(archive, run, lasting(looked(run, 1, status), 100), lasting(looked(run, 2), 10 * minute))
    tidy(archive, KEEP, ALL_OLD_US, pause_s=0)
    names = ("looks", "accessible", "blocked", "median_us", "rolled_up")
    first, second = exported(archive, *names)
    assert tuple(first.values()) == ("3", "2", "1", "100", "2")
    # 10 and 20 became 15, which stands for both beside 30.
    assert tuple(second.values()) == ("3", "3", "0", "15", "2")


@pytest.mark.parametrize(
    "offsets", [(0,), (-HOUR_US // 2, HOUR_US // 2), (0, 5 * HOUR_US), (0, 365 * DAY_US, -400 * DAY_US)], ids=str
)
def test_every_look_counts_once_in_its_hour(archive: Archive, offsets: tuple[int, ...]) -> None:
    """Whatever the clock said, and however far housekeeping has come: hours are the verdicts, counted; in order, each once."""
    some_weeks(archive, offsets)
    looks = exported(archive, what="verdicts")
    expected = Counter((row["started_at"][:13], row["url"], row["status"]) for row in looks)
    for days in (0, 15, 22, 28, 99):
        tidy(archive, KEEP, T_US + days * DAY_US, pause_s=0)
        rows = exported(archive)
        found = Counter({
            (row["hour"][:13], row["url"], status): int(row[status])
            for row in rows for status in STATUSES if row[status] != "0"
        })  # fmt: skip
        assert found == expected
        assert all(int(row["looks"]) == sum(int(row[status]) for status in STATUSES) for row in rows)
        places = [(row["hour"], not row["platform"], row["platform"], row["service"], row["url"]) for row in rows]
        assert places == sorted(set(places))
    assert sum(int(row["rolled_up"]) for row in rows) > len(looks) // 2


def test_only_the_newest_verdict_counts(archive: Archive) -> None:
    """After `dalel reclassify` an hour tells what is thought today."""
    run = sample_run(1, started_us=T_US + MINUTE_US, finished=True)
    look = looked(run, 1, "blocked", "full")
    keep_round(archive, run, look)
    again = dataclasses.replace(look.result.verdict, status="outage", method="server", signature=None)
    archive.add_verdicts(run.id, [again], judged_us=T_US).result(30)
    (row,) = exported(archive)
    assert (row["looks"], row["blocked"], row["outage"]) == ("1", "0", "1")


SELECTIONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "0123"),
    ({"since_us": T_US + HOUR_US}, "123"),
    ({"since_us": T_US + 2 * HOUR_US - 1}, "123"),
    ({"since_us": T_US + 2 * HOUR_US, "until_us": T_US + 3 * HOUR_US}, "2"),
    ({"until_us": T_US + 3 * HOUR_US - 1}, "01"),
    ({"since_us": T_US + 4 * HOUR_US}, ""),
    ({"statuses": ("blocked", "outage")}, "2"),
    ({"statuses": ("accessible",)}, "013"),
    ({"targets": ("platform1",)}, "02"),
    ({"targets": ("nobody", "https://www.platform2.example/")}, "1"),
    ({"targets": ("own3.example",), "since_us": T_US + HOUR_US}, "3"),
)


def test_a_selection_has_whole_hours(archive: Archive) -> None:
    """From one full hour to another, so that spans that follow one another share none; by target, and by a status in it."""
    for hour, (place, status) in enumerate(((1, ""), (2, ""), (1, "blocked"), (3, ""))):
        run = sample_run(hour, started_us=T_US + hour * HOUR_US + 59 * MINUTE_US, finished=True)
        keep_round(archive, run, looked(run, place, status or "accessible"))
    for now_us in (T_US, ALL_OLD_US):
        tidy(archive, KEEP, now_us, pause_s=0)
        for chosen, hours in SELECTIONS:
            assert "".join(str(int(row["hour"][11:13]) - 14) for row in exported(archive, **chosen)) == hours


def test_who_asks_for_rows_of_old_looks_is_told_where_they_are(archive: Archive) -> None:
    """From when to when healthy checks are sums only, of that target; nothing where no row is missing."""
    for hour, place in ((0, 1), (5, 2), (9, 1)):
        run = sample_run(hour, started_us=T_US + hour * HOUR_US + MINUTE_US, finished=True)
        keep_round(archive, run, looked(run, place))

    def missing(**chosen: Any) -> tuple[int, int] | None:
        found = rolled_up(archive.location, Selection(**{"what": "verdicts", **chosen}))
        return found and ((found[0] - T_US) // HOUR_US, (found[1] - T_US) // HOUR_US)

    assert missing() is None
    tidy(archive, KEEP, T_US + 20 * DAY_US + 6 * HOUR_US, pause_s=0)
    assert missing() == (0, 6)
    assert missing(what="observations", targets=("platform2",)) == (5, 6)
    assert missing(since_us=T_US + HOUR_US - 1) == (0, 6)
    assert missing(since_us=T_US + HOUR_US, until_us=T_US + 5 * HOUR_US) is None
    assert missing(statuses=("blocked",)) is None
    assert missing(statuses=("blocked", "accessible")) == (0, 6)
    assert missing(what="hours") is missing(what="incidents") is None


def test_the_command_says_once_what_is_not_among_the_rows(tmp_path: Path) -> None:
    """On stderr, and not where the hours themselves are asked for; in JSON lines numbers are numbers."""
    with Archive.open(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db")) as archive:
        run = sample_run(1, started_us=T_US + MINUTE_US, finished=True)
        keep_round(archive, run, looked(run, 1))
        tidy(archive, KEEP, ALL_OLD_US, pause_s=0)
    done = dalel(tmp_path, "export")
    assert done.stderr == (
        "0 verdicts\nOf healthy checks between 2026-09-21 14:00 and 2026-09-21 15:00 UTC only sums are kept: they are not "
        "among these verdicts. `dalel export hours` has them.\n"
    )
    done = dalel(tmp_path, "export", "hours", "--format", "jsonl", "--columns", "hour,median_us,service")
    assert json.loads(done.stdout) == {"hour": "2026-09-21T14:00:00.000Z", "median_us": 250_000, "service": "web"}
    assert done.stderr == "1 row\n"


def test_hours_can_be_given_away(archive: Archive) -> None:
    """Redacted they have no address and nothing behind the ? of a URL; sums and names of platforms stay."""
    run = sample_run(1, started_us=T_US + MINUTE_US, finished=True)
    look = looked(run, 3)
    secret = "https://203.0.113.7/a?key=secret"
    asked = dataclasses.replace(look.asked, endpoint=Endpoint(secret), target=secret)
    result = dataclasses.replace(look.result, url=secret, target=secret)
    keep_round(archive, run, dataclasses.replace(look, asked=asked, result=result), looked(run, 1))
    first, own = exported(archive, redact=True)
    assert first == exported(archive)[0]
    assert own["url"] == "https://address/a"
    assert own["looks"] == "1"


class _Gone(io.BytesIO):
    """Whoever reads has seen enough after the first piece, as ``head`` has."""

    def write(self, piece: object) -> int:
        if self.tell():
            raise BrokenPipeError
        return super().write(piece)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["hours", "verdicts"])
def test_rows_that_nobody_takes_any_more_leave_no_trouble(
    location: Location, monkeypatch: pytest.MonkeyPatch, what: What
) -> None:
    """What is given up half way says nothing afterwards, when the database is shut."""
    trouble: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", trouble.append)
    monkeypatch.setattr(hourly, "BATCH", 1)
    with Archive.open(location) as archive:
        for number in range(3):
            run = dataclasses.replace(sample_run(1, started_us=T_US + number * HOUR_US), id=f"{number:032x}")
            keep_round(archive, run, looked(run, 1))
    request = ExportRequest(location=location, selection=Selection(what=what), columns=choose(what, ()))
    with pytest.raises(BrokenPipeError):
        export(request, _Gone())
    gc.collect()
    assert trouble == []
