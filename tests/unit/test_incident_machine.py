"""The incident machine, one story a test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from probe.incidents.machine import START, changed, run, step, wants
from probe.incidents.model import Fact
from probe.incidents.wishes import in_sight
from tests.incident_facts import DAY, TAKES, at, burst, kinds, look, only, reading, told

SERVICES = [f"tcp://192.0.2.{n}:443" for n in (1, 2, 3)]


def test_a_confirmed_failure_opens_between_the_last_good_and_the_first_bad_reading():
    """Good at 1, bad at 11 and twice within the minute: it began in between, and the interval says so."""
    state, events = told(reading(1), *burst(11))
    incident = only(state)
    assert kinds(events) == ["opened"]
    assert (incident.status, incident.method, incident.platforms) == ("blocked", "tls", ("alpha",))
    assert (incident.began_after_us, incident.began_by_us) == (at(1), at(11) + TAKES)
    assert incident.opened_us == at(11.8) + TAKES
    assert (incident.state, incident.ended_by_us, incident.confidence) == ("open", None, 0.97)


def test_two_failures_are_not_enough():
    """A first failure and one that confirms it open nothing yet."""
    state, events = told(reading(1), *burst(11)[:2])
    assert not state.incidents
    assert not events


def test_what_is_inconclusive_neither_opens_nor_closes():
    """Any number of inconclusive readings opens nothing, and ends nothing that is open."""
    state, events = told(*(reading(n, "inconclusive") for n in range(50)))
    assert not events
    state, events = told(*burst(1), *(reading(n, "inconclusive") for n in range(5, 90)))
    assert kinds(events) == ["opened"]
    assert only(state).state == "open"


def test_an_inconclusive_reading_between_failures_does_not_excuse_them():
    """Failures count on where a reading in between said nothing."""
    facts = burst(1)
    facts.insert(1, reading(1.2, "inconclusive", kind="burst"))
    assert kinds(told(*facts)[1]) == ["opened"]


def test_what_only_cheap_looks_saw_opens_nothing():
    """A failure of the cheap check asks for a burst, and is never believed by itself."""
    state, events = told(reading(0), *(reading(n, "blocked", kind="cheap") for n in range(1, 60)))
    assert not events
    assert wants(state).bursts == {"https://alpha.example/"}
    assert (
        kinds(told(reading(0), reading(1, "blocked"), *(reading(n, "blocked", kind="cheap") for n in (2, 3)))[1]) == []
    )


def test_a_service_that_refuses_this_program_is_no_incident():
    """Robots' pages and limits on haste are about us, not about people; a country refused is."""
    refused = [reading(n, "denied", method=word) for n, word in enumerate(("antibot", "ratelimit") * 9)]
    assert not told(*refused)[1]
    assert kinds(told(*(reading(n, "denied", method="geo") for n in range(3)))[1]) == ["opened"]


def test_it_closes_after_good_readings_in_a_row():
    """One good reading is not the end; enough of them are, and it ended between the last bad and the first good."""
    opening: list[Fact] = [reading(1), *burst(11)]
    state, events = told(*opening, reading(16), reading(16.4, kind="burst"))
    assert only(state).state == "open"
    state, events = told(*opening, reading(16), reading(16.4, kind="burst"), reading(16.8, kind="burst"))
    incident = only(state)
    assert kinds(events) == ["opened", "closed"]
    assert (incident.ended_after_us, incident.ended_by_us) == (at(11.8), at(16) + TAKES)
    assert (incident.state, incident.closed_us, incident.remaining) == ("closed", at(16.8) + TAKES, ())


def test_an_inconclusive_reading_among_the_good_ones_takes_none_of_them_back():
    """It says nothing, so it does not begin them anew."""
    state, _ = told(*burst(1), reading(6), reading(7), reading(8, "inconclusive"), reading(9))
    assert only(state).state == "closed"


def test_a_failure_among_the_good_readings_keeps_it_open():
    """Hysteresis: what fails again in between begins its good readings anew."""
    state, _ = told(*burst(1), reading(6), reading(7), reading(8, "blocked"), reading(9), reading(10))
    assert only(state).state == "open"


def test_silence_closes_nothing():
    """The probe was off for ten days: the incident is still open, and its end is as wide as what nobody saw."""
    state, events = told(*burst(1), *(reading(n + 10 * 1440) for n in (0, 1, 2)))
    assert kinds(events) == ["opened", "closed"]
    incident = only(state)
    assert (incident.ended_after_us, incident.ended_by_us) == (at(1.8), 10 * DAY + TAKES)


