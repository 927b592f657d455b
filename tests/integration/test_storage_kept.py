"""What the daemon keeps beside its results comes back as it was: incidents, notes, messages, consent, days, own sides."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.incidents.model import Event, Incident, OwnSide
from storage import consents, days, incidents, notes, outbox, own_sides
from storage.archive import Archive
from storage.database import Database
from storage.location import parse
from tests.integration.test_storage_rounds import keep as keep_round
from tests.integration.test_storage_rounds import looked
from tests.storage_samples import MINUTE_US, sample_run

pytest_plugins = ("tests.postgresql",)

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
T_US = 1_790_000_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = str(tmp_path / "dalel.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with Archive.open(parse(url, data_dir=tmp_path)) as opened:
        yield opened


@pytest.fixture
def database(archive: Archive) -> Database:
    return archive.reader.database


def incident(number: int, **changes: object) -> Incident:
    began_us = T_US + number * HOUR_US
    made = Incident(
        id=f"{number:08x}",
        status="blocked",
        method="tls",
        signature="tls.timeout.sni",
        where="access",
        platforms=("facebook",),
        urls=("https://www.facebook.com/", "https://m.facebook.com/"),
        remaining=("https://www.facebook.com/",),
        began_after_us=began_us - 600_000_000,
        began_by_us=began_us,
        ended_after_us=began_us + 60_000_000,
        opened_us=began_us + 90_000_000,
        changed_us=began_us + 90_000_000,
        confidence=0.97,
        events=1,
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_the_newest_version_of_an_incident_is_shown(archive: Archive, database: Database) -> None:
    """Versions are added, events come back in order with their detail, and nothing of an earlier version is lost."""
    first = incident(1)
    opened = Event(incident=first.id, number=1, kind="opened", at_us=first.opened_us)
    wide = dataclasses.replace(first, platforms=("facebook", "инстаграм"), holes=("udp/53",), events=2)
    widened = Event(incident=first.id, number=2, kind="widened", at_us=T_US, detail={"platforms": ["инстаграм"]})
    incidents.save(archive, first, [opened]).result(30)
    incidents.save(archive, wide, [widened]).result(30)
    assert incidents.newest(database) == (wide,)
    assert incidents.find(database, first.id) == wide
    assert incidents.find(database, "no such") is None
    assert incidents.events(database, first.id) == (opened, widened)


def test_an_incident_that_is_saved_again_is_kept_once(archive: Archive, database: Database) -> None:
    """A machine that was rebuilt by replaying says the same again: no version and no event is added."""
    one = incident(1)
    opened = Event(incident=one.id, number=1, kind="opened", at_us=one.opened_us)
    for _ in range(3):
        incidents.save(archive, one, [opened]).result(30)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM incidents").scalar_one() == 1
    assert incidents.events(database, one.id) == (opened,)


def test_incidents_of_a_time_are_those_that_were_under_way(archive: Archive, database: Database) -> None:
    """One that ended before and one that began after are left out; one that is open reaches to now."""
    ended_us = T_US + 2 * HOUR_US
    over = incident(1, state="closed", ended_by_us=ended_us, closed_us=ended_us)
    open_since = incident(5)
    for one in (open_since, over):
        incidents.save(archive, one).result(30)
    assert incidents.newest(database) == (over, open_since)
    assert incidents.newest(database, since_us=ended_us + 1) == (open_since,)
    assert incidents.newest(database, until_us=T_US + 3 * HOUR_US) == (over,)
    assert incidents.newest(database, open_only=True) == (open_since,)


def test_notes_are_found_by_the_time_that_they_are_about(archive: Archive, database: Database) -> None:
    """A note about an hour is found from any moment of it; a removed one is gone."""
    stream = notes.Note(at_us=T_US, until_us=T_US + HOUR_US, text="live stream \ud800", made_us=T_US)
    moment = notes.Note(at_us=T_US + 2 * HOUR_US, text="a moment", made_us=T_US)
    numbers = [notes.add(archive, one).result(30) for one in (moment, stream)]
    found = notes.between(database)
    assert [note.text for note in found] == ["live stream \\ud800", "a moment"]
    assert {note.id for note in found} == set(numbers)
    assert [n.text for n in notes.between(database, T_US + 1, T_US + HOUR_US)] == ["live stream \\ud800"]
    assert [n.text for n in notes.between(database, T_US + HOUR_US + 1)] == ["a moment"]
    assert notes.remove(archive, numbers[0], T_US).result(30) is True
    assert notes.remove(archive, numbers[0], T_US).result(30) is False
    assert len(notes.between(database)) == 1


def test_messages_wait_until_they_are_sent(archive: Archive, database: Database) -> None:
    """Oldest first; a failed one comes back at its time with its reason, a sent one never."""
    made = [
        outbox.Message(
            made_us=T_US - 9 + n, incident="i", channel="log", payload={"n": n, "text": "\0қ"}, next_us=T_US + n
        )
        for n in (2, 1, 3)
    ]
    second, first, third = outbox.put(archive, made).result(30)
    assert [message.id for message in outbox.due(database, T_US + 2)] == [first, second]
    assert outbox.due(database, T_US + 2)[0].payload == {"n": 1, "text": "\0қ"}
    outbox.sent(archive, [first], T_US + 5).result(30)
    outbox.failed(archive, [second], next_us=T_US + HOUR_US, trouble="connection refused").result(30)
    assert [message.id for message in outbox.due(database, T_US + 10)] == [third]
    (late,) = [message for message in outbox.due(database, T_US + HOUR_US) if message.id == second]
    assert (late.attempts, late.trouble) == (1, "connection refused")
    outbox.remove(archive, [third]).result(30)
    assert [message.id for message in outbox.waiting(database)] == [second]


def test_a_clock_that_is_set_back_holds_no_message_back(archive: Archive, database: Database) -> None:
    """A message from the future is due at once: its next attempt was planned by a clock that was wrong."""
    outbox.put(archive, [outbox.Message(made_us=T_US, channel="log", next_us=T_US + HOUR_US)]).result(30)
    assert outbox.due(database, T_US + 1) == ()
    assert len(outbox.due(database, T_US - 365 * 24 * HOUR_US)) == 1


def test_the_consent_that_counts_is_the_last(archive: Archive, database: Database) -> None:
    """By order and not by clock; none is none."""
    assert consents.last(database) is None
    given = [
        consents.Consent(version="1", language="kk", at_us=T_US, how="terminal"),
        consents.Consent(version="2", language="ru", at_us=T_US - HOUR_US, how="environment"),
    ]
    for one in given:
        consents.give(archive, one).result(30)
    assert consents.last(database) == given[1]


def test_a_day_is_the_sum_of_what_was_added(archive: Archive, database: Database) -> None:
    """Each count apart, each day apart, days in UTC; a day without anything is zeros."""
    day = days.day_of(T_US)
    days.add(archive, days.Day(day=day, bytes_sent=2**40, rounds=1)).result(30)
    days.add(archive, days.Day(day=day, bytes_sent=5, bytes_received=7, own_sides=3)).result(30)
    days.add(archive, days.Day(day="2026-01-01", readings=1)).result(30)
    expected = days.Day(day=day, bytes_sent=2**40 + 5, bytes_received=7, rounds=1, own_sides=3)
    assert days.of(database, day) == expected
    assert expected.bytes == 2**40 + 12
    assert days.of(database, "2020-02-29") == days.Day(day="2020-02-29")
    assert [one.day for one in days.between(database, "2026-01-01", "2026-12-31")] == ["2026-01-01", day]
    assert (days.day_of(0), days.day_of(86_400_000_000 - 1)) == ("1970-01-01", "1970-01-01")


def test_what_was_spent_lately_is_told_by_the_hour(archive: Archive, database: Database) -> None:
    """Just after midnight yesterday counts, hour by hour as it becomes a day old: looks where they were, the rest evenly. A
    check by hand is nobody's allowance.
    """
    today_us = T_US // DAY_US * DAY_US
    evening, afternoon, by_hand = (
        sample_run(number, started_us=today_us - hours * HOUR_US + MINUTE_US, finished=True)
        for number, hours in ((1, 4), (2, 10), (3, 10))
    )
    keep_round(archive, evening, looked(evening, 1, "blocked", "full"))
    keep_round(archive, afternoon, looked(afternoon, 1))
    look = looked(by_hand, 1)
    archive.begin(by_hand, [look.asked]).result(30)
    archive.save(by_hand.id, look.result, ()).result(30)
    days.add(archive, days.Day(day=days.day_of(today_us - 1), bytes_sent=2 * 10_800 + 24_000)).result(30)
    days.add(archive, days.Day(day=days.day_of(today_us), bytes_received=500)).result(30)

    def spent(hours: float) -> dict[float, int]:
        now_us = int(today_us + hours * HOUR_US)
        return {(end_us - today_us) / HOUR_US: count for end_us, count in days.lately(database, now_us)}

    just_after = spent(0.25)
    assert (len(just_after), sum(just_after.values())) == (25, 2 * 10_800 + 24 * 1000 + 500)
    assert [just_after[hour] for hour in (-22, -9, -3, 0, 0.25)] == [1000, 11_800, 11_800, 1000, 500]
    later = spent(15.1)
    assert min(later) == -8
    assert sum(later.values()) == 10_800 + 9 * 1000 + 500
    assert sum(spent(20.5).values()) == 10_800 + 4 * 1000 + 500
    assert sum(spent(21.5).values()) == 3 * 1000 + 500
    assert sum(spent(24.5).values()) == 500


def test_looks_at_the_own_side_come_back_corrected(archive: Archive, database: Database) -> None:
    """With holes and interface; the clock's offset is applied when reading; the same look is kept once."""
    shut = OwnSide(run="r", at_us=T_US, status="no_network", method="shutdown", holes=("udp/53", "tcp/179"))
    good = OwnSide(run="", at_us=T_US - 1, status="ok", interface="wwan0", kind="cheap")
    own_sides.save(archive, shut).result(30)
    own_sides.save(archive, shut).result(30)
    own_sides.save(archive, good, clock_offset_us=HOUR_US).result(30)
    corrected = dataclasses.replace(good, at_us=T_US - 1 + HOUR_US)
    assert list(own_sides.between(database, 0)) == [shut, corrected]
    assert list(own_sides.between(database, T_US, T_US + 1)) == [shut]
