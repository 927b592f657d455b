"""Round half hours and appointments: what the times of incidents say."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from probe.incidents.model import Incident
from probe.incidents.recurrence import recurrences
from probe.incidents.round_time import p_value, round_time

MINUTE = 60_000_000
ALMATY = timedelta(hours=5)


def us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def incident(
    began: datetime, ended: datetime | None = None, *, known_to: float = 2, name: str | None = "alpha", number: int = 0
) -> Incident:
    """An incident whose beginning and end are known to within *known_to* minutes around the given moments."""
    around = round(known_to * MINUTE / 2)
    return Incident(
        id=f"{number}-{us(began)}",
        status="blocked" if name else "no_network",
        method="tls" if name else "shutdown",
        platforms=(name,) if name else (),
        began_after_us=us(began) - around,
        began_by_us=us(began) + around,
        ended_after_us=us(ended) - around if ended else None,
        ended_by_us=us(ended) + around if ended else None,
        opened_us=us(began) + around,
        closed_us=us(ended) + around if ended else None,
        changed_us=us(began),
        state="closed" if ended else "open",
    )


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def utc(us: int) -> datetime:
    return datetime.fromtimestamp(us // 1_000_000, UTC)


# ---------------------------------------------------------------------------------------------------------------------
# round half hours


def test_a_shutdown_from_half_past_ten_for_four_hours_and_a_half_is_round() -> None:
    """Both the beginning and the length hold a half hour, in two minutes and in four: 1/15 and 2/15."""
    score = round_time(incident(at(2022, 1, 5, 10, 30), at(2022, 1, 5, 15, 0)))
    assert score is not None
    assert [question.held for question in score.questions] == [True, True]
    assert [question.chance for question in score.questions] == pytest.approx([2 / 30, 4 / 30])
    assert score.p == pytest.approx(8 / 900)


def test_a_fault_at_some_minute_is_not() -> None:
    """Twelve minutes from a half hour, and a length of 1 h 44: nothing round."""
    score = round_time(incident(at(2022, 1, 5, 10, 42), at(2022, 1, 5, 12, 26)))
    assert score is not None
    assert [question.held for question in score.questions] == [False, False]
    assert score.p == pytest.approx(1.0)


def test_one_round_time_of_two_is_weaker_than_both() -> None:
    """It begins at half past ten and lasts 1 h 44: the chance that at least one of the two is round."""
    score = round_time(incident(at(2022, 1, 5, 10, 30), at(2022, 1, 5, 12, 14)))
    assert score is not None
    assert score.p == pytest.approx(1 - (1 - 2 / 30) * (1 - 4 / 30))


def test_what_is_known_to_within_half_an_hour_says_nothing() -> None:
    """An interval that must hold a half hour is no evidence that it was meant."""
    score = round_time(incident(at(2022, 1, 5, 10, 30), at(2022, 1, 5, 15, 0), known_to=30))
    assert score is not None
    assert score.p == 1.0


def test_nothing_is_said_of_a_beginning_that_nobody_saw() -> None:
    """No interval, no score."""
    assert round_time(replace(incident(at(2022, 1, 5, 10, 30)), began_after_us=None)) is None


def test_an_open_incident_is_scored_by_its_beginning() -> None:
    """Its length is not known yet."""
    score = round_time(incident(at(2022, 1, 5, 10, 30)))
    assert score is not None
    assert score.lasts is None
    assert score.p == pytest.approx(2 / 30)


def test_a_length_of_a_few_minutes_is_no_round_one() -> None:
    """Zero is a multiple of everything, and none of ours."""
    score = round_time(incident(at(2022, 1, 5, 10, 30), at(2022, 1, 5, 10, 34)))
    assert score is not None
    assert score.lasts is not None
    assert not score.lasts.held


def test_clocks_on_the_wall_count_where_they_are_off_by_a_quarter() -> None:
    """Half past ten in Kathmandu (UTC+5:45) is a quarter to five in UTC."""
    began = incident(at(2022, 1, 5, 4, 45))
    there, here = round_time(began, round(5.75 * 3600 * 1_000_000)), round_time(began)
    assert there is not None
    assert here is not None
    assert there.p < 0.1 < here.p


def test_its_p_values_are_honest() -> None:
    """Of 20,000 faults at random moments no more are "round with p ≤ x" than x says, at any x."""
    chance = Random(5)
    values = []
    for _ in range(20_000):
        began = at(2022, 1, 1) + timedelta(seconds=chance.randrange(86_400 * 300))
        known = chance.uniform(0.5, 12)
        score = round_time(incident(began, began + timedelta(minutes=chance.uniform(20, 900)), known_to=known))
        assert score is not None
        values.append(score.p)
    for limit in (0.01, 0.05, 0.1, 0.3, 0.5):
        share = sum(value <= limit for value in values) / len(values)
        assert share <= limit + 3 * math.sqrt(limit * (1 - limit) / len(values))


def test_several_incidents_are_more_than_one() -> None:
    """Five beginnings known to six minutes, all round: one in five to the power of five; none is no evidence."""
    scores = [round_time(incident(at(2022, 1, day, 8, 30), known_to=6)) for day in range(1, 6)]
    assert p_value(question for score in scores if score for question in score.questions) == pytest.approx(0.2**5)
    assert p_value([]) == 1.0


# ---------------------------------------------------------------------------------------------------------------------
# appointments


def evenings(days: range, zone: ZoneInfo, *, hour: int = 20, minutes: int = 120, name: str = "alpha") -> list[Incident]:
    """From 2018-03-01 on, every day of *days* at *hour* on the wall of *zone*."""
    began = [datetime(2018, 3, 1, hour, tzinfo=zone) + timedelta(days=day) for day in days]
    return [
        incident(one.astimezone(UTC), (one + timedelta(minutes=minutes)).astimezone(UTC), known_to=10, name=name)
        for one in began
    ]


def test_every_evening_from_eight_to_ten_is_known_by_the_third_day() -> None:
    """Two evenings may be chance, three are not."""
    zone = ZoneInfo("Asia/Almaty")

    def local(us: int) -> datetime:
        return utc(us).astimezone(zone)

    assert not recurrences(evenings(range(2), zone), local)
    (found,) = recurrences(evenings(range(3), zone), local)
    assert (found.from_minute, found.until_minute) == (20 * 60, 22 * 60)
    assert (found.days, found.out_of, found.weekly) == (tuple(date(2018, 3, n) for n in (1, 2, 3)), 3, False)
    assert found.platforms == ("alpha",)


def test_platforms_that_come_back_together_are_one_appointment() -> None:
    """One incident with two platforms each evening is one line, not two."""
    zone = ZoneInfo("UTC")
    both = [replace(one, platforms=("alpha", "beta")) for one in evenings(range(4), zone)]
    (found,) = recurrences(both, utc)
    assert found.platforms == ("alpha", "beta")


def test_a_change_to_summer_time_moves_no_appointment() -> None:
    """Eight in the evening in Berlin is 19:00 UTC in winter and 18:00 in summer: still one appointment at eight."""
    zone = ZoneInfo("Europe/Berlin")
    nights = evenings(range(20, 30), zone)
    (found,) = recurrences(nights, lambda us: utc(us).astimezone(zone))
    assert (found.from_minute, len(found.days)) == (20 * 60, 10)
    assert {utc(one.began_by_us).hour for one in nights} == {18, 19}


def test_times_at_random_are_no_appointment() -> None:
    """A platform that fails twice a day at any time has none, but for one try in three hundred."""
    by_chance = 0
    for seed in range(300):
        chance = Random(seed)
        moments = [at(2018, 3, 1) + timedelta(minutes=chance.randrange(1440 * 10)) for _ in range(20)]
        found = recurrences([incident(one, one + timedelta(hours=1), number=n) for n, one in enumerate(moments)], utc)
        by_chance += bool(found)
    assert by_chance <= 1


def test_an_appointment_is_found_among_other_troubles() -> None:
    """Evenings of a week, and four incidents at odd times between."""
    zone = ZoneInfo("UTC")
    odd = [incident(at(2018, 3, day, hour, 13), number=9) for day, hour in ((1, 3), (2, 9), (4, 15), (6, 1))]
    (found,) = recurrences([*evenings(range(7), zone), *odd], utc)
    assert (len(found.days), found.out_of) == (7, 7)


def test_a_pause_ends_an_appointment_and_days_left_out_are_counted() -> None:
    """Four evenings of five in March, and five in a row in June: two appointments, the latest first."""
    zone = ZoneInfo("UTC")
    nights = [one for n, one in enumerate(evenings(range(5), zone)) if n != 2] + evenings(range(92, 97), zone)
    june, march = recurrences(nights, utc)
    assert (len(march.days), march.out_of) == (4, 5)
    assert (len(june.days), june.out_of) == (5, 5)


def test_every_saturday_is_weekly() -> None:
    """Four Saturdays at noon are an appointment of weeks, not of days."""
    zone = ZoneInfo("UTC")
    (found,) = recurrences(evenings(range(2, 30, 7), zone, hour=12), utc)
    assert (found.weekly, len(found.days), found.out_of) == (True, 4, 4)


def test_around_midnight_is_one_appointment_a_day() -> None:
    """23:50 and 0:10 are the same hour."""
    moments = [at(2018, 3, 1, 23, 50), at(2018, 3, 3, 0, 10), at(2018, 3, 3, 23, 55), at(2018, 3, 5, 0, 5)]
    (found,) = recurrences([incident(one, number=n) for n, one in enumerate(moments)], utc)
    assert len(found.days) == found.out_of == 4


def test_three_evenings_in_ten_days_are_no_appointment() -> None:
    """As good as the times agree: it did not come back on most of the days."""
    assert not recurrences([incident(at(2018, 3, day, 20), number=day) for day in (1, 4, 7, 10)], utc)


def test_a_beginning_known_to_within_half_a_day_is_no_time_of_day() -> None:
    """A probe that is off at night dates nothing."""
    assert not recurrences([incident(at(2018, 3, day, 20), known_to=720) for day in range(1, 9)], utc)


def test_the_own_side_has_appointments_as_well() -> None:
    """Shutdowns have no platform, and come back all the same."""
    found = recurrences([incident(at(2018, 3, day, 8), at(2018, 3, day, 11), name=None) for day in range(1, 5)], utc)
    assert [(one.platforms, one.status) for one in found] == [((), "no_network")]
