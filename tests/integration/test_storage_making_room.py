"""A database that is too large: what only repeats itself becomes short, and says the same as before."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from probe.incidents.model import OwnSide, Reading
from probe.settings.keep import Keep
from probe.workflows import prune
from probe.workflows.export import ExportRequest, export
from probe.workflows.incidents import Incidents
from probe.workflows.prune import Tidied, tidy, tidy_due, tidy_now
from storage import making_room, own_sides, readings, repeats, tidying
from storage.archive import Archive
from storage.export.columns import What, choose
from storage.export.query import Selection
from storage.location import Location, parse
from tests.integration.command import dalel
from tests.integration.test_storage_rounds import keep as keep_round
from tests.integration.test_storage_rounds import looked
from tests.integration.test_storage_tidying import everything, rows
from tests.storage_samples import MINUTE_US, START_US, sample_run

pytest_plugins = ("tests.postgresql",)

HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
DAY_0 = START_US // (210 * DAY_US) * 210 * DAY_US
"""Where a day, a week and a month (as examples count them) may begin at once."""
EVERY_US = 4 * HOUR_US
DAYS = 16
NOW_US = DAY_0 + 30 * DAY_US
SMALL = Keep(details_days=10, readings_days=400, megabytes=1)
"""Whatever there is is too much of it: a megabyte is a byte here."""


@pytest.fixture(autouse=True)
def _a_megabyte_is_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "MEGABYTE", 1)


@pytest.fixture
def location(tmp_path: Path) -> Location:
    return parse(str(tmp_path / ".local" / "state" / "dalel" / "dalel.db"))


@pytest.fixture
def archive(location: Location) -> Iterator[Archive]:
    with Archive.open(location) as opened:
        yield opened


def blocked_for_days(
    archive: Archive, *, offset_us: int = 0, days: int = DAYS, from_us: int = DAY_0, word: str = "blocked"
) -> None:
    """Six rounds a day. The first place is well for two days and blocked from then on, the second is always well."""
    for number in range(days * 6):
        at_us = from_us + number * EVERY_US + MINUTE_US
        status = "accessible" if number < 12 else word
        run = sample_run(number, started_us=at_us - offset_us, finished=True)
        run = dataclasses.replace(run, clock_offset_us=offset_us)
        first = looked(run, 1, status, "cheap" if status == "accessible" else "full")
        keep_round(archive, run, first, looked(run, 2))


def detailed(archive: Archive) -> list[int]:
    """The runs that have their details, by their numbers."""
    return [int(run.id, 16) for run in archive.reader.runs()]


def exported(archive: Archive, what: What) -> list[dict[str, str]]:
    out = io.BytesIO()
    names = (
        "started_at",
        "url",
        "status",
        "method",
        "signature",
        "confidence",
        "leaning",
        "impairments",
        "duration_us",
    )
    columns = choose(what, names if what == "verdicts" else ())
    export(ExportRequest(location=archive.location, selection=Selection(what=what), columns=columns), out)
    found = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    return sorted(found, key=lambda row: (row["started_at"], row["url"])) if what == "verdicts" else found


def said(archive: Archive) -> list[Reading]:
    return [dataclasses.replace(one, run="", endpoint=0) for one in readings.between(archive.reader.database, 0)]


FIRST_DAY = list(range(12, 18))
LAST_DAY = list(range((DAYS - 1) * 6, DAYS * 6))
EXAMPLES = list(range(18, (DAYS - 1) * 6, 6))


def test_below_the_limit_nothing_changes(archive: Archive, location: Location) -> None:
    """However often something was said; no limit is none at all."""
    blocked_for_days(archive)
    before = everything(archive)
    used = making_room.in_use(archive.reader.database)
    assert used is not None
    for limit in (used, 0):
        keep = dataclasses.replace(SMALL, megabytes=limit)
        assert tidy_due(location, keep, NOW_US).repeats == 0
        assert tidy(archive, keep, NOW_US, pause_s=0) == Tidied()
    assert everything(archive) == before


def test_what_repeats_itself_becomes_short(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first day and the last of a block, and one look a day in between, keep their details."""
    monkeypatch.setattr(making_room, "STAGES", making_room.STAGES[:1])
    blocked_for_days(archive)
    done = tidy(archive, SMALL, NOW_US, pause_s=0)
    assert detailed(archive) == sorted({*FIRST_DAY, *LAST_DAY, *EXAMPLES})
    assert done == Tidied(repeats=DAYS * 6 - 12 - len({*FIRST_DAY, *LAST_DAY, *EXAMPLES}))
    assert rows(archive, "observations") == 9 * len(detailed(archive))


