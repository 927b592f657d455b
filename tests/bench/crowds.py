"""What a check of the whole default catalogue takes where everything in it fails at once, and nothing says so.

Silence is what takes longest: each connection and each greeting is waited for to its end, and flows are few.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from targets.loader import load_catalogue
from targets.select import resolve
from tests.bench.rows import Row
from tests.lab.lab import Lab
from tests.lab.net import RESOLVER
from tests.lab.rules import DropExcept, NameDrop, Rule, When
from tests.lab.world import PUBLIC_RESOLVERS, World, whole_world

MOST_S = 25.0
_LONGEST_S = 240.0
_DOMESTIC = ("195.12.113.0/24", "194.187.246.0/24", "91.215.42.0/24", "185.98.5.0/24")
"""Where the canaries of the country live (see tests/lab/world.py)."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """``is_block``: what is shown from here proves that names are blocked; else nothing may be called so."""

    tells: str
    rules: Callable[[World], tuple[Rule, ...]]
    is_block: bool = False


def hosts() -> frozenset[str]:
    """All hosts of the default catalogue."""
    return frozenset(asked.endpoint.host for asked in resolve([], load_catalogue()))


def _names(_world: World) -> tuple[Rule, ...]:
    return (NameDrop(names=tuple(sorted(hosts()))),)


def _addresses(world: World) -> tuple[Rule, ...]:
    """Only what is nobody's target goes through: other sites, resolvers, clocks."""
    mine = hosts()
    others = {site.address for name, site in world.sites.items() if name not in mine} | {
        *world.clocks,
        *PUBLIC_RESOLVERS,
        RESOLVER,
    }
    return (DropExcept(but=When(remote=tuple(f"{address}/32" for address in sorted(others)))),)


def _abroad(_world: World) -> tuple[Rule, ...]:
    return (DropExcept(but=When(remote=(f"{RESOLVER}/32", *_DOMESTIC))),)


CROWDS = (
    Crowd("every greeting that names a target is dropped", _names, is_block=True),
    Crowd("every packet to a target's address is dropped; other places answer", _addresses),
    Crowd("every packet that would leave the country is dropped", _abroad),
)


def crowds(seed: int) -> Iterator[Row]:
    """One row each. Met: in time, and nothing called ``blocked`` that is not."""
    for crowd in CROWDS:
        world = whole_world()
        with Lab(world, rules=crowd.rules(world), seed=seed) as lab:
            done = lab.dalel("check", "--format", "json", "--no-save", "-q", timeout=_LONGEST_S)
        if not done.stdout.startswith("{"):
            yield Row(f"{crowd.tells}: default catalogue, start to exit", f"exit {done.returncode}", "", met=False)
            continue
        counted = Counter(result["status"] for result in json.loads(done.stdout)["results"])
        said = ", ".join(f"{number} {status}" for status, number in counted.most_common())
        right = counted["blocked"] > 0 if crowd.is_block else not counted["blocked"]
        yield Row(
            f"{crowd.tells}: default catalogue, start to exit",
            f"{done.seconds:.1f} s; {said}",
            f"≤ {MOST_S:.0f} s",
            right and done.seconds <= MOST_S,
        )
