"""Housekeeping: what says that all is well becomes shorter with time, and everything else stays as it was."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from probe.incidents.model import Incident, OwnSide
from probe.settings.keep import Keep
from probe.workflows.prune import Tidied, tidy, tidy_due, tidy_now
from storage import days, incidents, notes, outbox, own_sides, readings, schema, tidying
from storage.archive import Archive
from storage.database import Database
from storage.location import Location, parse
from storage.maintenance import prune
from tests.integration.command import dalel
from tests.integration.test_storage_rounds import keep as keep_round
from tests.integration.test_storage_rounds import looked
from tests.storage_samples import MINUTE_US, START_US, sample_run, save_sample_run

pytest_plugins = ("tests.postgresql",)

HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
KEEP = Keep(details_days=10, readings_days=20)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return parse(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path)


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    with Archive.open(location) as opened:
        yield opened


def rows(archive: Archive, name: str) -> int:
    with archive.reader.database.reading() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one())


def everything(archive: Archive) -> dict[str, object]:
    """All rows of the tables that hold details."""
    with archive.reader.database.reading() as connection:
        return {
            table.name: sorted(map(str, connection.execute(table.select()).all())) for table in schema.CHILDREN_FIRST
        }


def test_a_healthy_run_becomes_short_readings(archive: Archive) -> None:
    """The same readings are read afterwards, but that they have no run; its details are gone."""
    run = sample_run(1, finished=True)
    keep_round(archive, run, looked(run, 1, kind="full"), looked(run, 2, kind="deep"))
    before = list(readings.between(archive.reader.database, 0))
    done = tidy(archive, KEEP, START_US + 11 * DAY_US, pause_s=0)
    assert done == Tidied(runs=1)
    after = list(readings.between(archive.reader.database, 0))
    assert after == [dataclasses.replace(one, run="", endpoint=0) for one in before]
    assert [rows(archive, name) for name in ("runs", "endpoints", "observations", "findings")] == [0, 0, 0, 0]


def test_what_was_not_well_keeps_every_detail(archive: Archive, location: Location) -> None:
    """Blocked, impaired, unfinished, without network, or checked by hand: not a row changes, however old."""
    for number, status in ((1, "blocked"), (2, "inconclusive")):
        run = sample_run(number, finished=True)
        keep_round(archive, run, looked(run, 1, status, "full"), looked(run, 2, kind="full"))
    cut = dataclasses.replace(sample_run(3, finished=True), network_status="no_network")
    keep_round(archive, cut, looked(cut, 1, kind="full"))
    dead = sample_run(4)
    keep_round(archive, dead, looked(dead, 1, kind="full"))
    impaired = looked(sample_run(5), 1, kind="full")
    verdict = dataclasses.replace(impaired.result.verdict, impairments=("quic",))
    impaired = dataclasses.replace(impaired, result=dataclasses.replace(impaired.result, verdict=verdict))
    keep_round(archive, sample_run(5, finished=True), impaired)
    by_hand = sample_run(6, finished=True)
    one = looked(by_hand, 1)
    archive.begin(by_hand, [one.asked]).result(30)
    archive.save(by_hand.id, one.result, one.observations).result(30)
    before = everything(archive)
    assert tidy(archive, KEEP, START_US + 9999 * DAY_US, pause_s=0) == Tidied()
    assert everything(archive) == before


def test_a_verdict_that_was_changed_later_keeps_the_facts(archive: Archive) -> None:
    """What today's rules call blocked stays, although it was called accessible when it was measured."""
    run = sample_run(1, finished=True)
    look = looked(run, 1, kind="full")
    keep_round(archive, run, look)
    again = dataclasses.replace(look.result.verdict, status="blocked", method="tls")
    archive.add_verdicts(run.id, [again], judged_us=START_US + DAY_US).result(30)
    assert tidy(archive, KEEP, START_US + 99 * DAY_US, pause_s=0) == Tidied()
    assert rows(archive, "observations") == 5