@pytest.mark.parametrize("word", ["blocked", "inconclusive"])
def test_what_became_short_says_what_it_said(archive: Archive, word: str) -> None:
    """Readings, verdicts, hours, the last word, and the incident machine after a restart: the same with and without."""
    blocked_for_days(archive, word=word)
    for number in range(DAYS * 6):
        look = OwnSide(run="", at_us=DAY_0 + number * EVERY_US, status="ok", holes=())
        own_sides.save(archive, look).result(30)
    now_us = DAY_0 + 10 * DAY_US
    begun, missed = Incidents.load(archive, DAY_0 + 3 * DAY_US)
    if (future := begun.keep(missed)) is not None:
        future.result(30)

    def all_of_it() -> tuple[object, ...]:
        machine, missed = Incidents.load(archive, now_us)
        last = [(one.asked, one.result) for one in archive.latest()]
        return said(archive), exported(archive, "verdicts"), exported(archive, "hours"), last, machine.state, missed

    before = all_of_it()
    assert len(said(archive)) == DAYS * 12
    assert tidy(archive, dataclasses.replace(SMALL, details_days=1), now_us + 9 * DAY_US, pause_s=0).repeats > 60
    after = all_of_it()
    assert after[:4] == before[:4]
    assert _without_runs(after[4:]) == _without_runs(before[4:])


def test_a_last_word_that_is_short_says_all_of_it(archive: Archive) -> None:
    """`dalel status` has what an inconclusive result leans to, and what is broken besides, in either form."""
    runs = [sample_run(number, finished=True) for number in (1, 2)]
    keep_round(archive, runs[0], looked(runs[0], 1, "inconclusive", "full"))
    keep_round(archive, runs[1], looked(runs[1], 2, "blocked", "full"))

    def words() -> list[object]:
        found = (one.result.verdict for one in archive.latest())
        return [(one.status, one.method, one.signature, one.leaning, one.impairments) for one in found]

    before = words()
    archive.call(lambda connection: tidying.shorten(connection, [run.id for run in runs])).result(30)
    assert rows(archive, "readings") == 2
    assert words() == before
    assert before[0][3:] == ("blocked", ())  # type: ignore[index]


def _without_runs(what: object) -> str:
    """As text, with the names of runs taken out: of a short reading nobody knows it."""
    return re.sub(r"run='[0-9a-f]*'", "", repr(what))


def test_examples_become_rarer_until_it_is_enough(archive: Archive) -> None:
    """One a week and one a month, where one a day is too much; the first and the last day stay all the same."""
    blocked_for_days(archive, days=40)
    tidy(archive, SMALL, DAY_0 + 75 * DAY_US, pause_s=0)
    first_of_the_second_month = 35 * 6, *range(39 * 6, 40 * 6)
    assert detailed(archive) == [*FIRST_DAY, *first_of_the_second_month]


def test_what_is_young_goes_last(archive: Archive) -> None:
    """Where it is not enough that everything old is short, younger repeats are, a week is not; whatever the settings say."""
    blocked_for_days(archive)
    keep = dataclasses.replace(SMALL, details_days=365)
    done = tidy(archive, keep, DAY_0 + DAYS * DAY_US, pause_s=0)
    last_week = range((DAYS - 7) * 6, DAYS * 6)
    assert detailed(archive) == sorted({*FIRST_DAY, *last_week, *(one for one in EXAMPLES if one < last_week[0])})
    assert done.repeats == (DAYS - 7) * 6 - 12 - 6 - (DAYS - 7 - 3)


def test_no_more_than_is_needed_becomes_short(archive: Archive, location: Location) -> None:
    """The oldest first, until a twentieth of the limit is free; --dry-run says about how many."""
    blocked_for_days(archive)
    used = making_room.in_use(archive.reader.database)
    assert used is not None
    keep = dataclasses.replace(SMALL, megabytes=used - 1)
    expected = tidy_due(location, keep, NOW_US).repeats
    done = tidy(archive, keep, NOW_US, pause_s=0)
    assert 0.5 < done.repeats / expected < 2
    left = detailed(archive)
    old = [number for number in range(12, DAYS * 6) if number not in {*FIRST_DAY, *LAST_DAY, *EXAMPLES}]
    assert [number for number in old if number not in left] == old[: done.repeats]
    assert done.repeats < len(old)
    now_used = making_room.in_use(archive.reader.database)
    assert now_used is not None
    assert now_used < 0.95 * (used - 1)
    assert tidy(archive, keep, NOW_US, pause_s=0) == Tidied()


