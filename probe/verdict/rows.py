"""One row of the evidence table: what a finding is worth, and the pure function that looks for it.

A finding's function takes a :class:`probe.verdict.case.Case` and yields a :class:`Match` for each place where it holds;
the strongest match becomes the finding, its observations are those of all matches. The row says the rest, so that the
table can be read, counted, fitted and disabled a row at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from probe.verdict.model import Basis, Finding, Status, Where

if TYPE_CHECKING:
    from probe.observations import Observation
    from probe.verdict.case import Case

MOST = 2.0
"""No |weight| exceeds this: separable lab data would drive fitted weights to infinity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where a finding holds: the observations, what fills its sentence, and what the verdict gets if it decides."""

    observations: tuple[Observation, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    method: str | None = None
    signature: str | None = None
    where: Where | None = None


Find = Callable[["Case"], Iterable[Match]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the table.

    ``weight`` is a log10 likelihood ratio (|weight| ≤ 2) and ``why`` its reason until the lab has fitted it. ``proves``:
    this finding alone lets its status be printed (the gates ask for one); everything else is a leaning. ``signatures``
    are all those that its matches may carry.
    """

    code: str
    speaks_for: Status
    weight: float
    family: str
    basis: Basis
    sentence: str
    why: str
    find: Find
    proves: bool = False
    signatures: tuple[str, ...] = ()

    def findings(self, case: Case) -> tuple[Finding, ...]:
        """The finding as it holds in *case*: at most one, with the observations of every match."""
        matches = tuple(self.find(case))
        if not matches:
            return ()
        first = matches[0]
        numbers = sorted({o.number for match in matches for o in match.observations})
        return (
            Finding(
                code=self.code,
                speaks_for=self.speaks_for,
                weight=self.weight,
                family=self.family,
                basis=self.basis,
                observations=tuple(numbers),
                parameters=first.parameters,
                method=first.method,
                signature=first.signature,
                where=first.where,
            ),
        )


def row(
    code: str,
    *,
    speaks_for: Status,
    weight: float,
    family: str,
    basis: Basis,
    sentence: str,
    why: str,
    proves: bool = False,
    signatures: tuple[str, ...] = (),
) -> Callable[[Find], Row]:
    """Make a row of the function under it."""

    def make(find: Find) -> Row:
        return Row(
            code=code,
            speaks_for=speaks_for,
            weight=weight,
            family=family,
            basis=basis,
            sentence=sentence,
            why=why,
            find=find,
            proves=proves,
            signatures=signatures,
        )

    return make