def test_a_gap_before_it_widens_its_beginning():
    """Last good before the probe went off, first bad after it came back: that is when it began."""
    incident = only(told(reading(1), *burst(3 * 1440))[0])
    assert (incident.began_after_us, incident.began_by_us) == (at(1), 3 * DAY + TAKES)


def test_what_was_never_seen_well_has_no_beginning():
    """Blocked since the first look: nobody knows since when."""
    assert only(told(*burst(5))[0]).began_after_us is None


def test_platforms_that_begin_together_are_one_incident_that_widens():
    """Eight platforms blocked at nine o'clock by one method: one incident, opened once and widened seven times."""
    names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    facts: list[Fact] = [reading(n, of=name) for n, name in enumerate(names)]
    facts += [fact for n, name in enumerate(names) for fact in burst(10 + n, of=name)]
    state, events = told(*facts)
    incident = only(state)
    assert kinds(events) == ["opened"] + ["widened"] * 7
    assert incident.platforms == tuple(sorted(names))
    # What all of them agree on: after the last good reading of any, and by the first bad one.
    assert (incident.began_after_us, incident.began_by_us) == (at(7), at(10) + TAKES)
    assert events[3].detail == {"platforms": ["delta"], "urls": ["https://delta.example/"]}
    assert [event.number for event in events] == list(range(1, 9))


def test_another_method_at_the_same_time_is_another_incident():
    """One platform by its name and another by its address are two things that somebody did."""
    state, _ = told(reading(0), reading(0, of="beta"), *burst(10), *burst(10.1, of="beta", method="ip"))
    assert sorted(incident.method or "" for incident in state.incidents.values()) == ["ip", "tls"]


def test_what_begins_hours_later_is_another_incident():
    """Beginnings that are certainly hours apart are two incidents, though one is still open."""
    beta: list[Fact] = [reading(n, of="beta") for n in range(0, 300, 10)]
    state, events = told(reading(0), *beta, *burst(10), *burst(300, of="beta"))
    assert kinds(events) == ["opened", "opened"]
    assert len(state.incidents) == 2


def test_another_address_of_a_platform_joins_its_incident_however_late():
    """Months after the first one: it is still the same platform, blocked by the same method."""
    late: list[Fact] = [replace(fact, url="https://two.alpha.example/") for fact in burst(90 * 1440)]
    state, events = told(*burst(1), replace(reading(90 * 1440 - 9), url="https://two.alpha.example/"), *late)
    assert kinds(events) == ["opened"]
    assert len(only(state).urls) == 2


def test_it_narrows_when_a_platform_comes_back_and_closes_with_the_last():
    """Each platform leaves by itself; the incident ends with the last one."""
    facts: list[Fact] = [*burst(1), *burst(2, of="beta"), *(reading(n) for n in (20, 21, 22))]
    state, events = told(*facts)
    assert kinds(events) == ["opened", "widened", "narrowed"]
    assert events[-1].detail["platforms"] == ["alpha"]
    assert only(state).remaining == ("https://beta.example/",)
    state, events = told(*facts, *(reading(n, of="beta") for n in (30, 31, 32)))
    assert kinds(events)[-1] == "closed"
    assert (only(state).ended_after_us, only(state).ended_by_us) == (at(2.8), at(30) + TAKES)


def test_a_change_of_method_is_told_once_two_readings_agree():
    """Throttled first and cut off later: one incident that changed its method."""
    slow = burst(1, method="throttling")
    state, events = told(*slow, reading(10, "blocked", method="tls"))
    assert only(state).method == "throttling"
    state, events = told(*slow, reading(10, "blocked", method="tls"), reading(15, "blocked", method="tls"))
    assert kinds(events) == ["opened", "method"]
    assert events[-1].detail["method"] == ["throttling", "tls"]
    assert only(state).method == "tls"


def test_a_method_is_that_of_most_of_what_is_held():
    """One of three changes: nothing is told. Two of three do: that is the method, and so it is when the third has left."""
    names = ("alpha", "beta", "gamma")
    facts = [fact for name in names for fact in burst(1 + names.index(name) / 10, of=name)]
    turned = [reading(n, "blocked", of=of, method="ip") for n in (10, 15) for of in ("alpha", "beta")]
    assert "method" not in kinds(told(*facts, *turned[::2])[1])
    assert kinds(told(*facts, *turned)[1])[-1] == "method"
    left = [reading(n, of=of) for n in (20, 21, 22) for of in ("beta", "gamma")]
    state, events = told(*facts, *turned[::2], *left)
    assert kinds(events)[-1] == "method"
    assert only(state).method == "ip"


