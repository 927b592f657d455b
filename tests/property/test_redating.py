"""What was dated by a wrong clock is, once the time is known, as if the clock had been right all the while."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.incidents.machine import START, State, run
from probe.incidents.model import Event, Fact, Incident, Reading
from probe.incidents.redating import moments_of, redated
from probe.workflows.incidents import taken_up
from tests.incident_facts import DAY, known_us
from tests.property.test_incident_properties import said, streams

DAILY = (0.5, 1.0, 10.0, 30.0)
OFFSETS = st.sampled_from((40_000_000, 20 * 60_000_000, 8 * DAY // 24, -8 * DAY // 24, 3 * DAY))


def by_clock(fact: Fact, offset_us: int) -> Fact:
    """*fact* as a clock dates it that is *offset_us* behind."""
    if isinstance(fact, Reading):
        return replace(fact, at_us=fact.at_us - offset_us, until_us=fact.until_us - offset_us)
    return replace(fact, at_us=fact.at_us - offset_us)


def by_name(told: Any, state: State) -> str:
    """Without the names of incidents, which come from what a clock said when they began."""
    text = repr(told)
    for number, one in enumerate(sorted(state.incidents.values(), key=lambda one: repr(said(one)))):
        text = text.replace(one.id, f"#{number}")
    return text


def what(events: tuple[Event, ...]) -> list[tuple[object, ...]]:
    return [(event.kind, event.number, event.at_us, event.detail) for event in events]


@settings(max_examples=80, deadline=None)
@given(streams(gaps=DAILY), OFFSETS, st.data())
def test_it_is_as_if_the_clock_had_been_right(facts: list[Fact], offset_us: int, data: st.DataObject) -> None:
    """What is remembered, what it was when it began and ended, and all that follows; also after a restart."""
    cut = data.draw(st.integers(1, len(facts)))
    facts = [by_clock(fact, -10 * DAY) for fact in facts]  # no time before 1970
    undated = [by_clock(fact, offset_us) for fact in facts[:cut]]
    moments = {moment: moment + offset_us for moment in moments_of(undated)}

    truth, _ = run(START, facts[:cut])
    wrong, events = run(START, undated)
    right = redated(wrong, moments)
    assert by_name(right, right) == by_name(truth, truth)
    assert what(redated(events, moments)) == what(run(START, facts[:cut])[1])
    assert what(run(right, facts[cut:])[1]) == what(run(truth, facts[cut:])[1])

    kept: dict[str, Incident] = {}
    state = START
    for fact in undated:
        state, _ = run(state, [fact])
        kept |= state.incidents
    again, missed = taken_up(facts[:cut], tuple(redated(kept, moments).values()), known_us(facts[cut - 1]))
    again, said_again = run(again, missed)
    assert said_again == ()
    assert what(run(again, facts[cut:])[1]) == what(run(truth, facts[cut:])[1])


def test_nothing_but_moments_is_changed() -> None:
    """Counts, words and yes or no stay as they are, wherever they are."""
    told = {"at_us": 1_800_000_000_000_000, "number": 1, "sure": True, "words": ("a", None, 0.5), "times": [7, 8]}
    assert redated(told, {1_800_000_000_000_000: 5}) == told | {"at_us": 5}
    assert redated(told, {}) is told
    assert isinstance(redated(told, {7: 9})["words"], tuple)
