"""What holds for the incident machine whatever is read, in whatever order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.incidents.machine import START, STEP_BACK_US, State, changed, resume, run, step, wants
from probe.incidents.model import MOVED, Event, Fact, Incident, Kind, OwnSide, Reading
from probe.incidents.state import shadowed
from probe.workflows.incidents import taken_up
from tests.incident_facts import known_us, look, reading

NAMES = ("alpha", "beta", "gamma")
WORDS: tuple[tuple[Any, str | None], ...] = (
    ("accessible", None),
    ("blocked", "tls"),
    ("blocked", "throttling"),
    ("outage", "server"),
    ("denied", "geo"),
    ("denied", "antibot"),
    ("no_network", "upstream"),
    ("no_network", "filter"),
    ("inconclusive", None),
)
METHODS = (None, None, None, "upstream", "shutdown", "whitelist", "link", "filter")


KINDS: tuple[Kind, ...] = ("cheap", "full", "full", "burst")
WAYS = (("each", None), ("any-of", "tcp://192.0.2.1:1"), ("any-of", "tcp://192.0.2.2:1"))


@st.composite
def streams(
    draw: st.DrawFn,
    ways: Sequence[tuple[str, str | None]] = WAYS,
    gaps: Sequence[float] = (0.5, 1.0, 10.0, 600.0),
) -> list[Fact]:
    """Readings in runs of the same word (as they come), with looks at the own side between, in order of time."""
    facts: list[Fact] = []
    minute = 0.0
    for _ in range(draw(st.integers(1, 12))):
        of = draw(st.sampled_from(NAMES))
        status, method = draw(st.sampled_from(WORDS))
        broken = draw(st.sampled_from(METHODS))
        apart = draw(st.sampled_from(gaps))
        rule, url = draw(st.sampled_from(ways))
        for _ in range(draw(st.integers(1, 6))):
            minute += apart
            kind: Kind = draw(st.sampled_from(KINDS))
            if draw(st.booleans()):
                facts.append(look(minute - 0.2, broken, kind="cheap" if kind == "cheap" else "full"))
            service = "apps" if rule == "any-of" else None
            facts.append(reading(minute, status, of=of, method=method, kind=kind, rule=rule, url=url, service=service))
    return facts


def said(incident: Incident) -> dict[str, Any]:
    """Everything but its name."""
    return {name: getattr(incident, name) for name in Incident.__slots__ if name != "id"}


def all_incidents(facts: list[Fact]) -> tuple[list[Incident], list[Event]]:
    """Every incident in its last version, and every event."""
    state = START
    kept: dict[str, Incident] = {}
    told: list[Event] = []
    for fact in facts:
        state, events = step(state, fact)
        kept |= state.incidents
        told += events
    return list(kept.values()), told


@settings(max_examples=80, deadline=None)
@given(streams(), st.data())
def test_in_one_go_or_in_pieces_is_the_same(facts: list[Fact], data: st.DataObject) -> None:
    """And so is reading again what was read already."""
    whole, events = run(START, facts)
    cut = data.draw(st.integers(0, len(facts)))
    first, before = run(START, facts[:cut])
    second, after = run(first, facts[cut:])
    assert (second, before + after) == (whole, events)
    # What is older than that was dated by a clock that has been set back.
    again, more = run(whole, [fact for fact in facts if known_us(facts[-1]) - known_us(fact) < STEP_BACK_US])
    assert not more
    assert again == whole


@settings(max_examples=40, deadline=None)
@given(streams(gaps=(0.5, 1.0, 10.0, 30.0)))
def test_a_restart_says_nothing_again_and_changes_nothing_that_follows(facts: list[Fact]) -> None:
    """After any fact, whether all that follows from it was kept or nothing. (No pause is longer than the memory.)"""
    states = list(accumulate(facts, lambda state, fact: step(state, fact)[0], initial=START))
    said_by = [step(state, fact)[1] for state, fact in zip(states, facts, strict=False)]
    stored: dict[str, Incident] = {}
    for number, last in enumerate(said_by):
        before, stored = stored, {**stored, **states[number + 1].incidents}
        rest = tuple(event for events in said_by[number + 1 :] for event in events)
        for kept, unsaid in ((stored, ()), (before, last)):
            known = facts[: number + 1]
            state, missed = taken_up(known, tuple(kept.values()), known_us(known[-1]))
            state, again = run(state, missed)
            assert again == unsaid
            assert run(state, facts[number + 1 :])[1] == rest


@settings(max_examples=80, deadline=None)
@given(streams())
def test_intervals_never_invert(facts: list[Fact]) -> None:
    """Of every version of every incident; and it is not sure of anything before that was seen."""
    state = START
    for fact in facts:
        before = state
        state, _ = step(state, fact)
        for one in changed(before, state):
            known = (one.began_after_us, one.began_by_us, one.ended_after_us, one.ended_by_us)
            moments = [value for value in known if value is not None]
            assert moments == sorted(moments)
            assert one.began_by_us <= one.opened_us
            assert (one.state == "closed") == (one.closed_us is not None) == (one.ended_by_us is not None)
            assert one.ended_by_us is None or one.closed_us is None or one.ended_by_us <= one.closed_us
            assert set(one.remaining) <= set(one.urls)


@settings(max_examples=80, deadline=None)
@given(streams())
def test_no_incident_without_three_confirmed_readings(facts: list[Fact]) -> None:
    """Of the very status, of the very URL, none of them cheap, up to when it opened; of the own side one was a full look."""
    incidents, _ = all_incidents(facts)
    for one in incidents:
        seen: dict[str, int] = defaultdict(int)
        full: set[str] = set()
        for fact in facts:
            url = fact.url if isinstance(fact, Reading) else ""
            if fact.status == one.status and known_us(fact) <= one.changed_us and (fact.kind != "cheap" or not url):
                seen[url] += 1
                full |= {url} if fact.kind != "cheap" else set()
        for url in one.urls or ("",):
            assert seen[url] >= 3
            assert url in full


@settings(max_examples=50, deadline=None)
@given(streams())
def test_events_are_numbered_and_begin_with_its_opening(facts: list[Fact]) -> None:
    """One after another without a gap; every incident has as many as it says; what closes was open."""
    incidents, events = all_incidents(facts)
    by_incident = defaultdict(list)
    for event in events:
        by_incident[event.incident].append(event)
    assert {one.id: one.events for one in incidents} == {name: len(found) for name, found in by_incident.items()}
    for found in by_incident.values():
        assert [event.number for event in found] == list(range(1, len(found) + 1))
        assert found[0].kind == "opened"
        living = False
        for event in found:
            assert living == (event.kind not in ("opened", "reopened"))
            living = event.kind != "closed"


@settings(max_examples=50, deadline=None)
@given(streams(WAYS[:1]))
def test_inconclusive_readings_change_no_incident(facts: list[Fact]) -> None:
    """A stream without them says the same. (Of several ways in, one that nobody knows of may be open: that is a word.)"""
    telling = [fact for fact in facts if fact.status != "inconclusive"]
    assert sorted(map(str, map(said, all_incidents(facts)[0]))) == sorted(
        map(str, map(said, all_incidents(telling)[0]))
    )


@settings(max_examples=50, deadline=None)
@given(streams(), st.permutations(NAMES))
def test_names_and_their_order_do_not_matter(facts: list[Fact], names: list[str]) -> None:
    """Platforms renamed give the same incidents, renamed."""
    new = dict(zip(NAMES, names, strict=True))

    def renamed(fact: Fact) -> Fact:
        if isinstance(fact, OwnSide):
            return fact
        url = fact.url
        for old in NAMES:
            if fact.url == f"https://{old}.example/":
                url = f"https://{new[old]}.example/"
        return replace(fact, platform=new[fact.platform or ""], url=url)

    def times(found: list[Incident]) -> list[Any]:
        return sorted(
            str((i.status, i.began_after_us, i.began_by_us, i.ended_after_us, i.ended_by_us, len(i.urls)))
            for i in found
        )

    # An address of two platforms belongs to whoever was read last; those are left out of the comparison.
    own = [fact for fact in facts if isinstance(fact, OwnSide) or fact.url.startswith("https://")]
    assert times(all_incidents(own)[0]) == times(all_incidents([renamed(fact) for fact in own])[0])


@settings(max_examples=50, deadline=None)
@given(st.permutations(("alpha", "beta", "gamma", "delta")), st.integers(0, 50))
def test_whoever_is_read_first_it_is_one_incident_with_the_same_interval(order: list[str], shift: int) -> None:
    """Four platforms begin together and are read in any order: the interval is what all of them agree on."""
    seconds = {name: position / 10 for position, name in enumerate(order)}
    facts: list[Fact] = [reading(shift + 1 + seconds[name], of=name) for name in order]
    for round_ in range(3):
        facts += [reading(shift + 11 + round_ + seconds[name], "blocked", of=name) for name in order]
    incidents, events = all_incidents(facts)
    assert [event.kind for event in events] == ["opened", "widened", "widened", "widened"]
    (one,) = incidents
    assert one.platforms == ("alpha", "beta", "delta", "gamma")
    assert one.began_after_us == round((shift + 1.3) * 60_000_000)
    assert one.began_by_us == round((shift + 11) * 60_000_000) + 3_000_000


@settings(max_examples=50, deadline=None)
@given(streams(), st.integers(1, 400))
def test_silence_for_days_changes_nothing(facts: list[Fact], days: int) -> None:
    """The probe was off between any two halves: nothing opened or closed in the pause, and intervals only grew."""
    half = len(facts) // 2
    state, _ = run(START, facts[:half])

    def later(fact: Fact) -> Fact:
        moved: dict[str, Any] = {"at_us": fact.at_us + days * 86_400_000_000}
        if isinstance(fact, Reading):
            moved["until_us"] = fact.until_us + days * 86_400_000_000
        return replace(fact, **moved)

    # What reopens after minutes is new after days: compare up to there only.
    for fact in facts[half:]:
        state, events = step(state, later(fact))
        for event in events:
            assert event.at_us >= days * 86_400_000_000
    for one in state.incidents.values():
        if (
            one.ended_after_us is not None
            and one.ended_by_us is not None
            and one.ended_after_us < days * 43_200_000_000
        ):
            assert one.ended_by_us >= days * 86_400_000_000 or one.ended_by_us <= known_us(facts[half - 1])


@settings(max_examples=50, deadline=None)
@given(streams())
def test_wishes_are_about_what_is_known(facts: list[Fact]) -> None:
    """Nothing is wished for that was never read, and what is held is always wished for, but under a broken own side."""
    state: State = START
    known: set[str] = set()
    for fact in facts:
        state, _ = step(state, fact)
        if isinstance(fact, Reading):
            known.add(fact.url)
        asked = wants(state)
        assert asked.bursts | asked.deep | asked.rounds <= known
        assert asked.platforms <= set(NAMES)
        assert asked.old <= asked.rounds
        held = {url for one in state.incidents.values() if one.state == "open" for url in one.remaining}
        assert asked.rounds == (set() if shadowed(state, "") else held)


@settings(max_examples=80, deadline=None)
@given(streams(), st.data())
def test_wherever_it_is_carried_whoever_is_held_is_held_by_something_open(
    facts: list[Fact], data: st.DataObject
) -> None:
    """And every incident that is open holds somebody, through any number of networks and a restart; nothing is suspected twice."""
    restart = data.draw(st.integers(0, len(facts)))
    moves = data.draw(st.sets(st.integers(0, len(facts)), max_size=4))
    state, kept = START, dict(START.incidents)
    for number, fact in enumerate(facts):
        if number in moves:
            at_us = known_us(fact) - 1
            state, _ = step(state, OwnSide(run="", at_us=at_us, status="inconclusive", method=MOVED, kind="cheap"))
        if number == restart:
            state = resume(state, kept.values())
        state, _ = step(state, fact)
        kept |= state.incidents
        held = [track.held.incident for track in state.tracks.values() if track.held is not None]
        assert set(held) == {name for name, incident in state.incidents.items() if incident.state == "open"}
        for track in state.tracks.values():
            assert len({why.status for why in track.suspicions}) == len(track.suspicions)
