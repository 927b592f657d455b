"""Who may ask a control, how often and how much at once."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from probe.control.limits import Limits, Tokens, TooMuchError

ONE, OTHER = "one-token-of-a-probe", "another-probes-token"


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self):
        return self.now


def tokens(clock=None, **limits):
    return Tokens.of([ONE, OTHER], replace(Limits(), **limits), clock or Clock())


@pytest.mark.parametrize("known", [[], ["short"], ["a" * 15], [ONE, ""], ["with\nnewline-in-the-token"], ["ключ" * 8]])
def test_a_token_that_could_be_guessed_is_none(known):
    """None at all, one that is short, one that no header can carry."""
    with pytest.raises(ValueError, match="16"):
        Tokens.of(known, Limits(), Clock())


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (f"Bearer {ONE}", ONE),
        (f"bearer {OTHER}", OTHER),
        (f"Bearer  {ONE} ", ONE),
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        (f"Basic {ONE}", None),
        (ONE, None),
        (f"Bearer {ONE}x", None),
        (f"Bearer {ONE[:-1]}", None),
        (f"Bearer {ONE} {OTHER}", None),
        ("Bearer \xff\xfe", None),
    ],
)
def test_a_header_shows_a_token_or_nothing(header, found):
    """Whole, in its scheme, and one of ours."""
    assert tokens().find(header) == found


def test_a_bucket_fills_with_time():
    """A burst at once, then one as time allows; tokens do not share."""
    clock = Clock()
    held = tokens(clock, burst=2, per_minute=60)
    for _ in range(2):
        with held.turn(ONE):
            pass
    with pytest.raises(TooMuchError) as raised, held.turn(ONE):
        pass
    assert raised.value.retry_after_s >= 1
    with held.turn(OTHER):
        pass
    clock.now += 1.0
    with held.turn(ONE):
        pass
    with pytest.raises(TooMuchError), held.turn(ONE):
        pass
    clock.now += 3600.0
    for _ in range(2):
        with held.turn(ONE):
            pass
    with pytest.raises(TooMuchError), held.turn(ONE):
        pass


def test_so_many_at_once():
    """For each token, and for all of them; what has ended makes room, however it ended."""
    held = tokens(at_once_each=2, at_once=3)
    with ExitStack() as running:
        running.enter_context(held.turn(ONE))
        running.enter_context(held.turn(ONE))
        with pytest.raises(TooMuchError), held.turn(ONE):
            pass
        running.enter_context(held.turn(OTHER))
        with pytest.raises(TooMuchError), held.turn(OTHER):
            pass
    with pytest.raises(KeyError), held.turn(ONE):
        raise KeyError
    with ExitStack() as running:
        running.enter_context(held.turn(ONE))
        running.enter_context(held.turn(ONE))


def test_a_question_that_measures_nothing_is_counted_and_waits_for_nobody():
    """What arms arrived is asked while all measurements of the token are under way; but not without end."""
    held = tokens(at_once_each=1, burst=3, per_minute=60)
    with held.turn(ONE):
        held.pay(ONE)
        held.pay(ONE)
        with pytest.raises(TooMuchError):
            held.pay(ONE)
