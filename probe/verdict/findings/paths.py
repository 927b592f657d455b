"""Several paths: networks spread connections over them by their ports, and a device may stand on some of them only.

Each arm of a pair has a port of its own, and with it perhaps a path of its own. A name that is stopped on all of them is what
the rows of the comparison say; this one is of those that are stopped on some.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.verdict.case import Case
from probe.verdict.pairs import at_neutrals, uneven
from probe.verdict.rows import Match, Row, row

FEWEST_PATHS = 3


@row(
    "some_paths",
    speaks_for="blocked",
    weight=0.3,
    family="paths",
    basis="contrast",
    sentence="{failed} of {paths} connections to unrelated addresses that named {host} failed, each from a port of its own and "
    "so perhaps on a path of its own; another name, asked in turn, was always answered",
    why="a device on some of several paths looks so, and one that is switched on or off meanwhile; a name that gets through "
    "is no block of it: a hint",
)
def some_paths(case: Case) -> Iterator[Match]:
    found = at_neutrals(case)
    failed = [o for pair in found for o in pair.target_failures]
    passed = [o for pair in found for o in pair.target_successes]
    if passed and len(failed) + len(passed) >= FEWEST_PATHS and uneven(found):
        yield Match(
            observations=tuple(o for pair in found for o in pair.arms),
            parameters={"host": case.name, "failed": len(failed), "paths": len(failed) + len(passed)},
            where="unknown",
        )


ROWS: tuple[Row, ...] = (some_paths,)