def test_what_fails_again_soon_after_its_end_opens_again():
    """Half an hour of quiet at least lies between two incidents."""
    first: list[Fact] = [*burst(1), *(reading(n) for n in (20, 21, 22))]
    state, events = told(*first, *burst(40))
    assert kinds(events) == ["opened", "closed", "reopened"]
    assert (only(state).state, only(state).ended_by_us, only(state).closed_us) == ("open", None, None)
    state, events = told(*first, *burst(80))
    assert kinds(events) == ["opened", "closed", "opened"]


def test_platforms_that_fail_again_come_back_to_the_incident_that_reopened():
    """The second platform joins what the first one reopened, instead of making a new one."""
    first: list[Fact] = [
        *burst(1),
        *burst(1.1, of="beta"),
        *(reading(n, of=of) for n in (20, 21, 22) for of in ("alpha", "beta")),
    ]
    state, events = told(*first, *burst(40), *burst(40.1, of="beta"))
    assert kinds(events)[-2:] == ["reopened", "widened"]
    assert only(state).platforms == ("alpha", "beta")


def test_from_an_outage_to_a_block_is_the_end_of_one_and_the_beginning_of_the_other():
    """Another status is another incident, and the endpoint is in one of them only."""
    state, events = told(reading(0), *burst(10, "outage"), *burst(30))
    assert kinds(events) == ["opened", "closed", "opened"]
    old, new = sorted(state.incidents.values(), key=lambda incident: incident.opened_us)
    assert (old.status, old.state, new.status, new.state) == ("outage", "closed", "blocked", "open")
    assert old.ended_by_us == at(30) + TAKES


def test_a_refusal_by_the_site_itself_ends_a_block():
    """Whoever is told 403 over a verified chain has reached the site."""
    state, _ = told(*burst(1), *(reading(n, "denied", method="antibot") for n in (10, 11, 12)))
    assert only(state).state == "closed"


# ---------------------------------------------------------------------------------------------------------------------
# services


def test_one_way_of_several_into_a_messenger_is_no_incident():
    """any-of: two addresses of three fail for ever, and nobody is kept out."""
    facts: list[Fact] = [
        reading(n + k / 10, "accessible" if k == 2 else "blocked", of="chat", service="apps", rule="any-of", url=url)
        for n in range(40)
        for k, url in enumerate(SERVICES)
    ]
    assert not told(*facts)[1]


def test_all_ways_into_a_messenger_are_one():
    """any-of: when the last address fails too, the service is in an incident with all of them."""
    facts: list[Fact] = [
        reading(n + k / 10, "blocked", of="chat", service="apps", rule="any-of", url=url, method="ip")
        for n in range(4)
        for k, url in enumerate(SERVICES)
    ]
    state, events = told(*facts)
    assert kinds(events) == ["opened"]
    assert only(state).urls == tuple(SERVICES)


def test_one_way_in_is_the_end_for_all():
    """any-of: as soon as one address answers again the messenger works."""
    ways: dict[str, Any] = {"of": "chat", "service": "apps", "rule": "any-of", "method": "ip"}
    facts: list[Fact] = [
        reading(n + k / 10, "blocked", url=url, **ways) for n in range(4) for k, url in enumerate(SERVICES)
    ]
    back: list[Fact] = [reading(n, url=SERVICES[0], **ways) for n in (10, 11, 12)]
    still: list[Fact] = [reading(n + 0.5, "blocked", url=SERVICES[1], **ways) for n in range(10, 30)]
    state, events = told(*facts, *back, *still)
    assert kinds(events) == ["opened", "closed"]
    assert not any(track.held for track in state.tracks.values())


def test_a_way_that_nobody_else_was_compared_with_waits():
    """any-of: while only one address has been measured nothing is known of the service."""
    facts: list[Fact] = [
        reading(n, "blocked", of="chat", service="apps", rule="any-of", url=SERVICES[0]) for n in range(9)
    ]
    assert not told(*facts)[1]


