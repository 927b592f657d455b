"""What each finding was worth in the lab: weights fitted on some scenarios, and tried on others.

    python -m tests.lab.fit FOLDER          FOLDER: what ``tests.lab.run --kept`` wrote

A weight is a log10 likelihood ratio: how much likelier a finding is where its status is true than where another one is.
Every scenario weighs the same, however many endpoints and seeds it has. Half a scenario is added to hits and misses on
either side (Jeffreys), and the cap of the table holds, so that a finding that was never wrong gets no infinite weight.
Where the truth cannot be known, nothing is learnt. The trial judges the kept facts again, with the fitted table.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from probe.verdict import evidence
from probe.verdict.rows import MOST
from tests.lab.again import again
from tests.lab.score import Unit, evenly_definite, score
from tests.lab.table import ALL, is_unseen
from tests.lab.trials import Kept

ENOUGH = 3
"""A finding that fewer scenarios have is left at the weight that it has."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One finding: in how many scenarios (shares add up) it was seen where its status is true, and where it is not."""

    code: str
    table: float
    true_hits: float
    true_total: float
    other_hits: float
    other_total: float

    @property
    def seen_in(self) -> float:
        return self.true_hits + self.other_hits

    @property
    def weight(self) -> float:
        """The fitted one, within the cap; the table's own where too few scenarios have the finding."""
        if self.seen_in < ENOUGH:
            return self.table
        true = (self.true_hits + 0.5) / (self.true_total + 1)
        other = (self.other_hits + 0.5) / (self.other_total + 1)
        return max(-MOST, min(MOST, math.log10(true / other)))


def half(name: str) -> int:
    """0 or 1: in which half a scenario is, whatever else there is."""
    return hashlib.sha256(name.encode()).digest()[0] & 1


def fit(units: Sequence[Unit]) -> dict[str, Fitted]:
    """Code → what the units say of it."""
    known = [unit for unit in units if unit.truth.status != "inconclusive"]
    share = _shares(known)
    found: dict[str, Fitted] = {}
    for code, row in evidence.TABLE.items():
        hits, totals = [0.0, 0.0], [0.0, 0.0]
        for unit in known:
            side = unit.truth.status != row.speaks_for
            totals[side] += share[unit.scenario]
            hits[side] += share[unit.scenario] * (code in _counted(unit))
        found[code] = Fitted(code, row.weight, hits[0], totals[0], hits[1], totals[1])
    return found


def _shares(units: Iterable[Unit]) -> dict[str, float]:
    counts: dict[str, int] = defaultdict(int)
    for unit in units:
        counts[unit.scenario] += 1
    return {name: 1 / count for name, count in counts.items()}


def _counted(unit: Unit) -> frozenset[str]:
    """What was found and not set aside by a gate."""
    return frozenset(finding["code"] for finding in unit.evidence if finding["weight"])


@contextmanager
def table_with(weights: Mapping[str, float]) -> Iterator[None]:
    """The judge's table with other weights, for a while."""
    before = dict(evidence.TABLE)
    evidence.TABLE.update({code: replace(before[code], weight=weight) for code, weight in weights.items()})
    try:
        yield
    finally:
        evidence.TABLE.update(before)


def judged_again(units: Sequence[Unit], folder: Path, weights: Mapping[str, float]) -> list[Unit]:
    """The same units, with what the judge says now, by *weights*."""
    wanted = {(unit.scenario, unit.seed) for unit in units}
    with table_with(weights):
        return [unit for _, now in again(folder, among=wanted) for unit in now.units]


# ---------------------------------------------------------------------------------------------------------------------


def _figures(name: str, units: Sequence[Unit]) -> str:
    ours = score(units)
    even = evenly_definite(units)
    brier = "-" if ours.brier is None else f"{ours.brier:.4f}"
    return (
        f"| {name} | {len({u.scenario for u in units})} | {len(units)} | {ours.false_blocked} | {ours.missed} | "
        f"{ours.method} | {ours.definite.share or 0:.3f} ({even or 0:.3f}) | {brier} |"
    )


HEAD = (
    "| weights, tried on | scenarios | endpoints | false `blocked` | missed | method | definite (scenarios alike) | Brier |\n"
    "|---|---|---|---|---|---|---|---|"
)


def text(units: Sequence[Unit], folder: Path) -> str:
    """Both ways of halving, as Markdown, and the weights that all scenarios give."""
    lines = [HEAD]
    for what, learns in _ways():
        learnt = {code: fitted.weight for code, fitted in fit([u for u in units if learns(u)]).items()}
        others = [u for u in units if not learns(u)]
        lines.append(_figures(f"the table's; {what}", judged_again(others, folder, {})))
        lines.append(_figures(f"fitted; {what}", judged_again(others, folder, learnt)))
    lines += ["", "| finding | speaks for | table | fitted | where true | elsewhere |", "|---|---|---|---|---|---|"]
    every = sorted(fit(units).values(), key=lambda f: -abs(f.table - f.weight))
    lines += [
        f"| `{f.code}` | {evidence.TABLE[f.code].speaks_for} | {f.table:+.1f} | {f.weight:+.1f} | "
        f"{f.true_hits:.1f} of {f.true_total:.0f} | {f.other_hits:.1f} of {f.other_total:.0f} |"
        for f in every
        if f.seen_in >= ENOUGH
    ]
    few = ", ".join(f"`{f.code}`" for f in every if f.seen_in < ENOUGH)
    return "\n".join([*lines, "", f"In fewer than {ENOUGH} scenarios, and left alone: {few or 'none'}."])


def _ways() -> tuple[tuple[str, Callable[[Unit], bool]], ...]:
    return (
        ("fitted on one half, tried on the other", lambda unit: half(unit.scenario) == 0),
        ("fitted on the other half, tried on the one", lambda unit: half(unit.scenario) == 1),
        ("fitted on the rows seen, tried on the unseen", lambda unit: not is_unseen(unit.scenario)),
    )


def units_in(folder: Path) -> list[Unit]:
    """The units of all kept trials of rows that are still there."""
    kept = Kept(folder)
    trials = (kept.load(row, seed) for row in ALL for seed in kept.seeds_of(row.name))
    return [unit for trial in trials if trial is not None for unit in trial.units]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    print(text(units_in(options.folder), options.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
