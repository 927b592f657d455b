"""Whoever opens connections of a list of names on a part of the lines: what is seen at several endpoints adds up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from probe.incidents.machine import wants
from probe.incidents.model import MOVED, OwnSide, Reading
from tests.bench.listed_streams import opened
from tests.incident_facts import TAKES, at, kinds, only, reading, told

KNOWN = "tls.mitm.known_ca"


def met(minutes: float, of: str, **more: Any) -> Reading:
    """*of* was opened."""
    return reading(minutes, "blocked", of=of, **{"method": "mitm", "signature": KNOWN, **more})


def well(*minutes: float, of: tuple[str, ...] = ("alpha", "beta", "gamma"), **more: Any) -> list[Reading]:
    """All of *of* were well, each a second after the one before."""
    return [reading(minute + place / 60, of=name, **more) for minute in minutes for place, name in enumerate(of)]


SEEN_NOW_AND_THEN = [
    *well(0, 5, 8),
    met(11, "alpha"),
    *well(11.4, 11.8, of=("alpha",)),
    met(21, "beta"),
    *well(21.4, 21.8, of=("beta",)),
    met(23, "gamma"),
]
"""Three names, once each, with good readings after the first two: no endpoint by itself is enough."""


def test_three_names_met_once_each_are_one_incident() -> None:
    """It began between the last good reading anywhere that was no luck and the second that was met."""
    state, events = told(*SEEN_NOW_AND_THEN)
    incident = only(state)
    assert kinds(events) == ["opened"]
    assert (incident.status, incident.method, incident.signature) == ("blocked", "mitm", KNOWN)
    assert incident.platforms == ("gamma",)
    assert incident.opened_us == at(23) + TAKES
    assert incident.began_after_us is not None
    assert incident.began_after_us <= at(5)
    assert incident.began_by_us == at(21) + TAKES


def test_who_is_met_later_joins_at_once() -> None:
    """One reading is enough where the incident is open; what had been well since its own is not counted in."""
    _, events = told(*SEEN_NOW_AND_THEN, met(31, "delta"), met(33, "alpha"))
    assert kinds(events) == ["opened", "widened", "widened"]
    assert [event.detail["platforms"] for event in events] == [["gamma"], ["delta"], ["alpha"]]


def test_what_was_seen_in_another_network_does_not_count() -> None:
    """Where this host has moved since, one reading is a first one again."""
    moved = OwnSide(run="moved", at_us=at(29), status="inconclusive", method=MOVED)
    assert kinds(told(*SEEN_NOW_AND_THEN, met(25, "gamma"), moved, met(31, "delta"))[1]) == ["opened"]


def test_who_failed_last_joins_with_the_one_that_decides() -> None:
    """Of three that are met in turn without good readings between, all are told of together."""
    state, events = told(*well(0), met(11, "alpha"), met(11.5, "beta"), met(12, "gamma"))
    assert only(state).platforms == ("alpha", "beta", "gamma")
    assert kinds(events) == ["opened", "widened", "widened"]


@pytest.mark.parametrize(
    "third",
    [
        met(23, "gamma", signature="tls.mitm.unknown_ca"),
        met(23, "gamma", signature=None),
        met(23, "gamma", method="tls"),
        met(23, "gamma", interface="wwan0"),
        met(23, "gamma", kind="cheap"),
        reading(23, "no_network", of="gamma", method="filter", signature=KNOWN),
    ],
    ids=["another forger", "nobody known", "another method", "another way out", "only a cheap look", "in the house"],
)
def test_what_says_something_else_does_not_count(third: Reading) -> None:
    """Two sights are not enough, and the third is none of the same."""
    assert told(*SEEN_NOW_AND_THEN[:-1], third)[1] == ()


def test_other_methods_are_not_of_a_list() -> None:
    """A site that is silent now and then says nothing of another one that is."""
    facts = [
        met(fact.at_us / 60e6, fact.platform or "", method="tls") if fact.status == "blocked" else fact
        for fact in SEEN_NOW_AND_THEN
    ]
    assert told(*facts)[1] == ()


@pytest.mark.parametrize("signature", ["tls.mitm.unknown_ca", "tls.mitm.stranger"])
def test_a_stranger_met_at_several_names_is_no_incident(signature: str) -> None:
    """A gateway on the way may open a connection now and then: each name has to be met as often as with anything else."""
    seen = [replace(fact, signature=signature) if fact.status == "blocked" else fact for fact in SEEN_NOW_AND_THEN]
    state, events = told(*seen)
    assert events == ()
    assert wants(state).platforms == {"gamma"}


def test_what_a_few_looks_of_one_minute_say_is_one_look() -> None:
    """Four names at once wait for the burst; what comes three quarters of a minute later decides."""
    at_once = [met(11 + place / 60, name) for place, name in enumerate(("alpha", "beta", "gamma", "delta"))]
    assert told(*well(0), *at_once)[1] == ()
    assert kinds(told(*well(0), *at_once, met(11.8, "alpha", kind="burst"))[1])[0] == "opened"


def test_one_name_alone_is_confirmed_as_ever() -> None:
    """Three sights of one name with good readings between them are for the change point to add up."""
    facts = [met(11, "alpha"), *well(11.4, 11.8, of=("alpha",)), met(21, "alpha"), *well(21.4, of=("alpha",))]
    assert told(*well(0), *facts, met(31, "alpha"))[1] == ()


def test_it_is_over_when_all_are_well() -> None:
    """Good readings at both add up; those of one are not enough while the other is still met."""
    facts = [*SEEN_NOW_AND_THEN, met(31, "alpha")]
    half = [reading(36 + n / 10, of="gamma") for n in range(4)]
    state, events = told(*facts, *half, met(37, "alpha"))
    assert kinds(events) == ["opened", "widened"]
    state, events = told(*facts, *half, met(37, "alpha"), *well(*range(41, 60), of=("alpha", "gamma")))
    incident = only(state)
    assert kinds(events)[-1] == "closed"
    assert (incident.ended_after_us, incident.state) == (at(37), "closed")


def test_who_was_well_beside_the_last_sight_is_no_end() -> None:
    """All looked at in one minute: those that were well were well while he was still there."""
    facts = [*well(0, 5, 8), *(met(minute, name) for minute in (11, 12, 13) for name in ("alpha", "gamma"))]
    facts += [met(41, "gamma"), *well(41.1, of=("alpha",))]
    incident = only(told(*facts, *well(*range(46, 66), of=("alpha", "gamma")))[0])
    assert incident.state == "closed"
    assert incident.ended_after_us == at(41)
    assert incident.ended_by_us is not None
    assert at(46) < incident.ended_by_us < at(50)


def test_one_sight_has_everything_looked_at() -> None:
    """Who opens connections is looked for at all names at once; who is silent, only at those of his platform."""
    names = ("alpha", "beta", "gamma")
    assert wants(told(*well(0), met(11, "alpha"))[0]).platforms == set(names)
    assert wants(told(*well(0), met(11, "alpha", method="tls"))[0]).platforms == {"alpha"}


def test_good_readings_after_a_sight_take_nothing_back() -> None:
    """He opens a part of the connections: the burst goes well by chance, and everything is looked at all the same."""
    by_chance = told(*well(0), met(11, "alpha"), *well(11.4, 11.8, of=("alpha",), kind="burst"))[0]
    assert wants(by_chance).platforms == {"alpha", "beta", "gamma"}
    assert len(wants(by_chance).bursts) == 1
    silent = told(*well(0), met(11, "alpha", method="tls"), *well(11.4, of=("alpha",), kind="burst"))[0]
    assert wants(silent).platforms == wants(silent).bursts == set()


def test_a_sight_that_nobody_sees_again_is_forgotten() -> None:
    """After so many good readings as chance does not give: or one sight would have everything looked at for ever."""
    burst = [reading(11.4 + n / 2, of="alpha", kind="burst") for n in range(16)]
    assert wants(told(*well(0), met(11, "alpha"), *burst)[0]).bursts == set()
    assert wants(told(*well(0), met(11, "alpha"), *burst)[0]).platforms == set()
    assert len(wants(told(*well(0), met(11, "alpha"), *burst[:5])[0]).bursts) == 1


def test_a_name_that_is_met_again_is_asked_about_anew() -> None:
    """However often it went well before; and once nothing is left of the suspicion, nothing is asked."""
    facts = [*well(0), met(11, "alpha"), *(reading(11.4 + n / 2, of="alpha", kind="burst") for n in range(7))]
    facts += [met(21, "alpha"), *(reading(21.4 + n / 2, of="alpha", kind="burst") for n in range(10))]
    assert len(wants(told(*facts, met(31, "alpha"))[0]).bursts) == 1
    gone = told(*well(0), met(11, "alpha"), *(reading(12 + n, of="alpha") for n in range(14)))[0]
    assert wants(gone).bursts == wants(gone).platforms == set()


def test_who_was_told_of_in_another_network_is_not_told_of_here() -> None:
    """This host has moved since: one sight here has everything looked at, whatever is still open from there."""
    moved = OwnSide(run="moved", at_us=at(29), status="inconclusive", method=MOVED)
    here = [met(41, "alpha"), *well(41.4, of=("alpha",), kind="burst")]
    assert wants(told(*SEEN_NOW_AND_THEN, moved, *here)[0]).platforms == {"alpha", "beta", "gamma"}


def test_once_he_is_told_of_one_that_is_well_is_not_asked_again_at_once() -> None:
    """The next sight at it is enough."""
    state = told(*SEEN_NOW_AND_THEN)[0]
    assert wants(state).bursts == set()
    assert wants(state).platforms == {"gamma"}


def test_a_quarter_of_the_lines_is_told_in_time() -> None:
    """In most streams within one round; the intervals hold the truth; and hardly an end that was none."""
    began, ended, ends = opened(0.24, streams=40, seed=3)
    assert (began.missed, ended.missed) == (0, 0)
    assert began.median <= 10
    assert began.most_of <= 25
    assert ended.most_of <= 10
    assert min(began.covered, ended.covered) >= 0.9
    assert ends.ends / ends.hours < 0.05


def test_all_that_were_met_are_let_go_together() -> None:
    """Good readings of some are not the end of the others, which have not been looked at since; then one end is told."""
    urls = {name: [f"https://{name}.example/{place}" for place in (1, 2)] for name in ("alpha", "beta")}
    opened_all = [
        met(minute + place / 60, name, url=url)
        for minute in (11, 11.4, 11.8)
        for name, both in urls.items()
        for place, url in enumerate(both)
    ]
    some = [
        reading(minute + n / 60, of=name, url=both[0])
        for minute in (21, 21.5, 22)
        for n, (name, both) in enumerate(urls.items())
    ]
    state, events = told(*opened_all, *some)
    assert "narrowed" not in kinds(events)
    assert "closed" not in kinds(events)
    assert wants(state).others == {both[1] for both in urls.values()}
    others = [
        reading(minute + n / 60, of=name, url=both[1])
        for minute in (23, 23.5)
        for n, (name, both) in enumerate(urls.items())
    ]
    assert kinds(told(*opened_all, *some, *others)[1])[-2:] == ["narrowed", "closed"]


def test_one_that_is_well_by_chance_is_not_asked_again_at_once() -> None:
    """A burst costs a minute and data, and settles nothing while another one is still met; once all are well it may end it."""
    facts = [*SEEN_NOW_AND_THEN, met(31, "alpha")]
    half = told(*facts, reading(36, of="gamma"))[0]
    assert wants(half).bursts == set()
    assert wants(told(*facts, reading(36, of="gamma"), reading(36.1, of="alpha"))[0]).bursts == {
        "https://alpha.example/",
        "https://gamma.example/",
    }


def test_a_resumed_handshake_is_no_end_for_the_others() -> None:
    """One was only looked at in passing since it was met: all wait for a whole look at it, or it would be left behind alone."""
    facts = [*SEEN_NOW_AND_THEN, met(31, "alpha"), met(32, "beta"), reading(40, of="beta", kind="cheap")]
    over = well(*range(41, 59), of=("alpha", "gamma"))
    assert kinds(told(*facts, *over)[1])[-1] == "widened"
    assert kinds(told(*facts, *over, reading(60, of="beta"))[1])[-1] == "closed"


def test_once_more_were_well_than_luck_mostly_has_it_the_rest_is_looked_at() -> None:
    """Else whoever was met last waits for his turn, and all for him. Once: met again, he waits as before; well, all are asked."""
    facts = [*SEEN_NOW_AND_THEN, met(31, "alpha")]
    asked = [
        wants(told(*facts, *well(*(36 + n for n in range(count)), of=("beta", "gamma")))[0]).others
        for count in range(6)
    ]
    assert [sorted(one) for one in asked[:2]] == [[], []]
    assert asked[-1] == {"https://alpha.example/"}
    facts += well(*range(36, 41), of=("beta", "gamma"))
    assert wants(told(*facts, reading(42, "inconclusive", of="alpha"))[0]).others == set()
    assert wants(told(*facts, met(42, "alpha"))[0]).others == set()
    state, _ = told(*facts, reading(42, of="alpha"))
    assert wants(state).others == set()
    assert wants(state).bursts


def test_of_what_fails_always_nobody_is_asked_for_being_the_last() -> None:
    """Only who is met by chance is of a list that others speak for; a block by name ends where it ends."""
    facts = [
        reading(minute + place / 60, "blocked", of=name, method="tls")
        for minute in (11, 11.4, 11.8)
        for place, name in enumerate(("alpha", "beta"))
    ]
    assert wants(told(*facts, reading(20, of="beta"))[0]).others == set()