def test_an_unlucky_member_of_a_service_that_needs_all_is_no_outage_but_a_proven_block_is():
    """all-of: one dead server of three is its own trouble; one blocked name is not."""
    parts: dict[str, Any] = {"of": "chat", "service": "web", "rule": "all-of"}
    well: list[Fact] = [reading(n + k / 10, url=url, **parts) for n in range(9) for k, url in enumerate(SERVICES[1:])]
    assert not told(*well, *(reading(n, "outage", url=SERVICES[0], **parts) for n in range(9)))[1]
    assert kinds(told(*well, *(reading(n, "blocked", url=SERVICES[0], **parts) for n in range(9)))[1]) == ["opened"]
    two: list[Fact] = [
        reading(n + k / 10, "outage", url=url, **parts) for n in range(9) for k, url in enumerate(SERVICES[:2])
    ]
    assert kinds(told(*two, *(reading(n, url=SERVICES[2], **parts) for n in range(9)))[1]) == ["opened"]


# ---------------------------------------------------------------------------------------------------------------------
# the own side


def test_one_shutdown_is_one_incident_and_not_forty_blocks():
    """Forty platforms fail in every reading while the line is shut: one incident, with them folded into it."""
    names = [f"platform{n}" for n in range(40)]
    facts: list[Fact] = [fact for name in names for fact in (reading(0, of=name), *burst(10.5, of=name))]
    facts += [look(9), *(look(10 + n, "shutdown", holes=("udp/53",)) for n in range(1, 6))]
    facts += [fact for name in names for fact in burst(13, of=name)]
    state, events = told(*facts)
    incident = only(state)
    assert kinds(events) == ["opened"]
    assert (incident.status, incident.method, incident.holes) == ("no_network", "shutdown", ("udp/53",))
    assert len(incident.folded) == 40
    assert not incident.platforms
    assert (incident.began_after_us, incident.began_by_us) == (at(9), at(11))
    # And none opens when the line is back, before it has failed anew.
    state, events = run(state, [look(60 + n) for n in range(5)])
    assert kinds(events) == ["closed"]


def test_a_block_from_before_a_shutdown_outlives_it():
    """21:00 blocked, 22:00 shut down, 23:00 open again: the block's end is not known before it is seen."""
    facts: list[Fact] = [look(0), reading(1), look(10.5), *burst(10), look(11)]
    facts += [look(n, "shutdown") for n in range(60, 120, 2)]
    facts += [look(n) for n in range(120, 130, 2)]
    state, _ = told(*facts)
    assert [incident.state for incident in state.incidents.values() if incident.status == "blocked"] == ["open"]
    state, _ = told(*facts, *(reading(n) for n in (125, 126, 127)))
    block = next(incident for incident in state.incidents.values() if incident.status == "blocked")
    assert (block.state, block.ended_after_us, block.ended_by_us) == ("closed", at(10.8), at(125) + TAKES)


def test_connections_that_are_opened_are_one_incident_whichever_name_is_met_first():
    """On a quarter of the lines names are met hours apart; what is blocked hours apart is not the same thing."""
    facts = [
        reading(1),
        reading(1, of="beta"),
        reading(1, of="gamma"),
        reading(299, of="beta"),
        reading(520, of="gamma"),
    ]
    facts += [*burst(11, method="mitm"), *(reading(n, of="alpha", method="mitm", status="blocked") for n in (290, 500))]
    facts += burst(300, of="beta", method="mitm")
    assert kinds(told(*facts)[1]) == ["opened", "widened"]
    over = [reading(501 + n, of=name) for n in range(4) for name in ("alpha", "beta")]
    assert kinds(told(*facts, *over, *burst(525, of="gamma", method="mitm"))[1])[-1] == "reopened"
    assert kinds(told(*(replace(one, method=one.method and "tls") for one in facts))[1]) == ["opened", "opened"]


def test_behind_a_line_that_is_down_only_the_line_is_in_sight():
    """Whether a block goes on nobody knows then, so nobody is reminded of it; afterwards it is again."""
    facts: list[Fact] = [look(0), reading(1), look(10.5), *burst(10), look(11)]
    facts += [look(n, "shutdown") for n in range(60, 120, 2)]
    state, _ = told(*facts)
    assert [incident.status for incident in in_sight(state)] == ["no_network"]
    state, _ = told(*facts, *(look(n) for n in range(120, 130, 2)))
    assert "blocked" in [incident.status for incident in in_sight(state)]


