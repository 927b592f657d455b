"""What may become short because it repeats itself: whatever was said when, nothing is lost of what was said."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage.repeats import DAY_US, Look, Word, choose, examples

HOUR_US = DAY_US // 24
WELL: Word = ("accessible", None, None, None, None, "well")
WORDS: tuple[Word, ...] = (
    WELL,
    ("blocked", "tls", "tls.timeout.sni", None, None, None),
    ("blocked", "dns", "dns.answer", None, None, None),
    ("accessible", None, None, None, "quic", None),
    ("inconclusive", None, None, "blocked", None, None),
)
PLACES = (("https://a.example/", None), ("https://b.example/", None), ("https://b.example/", "eth1"))


@st.composite
def histories(draw: st.DrawFn) -> list[Look]:
    """Some days of rounds: words that last from an hour to a week, at places that not every round looks at."""
    hours = draw(st.integers(24, 24 * 9))
    said: dict[object, list[Word]] = {}
    for place in PLACES:
        words: list[Word] = []
        while len(words) < hours:
            words += [draw(st.sampled_from(WORDS))] * draw(st.sampled_from((1, 2, 23, 24, 25, 60, 170)))
        said[place] = words
    step = draw(st.sampled_from((1, 1, 5)))
    looks = []
    chance = random.Random(draw(st.integers(0, 2**32)))
    for hour in range(0, hours, step):
        for place in chance.choice((PLACES, PLACES[:1], PLACES[1:])):
            word = said[place][hour]
            cheap = word == WELL and chance.random() < 0.5
            looks.append(
                Look(
                    at_us=hour * HOUR_US, place=place, word=word, well=word == WELL, cheap=cheap,
                    run=None if cheap else f"{hour}",
                )
            )  # fmt: skip
    return looks


def runs_of(looks: Sequence[Look]) -> list[str]:
    return list(dict.fromkeys(look.run for look in looks if look.run is not None))


def short(looks: Sequence[Look], chosen: set[str]) -> list[Look]:
    return [replace(look, run=None) if look.run in chosen else look for look in looks]


@given(histories(), st.sampled_from((DAY_US, 7 * DAY_US)))
def test_the_first_and_the_last_day_of_everything_stay(looks: list[Look], every_us: int) -> None:
    """A look that becomes short was not well only where its place said nothing else for a day before and after it, and was
    looked at a day before and a day after.
    """
    chosen = choose(looks, runs_of(looks), every_us)
    for one in looks:
        if one.run not in chosen or one.well:
            continue
        here = [look for look in looks if look.place == one.place and not (look.cheap and one.word[0] == "accessible")]
        near = [look for look in here if abs(look.at_us - one.at_us) <= DAY_US]
        assert {look.word for look in near} == {one.word}
        assert here[0].at_us <= one.at_us - DAY_US
        assert here[-1].at_us >= one.at_us + DAY_US


@given(histories(), st.sampled_from((DAY_US, 7 * DAY_US)))
def test_an_example_of_every_word_stays_in_every_day(looks: list[Look], every_us: int) -> None:
    """Whatever was not well and had its details has some of them after, in each day (or week) and at each place."""

    def kept(those: Sequence[Look]) -> set[object]:
        return {(o.place, o.word, o.at_us // every_us) for o in those if o.run is not None and not o.well}

    chosen = choose(looks, runs_of(looks), every_us)
    assert kept(short(looks, chosen)) == kept(looks)
    in_full = [look for look in looks if look.run is not None]
    assert examples(looks, every_us) == examples(in_full, every_us)
    assert not chosen & examples(in_full, every_us)
    assert kept([look for look in looks if look.run in examples(in_full, every_us)]) == kept(looks)


@given(histories(), st.sampled_from((DAY_US, 7 * DAY_US)))
def test_what_was_chosen_once_leaves_nothing_to_choose(looks: list[Look], every_us: int) -> None:
    """Going over it again takes nothing more, and only candidates are named."""
    candidates = runs_of(looks)[::2]
    chosen = choose(looks, candidates, every_us)
    assert chosen <= set(candidates)
    left = [run for run in candidates if run not in chosen]
    assert choose(short(looks, chosen), left, every_us) == set()


@given(histories())
def test_what_is_short_already_speaks_as_what_has_its_details(looks: list[Look]) -> None:
    """Whatever is chosen of days is still there to be chosen when half of it is done, by whoever goes on."""
    chosen = sorted(choose(looks, runs_of(looks), DAY_US))
    half = set(chosen[::2])
    assert choose(short(looks, half), chosen[1::2], DAY_US) == set(chosen[1::2])


def test_one_cheap_look_that_is_well_is_the_end_of_a_block() -> None:
    """It sees less than a full one, but not that something which was kept out is let in: a day of details on both sides."""
    here: dict[str, Any] = {"place": PLACES[0]}
    blocked = [Look(at_us=hour * HOUR_US, word=WORDS[1], well=False, run=f"{hour}", **here) for hour in range(200)]
    open_once = Look(at_us=100 * HOUR_US + 1, word=WELL, well=True, cheap=True, **here)
    chosen = choose([*blocked[:101], open_once, *blocked[101:]], runs_of(blocked), 30 * DAY_US)
    # Those before are the last day of one block, those after are the first day of another, which has an example of its own.
    assert chosen == {f"{hour}" for hour in (*range(24, 77), *range(125, 176))}