def test_whatever_is_not_a_repeat_stays(archive: Archive) -> None:
    """A day before and after another word, or trouble on the own side; a check by hand; what other rules saw otherwise
    for a while.
    """
    blocked_for_days(archive)
    middle = 8 * 6
    other = sample_run(1000, started_us=DAY_0 + middle * EVERY_US + HOUR_US, finished=True)
    keep_round(archive, other, looked(other, 1, "inconclusive", "full"))
    by_hand = sample_run(1001, started_us=DAY_0 + 30 * EVERY_US + HOUR_US, finished=True)
    one = looked(by_hand, 1, "inconclusive")
    archive.begin(by_hand, [one.asked]).result(30)
    archive.save(by_hand.id, one.result, one.observations).result(30)
    cut = dataclasses.replace(
        sample_run(1002, started_us=DAY_0 + 30 * EVERY_US + HOUR_US, finished=True), network_status="no_network"
    )
    keep_round(archive, cut, looked(cut, 1, "blocked", "full"))
    again = looked(sample_run(70), 1, "blocked", "full").result.verdict
    for verdict in (dataclasses.replace(again, method="dns"), again):
        archive.add_verdicts(sample_run(70).id, [verdict], judged_us=1).result(30)
    tidy(archive, SMALL, DAY_0 + 23 * DAY_US, pause_s=0)
    left = set(detailed(archive))
    assert {*range(middle - 5, middle + 7), 1000, 1001, 1002, 70} <= left
    # What no daemon saw, or saw again, ends nothing.
    assert not {middle - 7, 28, 31, 69, 71} & left


def test_what_a_cheap_look_cannot_see_goes_on(archive: Archive) -> None:
    """An impairment that only full looks find repeats itself, whatever cheap ones say in between."""
    for number in range(DAYS * 6):
        run = sample_run(number, started_us=DAY_0 + number * EVERY_US + MINUTE_US, finished=True)
        look = looked(run, 1, kind="cheap" if number % 2 else "full")
        if look.kind == "full":
            verdict = dataclasses.replace(look.result.verdict, impairments=("quic", "ipv6"))
            look = dataclasses.replace(look, result=dataclasses.replace(look.result, verdict=verdict))
        keep_round(archive, run, look)
    before = exported(archive, "verdicts")
    assert tidy(archive, SMALL, NOW_US, pause_s=0).repeats > 30
    assert exported(archive, "verdicts") == before
    assert before[-2]["impairments"] == "quic ipv6"


@pytest.mark.parametrize("offset_us", [0, 400 * DAY_US, -56 * 365 * DAY_US], ids=str)
def test_the_clock_of_the_board_makes_no_difference(
    archive: Archive, offset_us: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days are those of the corrected clock, and so is what is old; a short reading ends a block when it really was."""
    monkeypatch.setattr(making_room, "STAGES", making_room.STAGES[:1])
    blocked_for_days(archive, offset_us=offset_us)
    well = sample_run(1000, started_us=DAY_0 + 48 * EVERY_US + HOUR_US - offset_us, finished=True)
    well = dataclasses.replace(well, clock_offset_us=offset_us)
    keep_round(archive, well, looked(well, 1))
    tidy(archive, SMALL, NOW_US, pause_s=0)
    assert sorted(detailed(archive)) == sorted({*FIRST_DAY, *range(43, 55), *LAST_DAY, *EXAMPLES})


def test_it_goes_on_where_it_was_broken_off(
    archive: Archive, location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Housekeeping has its time; the rest is done later, and the command does what the daemon does."""
    blocked_for_days(archive)
    expected = tidy_due(location, SMALL, NOW_US).repeats
    monkeypatch.setattr(making_room, "OBSERVATIONS_AT_ONCE", 50)
    monkeypatch.setattr(prune, "time", SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda _s: None))
    done = [tidy(archive, SMALL, NOW_US, pause_s=0, longest_s=4).repeats for _ in range(3)]
    assert all(done)
    assert sum(done) + tidy_now(location, SMALL, NOW_US).repeats == expected
    assert tidy_due(location, SMALL, NOW_US).repeats == 0


