"""Where answers to a name are lost: whether they come if only the household, and the first router outside of it, has read it.

A greeting that arrives and is not answered tells nothing of who takes the answer: a box at home that lets the name out may
do so, and the provider as well. So the name is said as far as the first router that is somebody else's, and from there on the
same bytes of the connection say another name (:mod:`probe.instruments.path`). A box at home has read the first one; if the
answer to the second comes all the same, it is none of those.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING

from probe.instruments import path
from probe.verdict import located, located_answers

if TYPE_CHECKING:
    from probe.experiments.locate import Names

TRIES = 4
_STAGGER_S = 0.015


async def ask(names: Names) -> None:
    """Ask, if *names* has found that the answer may be taken on its way back; recorded in a group of its own."""
    ground, tools = names.ground, names.tools
    outside = located_answers.first_outside(names.seen)
    found = located.read_greetings(names.seen, ground.address)
    if not path.CHANGES or outside is None or found is None or not found.may_be_taken:
        return
    near, far = ground.words(ground.target), ground.words(ground.innocuous)
    if not near.data or len(near.data) != len(far.data):
        return
    place = dataclasses.replace(tools.place, group=f"{located_answers.GROUP}/{ground.address}", arm="target")

    async def say() -> None:
        stream = await names.open("target", ground.target, None)
        if stream is None:
            return
        operation = await path.say(
            tools.wire,
            stream,
            words=near,
            ttl=outside,
            deadline_s=names.silence_s(stream),
            later_s=names.later_s(stream),
            instead=far,
        )
        tools.record(operation, place)

    async with asyncio.TaskGroup() as group:
        for _ in range(TRIES):
            group.create_task(say())
            await tools.wire.sleep(_STAGGER_S * tools.scale)
