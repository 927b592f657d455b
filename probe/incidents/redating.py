"""Times that were read from a clock of which nothing was known, once somebody has told the time. Pure.

All moments of the machine are those of its facts, to the microsecond. So it is enough to know what became of each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from probe.incidents.model import Fact, Reading

Told = TypeVar("Told")


def moments_of(facts: Iterable[Fact]) -> frozenset[int]:
    """When each of *facts* began and was known."""
    return frozenset(
        moment
        for fact in facts
        for moment in ((fact.at_us, fact.until_us) if isinstance(fact, Reading) else (fact.at_us,))
    )


def redated(told: Told, moments: Mapping[int, int]) -> Told:
    """*told* (facts, what is remembered of them, incidents, or plain JSON of those) with each of *moments* as it really was.

    No other number can be one of them: they are microseconds since 1970.
    """
    return cast("Told", _redated(told, moments)) if moments else told


def _redated(told: Any, moments: Mapping[int, int]) -> Any:
    if isinstance(told, int):
        return told if isinstance(told, bool) else moments.get(told, told)
    if isinstance(told, str | float | frozenset) or told is None:
        return told
    if isinstance(told, Mapping):
        return {key: _redated(value, moments) for key, value in told.items()}
    if isinstance(told, tuple | list):
        return type(told)(_redated(value, moments) for value in told)
    if is_dataclass(told) and not isinstance(told, type):
        before = {field.name: getattr(told, field.name) for field in fields(told) if field.init}
        after = {name: _redated(value, moments) for name, value in before.items()}
        return replace(told, **after) if after != before else told
    return told