def test_nothing_opens_before_the_own_side_was_looked_at_again():
    """A failure is no incident until a look at the own side, later than it, found nothing; then it is one at once."""
    facts: list[Fact] = [look(0), reading(1), *burst(10)]
    state, events = told(*facts)
    assert not events
    assert wants(state).own_side
    state, events = told(*facts, look(12))
    assert kinds(events) == ["opened"]
    assert only(state).began_by_us == at(10) + TAKES


def test_what_failed_just_before_the_own_side_was_found_down_is_its_doing():
    """Failures since the last look that was well do not count on after the line is back."""
    facts: list[Fact] = [look(0), reading(1), *burst(10), look(12, "upstream"), look(13)]
    assert not told(*facts)[1]
    assert not told(*facts, reading(20, "blocked"), look(21))[1]


def test_what_fails_while_the_own_side_is_down_does_not_count_on_when_it_is_back():
    """Two failures under a dead line and one after it are one failure, and no incident."""
    under: list[Fact] = [look(0), look(4, "upstream"), *burst(5)[:2], look(7), look(7.5)]
    assert not told(*under, reading(8, "blocked"), look(9))[1]
    assert not any(track.suspicions for track in told(*under)[0].tracks.values() if track.url)


def test_a_blink_of_the_line_is_no_incident():
    """Two bad minutes are no event; five are."""
    assert not told(look(0), *(look(n, "upstream") for n in (1, 2)), *(look(n) for n in range(3, 30)))[1]
    assert kinds(told(look(0), *(look(n, "upstream") for n in range(1, 6)))[1]) == ["opened"]


def test_trouble_in_the_house_has_to_last_longer():
    """The same five looks at a pulled plug are no incident yet, six minutes of it are."""
    assert not told(look(0), *(look(n, "link") for n in range(1, 6)))[1]
    assert kinds(told(look(0), *(look(n, "link") for n in range(1, 8)))[1]) == ["opened"]


def test_a_failure_that_only_cheap_looks_saw_is_no_shutdown():
    """Cheap looks at the own side ask for a full one, and open nothing."""
    state, events = told(look(0), *(look(n, "shutdown", kind="cheap") for n in range(1, 60)))
    assert not events
    assert wants(state).own_side


def test_one_full_look_is_enough_for_cheap_ones_to_count():
    """The first failure is looked into fully, and that it lasts is seen cheaply: no more full looks are asked for."""
    state, events = told(look(0), look(1.5, "shutdown"), *(look(n, "shutdown", kind="cheap") for n in (3, 4.5, 6)))
    assert kinds(events) == ["opened"]
    state, _ = told(look(0), look(1.5, "shutdown"), look(3, "shutdown", kind="cheap"))
    assert not wants(state).own_side


def test_a_cheap_look_does_not_end_a_shutdown_but_asks_for_a_full_one():
    """A domestic resolver that answers is no end of a shutdown."""
    shut: list[Fact] = [look(n, "shutdown") for n in range(1, 8)]
    state, _ = told(*shut, *(look(n, kind="cheap") for n in range(8, 30)))
    assert only(state).state == "open"
    assert wants(state).own_side
    state, _ = told(*shut, look(8, kind="cheap"), look(8.5, kind="cheap"), look(9))
    assert only(state).state == "closed"
    assert only(state).ended_by_us == at(8)


def test_cheap_successes_alone_end_no_block():
    """A resumed handshake counts towards the end of a block by name, and a full reading has to be among them."""
    cheap = [reading(n, kind="cheap") for n in range(5, 30, 5)]
    state, _ = told(*burst(1), *cheap)
    assert only(state).state == "open"
    state, _ = told(*burst(1), *cheap[:2], reading(16))
    assert (only(state).state, only(state).ended_by_us) == ("closed", at(5) + TAKES)
    # Of a block of pages a handshake says nothing.
    state, _ = told(*burst(1, method="http"), *cheap[:2], reading(16))
    assert only(state).state == "open"


def test_an_unplugged_cable_says_nothing_of_a_shutdown():
    """While the link is down nobody knows whether the shutdown lasts: it stays open, and its method stays."""
    state, events = told(*(look(n, "shutdown") for n in range(1, 8)), *(look(n, "link") for n in range(8, 60)))
    assert kinds(events) == ["opened"]
    assert only(state).method == "shutdown"


def test_a_shutdown_that_becomes_a_whitelist_is_one_incident():
    """The own side's method changes, and the holes that were seen are collected."""
    facts: list[Fact] = [look(n, "shutdown", holes=("udp/53",)) for n in range(1, 8)]
    facts += [look(n, "whitelist", holes=("tcp/179",)) for n in range(8, 12)]
    state, events = told(*facts)
    assert kinds(events) == ["opened", "method"]
    assert (only(state).method, only(state).holes) == ("whitelist", ("tcp/179", "udp/53"))


