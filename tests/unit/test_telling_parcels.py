"""What goes together in one message, and when it is tried again."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.daemon.telling.items import Item, reminder, to_payload
from probe.daemon.telling.parcels import MOST_WAITING, OLDEST_US, is_quiet, next_try_us, sort
from probe.incidents.model import Incident
from probe.settings.notify import Channel, Quiet
from storage.outbox import Message

PHONE = Channel(kind="ntfy", name="phone", url="https://ntfy.example/t")
DESK = Channel(kind="webhook", name="desk", url="https://desk.example/")
NOW = 1_800_000_000_000_000
MINUTE = 60_000_000


def incident(name, **more):
    return Incident(id=name, status="blocked", began_by_us=NOW, opened_us=NOW, changed_us=NOW, **more)


def row(number, name="a", event=1, *, channel="phone", kind="opened", made_us=NOW, attempts=0, next_us=NOW, **more):
    item = Item(incident=incident(name, **more), kind=kind, number=event, at_us=made_us)
    return Message(
        id=number,
        made_us=made_us,
        incident=name,
        channel=channel,
        payload=to_payload(item),
        attempts=attempts,
        next_us=next_us,
    )


def test_what_is_about_one_incident_goes_together_and_the_oldest_first():
    """Three incidents, one of them with two events: three messages, in the order in which they began to wait."""
    rows = [row(4, "b", 2, kind="closed"), row(1, "b"), row(2, "a"), row(3, "c")]

    found = sort(rows, [PHONE], NOW)
    assert [(p.items[0].incident.id, p.rows) for p in found.parcels] == [("b", (1, 4)), ("a", (2,)), ("c", (3,))]
    assert not found.dropped


def test_channels_do_not_share_parcels():
    """One may fail while the other works."""
    found = sort([row(1), row(2, channel="desk")], [PHONE, DESK], NOW)

    assert [(parcel.channel, parcel.rows) for parcel in found.parcels] == [("phone", (1,)), ("desk", (2,))]


def test_what_was_put_in_twice_is_told_once_and_struck_out_twice():
    """A crash between two commits may do that."""
    (parcel,) = sort([row(1), row(2)], [PHONE], NOW).parcels

    assert (len(parcel.items), parcel.rows) == (1, (1, 2))


def test_a_reminder_that_was_overtaken_is_not_told():
    """Nobody wants to read that it goes on in a message that says that it is over."""
    told = Message(
        id=2,
        made_us=NOW,
        incident="a",
        channel="phone",
        payload=to_payload(reminder(incident("a"), 1, NOW)),
        next_us=NOW,
    )
    (parcel,) = sort([row(1), told, row(3, event=2, kind="closed", state="closed")], [PHONE], NOW).parcels

    assert [item.kind for item in parcel.items] == ["opened", "closed"]
    assert parcel.rows == (1, 2, 3)


def test_what_failed_waits_for_its_time_unless_the_way_out_has_just_come_back():
    """A window of access may be shorter than the wait."""
    rows = [row(1, attempts=3, next_us=NOW + MINUTE)]

    assert [p.due for p in sort(rows, [PHONE], NOW).parcels] == [False]
    assert [p.due for p in sort(rows, [PHONE], NOW + MINUTE).parcels] == [True]
    assert [p.due for p in sort(rows, [PHONE], NOW, at_once=True).parcels] == [True]


def test_a_clock_that_was_set_back_makes_nobody_wait_for_a_year():
    """A time that is farther away than any wait means nothing."""
    (parcel,) = sort([row(1, next_us=NOW + 365 * 1440 * MINUTE, made_us=NOW + 1)], [PHONE], NOW).parcels

    assert parcel.due


def test_what_nobody_can_be_told_is_dropped_with_its_reason():
    """A channel that is gone, a month of waiting, a row that cannot be read."""
    rows = [row(1, channel="gone"), row(2, made_us=NOW - OLDEST_US - 1), replace(row(3), payload={}), row(4)]
    found = sort(rows, [PHONE], NOW)

    assert sorted(found.dropped) == [1, 2, 3]
    assert all(found.dropped.values())
    assert [parcel.rows for parcel in found.parcels] == [(4,)]


def test_of_too_many_the_newest_are_kept():
    """Bounded, whatever happens while nobody can be told."""
    found = sort([row(n, str(n)) for n in range(MOST_WAITING + 5)], [PHONE], NOW)

    assert sorted(found.dropped) == [0, 1, 2, 3, 4]
    assert len(found.parcels) == MOST_WAITING


def test_waits_double_up_to_an_hour_and_longer_for_a_refusal():
    """1, 2, 4 … minutes; who says no is asked again after a quarter of an hour at the soonest."""
    waits = [(next_try_us(0, n, refused=False) // MINUTE) for n in (1, 2, 3, 7, 100)]
    refused = [(next_try_us(0, n, refused=True) // MINUTE) for n in (1, 2, 100)]

    assert waits == [1, 2, 4, 60, 60]
    assert refused == [15, 30, 360]


rows_of_any_kind = st.lists(
    st.builds(
        row,
        st.integers(1, 10**6),
        st.sampled_from("abc"),
        st.integers(1, 9),
        channel=st.sampled_from(["phone", "desk", "gone"]),
        kind=st.sampled_from(["opened", "widened", "closed", "reminder"]),
        made_us=st.integers(NOW - 2 * OLDEST_US, NOW + OLDEST_US),
        next_us=st.integers(0, 2 * NOW),
        attempts=st.integers(0, 50),
    ),
    max_size=30,
    unique_by=lambda message: message.id,
)


@given(rows_of_any_kind)
def test_every_row_is_in_one_parcel_or_dropped(rows):
    """Nothing is lost, and nothing told twice."""
    found = sort(rows, [PHONE, DESK], NOW)
    told = [number for parcel in found.parcels for number in parcel.rows]

    assert sorted([*told, *found.dropped]) == sorted(message.id for message in rows)
    assert all(parcel.items and len({item.incident.id for item in parcel.items}) == 1 for parcel in found.parcels)
    firsts = [min(parcel.rows) for parcel in found.parcels]
    assert firsts == sorted(firsts) or len({parcel.channel for parcel in found.parcels}) > 1


# quiet times

NIGHT = Quiet(begins=23 * 60, ends=7 * 60)
SUNDAY_NIGHT = replace(NIGHT, days=("sun",))
NOON = Quiet(begins=12 * 60, ends=13 * 60, days=("mon", "tue"))


@pytest.mark.parametrize(
    ("quiet", "when", "said"),
    [
        (NIGHT, "2026-11-22T22:59", False),
        (NIGHT, "2026-11-22T23:00", True),
        (NIGHT, "2026-11-23T06:59", True),
        (NIGHT, "2026-11-23T07:00", False),
        (SUNDAY_NIGHT, "2026-11-22T23:30", True),
        (SUNDAY_NIGHT, "2026-11-23T06:59", True),
        (SUNDAY_NIGHT, "2026-11-22T06:59", False),
        (SUNDAY_NIGHT, "2026-11-23T23:30", False),
        (NOON, "2026-11-23T12:30", True),
        (NOON, "2026-11-22T12:30", False),
        (Quiet(begins=0, ends=1440), "2026-11-22T00:00", True),
    ],
)
def test_a_quiet_time_goes_by_the_hands_of_the_clock(quiet, when, said):
    """Past midnight it belongs to the day on which it began."""
    assert is_quiet(quiet, datetime.fromisoformat(when)) is said


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_quiet_time_ends_on_the_nights_when_clocks_change(day):
    """An hour shorter or longer, and over at seven all the same."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=zone).timestamp()
    moments = [datetime.fromtimestamp(start + 60 * minute, zone) for minute in range(9 * 60)]

    assert all(is_quiet(NIGHT, now) == (now.hour < 7) for now in moments)


@given(st.datetimes(), st.integers(0, 1439), st.integers(1, 1440))
def test_a_quiet_time_of_every_day_is_as_long_as_it_says(now, begins, length):
    """Whatever its hours, of a day's minutes as many are quiet as lie between them."""
    ends = begins + length if begins + length <= 1440 else (begins + length) % 1440
    if ends == begins:
        return
    quiet = Quiet(begins=begins, ends=ends)
    day = now.replace(year=2026, month=1, day=min(now.day, 28), hour=0, minute=0)

    assert sum(is_quiet(quiet, day + timedelta(minutes=m)) for m in range(1440)) == (length % 1440 or 1440)
