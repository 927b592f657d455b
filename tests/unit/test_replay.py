"""What a replay jumps over, and how what was told of an event is judged."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from tests.lab.replay.model import BETWEEN, Event, Phase, Truth, utc
from tests.lab.replay.negatives import NEGATIVES
from tests.lab.replay.score import Said, score
from tests.lab.replay.timelines import EVENTS, JANUARY_2022
from tests.lab.world import whole_world

MINUTE = dt.timedelta(minutes=1)
BEGAN, ENDED = utc("2019-05-09 07:00"), utc("2019-05-09 14:00")

EVENT = Event(
    name="made_up",
    title="made up",
    source="made up",
    phases=(
        Phase(begins=BEGAN - 60 * MINUTE, tells="well"),
        Phase(begins=BEGAN, tells="blocked"),
        Phase(begins=ENDED, tells="well"),
    ),
    ends=ENDED + 60 * MINUTE,
    truths=(Truth(words=(("blocked", "tls"),), began=BEGAN, ended=ENDED, platforms=frozenset({"facebook"})),),
)


def _said(**changes: object) -> Said:
    usual: dict[str, object] = {
        "status": "blocked",
        "method": "tls",
        "platforms": frozenset({"facebook"}),
        "began_after": BEGAN - 5 * MINUTE,
        "began_by": BEGAN + 4 * MINUTE,
        "ended_after": ENDED - 5 * MINUTE,
        "ended_by": ENDED + 4 * MINUTE,
        "opened": BEGAN + 6 * MINUTE,
        "closed": ENDED + 6 * MINUTE,
    }
    return Said(**{**usual, **changes})  # type: ignore[arg-type]


def test_what_is_told_in_time_is_right():
    """One incident with the right words, platforms and times is all that is asked."""
    found = score(EVENT, [_said()])
    assert found.is_right
    assert (found.judged[0].onset_min, found.judged[0].recovery_min) == (6, 6)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"opened": BEGAN + 13 * MINUTE}, "told 13.0 min after it began"),
        ({"closed": ENDED + 11 * MINUTE}, "closed 11.0 min after it ended"),
        ({"closed": None, "ended_by": None}, "never closed"),
        ({"closed": ENDED - 30 * MINUTE, "ended_by": ENDED - 31 * MINUTE}, "closed 30.0 min before it ended"),
        ({"began_by": BEGAN - 10 * MINUTE}, "its beginning is not in the interval that was told"),
        ({"platforms": frozenset[str]()}, "does not name facebook"),
    ],
)
def test_what_is_late_or_misdated_is_wrong(changes, wrong):
    """Each lateness and each missing name is said in words."""
    assert wrong in score(EVENT, [_said(**changes)]).judged[0].wrong


def test_nothing_told_is_wrong_unless_one_place_cannot_know():
    """Silence is an error only where the truth must be told."""
    assert not score(EVENT, []).is_right
    perhaps = Truth(words=(("outage", None),), began=BEGAN, ended=ENDED, must=False)
    assert score(Event(**{**_fields(), "truths": (perhaps,)}), []).is_right


def test_another_word_is_a_stray_incident():
    """An incident with other words tells nothing true; one that says blocked is a false block."""
    found = score(EVENT, [_said(), _said(status="blocked", method="dns", platforms=frozenset({"google"}))])
    assert len(found.stray) == len(found.false_blocked) == 1


def test_forty_incidents_for_one_event_are_wrong():
    """What happened once is told once."""
    assert "told as 2 incidents" in score(EVENT, [_said(), _said()]).judged[0].wrong


def test_any_block_in_a_negative_is_false():
    """Where nothing is blocked, no incident may say so, whatever else it matches."""
    negative = Event(**{**_fields(), "negative": True})
    assert len(score(negative, [_said()]).false_blocked) == 1


def test_no_jump_passes_a_transition():
    """Near a transition the clock goes to what is due, far from it an hour at once, and never beyond a change."""
    far = BEGAN + 120 * MINUTE
    assert EVENT.jump(BEGAN - 30 * MINUTE, BEGAN - 20 * MINUTE) == BEGAN - 20 * MINUTE
    assert EVENT.jump(BEGAN - 1 * MINUTE, BEGAN + 9 * MINUTE) == BEGAN
    assert EVENT.jump(far, far + 10 * MINUTE) == far + BETWEEN
    assert EVENT.jump(ENDED - 90 * MINUTE, ENDED - 80 * MINUTE) == ENDED - 60 * MINUTE


@pytest.mark.parametrize("event", [*EVENTS, *NEGATIVES], ids=lambda event: event.name)
def test_every_event_is_possible(event):
    """Phases come in order, truths lie within, and every state can be built in the lab's world."""
    world = whole_world()
    begins = [phase.begins for phase in event.phases]
    assert begins == sorted(set(begins))
    assert event.ends > begins[-1]
    for phase in event.phases:
        phase.rules(phase.world(world))
    for truth in event.truths:
        assert event.begins <= truth.began < event.ends
        assert truth.ended is None or truth.began < truth.ended < event.ends
        assert truth.began in event.transitions
        assert truth.ended is None or truth.ended in event.transitions


def _fields() -> dict[str, Any]:
    return {name: getattr(EVENT, name) for name in Event.__dataclass_fields__}


def test_a_clock_that_only_the_lab_has_wrong_is_no_stray_incident():
    """In an event of days the lab's web servers tell another date than its time servers; in one of hours nothing excuses it."""
    clock = _said(status="no_network", method="clock", platforms=frozenset())
    assert [said.method for said in score(EVENT, [_said(), clock]).stray] == ["clock"]
    long = dataclasses.replace(EVENT, ends=ENDED + dt.timedelta(days=2))
    found = score(long, [_said(), clock])
    assert (found.stray, [said.method for said in found.of_the_lab]) == ((), ["clock"])
    assert found.is_right


def test_a_part_begins_in_the_middle_and_what_outlasts_it_has_no_end():
    """As the whole is at that moment; what was over before is nothing of it."""
    part = JANUARY_2022.part(2, utc("2022-01-05 20:00"), utc("2022-01-06 12:00"))
    assert [phase.tells for phase in part.phases] == [
        "a window of access",
        "shut again, with holes",
        "a window of access",
    ]
    assert part.begins == utc("2022-01-05 20:00")
    assert [(truth.began, truth.ended) for truth in part.truths] == [
        (utc("2022-01-05 22:00"), utc("2022-01-06 10:30")),
    ]
    longer = JANUARY_2022.part(2, utc("2022-01-05 20:00"), utc("2022-01-06 10:00"))
    assert [truth.ended for truth in longer.truths] == [None]