def test_each_way_out_has_its_own_side():
    """Mobile data shut down, the fixed line well: an incident of the one, and blocks seen through the other count."""
    facts: list[Fact] = [look(n, "shutdown", interface="wwan0") for n in range(20)]
    facts += [look(n + 0.1, interface="eth0") for n in range(20)]
    facts += [replace(fact, interface="eth0") for fact in burst(10)]
    facts += [replace(fact, interface="wwan0") for fact in burst(10)]
    state, _ = told(*facts)
    assert sorted((i.interface, i.status) for i in state.incidents.values()) == [
        ("eth0", "blocked"),
        ("wwan0", "no_network"),
    ]


@pytest.mark.parametrize("method", ["filter", "clock"])
def test_a_filter_or_a_wrong_clock_hides_no_proven_block(method):
    """The judge has weighed those for each endpoint: a proven block is one also in such a house."""
    facts: list[Fact] = [look(n, method) for n in range(30)] + burst(10)
    state, _ = told(*facts)
    assert "blocked" in {incident.status for incident in state.incidents.values()}


# ---------------------------------------------------------------------------------------------------------------------
# noisy targets


def test_what_fails_now_and_then_opens_by_its_change_point():
    """A third of the readings fails: three of four rarely do, but the sum grows, and the beginning is an interval."""
    pattern = [reading(n * 10, "blocked" if n > 30 and n % 3 == 0 else "accessible") for n in range(60)]
    state, events = told(*pattern)
    incident = only(state)
    assert kinds(events) == ["opened"]
    assert incident.began_after_us is not None
    assert incident.began_after_us < at(310) < incident.began_by_us


def test_a_stray_failure_now_and_then_opens_nothing():
    """One failure in twenty wears away."""
    assert not told(*(reading(n * 10, "outage" if n % 20 == 0 else "accessible") for n in range(2000)))[1]


def test_three_failures_far_from_another_are_not_enough():
    """Three of eleven may be chance; the sum wants more."""
    assert not told(*(reading(n * 10, "outage" if n in (5, 10, 15) else "accessible") for n in range(40)))[1]


def test_a_stray_failure_is_forgotten_after_a_while():
    """A day later it dates no beginning, and widens none."""
    facts = [reading(0), reading(60, "blocked"), *(reading(n * 60) for n in range(2, 24)), *burst(24 * 60)]
    incident = only(told(*facts)[0])
    assert (incident.began_after_us, incident.began_by_us) == (at(23 * 60), at(24 * 60) + TAKES)


def test_what_may_not_open_can_still_be_lived_down():
    """A way in that failed for months while others worked is under no suspicion after some days of success."""
    ways: dict[str, Any] = {"of": "chat", "service": "apps", "rule": "any-of"}
    facts = [
        reading(n + k / 10, "accessible" if k or n > 500 else "blocked", url=url, **ways)
        for n in range(600)
        for k, url in enumerate(SERVICES[:2])
    ]
    state, events = told(*facts)
    assert not events
    assert not any(track.suspicions for track in state.tracks.values())


def test_what_fails_now_and_then_needs_more_success_to_be_over():
    """Three successes end what failed always, and nothing that failed every second time."""
    flapping: list[Fact] = [reading(n * 10, "blocked" if n % 2 else "accessible") for n in range(30)]
    state, _ = told(*flapping, *(reading(300 + n) for n in range(1, 4)))
    assert only(state).state == "open"
    state, _ = told(*flapping, *(reading(300 + n) for n in range(1, 12)))
    assert only(state).state == "closed"


def test_a_stray_failure_before_does_not_date_the_beginning():
    """Bad, good, then bad for good: the interval has both possible beginnings in it."""
    facts: list[Fact] = [*(reading(n) for n in range(0, 50, 10)), reading(50, "blocked"), reading(60), *burst(70)]
    incident = only(told(*facts)[0])
    assert incident.began_after_us is not None
    assert incident.began_after_us <= at(40)
    assert incident.began_by_us >= at(70)


# ---------------------------------------------------------------------------------------------------------------------
# order, time and wishes


def test_a_reading_that_comes_twice_counts_once():
    """Replaying overlaps what is known: the second time changes nothing."""
    state, _ = told(reading(1), *burst(11)[:2])
    again, events = run(state, burst(11)[:2])
    assert again == state
    assert not events


