"""What a judge's calls are worth, beside the truth. Pure: units in, figures out.

The unit is one endpoint in one scenario and seed. False blocked: ``blocked`` where no acceptable word says so. Missed: a
block that can be known from one vantage (``inconclusive`` is not acceptable), called anything else, inconclusive included.
Method and signature are looked at where a block was called blocked. The Brier score is over the calls that are definite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.lab.baselines import Said
from tests.lab.figures import Hierarchical, Proportion, brier, hierarchical
from tests.lab.scenarios import Words

OURS = "dalel"


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One endpoint in one scenario and seed. ``acceptable``: the truth first. ``said`` is by judge, ours among them."""

    scenario: str
    family: str
    seed: int
    url: str
    acceptable: tuple[Words, ...]
    said: dict[str, Said]
    seconds: float | None = None
    bytes: int = 0
    evidence: tuple[dict[str, Any], ...] = ()
    gates: tuple[str, ...] = ()
    leaning: str | None = None

    @property
    def truth(self) -> Words:
        return self.acceptable[0]

    @property
    def may_be_blocked(self) -> bool:
        return any(words.status == "blocked" for words in self.acceptable)

    @property
    def is_known_block(self) -> bool:
        """A block, and one vantage without a control can tell."""
        return self.truth.status == "blocked" and all(words.status != "inconclusive" for words in self.acceptable)

    def status_is_right(self, judge: str = OURS) -> bool:
        return any(words.status == self.said[judge].status for words in self.acceptable)

    def is_right(self, judge: str = OURS) -> bool:
        """Status, method and signature."""
        return any(words.fit(asdict(self.said[judge])) for words in self.acceptable)

    def row(self) -> dict[str, Any]:
        """Plain JSON values, one line of the report's .jsonl."""
        return {
            "scenario": self.scenario,
            "family": self.family,
            "seed": self.seed,
            "url": self.url,
            "acceptable": [" ".join(filter(None, (w.status, w.method, w.signature))) for w in self.acceptable],
            "right": self.is_right(),
            "said": {judge: {k: v for k, v in asdict(said).items() if v} for judge, said in self.said.items()},
            "seconds": self.seconds,
            "bytes": self.bytes,
            "evidence": [[finding["code"], finding["weight"]] for finding in self.evidence],
            "gates": list(self.gates),
            "leaning": self.leaning,
        }


@dataclass(frozen=True, kw_only=True)
class Score:
    """One judge's figures over the same units."""

    judge: str
    right: Proportion
    false_blocked: Proportion
    missed: Proportion
    method: Proportion
    signature: Hierarchical
    definite: Proportion
    brier: float | None
    calls: tuple[tuple[float, bool], ...] = field(repr=False, default=())
    """(confidence, whether the status is right) of the definite calls."""


def score(units: Sequence[Unit], judge: str = OURS) -> Score:
    """The figures of *judge* over those units on which it was heard."""
    units = [unit for unit in units if judge in unit.said]
    harmless = [u for u in units if not u.may_be_blocked]
    known = [u for u in units if u.is_known_block]
    caught = [u for u in units if u.may_be_blocked and u.said[judge].status == "blocked"]
    definite = [u for u in units if u.said[judge].status != "inconclusive"]
    calls = tuple((u.said[judge].confidence or 0.0, u.status_is_right(judge)) for u in definite)
    return Score(
        judge=judge,
        right=Proportion.of(u.status_is_right(judge) for u in units),
        false_blocked=Proportion.of(u.said[judge].status == "blocked" for u in harmless),
        missed=Proportion.of(u.said[judge].status != "blocked" for u in known),
        method=Proportion.of(_method_is_right(u, judge) for u in caught),
        signature=hierarchical(_signatures(u, judge) for u in caught),
        definite=Proportion(len(definite), len(units)),
        brier=brier(calls),
        calls=calls,
    )


def _blocks(unit: Unit) -> list[Words]:
    return [words for words in unit.acceptable if words.status == "blocked"]


def _method_is_right(unit: Unit, judge: str) -> bool:
    return any(words.method in (None, unit.said[judge].method) for words in _blocks(unit))


def _signatures(unit: Unit, judge: str) -> tuple[str, str]:
    """What was said beside the nearest acceptable node. A row knows a signature down to some depth: what is said below that
    node is neither right nor wrong, and is cut off."""
    said = unit.said[judge].signature or unit.said[judge].method or ""
    true = [words.signature or words.method or "" for words in _blocks(unit)]
    nearest = max(true, key=lambda node: (said.startswith(node), _shared(said, node)))
    return (nearest if nearest and f"{said}.".startswith(f"{nearest}.") else said), nearest


def _shared(one: str, other: str) -> int:
    return hierarchical([(one, other)]).common


def scenarios_with(units: Iterable[Unit], among: Callable[[Unit], bool], bad: Callable[[Unit], bool]) -> Proportion:
    """Of the scenarios that have a unit *among*, those with at least one *bad* one: units of one run are no independent
    trials, scenarios are nearer to that."""
    wanted = [unit for unit in units if among(unit)]
    return Proportion(len({u.scenario for u in wanted if bad(u)}), len({u.scenario for u in wanted}))


def evenly_definite(units: Iterable[Unit], judge: str = OURS) -> float | None:
    """The mean over scenarios of their share of definite calls: a row that checks the whole catalogue counts once."""
    by_scenario: dict[str, list[bool]] = {}
    for unit in (unit for unit in units if judge in unit.said):
        by_scenario.setdefault(unit.scenario, []).append(unit.said[judge].status != "inconclusive")
    shares = [sum(definite) / len(definite) for definite in by_scenario.values()]
    return sum(shares) / len(shares) if shares else None


def confusion(units: Iterable[Unit], judge: str = OURS) -> dict[str, dict[str, int]]:
    """True status → said status → how many."""
    table: dict[str, dict[str, int]] = {}
    for unit in (unit for unit in units if judge in unit.said):
        row = table.setdefault(unit.truth.status, {})
        said = unit.said[judge].status
        row[said] = row.get(said, 0) + 1
    return table
