"""Two names that share a neutral place and the innocuous name there, where many endpoints are in trouble at once.

Flows are few then, and an innocuous arm between two arms of one name lies between two of another as well. So both names keep
the whole alternation: I T U I U T I T U …, each failure with a success before and behind it. Who comes first behind the
innocuous arm changes from round to round: if whatever happens to the one made the other fail, that one would pass every
second time.

What the innocuous name met is kept for both endpoints, its bytes for the first of them only.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probe.experiments.contrast import Pair
    from probe.experiments.site import Site
    from probe.experiments.steps import ArmResult
    from probe.observations import Observation

NEAR = 5
"""By so many letters two names may differ, so that the innocuous name's greeting is as long as either's, or nearly."""


@dataclass(slots=True, eq=False)
class Seat:
    """One endpoint that takes part. ``outcome``: whether its name failed to the end at every place while the other one was
    answered; ``None`` where it was left alone.
    """

    site: Site
    context: contextvars.Context
    """So that its arms are paid for by the flows that were promised to it."""
    guest: asyncio.Future[Seat]
    outcome: asyncio.Future[bool | None]

    @property
    def has_left(self) -> bool:
        return self.outcome.done() or self.site.succeeded


@dataclass(slots=True)
class Companions:
    """Of one run: who is waiting for company."""

    _waiting: list[Seat] = field(default_factory=list)

    async def join(self, site: Site) -> tuple[Seat, Seat] | bool | None:
        """(host, guest) for whoever was there first, and is to see to both; what came of it for the other one.

        ``None`` where nobody came, or where whoever was first went away.
        """
        loop = asyncio.get_running_loop()
        mine = Seat(site, contextvars.copy_context(), loop.create_future(), loop.create_future())
        host = self._best_for(mine)
        if host is not None:
            self._waiting.remove(host)
            host.guest.set_result(mine)
            try:
                return await mine.outcome
            finally:
                mine.outcome.cancel()
        self._waiting.append(mine)
        try:
            async with asyncio.timeout(site.settings.deadlines.arm_gap):
                return mine, await asyncio.shield(mine.guest)
        except TimeoutError:
            return (mine, mine.guest.result()) if mine.guest.done() else None
        except asyncio.CancelledError:
            if mine.guest.done():
                leave(mine.guest.result())
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(mine)

    def _best_for(self, mine: Seat) -> Seat | None:
        """Whoever waits with a name that is about as long."""
        near = [seat for seat in self._waiting if not seat.guest.done() and _apart(seat, mine) <= NEAR]
        return min(near, key=lambda seat: _apart(seat, mine), default=None)


def _apart(one: Seat, other: Seat) -> int:
    return abs(len(one.site.host) - len(other.site.host))


def leave(guest: Seat, outcome: bool | None = None) -> None:
    """Tell a guest what came of it; ``None``: it is to go on alone."""
    if not guest.outcome.done():
        guest.outcome.set_result(outcome)


def keep_for(guest: Seat, o: Observation) -> None:
    """Keep *o*, which was made for a host, for its guest as well; its bytes are the host's."""
    operation = dataclasses.replace(o.operation, bytes_sent=0, bytes_received=0)
    guest.site.record(operation, purpose=o.purpose, group=o.group, arm=o.arm, round=o.round)


class Together:
    """The arms of some names at one neutral place, in turn with one innocuous name. The first pair's host sends that one."""

    def __init__(self, group: str, seats: Sequence[Seat], pairs: Sequence[Pair]) -> None:
        self._group = group
        self._seats = tuple(seats)
        self._pairs = tuple(pairs)
        self._first = pairs[0]
        self._host = seats[0].site
        self._begun = 0.0
        self._passed: set[Seat] = set()
        self._out: set[Seat] = set()

    async def innocuous(self, number: int) -> ArmResult:
        """One arm with the innocuous name, kept for all of them."""
        await self._gap()
        since = len(self._host.session.recorder.observations)
        result = await self._first.send("innocuous", number)
        for pair in self._pairs:
            pair.learn(result)
        for o in tuple(self._host.session.recorder.observations[since:]):
            mine = o.endpoint == self._host.number and o.group == self._group
            if mine and o.purpose == "neutral_pair" and o.arm == "innocuous" and o.round == number:
                for seat in self._seats[1:]:
                    keep_for(seat, o)
        return result

    async def alternate(self, rounds: int) -> tuple[bool, ...]:
        """Of each, whether it failed in all rounds while the innocuous name never did. As in :meth:`Pair.alternate`, one that
        passes at once is done, and so are all where the innocuous name fails twice running.
        """
        lost, ever, number = 0, 0, 0
        for number in range(rounds):
            await self._targets(number)
            if self._all_have_left():
                break
            last = number + 1 == rounds
            # The rule asks for five successes between failures: no more of them than it needs.
            enough = number + 2 == rounds and not ever and not self._passed
            if last or enough:
                continue
            innocuous = await self.innocuous(number + 1)
            lost = 0 if innocuous.passed else lost + 1
            ever += not innocuous.passed
            if lost >= 2:
                break
        whole = number + 1 == rounds and not ever
        return tuple(whole and not self._is_out(seat) and seat not in self._passed for seat in self._seats)

    async def _targets(self, number: int) -> None:
        """One arm of each name, begun a gap apart; waited for together."""
        turns = list(zip(self._seats, self._pairs, strict=True))
        async with asyncio.TaskGroup() as arms:
            for seat, pair in turns if number % 2 == 0 else reversed(turns):
                if self._is_out(seat):
                    continue
                await self._gap()
                arms.create_task(self._target(seat, pair, number), context=seat.context.copy())

    async def _target(self, seat: Seat, pair: Pair, number: int) -> None:
        if (await pair.send("target", number)).passed:
            self._passed.add(seat)
            if number == 0:
                self._out.add(seat)

    def _is_out(self, seat: Seat) -> bool:
        guest_left = seat is not self._seats[0] and seat.has_left
        return seat in self._out or guest_left or seat.site.succeeded

    def _all_have_left(self) -> bool:
        return all(self._is_out(seat) for seat in self._seats)

    async def _gap(self) -> None:
        wire = self._host.wire
        await wire.sleep(max(0.0, self._begun + self._host.settings.deadlines.arm_gap - wire.monotonic()))
        self._begun = wire.monotonic()
