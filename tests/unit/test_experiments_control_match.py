"""Which arrival belongs to which arm: by the turns that two names took, else by the moment; and when nothing is known."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from probe.experiments.control_pairs import Came, match
from probe.observations import ArrivalFact, Observation
from tests.unit.facts import HOST, INNOCUOUS, RESET, Facts
from tests.unit.verdict_scenarios_sinks import at_sink

GAP_US = 300_000
WHOLE = ArrivalFact(sink="tls", name=INNOCUOUS, named=True, bytes=517, whole=True, answered=True)
EMPTY = ArrivalFact(sink="tls", bytes=0, whole=False, answered=False)
STRANGE = replace(WHOLE, name=None)


def arms(**sink: object) -> list[Observation]:
    """I T I T …: all of one name answered, none of the other; 0.4 s apart."""
    facts = at_sink(Facts(), trusted=None, **sink)  # type: ignore[arg-type]
    return [
        replace(
            o,
            operation=replace(o.operation, started_us=number // 2 * 400_000 + number % 2 * 20_000, duration_us=20_000),
        )
        for number, o in enumerate(facts.observations)
    ]


def came(
    sent: list[Observation], target: ArrivalFact | None = EMPTY, later_us: int = 90_000, jitter_us: int = 0
) -> list[Came]:
    """What a control says of them; *target* is what it says of each arm of this name."""
    chance = random.Random(4)
    found = []
    for o in sent:
        fact = WHOLE if o.arm == "innocuous" else target
        if o.operation.kind == "tls" and fact is not None:
            found.append(Came(o.operation.started_us + later_us + chance.randint(0, jitter_us or 1), fact))
    return found


def told(found: list[tuple[Observation, Came]]) -> list[tuple[str | None, int | None, bool, int | None]]:
    return [(o.arm, o.round, seen.fact.arrived, seen.fact.bytes) for o, seen in found]


def whole_story(arrived: bool, size: int | None, rounds: int = 6) -> list[tuple[str, int, bool, int | None]]:
    found: list[tuple[str, int, bool, int | None]] = [("innocuous", 0, True, 517)]
    for number in range(rounds):
        found += [("target", number, arrived, size), ("innocuous", number + 1, True, 517)]
    return found


def test_every_arm_finds_its_own() -> None:
    """Greetings that lost their name between those that did not."""
    sent = arms()
    assert told(match(sent, came(sent), gap_us=GAP_US)) == whole_story(True, 0)


def test_what_did_not_even_connect_is_nothing() -> None:
    """Nothing between two of the others'."""
    sent = arms()
    assert told(match(sent, came(sent, None), gap_us=GAP_US)) == whole_story(False, None)


def test_turns_need_no_clock() -> None:
    """A machine that is busy for seconds, a clock that is hours off, answers that came late."""
    sent = arms()
    late = [Came(-3_600_000_000 + n * n * 1_700_000, c.fact) for n, c in enumerate(came(sent))]
    assert told(match(sent, list(reversed(late)), gap_us=GAP_US)) == whole_story(True, 0)


def test_somebody_else_behind_the_same_address_is_told_apart_by_the_moment() -> None:
    """The same innocuous name from another computer, and greetings of theirs that lost their name."""
    sent = arms()
    others = [Came(17_900_000 + n * 300_000, fact) for n, fact in enumerate((WHOLE, EMPTY, WHOLE))]
    between = [Came(550_000, replace(STRANGE, bytes=600))]
    found = match(sent, [*came(sent, jitter_us=20_000), *others, *between], gap_us=GAP_US)
    assert told(found) == whole_story(True, 0)


def test_an_answer_that_nobody_there_gave_makes_all_unknown() -> None:
    """Somebody on the way answers, or the ledger is another one."""
    sent = arms()
    assert match(sent, came(sent)[1:], gap_us=GAP_US) == []
    assert match(sent, [], gap_us=GAP_US) == []
    unanswered = [replace(c, fact=replace(c.fact, answered=False)) for c in came(sent)]
    assert match(sent, unanswered, gap_us=GAP_US) == []


def test_no_answered_arm_no_ledger() -> None:
    """Without one that is known on both sides nothing says that this is the ledger."""
    sent = arms(innocuous=RESET)
    assert match(sent, came(sent), gap_us=GAP_US) == []


@pytest.mark.parametrize("fact", [replace(WHOLE, name=HOST), replace(STRANGE, bytes=560)])
def test_what_arrived_under_its_name_or_another_is_its_own(fact: ArrivalFact) -> None:
    """Whole, changed, or renamed on the way."""
    sent = arms(rounds=2)
    found = match(sent, came(sent, fact), gap_us=GAP_US)
    assert {seen.fact for o, seen in found if o.arm == "target"} == {fact}