def test_a_step_has_few_observations(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has more than that goes alone."""
    blocked_for_days(archive)
    sizes: list[int] = []

    def shortened(ids: tuple[str, ...], _connection: object) -> int:
        sizes.extend([len(ids)] if ids else [])
        return len(ids)

    monkeypatch.setattr(prune, "_shortened", shortened)
    monkeypatch.setattr(making_room, "OBSERVATIONS_AT_ONCE", 20)
    tidy(archive, SMALL, NOW_US, pause_s=0)
    assert set(sizes) == {1, 2}
    sizes.clear()
    monkeypatch.setattr(making_room, "OBSERVATIONS_AT_ONCE", 8)
    tidy_again = Archive.open(archive.location)
    tidy(tidy_again, SMALL, NOW_US, pause_s=0)
    tidy_again.close()
    assert set(sizes) == {1}


def test_a_full_database_is_not_gone_through_every_hour(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked through and stayed is not looked at again by the same process; a new day is."""
    blocked_for_days(archive)
    asked = 0
    choose_those = repeats.choose

    def counting(*arguments: object) -> set[str]:
        nonlocal asked
        asked += 1
        return choose_those(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(repeats, "choose", counting)
    now_us = DAY_0 + 20 * DAY_US
    assert tidy(archive, SMALL, now_us, pause_s=0).repeats > 0
    assert asked > 3
    asked = 0
    for hour in range(3):
        assert tidy(archive, SMALL, now_us + hour * HOUR_US, pause_s=0).repeats == 0
    assert asked == 0
    assert tidy(archive, SMALL, now_us + DAY_US, pause_s=0).repeats > 0
    # The day that is a week old now; of the one that is ten days old only an example was left.
    assert asked == 1


def test_looking_for_repeats_has_its_time(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing of all that was kept repeats itself, it is gone through in parts, an hour each, and once."""
    for number in range(DAYS * 6):
        run = sample_run(number, started_us=DAY_0 + number * EVERY_US, finished=True)
        keep_round(archive, run, looked(run, 1, "blocked" if number % 2 else "inconclusive", "full"))
    asked: list[int] = []

    def none_of_them(*_arguments: object) -> set[str]:
        asked.append(1)
        return set()

    monkeypatch.setattr(repeats, "choose", none_of_them)
    monkeypatch.setattr(prune, "time", SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda _s: None))
    found = []
    for _hour in range(14):
        asked.clear()
        assert tidy(archive, SMALL, NOW_US, pause_s=0, longest_s=4) == Tidied()
        found.append(len(asked))
    assert found[0] > 0
    assert max(found) <= 4
    assert found[-2:] == [0, 0]


def test_a_server_has_no_limit(postgresql_url: str, tmp_path: Path) -> None:
    """What is free in its tables only the server knows: nothing is made short there but what is healthy."""
    with Archive.open(parse(postgresql_url, data_dir=tmp_path)) as archive:
        blocked_for_days(archive, days=6)
        assert making_room.in_use(archive.reader.database) is None
        assert tidy(archive, SMALL, NOW_US, pause_s=0) == Tidied()
        assert tidy_due(archive.location, SMALL, NOW_US).repeats == 0
        # But what is asked of one is understood by the other.
        room = making_room.Room(limit=1, now_us=NOW_US, details_us=0)
        steps = list(making_room._groups(archive.reader.database, room, making_room.Swept(), set()))
        assert sum(map(len, steps)) > 0
        ids = [run for step in steps for run in step]
        assert making_room._bytes_of(archive.reader.database, ids) > 0


def test_the_command_says_how_many(archive: Archive, tmp_path: Path) -> None:
    """What it would do, what it did, and why."""
    blocked_for_days(archive, days=40, from_us=time.time_ns() // 1000 - 80 * DAY_US)
    (tmp_path / "small.toml").write_text("[keep]\nmegabytes = 1\n")
    small = ("--config", str(tmp_path / "small.toml"))
    would = dalel(tmp_path, "db", "prune", "--dry-run", *small).stdout
    assert re.search(
        r"\. To stay below 1 MB, about [1-9][0-9]* checks that only repeat others would lose theirs\.$", would
    )
    done = json.loads(dalel(tmp_path, "db", "prune", "--format", "json", *small).stdout)
    assert done["repeats"] > 10
    assert rows(archive, "runs") == 40 * 6 - 12 - done["repeats"]
    assert "repeat" not in dalel(tmp_path, "db", "prune", "--dry-run", *small).stdout
