"""Incidents in plain sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from probe.incidents.model import Event, Incident
from probe.incidents.recurrence import recurrences
from probe.report.incidents import Picture, Remark, document, headline, lines
from probe.verdict.model import METHODS
from storage.when import utc_text

MINUTE = 60_000_000
NOW = round(datetime(2026, 11, 22, 18, 0, tzinfo=UTC).timestamp()) * 1_000_000
ALMATY = ZoneInfo("Asia/Almaty")


def local(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC).astimezone(ALMATY)


def incident(**said: object) -> Incident:
    usual: dict[str, object] = {
        "id": "39622f039ea04ede",
        "status": "blocked",
        "method": "tls",
        "signature": "tls.timeout.sni",
        "platforms": ("facebook", "instagram"),
        "urls": ("https://facebook.example/", "https://instagram.example/"),
        "remaining": ("https://facebook.example/", "https://instagram.example/"),
        "began_after_us": NOW - 130 * MINUTE + 30_000_000,
        "began_by_us": NOW - 120 * MINUTE + 10_000_000,
        "opened_us": NOW - 119 * MINUTE,
        "changed_us": NOW - 119 * MINUTE,
        "confidence": 0.97,
        "events": 1,
    }
    return Incident(**{**usual, **said})  # type: ignore[arg-type]


def over(**said: object) -> Incident:
    ended: dict[str, object] = {
        "state": "closed",
        "remaining": (),
        "ended_after_us": NOW - 20 * MINUTE,
        "ended_by_us": NOW - 10 * MINUTE,
        "closed_us": NOW - 9 * MINUTE,
    }
    return incident(**{**ended, **said})


def picture(*incidents: Incident, remarks: tuple[Remark, ...] = (), events: tuple[Event, ...] = ()) -> Picture:
    return Picture(
        incidents=incidents,
        events={one.id: tuple(event for event in events if event.incident == one.id) for one in incidents},
        remarks=remarks,
        recurrences=recurrences(incidents, local),
        now_us=NOW,
        local=local,
    )


def text(shown: Picture) -> str:
    return "\n".join(lines(shown))


def test_an_open_incident_is_one_plain_sentence_and_since_when() -> None:
    """Who, how, how sure; the beginning as an interval in local time, widened to whole minutes."""
    said = text(picture(incident()))
    assert said.startswith("Going on\n  ✗ facebook, instagram: blocked by name (tls.timeout.sni) (97 % sure)\n")
    assert "Since between 2026-11-22 20:50 and 21:01; for 1 h 59 min so far" in said
    assert "Still:" not in said
    assert said.endswith("Times are those of UTC+5.")


def test_open_ones_come_first_and_then_the_latest() -> None:
    """Whatever was given in whatever order."""
    early = over(id="early", began_by_us=NOW - 500 * MINUTE, began_after_us=NOW - 510 * MINUTE)
    said = text(picture(early, over(id="late"), incident(id="living")))
    assert [said.index(f"[{name}]") for name in ("living", "late", "early")] == sorted(
        said.index(f"[{name}]") for name in ("living", "late", "early")
    )
    assert said.index("Going on") < said.index("[living]") < said.index("Over") < said.index("[late]")


def test_a_closed_one_tells_its_end_and_how_long_it_can_have_lasted() -> None:
    """Between the shortest and the longest that both intervals allow."""
    said = text(picture(over()))
    assert "Began between 2026-11-22 20:50 and 21:01; ended between 2026-11-22 22:40 and 22:50; lasted between" in said
    assert "lasted between 1 h 39 min and 1 h 59 min" in said


def test_what_nobody_saw_begin_says_so() -> None:
    """No beginning is made up."""
    assert "or earlier (it was so when first looked at);" in text(picture(incident(began_after_us=None)))
    assert "lasted 1 h 39 min or longer" in text(picture(over(began_after_us=None)))


def test_what_was_seen_once_has_no_length() -> None:
    """Where neither its beginning nor a later look at it is known, "0 min or longer" would say nothing."""
    said = text(picture(over(began_after_us=None, ended_after_us=None)))
    assert "; how long it lasted is not known\n" in said
    assert "0 min" not in said


def test_what_ended_before_it_was_seen_again_has_a_longest_time_only() -> None:
    """ "Between 0 min" would be no length."""
    assert "; lasted 20 min at most\n" in text(
        picture(
            over(
                began_after_us=NOW - 125 * MINUTE,
                began_by_us=NOW - 119 * MINUTE,
                ended_after_us=None,
                ended_by_us=NOW - 105 * MINUTE,
            )
        )
    )


def test_a_note_of_today_is_not_beside_what_was_left_behind_in_another_network() -> None:
    """Its end is not known, but nobody saw it after it was closed."""
    remark = Remark(id=1, at_us=NOW - 2 * MINUTE, until_us=None, text="live stream")
    said = text(picture(over(ended_after_us=None, ended_by_us=None, closed_us=NOW - 90 * MINUTE), remarks=(remark,)))
    assert "    Note 1" not in said
    assert "\nNote 1: " in said


def test_no_incident_is_wholly_sure_and_none_is_said_to_be_meant() -> None:
    """99.7 % is not 100 %; who slowed something down, and why, was not measured."""
    said = text(picture(incident(confidence=0.9974, method="throttling", signature="throttling.sni")))
    assert "(more than 99 % sure)" in said
    assert "slowed down on the way (throttling.sni)" in said
    assert "purpose" not in said


def test_what_is_left_of_it_what_stayed_open_and_what_failed_with_it() -> None:
    """The parts of a shutdown and of a narrowed block."""
    shut = incident(
        id="shut",
        status="no_network",
        method="shutdown",
        signature=None,
        platforms=(),
        urls=(),
        remaining=(),
        holes=("tcp/179", "udp/53"),
        folded=("https://a.example/",),
    )
    said = text(picture(shut, incident(remaining=("https://facebook.example/",))))
    assert "! The network was cut off: nothing at all answered (shutdown)" in said
    assert "What stayed open: tcp/179, udp/53" in said
    assert "1 address failed because of it." in said
    assert "Still: https://facebook.example/" in said


def test_notes_stand_beside_what_they_fall_into_and_the_others_at_the_end() -> None:
    """A note shortly before an incident is beside it; one of another day is not."""
    remarks = (
        Remark(id=1, at_us=NOW - 170 * MINUTE, until_us=None, text="opposition live stream"),
        Remark(id=2, at_us=NOW - 3000 * MINUTE, until_us=NOW - 2990 * MINUTE, text="power cut"),
    )
    said = text(picture(incident(), remarks=remarks))
    assert "    Note 1: 2026-11-22 20:10: opposition live stream\n" in said
    assert "\nNote 2: 2026-11-20 21:00 to 21:10: power cut\n" in said


def test_round_half_hours_are_told_only_where_chance_is_rare() -> None:
    """A shutdown from 21:00 to 23:00 to the minute; the same without such times says nothing."""
    start = NOW - 600 * MINUTE
    exact = over(
        began_after_us=start - 20_000_000,
        began_by_us=start + 20_000_000,
        ended_after_us=start + 240 * MINUTE - 20_000_000,
        ended_by_us=start + 240 * MINUTE + 20_000_000,
    )
    assert "Its times are round half hours" in text(picture(exact))
    assert "half hours" not in text(picture(over()))


def test_several_losses_of_the_line_are_judged_together() -> None:
    """Each for itself proves little, five of them a lot."""
    own = {"status": "no_network", "method": "upstream", "signature": None, "platforms": (), "urls": ()}
    five = []
    for number in range(5):
        start = NOW - (number * 1440 + 600 + 17 * number * 30) * MINUTE
        five.append(
            over(
                id=str(number),
                began_after_us=start - 180_000_000,
                began_by_us=start + 180_000_000,
                ended_after_us=start + 240 * MINUTE - 180_000_000,
                ended_by_us=start + 240 * MINUTE + 180_000_000,
                **own,
            )
        )
    assert "Its times are" not in text(picture(*five))
    assert "Taken together, the 5 times that your own network was down lie at round half hours" in text(picture(*five))


def test_what_comes_back_every_evening_is_told() -> None:
    """In local time, with the days."""
    start = round(datetime(2026, 11, 1, 15, 0, tzinfo=UTC).timestamp()) * 1_000_000
    evenings = [
        over(
            id=str(day),
            began_after_us=start + day * 1440 * MINUTE - 5 * MINUTE,
            began_by_us=start + day * 1440 * MINUTE + 5 * MINUTE,
            ended_after_us=start + (day * 1440 + 115) * MINUTE,
            ended_by_us=start + (day * 1440 + 125) * MINUTE,
        )
        for day in range(4)
    ]
    said = text(picture(*evenings))
    assert "facebook, instagram: blocked every evening from about 20:00 to 22:00, in 4 of 4 days" in said


def test_all_that_happened_is_told_when_asked_for() -> None:
    """Each event in its words."""
    events = tuple(
        Event(incident="39622f039ea04ede", number=n, kind=kind, at_us=NOW, detail=detail)  # type: ignore[arg-type]
        for n, (kind, detail) in enumerate(
            [
                ("opened", {"platforms": ["facebook"]}),
                ("widened", {"platforms": ["instagram"]}),
                ("method", {"method": ["throttling", "tls"]}),
                ("narrowed", {"platforms": ["facebook"]}),
                ("closed", {}),
                ("reopened", {"platforms": ["facebook"]}),
            ],
            start=1,
        )
    )
    said = text(picture(incident(), events=events))
    for words in (
        "was sure of facebook",
        "took instagram",
        "changed its method from throttling to tls",
        "let go of facebook",
    ):
        assert f"2026-11-22 23:00 {words}" in said


def test_nothing_measured_reaches_the_terminal_raw() -> None:
    """Escapes in names, notes, URLs and holes are made harmless."""
    evil = "\x1b[31m\u202eevil"
    said = text(
        picture(
            incident(
                platforms=(evil,), urls=(evil,), remaining=(), holes=(evil,), interface=evil, signature=evil, id=evil
            ),
            remarks=(Remark(id=1, at_us=NOW, until_us=None, text=evil),),
        )
    )
    assert "\x1b" not in said
    assert "\u202e" not in said


@pytest.mark.parametrize("status", ["blocked", "denied", "outage", "no_network"])
def test_every_method_has_its_words(status: str) -> None:
    """No method falls back to the bare status, but for those that open nothing."""
    bare = headline(incident(status=status, method=None, signature=None))
    for method in METHODS[status] - {"antibot", "ratelimit"}:  # type: ignore[index]
        assert headline(incident(status=status, method=method, signature="x")) != f"{bare} (x)"


def test_the_document_has_all_of_it() -> None:
    """JSON with times in UTC, notes by number, the round-time score and what comes back."""
    remarks = (Remark(id=7, at_us=NOW - 100 * MINUTE, until_us=None, text="x"),)
    said = json.loads(json.dumps(document(picture(over(), remarks=remarks), utc_text)))
    (one,) = said["incidents"]
    assert one["began"] == {"after": "2026-11-22T15:50:30.000000Z", "by": "2026-11-22T16:00:10.000000Z"}
    assert (one["notes"], said["notes"][0]["text"], said["utc_offset_s"]) == ([7], "x", 18000)
    assert set(one["round_time"]) == {"begins", "lasts", "p"}
    assert said["schema"] == "dalel.incidents/1"


def test_two_dates_are_written_where_midnight_lies_between() -> None:
    """And none is left out."""
    late = incident(began_after_us=NOW + 55 * MINUTE, began_by_us=NOW + 65 * MINUTE)
    assert "between 2026-11-22 23:55 and 2026-11-23 00:05" in text(replace(picture(late), now_us=NOW + 90 * MINUTE))


def test_a_change_to_winter_time_in_an_interval_is_written_out() -> None:
    """Half past two comes twice that night; the zone says which."""
    berlin = ZoneInfo("Europe/Berlin")
    change = round(datetime(2026, 10, 25, 1, 0, tzinfo=UTC).timestamp()) * 1_000_000
    one = incident(began_after_us=change - 30 * MINUTE, began_by_us=change + 30 * MINUTE)
    shown = replace(
        picture(one),
        local=lambda us: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).astimezone(berlin),
    )
    assert "between 2026-10-25 02:30 and 02:30 (UTC+1)" in text(shown)
    assert text(shown).endswith("Times are those of UTC+1 and UTC+2, whichever held then.")


def test_the_zone_that_is_named_is_the_one_that_held_then() -> None:
    """An incident of the summer is not told in winter time: its times would be an hour off."""
    berlin = ZoneInfo("Europe/Berlin")
    july_us, december_us = (round(datetime(2026, month, 5, tzinfo=UTC).timestamp()) * 1_000_000 for month in (7, 12))
    past = incident(began_after_us=july_us, began_by_us=july_us, ended_after_us=july_us, ended_by_us=july_us)
    shown = replace(picture(past), now_us=december_us, local=lambda us: datetime.fromtimestamp(us / 1e6, berlin))
    assert text(shown).endswith("Times are those of UTC+2.")
    assert text(replace(shown, incidents=())).endswith("Times are those of UTC+1.")