def test_what_is_young_stays(archive: Archive, location: Location) -> None:
    """The limits are days from now; a dry run says the same as the deed."""
    for number in range(3):
        run = sample_run(number, started_us=START_US + number * DAY_US, finished=True)
        keep_round(archive, run, looked(run, 1, kind="full"), looked(run, 2))
    now_us = START_US + 11 * DAY_US + DAY_US // 2
    assert tidy_due(location, KEEP, now_us) == tidying.Due(runs=2, readings=0, own_sides=0)
    assert tidy(archive, KEEP, now_us, pause_s=0) == Tidied(runs=2)
    assert rows(archive, "runs") == 1
    assert rows(archive, "readings") == 5


def test_the_readings_of_an_hour_become_one(archive: Archive) -> None:
    """Counts of each word, the median of the good ones, all bytes: each place and hour apart, by the corrected clock."""
    start_us = START_US // HOUR_US * HOUR_US
    durations = (100, 400, 200)
    for number, duration in enumerate(durations):
        run = dataclasses.replace(sample_run(number, started_us=start_us + number * MINUTE_US), clock_offset_us=0)
        look = looked(run, 1)
        look = dataclasses.replace(look, result=dataclasses.replace(look.result, duration_us=duration))
        keep_round(archive, run, look, looked(run, 2))
    late = dataclasses.replace(sample_run(9, started_us=start_us), clock_offset_us=HOUR_US)
    keep_round(archive, late, looked(late, 3))
    assert tidy(archive, KEEP, start_us + 25 * DAY_US, pause_s=0) == Tidied(readings=7)
    assert rows(archive, "readings") == 0
    with archive.reader.database.reading() as connection:
        joined = schema.rollups.join(schema.places, schema.places.c.id == schema.rollups.c.place)
        found = {row["url"]: row for row in connection.execute(joined.select()).mappings()}
    first = found["https://www.platform1.example/"]
    assert (first["hour_us"], first["accessible"], first["blocked"], first["median_us"]) == (start_us, 3, 0, 200)
    assert (first["bytes_sent"], first["bytes_received"]) == (3 * 1800, 3 * 9000)
    assert found["https://own3.example/"]["hour_us"] == start_us + HOUR_US


def test_a_late_reading_is_added_to_its_hour(archive: Archive) -> None:
    """What comes out of the spool after its hour was rolled up counts as well."""
    start_us = START_US // HOUR_US * HOUR_US
    for number in (1, 2):
        run = sample_run(number, started_us=start_us + number * MINUTE_US)
        keep_round(archive, run, looked(run, 1))
        tidy(archive, KEEP, start_us + 25 * DAY_US, pause_s=0)
    with archive.reader.database.reading() as connection:
        assert connection.execute(schema.rollups.select()).mappings().one()["accessible"] == 2


def test_old_looks_and_sent_messages_go(archive: Archive) -> None:
    """Healthy looks at the own side and what was sent; a shutdown and what still waits stay."""
    for minute, status in ((0, "ok"), (1, "no_network"), (2, "ok")):
        look = OwnSide(run="", at_us=START_US + minute * MINUTE_US, status=status, holes=())  # type: ignore[arg-type]
        own_sides.save(archive, look).result(30)
    sent, _waiting = outbox.put(archive, [outbox.Message(made_us=START_US, channel="log")] * 2).result(30)
    outbox.sent(archive, [sent], START_US + 1).result(30)
    done = tidy(archive, KEEP, START_US + 25 * DAY_US, pause_s=0)
    assert done == Tidied(own_sides=2, messages=1)
    assert [one.status for one in own_sides.between(archive.reader.database, 0)] == ["no_network"]
    assert len(outbox.waiting(archive.reader.database)) == 1


