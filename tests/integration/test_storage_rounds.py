"""What one round of the daemon leaves, and how it is read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.incidents.model import Kind
from probe.verdict.model import EndpointResult, Run
from storage import readings, rounds, schema
from storage.archive import Archive
from storage.location import parse
from storage.rounds import Looked
from tests.storage_samples import (
    MINUTE_US,
    START_US,
    context_observation,
    sample_asked,
    sample_observations,
    sample_result,
    sample_run,
    sample_verdict,
)

pytest_plugins = ("tests.postgresql",)
DAY_US = 24 * 60 * MINUTE_US


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = str(tmp_path / "dalel.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Archive.open(parse(url, data_dir=tmp_path)) as opened:
        yield opened


def looked(run: Run, number: int, status: str = "accessible", kind: Kind = "cheap") -> Looked:
    asked = sample_asked(number)[number - 1]
    seen = sample_observations(2 + 4 * (number - 1), number, run.started_us)
    return Looked(asked=asked, kind=kind, result=sample_result(asked, run, seen, status), observations=seen)


def keep(archive: Archive, run: Run, *looks: Looked) -> None:
    beside = (context_observation(1, run.started_us),)
    archive.put(rounds.changes(run, looks, beside)).result(timeout=30)


def count(archive: Archive) -> dict[str, int]:
    with archive.reader.database.reading() as connection:
        return {
            table.name: connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one()
            for table in (*schema.CHILDREN_FIRST, schema.readings, schema.places, schema.sources)
        }


def test_a_healthy_cheap_round_is_a_row_an_endpoint(archive: Archive) -> None:
    """No run and no observation; what the rows have in common is kept once, however many rounds there are."""
    for number in range(1, 4):
        run = sample_run(number, finished=True)
        keep(archive, run, *(looked(run, n) for n in (1, 2, 3)))
    found = count(archive)
    assert (found["runs"], found["endpoints"], found["observations"], found["verdicts"]) == (0, 0, 0, 0)
    assert (found["readings"], found["places"], found["sources"]) == (9, 3, 1)


def test_one_that_is_not_well_keeps_the_whole_round(archive: Archive) -> None:
    """Also what was healthy in it, for it is what the failure is compared with."""
    run = sample_run(1, finished=True)
    keep(archive, run, looked(run, 1), looked(run, 2, "blocked"), looked(run, 3))
    found = count(archive)
    assert (found["readings"], found["runs"], found["endpoints"], found["verdicts"]) == (0, 1, 3, 3)
    assert found["observations"] == 13
    assert archive.load(run.id)[0] == run


def test_a_full_look_that_is_well_is_kept_beside_short_ones(archive: Archive) -> None:
    """Its details are kept until housekeeping; its cheap neighbours are rows."""
    run = sample_run(1, finished=True)
    keep(archive, run, looked(run, 1), looked(run, 2, kind="full"))
    found = count(archive)
    assert (found["readings"], found["runs"], found["endpoints"]) == (1, 1, 1)
    assert found["observations"] == 5


@pytest.mark.parametrize("telling", ["impairments", "gates", "also", "settle"])
def test_what_says_more_than_all_is_well_keeps_its_details(telling: str) -> None:
    """An accessible site with an impairment, or a gate that spoke, is not a row."""
    verdict = sample_verdict(1, status="accessible")
    assert readings.is_healthy(verdict)
    assert not readings.is_healthy(dataclasses.replace(verdict, **{telling: ("quic",)}))  # type: ignore[arg-type]
    assert not readings.is_healthy(sample_verdict(1, status="inconclusive"))


def test_trouble_on_the_own_side_keeps_the_round(archive: Archive) -> None:
    """A round in which the own network was not well is evidence, whatever its verdicts say."""
    run = dataclasses.replace(sample_run(1, finished=True), network_status="no_network")
    keep(archive, run, looked(run, 1))
    assert count(archive)["runs"] == 1


def test_readings_come_back_in_order_from_both_forms(archive: Archive) -> None:
    """With all their words, corrected times, and where the details are; a short one has no run."""
    first, second = sample_run(1, finished=True), sample_run(2, finished=True)
    blocked = looked(second, 1, "blocked", "burst")
    keep(archive, second, blocked)
    keep(archive, first, looked(first, 2))
    short, detailed = readings.between(archive.reader.database, 0)
    offset_us = first.clock_offset_us
    assert offset_us is not None
    assert (short.run, short.endpoint, short.kind, short.status) == ("", 0, "cheap", "accessible")
    assert short.at_us == looked(first, 2).result.started_us + offset_us
    assert short.until_us == short.at_us + 250_000
    assert (detailed.run, detailed.endpoint, detailed.kind) == (second.id, 1, "burst")
    assert (detailed.status, detailed.method, detailed.signature) == ("blocked", "tls", "tls.timeout.sni")
    assert (detailed.platform, detailed.service, detailed.rule) == ("platform1", "web", "all-of")
    for since_us, until_us, expected in (
        (short.at_us, detailed.at_us, [short]),
        (short.at_us + 1, None, [detailed]),
        (0, short.at_us, []),
    ):
        assert list(readings.between(archive.reader.database, since_us, until_us)) == expected


def test_a_reading_that_was_misdated_by_a_year_is_found_at_its_time(archive: Archive) -> None:
    """The clock was wrong, its offset is known: the reading is read where it belongs, and not where it was written."""
    run = dataclasses.replace(
        sample_run(1, finished=True), started_us=START_US - 365 * DAY_US, clock_offset_us=365 * DAY_US
    )
    keep(archive, run, looked(run, 1))
    (found,) = readings.between(archive.reader.database, START_US - DAY_US, START_US + DAY_US)
    assert found.at_us == START_US + 1000
    assert list(readings.between(archive.reader.database, 0, START_US - 300 * DAY_US)) == []


def test_a_check_by_hand_is_no_reading(archive: Archive) -> None:
    """No machine saw it, so none must see it when the readings are replayed."""
    run = sample_run(1, finished=True)
    look = looked(run, 1, "blocked")
    archive.begin(run, [look.asked]).result(30)
    archive.save(run.id, look.result, look.observations).result(30)
    assert list(readings.between(archive.reader.database, 0)) == []


def test_a_round_that_is_kept_twice_is_there_once(archive: Archive) -> None:
    """Short rows have keys of their own, so what comes from the spool again changes nothing."""
    run = sample_run(1, finished=True)
    for _ in range(2):
        keep(archive, run, looked(run, 1), looked(run, 2))
    assert count(archive)["readings"] == 2


def test_places_are_told_apart_by_what_they_are_asked_for() -> None:
    """The same URL of a platform and of one's own are two; the number is the same everywhere and fits into six bytes."""
    run = sample_run(1)
    result: EndpointResult = looked(run, 1).result
    place = readings.place_row(result)
    assert place == readings.place_row(dataclasses.replace(result, started_us=5))
    assert place["id"] != readings.place_row(dataclasses.replace(result, platform=None))["id"]
    assert 0 <= place["id"] < 2**47
    assert readings.source_row(run)["id"] != readings.source_row(dataclasses.replace(run, ruleset="x"))["id"]
