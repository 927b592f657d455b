"""What people read about an incident."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.daemon.telling.items import Item, ItemError, from_payload, of_event, reminder, to_payload
from probe.daemon.telling.messages import Style, a_test, compose, subject, what
from probe.daemon.telling.times import Times
from probe.daemon.words import load
from probe.incidents.model import Event, Incident
from probe.incidents.parts import Parts
from probe.settings.notify import LANGUAGES
from probe.verdict.model import METHODS

ALMATY, BERLIN = ZoneInfo("Asia/Almaty"), ZoneInfo("Europe/Berlin")


def us(text, zone=ALMATY):
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1e6)


def local(zone):
    return lambda at_us: datetime.fromtimestamp(at_us / 1e6, zone)


NOW = us("2026-11-22T21:02")
OPEN = Incident(
    id="i1",
    status="blocked",
    method="tls",
    where="access",
    platforms=("Telegram",),
    urls=("https://telegram.org/",),
    began_after_us=us("2026-11-22T20:50:30"),
    began_by_us=us("2026-11-22T20:59:10"),
    opened_us=us("2026-11-22T21:01"),
    changed_us=us("2026-11-22T21:01"),
    confidence=0.987,
    events=1,
)
OPENED = Item(incident=OPEN, kind="opened", number=1, at_us=us("2026-11-22T21:01"))
OVER = replace(
    OPEN, state="closed", ended_after_us=us("2026-11-22T23:58"), ended_by_us=us("2026-11-23T00:05"), events=2
)
CLOSED = Item(incident=OVER, kind="closed", number=2, at_us=us("2026-11-23T00:06"))


def style(language="en", zone=ALMATY, probe=None):
    return Style(words=load(language), local=local(zone), channel="phone", probe=probe)


@pytest.mark.parametrize(
    ("language", "title", "began"),
    [
        ("en", "Blocked: Telegram", "Began on 22 November between 20:50 and 21:00 (UTC+5)."),
        ("ru", "Блокировка: Telegram", "Началось 22 ноября между 20:50 и 21:00 (UTC+5)."),
        ("kk", "Бұғаттау: Telegram", "Басталды: 22 қараша, 20:50–21:00 (UTC+5) аралығында."),
    ],
)
def test_what_began_is_told_with_its_interval_in_local_time(language, title, began):
    """Never as a moment that nobody saw, and never narrower than it is known."""
    message = compose([OPENED], style(language), NOW)

    assert message.title == title
    assert began in message.text.splitlines()
    assert message.language == language


def test_what_was_so_at_first_sight_has_no_beginning():
    """Nobody knows when it began, so no interval is made up."""
    message = compose([replace(OPENED, incident=replace(OPEN, began_after_us=None))], style(), NOW)

    assert "Began before 21:00 (UTC+5), 22 November: it was so when this was first looked at." in message.text


def test_several_events_become_one_message_with_its_end_in_the_title():
    """Whoever was offline learns of all of it at once, in its order."""
    wider = Item(
        incident=replace(OPEN, platforms=("Telegram", "Signal")),
        kind="widened",
        number=2,
        at_us=us("2026-11-22T21:10"),
        detail={"platforms": ["Signal"]},
    )
    closed = replace(CLOSED, incident=replace(OVER, platforms=("Telegram", "Signal")), number=3)
    message = compose([OPENED, wider, closed], style(), us("2026-11-23T00:07"))

    assert message.title == "Over – Blocked: Telegram, Signal"
    lines = message.text.splitlines()
    assert "21:10 (UTC+5), 22 November: more platforms: Signal." in lines
    assert "Ended between 23:58, 22 November, and 00:05 (UTC+5), 23 November." in lines
    assert "Lasted for 2 hours 58 minutes at least, and 3 hours 14 minutes at most." in lines
    assert not [line for line in lines if "waited" in line]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "No longer seen – Blocked: Telegram"),
        ("ru", "Больше не видно – Блокировка: Telegram"),
        ("kk", "Енді көрінбейді – Бұғаттау: Telegram"),
    ],
)
def test_what_was_left_behind_in_another_network_is_not_over(language, title):
    """Nobody here knows whether it goes on there, so the message gives no end."""
    away = replace(CLOSED, incident=replace(OVER, ended_by_us=None), detail={"moved": True})
    message = compose([away], style(language), NOW)

    assert message.title == title
    assert load(language).say("line.left") in message.text.splitlines()
    assert load(language).say("line.ended", when="x")[:5] not in message.text


def test_platforms_that_joined_in_the_same_minute_are_one_line():
    """A mass block widens by ten platforms at once; in the minute after it is a line of its own."""
    wider = [
        Item(incident=OPEN, kind="widened", number=number, at_us=us(at), detail={"platforms": [name]})
        for number, (name, at) in enumerate(
            [("Signal", "2026-11-22T21:10"), ("WhatsApp", "2026-11-22T21:10"), ("Viber", "2026-11-22T21:11")], 2
        )
    ]
    lines = compose([OPENED, *wider], style(), NOW).text.splitlines()

    assert [line for line in lines if "more platforms" in line] == [
        "21:10 (UTC+5), 22 November: more platforms: Signal, WhatsApp.",
        "21:11 (UTC+5), 22 November: more platforms: Viber.",
    ]


def test_a_message_that_comes_late_says_so():
    """An hour offline: nobody should believe that it happened just now."""
    assert "This message waited for 1 hour 1 minute" in compose([OPENED], style(), us("2026-11-22T22:02")).text


def test_a_change_of_manner_says_both():
    """Before and now, each in its own sentence."""
    changed = Item(incident=OPEN, kind="method", number=2, at_us=NOW, detail={"method": ["dns", "tls"]})
    (line,) = [line for line in compose([changed], style(), NOW).text.splitlines() if "Before:" in line]

    assert what(replace(OPEN, method="dns"), load("en")) in line
    assert what(OPEN, load("en")) in line


@pytest.mark.parametrize("detail", [{}, {"method": "tls"}, {"method": [None]}, {"platforms": None}])
@pytest.mark.parametrize("kind", ["method", "widened", "narrowed"])
def test_an_event_without_its_details_is_told_all_the_same(kind, detail):
    """A detail that is missing or odd costs a line, not the message."""
    assert compose([Item(incident=OPEN, kind=kind, number=2, at_us=NOW, detail=detail)], style(), NOW).text


@pytest.mark.parametrize(("sure", "said"), [(0.987, "98 %"), (1.0, "more than 99 %"), (0.8, "80 %")])
def test_nothing_is_ever_wholly_sure(sure, said):
    """Rounded down, and never 100 %."""
    message = compose([replace(OPENED, incident=replace(OPEN, confidence=sure))], style(), NOW)

    assert f"How sure: {said}." in message.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("status", "method"),
    [(s, m) for s in ("blocked", "denied", "outage", "no_network") for m in (None, "unheard", *sorted(METHODS[s]))],
)
def test_every_incident_can_be_told_in_every_language(language, status, method):
    """Every status, every method, and one that this version does not know."""
    incident = replace(OVER, status=status, method=method)
    message = compose([replace(OPENED, incident=incident), replace(CLOSED, incident=incident)], style(language), NOW)

    assert message.title
    assert "{" not in message.title + message.text
    blocking = ("locked", "локиров", "ұғатта")
    assert (status == "blocked") == any(word in message.title + message.text for word in blocking)


def test_trouble_of_the_own_side_names_no_platform():
    """What is wrong with the own network says nothing about Telegram; a filter of names does."""
    shutdown = replace(OPEN, status="no_network", method="shutdown")

    assert subject(shutdown, load("en")) == "The network is cut off"
    assert "Telegram" not in compose([replace(OPENED, incident=shutdown)], style(), NOW).text
    assert "Telegram" in subject(replace(shutdown, method="filter"), load("en"))


def test_holes_are_named_while_it_lasts():
    """What passes in a shutdown is worth knowing in it."""
    shut = replace(OPEN, status="no_network", method="shutdown", holes=("udp/53", "tcp/179"))

    assert "What still passes: udp/53, tcp/179." in compose([replace(OPENED, incident=shut)], style(), NOW).text


def test_a_long_list_is_cut_and_counted():
    """Twelve platforms: eight by name, and how many more."""
    many = replace(OPEN, platforms=tuple(f"P{n}" for n in range(12)))

    assert compose([replace(OPENED, incident=many)], style(), NOW).title.endswith("P7 and 4 more")


def test_a_name_cannot_bring_escapes_or_lines_into_a_message():
    """Names of platforms come from files that people write, hosts from anywhere."""
    sly = replace(OPEN, platforms=("evil\x1b[2J\nSubject: x", "\u202egnp"))
    message = compose([replace(OPENED, incident=sly)], style(probe="home\r\nBcc: a@b"), NOW)

    assert message.title.isprintable()
    assert all(line.isprintable() for line in message.text.splitlines())


def test_the_probe_is_named_if_it_has_a_name():
    """For whoever has several."""
    assert compose([OPENED], style(probe="Almaty"), NOW).title == "Almaty: Blocked: Telegram"


def test_the_same_things_told_again_have_the_same_id_and_others_another():
    """A receiver can know a repetition; more to tell is no repetition."""
    again = compose([OPENED], style("ru"), us("2026-11-23T01:00"))
    more = compose([OPENED, CLOSED], style(), NOW)

    assert compose([OPENED], style(), NOW).id == again.id != more.id
    assert again.thread == more.thread
    assert a_test(style(), 1).id != a_test(style(), 2).id


def test_only_what_begins_is_urgent():
    """A phone makes a sound for a block or a shutdown that began, and for nothing else."""
    denied = replace(OPEN, status="denied", method="geo")

    assert compose([OPENED], style(), NOW).urgent
    assert not compose([CLOSED], style(), NOW).urgent
    assert not compose([replace(OPENED, incident=denied)], style(), NOW).urgent
    assert not compose([reminder(OPEN, 1, NOW)], style(), NOW).urgent


def test_a_reminder_says_how_long_it_has_gone_on():
    """By what was seen, not by the clock."""
    seen = replace(OPEN, ended_after_us=us("2026-11-23T20:59:10"))
    message = compose([reminder(seen, 1, us("2026-11-23T21:01"))], style(), us("2026-11-23T21:01"))

    assert message.title == "Goes on – Blocked: Telegram"
    assert "It has gone on for 1 day at least." in message.text


def test_an_hour_that_comes_twice_is_told_apart():
    """In the night when clocks go back, both ends have their own offset."""
    times = Times(load("en"), local(BERLIN), us("2026-10-25T12:00", BERLIN))
    first, second = us("2026-10-25T02:50", BERLIN), us("2026-10-25T02:50", BERLIN) + 20 * 60_000_000

    assert times.interval(first, second) == "on 25 October between 02:50 (UTC+2) and 02:10 (UTC+1)"


def test_another_year_is_named():
    """And the same one is not."""
    times = Times(load("ru"), local(ALMATY), us("2027-01-01T00:10"))

    assert times.moment(us("2026-12-31T23:59")) == "23:59 (UTC+5), 31 декабря 2026 года"
    assert times.moment(us("2027-01-01T00:05")) == "00:05 (UTC+5), 1 января"


@pytest.mark.parametrize(
    ("language", "minutes", "said"),
    [
        ("en", 0, "less than a minute"),
        ("en", 1, "1 minute"),
        ("en", 130, "2 hours 10 minutes"),
        ("en", 1440 * 3 + 5, "3 days"),
        ("ru", 21, "21 минута"),
        ("ru", 62, "1 час 2 минуты"),
        ("ru", 1440 * 5 + 60 * 11, "5 дней 11 часов"),
        ("kk", 61, "1 сағат 1 минут"),
    ],
)
def test_durations_are_said_in_two_units(language, minutes, said):
    """With the forms of the language."""
    assert Times(load(language), local(ALMATY), 0).duration(minutes * 60_000_000 + 59_000_000) == said


@given(st.integers(-(10**15), 4 * 10**15), st.integers(-(10**15), 4 * 10**15), st.sampled_from(LANGUAGES))
def test_any_two_times_can_be_said(after_us, by_us, language):
    """A clock that is years off breaks no message."""
    assert Times(load(language), local(ALMATY), 0).interval(after_us, by_us)


def test_what_waits_comes_back_as_it_was():
    """Through the outbox and back."""
    event = Event(incident="i1", number=3, kind="widened", at_us=5, detail={"platforms": ["Signal"]})
    item = of_event(OPEN, event)

    assert from_payload(to_payload(item)) == item
    assert item.id == "i1/3"
    assert reminder(OPEN, 2, 9).id == "i1/reminder/2"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"incident": 3},
        {"incident": {"id": "x"}, "kind": "opened", "number": 1, "at_us": 1},
        to_payload(OPENED) | {"kind": "unheard"},
        to_payload(OPENED) | {"number": None},
    ],
)
def test_what_cannot_be_read_is_an_error_of_its_own(payload):
    """A row of another version stops nobody."""
    with pytest.raises(ItemError):
        from_payload(payload)


def test_what_a_later_version_added_is_left_out():
    """A database that went back to an older version is still read."""
    payload = to_payload(OPENED)
    payload["incident"]["unheard"] = 1

    assert from_payload(payload) == OPENED


def test_people_are_told_of_the_part_and_programs_of_the_platform():
    """A web client that is blocked while the apps work is not "blocked: telegram"; a webhook's list stays the names."""
    url = "https://web.telegram.org/"
    held = replace(OPEN, platforms=("telegram",), urls=(url,))
    parts = Parts({"telegram": "apps"}, {("telegram", url): "web"})
    message = compose([replace(OPENED, incident=held)], replace(style(), parts=parts), NOW)
    assert message.title == "Blocked: telegram (web)"
    assert "Platforms: telegram (web)." in message.text
    assert message.items[0].incident.platforms == ("telegram",)
