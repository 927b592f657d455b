"""Whether QUIC passes at all from here, asked once a run; and places with QUIC where two names can be compared.

Sites that are nobody's target say it: a handshake with their own name, and where that is silent the question which versions
they speak. So "nobody answers over UDP port 443", "nobody answers version 1" and "this one site does not answer" are three.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from probe.experiments import neutrals
from probe.experiments.neutrals import Neutral
from probe.experiments.steps import Place
from probe.instruments import quic
from probe.observations import Purpose
from probe.verdict.networks import network_of
from probe.verdict.quic import answered

if TYPE_CHECKING:
    from probe.experiments.session import Session

PURPOSE: Purpose = "quic"
HERE = "here"
"""The group of what is asked once in a run, of sites that are nobody's target."""
_LOOKED_AT = 3
_LOOKS = 6


@dataclass(slots=True)
class QuicPlaces:
    """What one run knows of QUIC on its line. ``passes``: whether anybody answered; ``None`` before anybody was asked.

    A place serves one target: whoever punishes addresses for a name would punish the next target's comparison as well.
    """

    passes: bool | None = None
    asked: set[str] = field(default_factory=set)
    """Names or platforms that were asked about in this run; they need no second look."""
    _walking: int = 0
    _still: asyncio.Event = field(default_factory=asyncio.Event)
    _left: list[str] | None = None
    _known: list[Neutral] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @contextlib.contextmanager
    def walk(self) -> Iterator[None]:
        """A page is being asked for over TCP."""
        self._walking += 1
        self._still.clear()
        try:
            yield
        finally:
            self._walking -= 1
            if not self._walking:
                self._still.set()

    async def stillness(self, at_most_s: float) -> None:
        """Wait until no page is on its way, but no longer than that. What QUIC takes of the processor would make answers to
        others late, and lateness is suspicious.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._still.wait()

    async def look(self, session: Session) -> bool:
        """Whether QUIC passes from here at all; asked at the first trouble, and told to everybody."""
        async with self._lock:
            if self.passes is None:
                found = [place for _ in range(_LOOKED_AT) if (place := await self._resolved(session)) is not None]
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(_look_at(session, place, number)) for number, place in enumerate(found, 1)
                    ]
                self._known = [place for place, task in zip(found, tasks, strict=True) if task.result()]
                self.passes = bool(self._known)
            return self.passes

    async def draw(self, session: Session, unlike: set[str]) -> Neutral | None:
        """A place in none of the networks *unlike*, to which its own is added; ``None`` where there is none left."""
        async with self._lock:
            for _ in range(_LOOKS):
                place = next((one for one in self._known if network_of(one.address) not in unlike), None)
                if place is not None:
                    self._known.remove(place)
                else:
                    place = await self._resolved(session)
                if place is None:
                    return None
                if network_of(place.address) not in unlike:
                    unlike.add(network_of(place.address))
                    return place
            return None

    async def _resolved(self, session: Session) -> Neutral | None:
        """The next name of the list that has an address."""
        if self._left is None:
            targets = {asked.endpoint.host for asked in session.asked}
            self._left = [name for name in session.canaries.http3 if name not in targets]
            session.wire.random.shuffle(self._left)
        while self._left:
            name = self._left.pop()
            address = await neutrals.resolve(session, Place(purpose=PURPOSE, group=HERE), name)
            if address is not None:
                return Neutral(address, name)
        return None


async def _look_at(session: Session, place: Neutral, number: int) -> bool:
    """Whether *place* answers to its own name; where it is silent it is asked which versions it speaks, beside."""
    here = Place(purpose=PURPOSE, group=HERE, arm="innocuous", round=number)
    deadlines = session.settings.deadlines
    async with asyncio.TaskGroup() as group:
        greeting = group.create_task(_greet(session, place, here))
        await asyncio.wait({greeting}, timeout=deadlines.suspicion_floor)
        if not greeting.done() or not greeting.result():
            await session.pacer.flow()
            asked = await quic.ping(session.wire, place.address, deadline_s=deadlines.quic)
            session.record(replace(asked, name=place.name), **(here.fields() | {"arm": None}))
    return greeting.result()


async def _greet(session: Session, place: Neutral, here: Place) -> bool:
    await session.pacer.flow()
    deadline_s = session.settings.deadlines.quic
    shaken = await quic.handshake(session.wire, place.address, sni=place.name, deadline_s=deadline_s)
    if shaken is None:
        return False
    session.record(shaken, **here.fields())
    return answered(shaken)
