"""The run's own questions to the system's resolvers: slower as soon as one of many is refused.

A whole list begins with a burst of questions, and some resolvers answer only so many a second. What they refuse then is
our doing: an ordinary visitor asks for one name at a time. So a refusal amid many questions is asked again, a second later
and at the pace at which that resolver did answer. A resolver that refuses everybody then too is dead, and where the slow
pace helps no name it is the names that are refused: neither is asked on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from probe.instruments import dns
from probe.observations import Operation

if TYPE_CHECKING:
    from probe.experiments.session import Session
    from probe.wire import Wire
    from probe.wire.resolvers import Nameserver

REFUSAL_GAP_S = 1.2
"""Limits of a resolver are counted by the second: a refusal that meant the rate is over after it."""
CROWD = 8
"""Questions in one second that a household's browser asks too; no known limit is lower by default."""
MOST_ROUNDS = 3
"""Times that a refusal is asked again, each time slower."""
MOST_RESOLVERS = 3
"""resolv.conf(5), MAXNS: of further lines no program knows."""
NO_WORD = frozenset(
    {
        "generic_timeout_error",
        "connection_refused",
        "host_unreachable",
        "network_unreachable",
        "dns_servfail_error",
        "dns_refused_error",
    }
)
"""After these a stub asks the next resolver (glibc, resolv/res_send.c): nobody answered, or nobody who would know."""
_REFUSED = "dns_refused_error"
_SHARE = 0.7
"""Of what the resolver answered in its busiest second: other programs of this host ask too."""
_SLOWEST_S = 0.5
_VAIN = 3
"""Questions asked again in vain, after which the pace is not what is wrong."""


class Questions:
    """When questions to the system's resolvers were sent and answered in this run, and how far apart they go now."""

    def __init__(self, wire: Wire, scale: float = 1.0) -> None:
        self._wire = wire
        self._scale = scale
        self._sent: deque[float] = deque(maxlen=1000)
        self._answered: deque[float] = deque(maxlen=1000)
        self._gap_s = 0.0
        self._next = 0.0
        self._urgent = 0
        self._helped = self._in_vain = 0
        self.strained = False
        """Whether a resolver has refused what may have been too much: what can be left unasked is."""
        self._lines = {True: asyncio.Lock(), False: asyncio.Lock()}

    @property
    def slow(self) -> bool:
        """Whether a resolver has refused so much that questions go one by one."""
        return self._gap_s > 0

    async def turn(self, *, urgent: bool = False) -> None:
        """Wait for the turn of one question: none at all as long as nothing was refused. Urgent ones go first."""
        self._urgent += urgent
        try:
            async with self._lines[urgent]:
                while self._gap_s and (wait := self._wait(urgent=urgent)) > 0:
                    await self._wire.sleep(wait)
                now = self._wire.monotonic()
                self._next = now + self._gap_s
                self._sent.append(now)
        finally:
            self._urgent -= urgent

    def _wait(self, *, urgent: bool) -> float:
        wait = self._next - self._wire.monotonic()
        return max(wait, self._gap_s) if self._urgent and not urgent else wait

    @property
    def dead(self) -> bool:
        """Whether nobody at all is answered, at the slow pace either."""
        return not self._answered and self._in_vain >= _VAIN

    def heard(self, operation: Operation, *, again: bool) -> None:
        """Take note of what came of a question; refusals and silence are no answers."""
        if getattr(operation.fact, "rcode", None) is not None and operation.failure != _REFUSED:
            self._answered.append(self._wire.monotonic())
            self._helped += again
        elif again:
            self._in_vain += 1

    def one_of_many(self, operation: Operation) -> bool:
        """Whether *operation* is a refusal that may be about how much was asked."""
        return operation.failure == _REFUSED and (self.slow or self._in_a_second() >= CROWD)

    def _in_a_second(self) -> int:
        """How much was asked in the second up to the last question."""
        return sum(at >= self._sent[-1] - self._scale for at in self._sent) if self._sent else 0

    async def rest(self, rounds: int) -> bool:
        """Rest after a refusal, and slow down. Whether asking again is of any use: not where that helped nobody."""
        self.strained = True
        if rounds and not self._helped and (self._in_vain >= _VAIN or self._in_a_second() < CROWD):
            self._gap_s, self.strained = 0.0, False  # it was not the pace
            return False
        begun = self._wire.monotonic()
        await self._wire.sleep((REFUSAL_GAP_S + 0.3 * self._wire.random.random()) * self._scale)
        if not self.slow:
            # The resolver's answers may be slower than its refusals, so they are counted only now.
            answered = sum(at >= begun - self._scale for at in self._answered) or CROWD
            self._gap_s = min(self._scale / (answered * _SHARE), _SLOWEST_S * self._scale)
        elif rounds:
            self._gap_s = min(1.2 * self._gap_s, _SLOWEST_S * self._scale)
        return True


def in_order(session: Session) -> list[Nameserver]:
    """The resolvers that the platform's programs ask, those that have been silent in this run last."""
    return sorted(session.wire.nameservers()[:MOST_RESOLVERS], key=lambda it: it.address in session.silent_resolvers)


async def in_turn(
    session: Session,
    ask: Callable[[], Awaitable[dns.UdpAsked]],
    *,
    refused: Callable[[Operation], object],
    urgent: bool = False,
    patient: bool = True,
) -> dns.UdpAsked:
    """*ask* a resolver of the platform, paced and in turn. Close ``.lingering``.

    A refusal that may be about the rate goes to *refused*, to be recorded, and is asked again if *patient*.
    """
    questions = session.questions
    await session.pacer.flow()
    await questions.turn(urgent=urgent)
    asked = await ask()
    questions.heard(asked.operation, again=False)
    rounds = 0
    while patient and rounds < MOST_ROUNDS and questions.one_of_many(asked.operation):
        try:
            if not await questions.rest(rounds):
                break
            await session.pacer.flow()
            await questions.turn(urgent=urgent)
            if questions.dead:
                break
            again = await ask()
        except BaseException:
            refused(asked.operation)
            asked.lingering.close()
            raise
        refused(asked.operation)
        asked.lingering.close()
        asked, rounds = again, rounds + 1
        questions.heard(asked.operation, again=True)
    return asked