def test_many_runs_are_many_small_steps(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """No transaction has more than a few runs, so that what others want to write comes in between."""
    for number in range(25):
        run = sample_run(number, finished=True)
        keep_round(archive, run, looked(run, 1, kind="full"))
    sizes: list[int] = []
    shorten = tidying.shorten

    def counting(connection: Connection, ids: Sequence[str]) -> object:
        sizes.append(len(ids))
        return shorten(connection, ids)

    monkeypatch.setattr(tidying, "shorten", counting)

    assert tidy(archive, KEEP, START_US + 25 * DAY_US, pause_s=0).runs == 25
    assert sizes == [10, 10, 5]


def test_housekeeping_ends_in_time_and_goes_on_the_next_day(archive: Archive) -> None:
    """However much there is to do: what is left is done later, and nothing twice."""
    for number in range(25):
        run = sample_run(number, finished=True)
        keep_round(archive, run, looked(run, 1, kind="full"))
    now_us = START_US + 11 * DAY_US
    assert tidy(archive, KEEP, now_us, pause_s=0, longest_s=0).runs == 10
    assert tidy(archive, KEEP, now_us, pause_s=0).runs == 15


def test_pruning_removes_all_that_is_old(archive: Archive, location: Location) -> None:
    """Runs, short readings, looks, days, notes, and incidents that are over; an open incident stays, whenever it began."""
    run = sample_run(1, finished=True)
    keep_round(archive, run, looked(run, 1), looked(run, 2, kind="full"))
    own_sides.save(archive, OwnSide(run="", at_us=START_US, status="ok")).result(30)
    days.add(archive, days.Day(day=days.day_of(START_US), rounds=1)).result(30)
    notes.add(archive, notes.Note(at_us=START_US, text="x", made_us=START_US)).result(30)
    incident = Incident(
        id="a", status="blocked", began_by_us=START_US, opened_us=START_US, changed_us=START_US, closed_us=START_US + 1
    )
    incidents.save(archive, dataclasses.replace(incident, state="closed")).result(30)
    incidents.save(archive, dataclasses.replace(incident, id="b", state="closed")).result(30)
    incidents.save(archive, dataclasses.replace(incident, id="b", state="open", closed_us=None)).result(30)
    with Database.open(location, writable=True) as database:
        early = prune(database, START_US - DAY_US, dry_run=False)
        assert set(dataclasses.asdict(early).values()) == {0}
        counted = prune(database, START_US + 2 * DAY_US, dry_run=True)
        assert prune(database, START_US + 2 * DAY_US, dry_run=False) == counted
    assert (counted.runs, counted.readings, counted.own_sides, counted.days, counted.notes) == (1, 1, 1, 1, 1)
    assert counted.incidents == 1
    assert [one.id for one in incidents.newest(archive.reader.database)] == ["b"]


def test_the_command_says_what_it_would_do_and_does_it(tmp_path: Path) -> None:
    """`dalel db prune` follows [keep]; --dry-run changes nothing; checks by hand stay."""
    with Archive.open(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db")) as archive:
        save_sample_run(archive, 1)
        run = sample_run(2, finished=True, started_us=time.time_ns() // 1000 - 60 * DAY_US)
        keep_round(archive, run, looked(run, 1, kind="full"), looked(run, 2))
        done = dalel(tmp_path, "db", "prune", "--dry-run")
        assert done.stdout.startswith("1 healthy check from before 30 days would lose its details, 0 short rows")
        assert rows(archive, "runs") == 2
        done = dalel(tmp_path, "db", "prune", "--format", "json")
        assert json.loads(done.stdout) == {
            "done": True,
            "runs": 1,
            "repeats": 0,
            "readings": 0,
            "own_sides": 0,
            "messages": 0,
        }
        assert rows(archive, "runs") == 1
        assert rows(archive, "readings") == 2


def test_tidying_now_is_the_same(archive: Archive, location: Location) -> None:
    """The command's way and the daemon's way do the same."""
    for number in range(3):
        run = sample_run(number, finished=True)
        keep_round(archive, run, looked(run, 1, kind="full"))
    assert tidy_now(location, KEEP, START_US + 11 * DAY_US) == Tidied(runs=3)
    assert tidy_now(location, KEEP, START_US + 41 * DAY_US) == Tidied(readings=3)


YEAR_US = 365 * DAY_US


@pytest.mark.parametrize("offset_us", [56 * YEAR_US, -YEAR_US, 2 * HOUR_US, -2 * HOUR_US, HOUR_US // 2], ids=str)
def test_things_grow_old_by_the_true_time(archive: Archive, location: Location, offset_us: int) -> None:
    """Whatever the clock of this host said when they were measured: not before their time, and not never."""
    true_us = START_US // HOUR_US * HOUR_US + 10 * MINUTE_US
    for number in (1, 2):
        run = sample_run(number, started_us=true_us + number * MINUTE_US - offset_us, finished=True)
        run = dataclasses.replace(run, clock_offset_us=offset_us)
        keep_round(archive, run, looked(run, 1), looked(run, 2, kind="full"))
        look = OwnSide(run="", at_us=run.started_us, status="ok")
        own_sides.save(archive, look, clock_offset_us=offset_us).result(30)
    hour_us = true_us // HOUR_US * HOUR_US
    for days_on, expected in (
        (10 * DAY_US, Tidied()),
        (10 * DAY_US + HOUR_US, Tidied(runs=2)),
        (20 * DAY_US + 10 * MINUTE_US, Tidied()),
        (20 * DAY_US + HOUR_US - 1, Tidied(own_sides=2)),
        (20 * DAY_US + HOUR_US, Tidied(readings=4)),
    ):
        due = tidy_due(location, KEEP, hour_us + days_on)
        assert (due.runs, due.readings, due.own_sides) == (expected.runs, expected.readings, expected.own_sides)
        assert tidy(archive, KEEP, hour_us + days_on, pause_s=0) == expected
    with archive.reader.database.reading() as connection:
        assert set(connection.execute(schema.rollups.select()).scalars()) == {hour_us}


def test_an_hour_is_rolled_up_as_a_whole(archive: Archive) -> None:
    """A clock that is some minutes off cuts no hour in two, whose median would be that of one part."""
    hour_us = START_US // HOUR_US * HOUR_US
    for minute, duration in ((1, 10), (40, 20), (41, 30), (50, 40), (59, 50)):
        offset_us = 30 * MINUTE_US if minute < 58 else -90 * MINUTE_US
        run = sample_run(minute, started_us=hour_us + minute * MINUTE_US - offset_us, finished=True)
        run = dataclasses.replace(run, clock_offset_us=offset_us)
        look = looked(run, 1)
        keep_round(
            archive, run, dataclasses.replace(look, result=dataclasses.replace(look.result, duration_us=duration))
        )
    assert tidy(archive, KEEP, hour_us + 25 * DAY_US, pause_s=0) == Tidied(readings=5)
    with archive.reader.database.reading() as connection:
        row = connection.execute(schema.rollups.select()).mappings().one()
    assert (row["hour_us"], row["accessible"], row["median_us"]) == (hour_us, 5, 30)


def test_many_readings_are_many_small_steps(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours are looked for some at a time, and none of them is taken for whole while a part of it was not looked at."""
    monkeypatch.setattr(tidying, "READINGS_AT_ONCE", 5)
    hour_us = START_US // HOUR_US * HOUR_US
    for number in range(24):
        run = sample_run(number, started_us=hour_us + number * 20 * MINUTE_US + MINUTE_US, finished=True)
        keep_round(archive, run, looked(run, 1))
    steps: list[int] = []
    roll_up = tidying.roll_up

    def counting(connection: Connection, keys: Sequence[tidying.Key]) -> int:
        steps.append(len(keys))
        return roll_up(connection, keys)

    monkeypatch.setattr(tidying, "roll_up", counting)
    assert tidy(archive, KEEP, hour_us + 25 * DAY_US, pause_s=0) == Tidied(readings=24)
    assert steps == [3] * 8
    assert rows(archive, "rollups") == 8


def test_pruning_goes_by_the_true_time(archive: Archive, location: Location) -> None:
    """`--older-than` leaves what only seems old because the clock was wrong, and takes what only seems young."""
    for number, offset_us in ((1, YEAR_US), (2, -YEAR_US)):
        run = sample_run(number, started_us=START_US - offset_us, finished=True)
        run = dataclasses.replace(run, clock_offset_us=offset_us)
        keep_round(archive, run, looked(run, 1), looked(run, 2, kind="full"))
        own_sides.save(archive, OwnSide(run="", at_us=run.started_us, status="ok"), clock_offset_us=offset_us).result(
            30
        )
    with Database.open(location, writable=True) as database:
        early = prune(database, START_US - DAY_US, dry_run=False)
        assert set(dataclasses.asdict(early).values()) == {0}
        removed = prune(database, START_US + DAY_US, dry_run=False)
    assert (removed.runs, removed.readings, removed.own_sides) == (2, 2, 2)
