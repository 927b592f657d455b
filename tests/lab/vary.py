"""What a seed draws: addresses, delays, the order of what is asked, the marks that a censor's own packets bear.

Seed 1 is the row as it is written, so that `make test` always sees the same. Any other seed draws what must not matter to
a verdict; a row that can be about another site says so itself (``Scenario.draw``).
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any, Literal

from tests.lab.rules import Rule
from tests.lab.world import World

AS_WRITTEN = 1
TTLS = (64, 128, 255)
"""What systems start with."""


def drawn(name: str, seed: int) -> random.Random | None:
    """The random source of one row and one seed; ``None`` for the row as it is written."""
    return None if seed == AS_WRITTEN else random.Random(f"{name}/{seed}")


def legs(draw: random.Random, leg: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The world's leg and the probe's, in seconds one way; what the row says stays as it is.

    A quick fixed line to a slow mobile one, a neighbouring country to another continent; jitter up to a tenth of it.
    """
    far = draw.uniform(0.012, 0.065)
    near = draw.uniform(0.001, 0.012)
    world = {"delay": far, "jitter": far * draw.uniform(0, 0.1)}
    return {**world, **leg}, {"delay": near}


def rules(draw: random.Random, written: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Resets bear another TTL and IP-ID, where the row leaves them at the default."""
    return tuple(_marked(draw, rule) for rule in written)


def _marked(draw: random.Random, rule: Rule) -> Rule:
    defaults = {field.name: field.default for field in dataclasses.fields(rule)}
    choices: dict[str, Any] = {"ttl": draw.choice(TTLS), "identification": draw.randrange(1, 65536)}
    values: dict[str, Any] = {
        name: value
        for name, value in choices.items()
        if isinstance(defaults.get(name), int) and getattr(rule, name) == defaults[name]
    }
    return dataclasses.replace(rule, **values) if values else rule


def order(draw: random.Random, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The same targets in another order."""
    return tuple(draw.sample(asked, len(asked)))


def abroad(world: World, whole: World) -> World:
    """*world* without what the probe's own country, provider and household do to it: its sites, names and ports, and what
    the resolvers abroad say; everything else as in *whole*."""
    same = ("sites", "names", "ports", "closed_ports", "centres", "websockets", "stuns", "abroad")
    values = {name: getattr(world, name) for name in same}
    honest = world.recursion and dataclasses.replace(
        world.recursion, before=None, warm=(), provider=(), validates=True, behind=False
    )
    # Whoever is abroad has both versions, if this world has them at all.
    ipv6: Literal["", "dual"] = "dual" if world.ipv6 else ""
    return dataclasses.replace(whole, **values, lies=dict(world.abroad), recursion=honest, ipv6=ipv6)