def test_what_was_read_in_the_shadow_of_the_own_side_is_known_when_it_is_read_again():
    """A reading that did not count then does not count when it comes a second time and the line is back."""
    shadowed: list[Fact] = [look(0), look(9, "shutdown"), reading(10, "blocked")]
    state, _ = told(*shadowed)
    state, _ = run(state, [look(12)])
    again, _ = run(state, [shadowed[2]])
    assert again == state


def test_one_look_written_down_twice_is_one_look():
    """Two readings of a URL that began together are one: a platform of two lists does not count twice."""
    facts: list[Fact] = [replace(reading(5 + n / 1000, "blocked"), endpoint=n) for n in range(9)]
    assert not told(*facts)[1]


def test_a_clock_set_back_a_year_does_not_silence_the_machine():
    """Readings from the future are no reason to pass over those of today for a year."""
    future = [reading(365 * 1440 + n) for n in range(3)]
    state, _ = run(START, future)
    state, events = run(state, [reading(10), *burst(20)])
    assert kinds(events) == ["opened"]
    assert only(state).began_after_us == at(10)


@pytest.mark.parametrize("ahead", [30, 60], ids=["half an hour", "an hour"])
def test_a_clock_set_back_an_hour_does_not_silence_the_machine_for_one(ahead):
    """Summer time by hand, a change of zone: nothing that is measured until the clock has caught up is taken for known."""
    state, _ = run(START, [look(ahead + 8), reading(ahead + 9)])
    state, events = run(state, [look(11), *burst(12), look(13)])
    assert kinds(events) == ["opened"]
    assert only(state).began_after_us is None


def test_what_comes_a_quarter_of_an_hour_late_is_late():
    """A deep test that ends behind later looks takes back nothing that they have said."""
    state, _ = told(reading(0), *burst(20), look(21))
    assert run(state, [reading(6, "outage", kind="deep")])[0] == state


def test_an_incident_that_a_clock_dated_a_year_ahead_still_ends_after_it_began():
    """Its interval is clamped, not inverted."""
    state, _ = run(START, burst(365 * 1440))
    state, _ = run(state, [reading(n) for n in (10, 11, 12)])
    incident = only(state)
    assert incident.state == "closed"
    assert incident.ended_after_us is not None
    assert incident.ended_by_us is not None
    assert incident.began_by_us <= incident.ended_after_us <= incident.ended_by_us


def test_a_first_failure_asks_for_a_burst_and_the_whole_platform_and_not_for_ever():
    """Two more rounds, four at most; settled, nothing is asked for."""
    state, _ = told(reading(1), reading(11, "blocked"))
    assert wants(state).bursts == {"https://alpha.example/"}
    assert wants(state).platforms == {"alpha"}
    assert wants(state).own_side
    state, _ = run(state, [reading(11 + n / 5, "inconclusive", kind="burst") for n in range(1, 5)])
    assert not wants(state).bursts
    state, _ = told(reading(1), reading(11, "blocked"), reading(11.4, kind="burst"))
    assert not wants(state).bursts


def test_an_open_incident_asks_for_rounds_and_deep_tests_and_a_first_success_for_a_burst():
    """What is held is measured more often; its first good reading is confirmed at once."""
    state, _ = told(*burst(1))
    assert wants(state).rounds == wants(state).deep == {"https://alpha.example/"}
    assert not wants(state).bursts
    assert not wants(state).old
    state, _ = run(state, [reading(6)])
    assert wants(state).bursts == {"https://alpha.example/"}
    assert wants(told(*burst(1), reading(2000, "blocked"))[0]).old == {"https://alpha.example/"}


def test_what_fails_now_and_then_is_asked_until_it_is_well_for_sure():
    """One in four is stopped: the end needs many good readings in a row, and the line may be looked at every five minutes."""
    one_in_four = [
        reading(10 + n, "blocked" if n % 4 == 0 else "accessible", confidence=0.99, kind="burst") for n in range(40)
    ]
    state, _ = told(reading(1), *burst(2), *one_in_four)
    asked = 0
    while only(state).state == "open":
        assert wants(state).bursts, f"after {asked}"
        state, _ = run(state, [reading(60 + asked, kind="full" if asked == 0 else "burst")])
        asked += 1
    assert asked > 5


