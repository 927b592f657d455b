"""When silence becomes suspicious, by a clock that the test turns."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any, cast

import pytest

from probe.experiments.alarm import Alarm


class Clock:
    """As much of an event loop as an alarm needs."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], Any]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], Any]) -> asyncio.TimerHandle:
        entry = (self.now + seconds, len(self._due), call)
        heapq.heappush(self._due, entry)

        class Handle:
            def cancel(_self) -> None:
                if entry in self._due:
                    self._due.remove(entry)

        return cast(asyncio.TimerHandle, Handle())

    def run(self, until: float) -> None:
        while self._due and self._due[0][0] <= until:
            self.now, _number, call = heapq.heappop(self._due)
            call()
        self.now = until


def rung_at(
    *, patience: Callable[[float], float], received: Callable[[float], int], ready_at: float = 0.0, at_most: float = 5.0
) -> float | None:
    """When an alarm rings that may wait a minute, ``None`` for never."""
    clock, rung = Clock(), list[float]()
    alarm = Alarm(
        patience_s=lambda: patience(clock.now),
        received=lambda: received(clock.now),
        ready=lambda: clock.now >= ready_at,
        at_most_s=at_most,
        ring=lambda: rung.append(clock.now),
        loop=cast(asyncio.AbstractEventLoop, clock),
    )
    alarm.start()
    clock.run(60.0)
    assert len(rung) <= 1
    return rung[0] if rung else None


def test_silence_rings_after_the_patience():
    """Where nothing comes in, it rings when patience ends and not later."""
    assert rung_at(patience=lambda _now: 1.0, received=lambda _now: 7) == 1.0


def test_what_comes_in_puts_it_off():
    """Bytes until 2.5 s: it rings a patience after they were last seen to come, not before."""
    rung = rung_at(patience=lambda _now: 1.0, received=lambda now: int(min(now, 2.5) * 100))
    assert rung is not None
    assert 3.5 <= rung <= 4.1


def test_a_trickle_without_end_rings_at_the_limit():
    """What always comes in a little is slow, and slow has a limit."""
    assert rung_at(patience=lambda _now: 1.0, received=lambda now: int(now * 100), at_most=5.0) == 5.0


def test_a_line_that_proves_slow_is_given_more_time():
    """Patience is asked anew at each look: what was learned meanwhile counts."""
    assert rung_at(patience=lambda now: 1.0 if now < 0.9 else 2.6, received=lambda _now: 0) == 2.6


@pytest.mark.parametrize("ready_at", [1.4, 3.0])
def test_it_waits_for_whoever_would_answer_it(ready_at: float):
    """Nobody follows up before the own side is known: until then the line may yet prove slow."""
    rung = rung_at(patience=lambda _now: 1.0, received=lambda _now: 0, ready_at=ready_at)
    assert rung is not None
    assert ready_at <= rung <= ready_at + 0.25


def test_it_is_silent_once_stopped():
    """What has come to its end needs no suspicion."""
    clock, rung = Clock(), list[float]()
    alarm = Alarm(
        patience_s=lambda: 1.0,
        received=lambda: 0,
        ready=lambda: True,
        at_most_s=5.0,
        ring=lambda: rung.append(clock.now),
        loop=cast(asyncio.AbstractEventLoop, clock),
    )
    alarm.start()
    alarm.stop()
    clock.run(60.0)
    assert not rung


def test_the_last_moment_is_no_endless_row_of_looks():
    """Five seconds after 12.089 it is 17.089, less than five seconds later by a hair: a clock that only runs while somebody
    waits for it would stay there, and the looks would follow each other for ever."""
    clock, rung, looks = Clock(), list[float](), list[float]()

    def received() -> int:
        looks.append(clock.now)
        assert len(looks) < 200
        return 0

    alarm = Alarm(
        patience_s=lambda: 60.0,
        received=received,
        ready=lambda: True,
        at_most_s=5.0,
        ring=lambda: rung.append(clock.now),
        loop=cast(asyncio.AbstractEventLoop, clock),
    )
    clock.now = 12.089
    alarm.start()
    clock.run(60.0)
    assert rung == [pytest.approx(17.089, abs=0.01)]
