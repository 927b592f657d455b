"""The statistics of the lab's report, as small pure functions. Nothing here knows what a scenario is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The normal distribution's 97.5 % point."""


def wilson(hits: int, total: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a proportion (JASA 22, 1927); (0, 1) when nothing was counted."""
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no proportion")
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # At the ends the formula gives 0 and 1 exactly; floating point does not.
    low = 0.0 if hits == 0 else (middle - half) / scale
    high = 1.0 if hits == total else (middle + half) / scale
    return low, high


def rule_of_three(total: int) -> float:
    """What a zero in *total* independent trials leaves possible with 95 %: 3/n, and 1 when that says nothing."""
    return min(1.0, 3 / total) if total else 1.0


@dataclass(frozen=True, slots=True)
class Proportion:
    """So many of so many."""

    hits: int
    total: int

    @classmethod
    def of(cls, answers: Iterable[bool]) -> Proportion:
        seen = list(answers)
        return cls(sum(seen), len(seen))

    @property
    def share(self) -> float | None:
        """``None`` when nothing was counted: that is not zero."""
        return self.hits / self.total if self.total else None

    def __str__(self) -> str:
        """Share, numerator and denominator, interval, and 3/n for a zero."""
        if self.share is None:
            return "- (0 of 0)"
        low, high = wilson(self.hits, self.total)
        zero = f"; 3/n {rule_of_three(self.total):.1%}" if self.hits == 0 else ""
        return f"{self.share:.1%} ({self.hits} of {self.total}; {low:.1%} to {high:.1%}{zero})"


def brier(calls: Iterable[tuple[float, bool]]) -> float | None:
    """Mean of (confidence - right)² over (confidence, right); ``None`` for no calls."""
    squares = [(confidence - right) ** 2 for confidence, right in calls]
    return sum(squares) / len(squares) if squares else None


def ancestors(signature: str) -> frozenset[str]:
    """A dotted node with everything above it: ``tls.reset.sni`` is also ``tls.reset`` and ``tls``."""
    parts = signature.split(".") if signature else []
    return frozenset(".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """Precision and recall on dotted signatures: every node on the way counts (Kiritchenko and others, 2005).

    ``common`` nodes are said and true, of ``said`` and of ``true`` nodes, summed over all calls before dividing.
    """

    common: int
    said: int
    true: int

    @property
    def precision(self) -> float | None:
        return self.common / self.said if self.said else None

    @property
    def recall(self) -> float | None:
        return self.common / self.true if self.true else None


def hierarchical(pairs: Iterable[tuple[str, str]]) -> Hierarchical:
    """Over (said, true) signatures."""
    common = said = true = 0
    for one, other in pairs:
        ours, theirs = ancestors(one), ancestors(other)
        common += len(ours & theirs)
        said += len(ours)
        true += len(theirs)
    return Hierarchical(common, said, true)


@dataclass(frozen=True, slots=True)
class Bin:
    """Calls whose confidence is at least ``low`` and below ``high`` (the last bin holds 1 too)."""

    low: float
    high: float
    confidence: float
    right: Proportion


EDGES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)


def reliability(calls: Sequence[tuple[float, bool]], edges: Sequence[float] = EDGES) -> list[Bin]:
    """How often calls of about the same confidence were right; bins without calls are left out."""
    found = []
    for low, high in itertools.pairwise(edges):
        inside = [call for call in calls if low <= call[0] and (call[0] < high or high == edges[-1])]
        if inside:
            mean = sum(confidence for confidence, _ in inside) / len(inside)
            found.append(Bin(low, high, mean, Proportion.of(right for _, right in inside)))
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """The value that *share* of the sorted values do not exceed (nearest rank); ``ValueError`` for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