def test_nothing_is_asked_of_platforms_while_the_own_side_is_down():
    """Bursts into a dead line are a waste."""
    state, _ = told(look(0), reading(1), reading(10, "blocked"))
    assert wants(state).bursts
    state, _ = run(state, [look(11, "shutdown")])
    assert not wants(state).bursts
    # What is held is not asked for either, until the line is back.
    state, _ = told(*burst(1), *(look(n, "shutdown") for n in range(5, 15)))
    assert not wants(state).rounds
    state, _ = run(state, [look(n) for n in range(15, 20)])
    assert wants(state).rounds == {"https://alpha.example/"}


def test_changed_tells_what_must_be_kept():
    """A second address of the same platform is no event, but the incident is another."""
    state, _ = told(*burst(1))
    other = [replace(fact, url="https://two.alpha.example/", run=f"b{fact.run}") for fact in burst(3)]
    after, events = run(state, other)
    assert not events
    assert [incident.urls for incident in changed(state, after)] == [
        ("https://alpha.example/", "https://two.alpha.example/")
    ]
    assert not changed(after, after)


def test_step_leaves_the_state_that_it_was_given_as_it_was():
    """Whoever keeps a state can go back to it."""
    state, _ = told(reading(1), *burst(11)[:2])
    before = (dict(state.tracks), dict(state.incidents), dict(state.under))
    step(state, burst(11)[2])
    assert (dict(state.tracks), dict(state.incidents), dict(state.under)) == before


def test_a_full_look_right_behind_a_small_one_is_a_look_of_its_own():
    """A small look that finds the line well again is confirmed by a full one within a second; both count."""
    down = [look(n, "upstream") for n in (1, 2.5, 4, 5.5)]
    state, events = told(look(0), *down, look(7, kind="cheap"), look(7.01), look(8.5, kind="cheap"))
    assert kinds(events) == ["opened", "closed"]
    assert only(state).closed_us == at(8.5)


def test_while_the_own_side_fails_in_any_way_no_platform_is_blamed():
    """A wrong clock casts no shadow on what is judged, but nothing opens before a look has found the own side well."""
    facts: list[Fact] = [look(0), reading(1), *burst(11), look(11.5, "clock")]
    assert kinds(told(*facts)[1]) == []
    assert kinds(told(*facts, look(13))[1]) == ["opened"]


def test_what_began_before_the_own_side_was_last_well_is_not_its_doing():
    """Twice blocked while all was well here; then the line was down; and blocked a third time after that: three."""
    before: list[Fact] = [look(0), reading(1), *burst(11)[:2], look(12)]
    down = [look(n, "upstream") for n in (13, 14)]
    again: list[Fact] = [look(20), reading(21, "blocked"), look(22)]
    assert kinds(told(*before, *down, *again)[1]) == ["opened"]
    late = [*before[:-1], *down, *again]
    assert kinds(told(*late)[1]) == []


def test_an_own_side_that_is_looked_at_in_haste_must_be_down_for_minutes():
    """Four looks within a minute, because somebody wished for them, are one short fault of the line."""
    assert kinds(told(look(0), *(look(1 + n / 3, "upstream") for n in range(4)))[1]) == []
    assert kinds(told(look(0), *(look(1 + n, "upstream") for n in range(4)))[1]) == ["opened"]


def test_a_way_that_nobody_has_measured_for_days_has_no_say():
    """any-of: that an address was well two days ago does not keep a messenger going whose others fail."""
    ways: dict[str, Any] = {"of": "chat", "service": "apps", "rule": "any-of", "method": "ip"}
    first = reading(0, url=SERVICES[2], **ways)
    failing = [
        reading(2 * 1440 + n + k / 10, "blocked", url=url, **ways)
        for n in range(4)
        for k, url in enumerate(SERVICES[:2])
    ]
    assert kinds(told(first, *failing)[1])[0] == "opened"
    recent = replace(first, at_us=at(2 * 1440 - 60), until_us=at(2 * 1440 - 59))
    assert kinds(told(recent, *failing)[1]) == []


@pytest.mark.parametrize("method", ["link", "captive_portal", "upstream", "shutdown"])
def test_what_fails_behind_a_portal_or_without_a_line_is_no_block(method):
    """Whatever the judge said of the platform then: it is not looked at there, and opens nothing later."""
    facts: list[Fact] = [look(0), reading(1), look(10, method), *burst(11), look(12, method), look(13)]
    assert kinds(told(*facts)[1]) == []
    assert kinds(told(*facts, *burst(20)[:2], look(21))[1]) == []
