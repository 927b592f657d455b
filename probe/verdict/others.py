"""Whether unrelated names are stopped as the one in question is: then whoever stops it goes by what he lets through.

A tariff that is used up lets its free names through, some boxes what they have a rating for, a state's list its own sites.
All of them stop this name, and none because of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation, TlsFact
from probe.verdict.case import Case, named
from probe.verdict.pairs import at_neutrals, manner

_NAMES = 2
"""So many, at as many addresses: one server may have its own reason to refuse one name, and one canary its own trouble."""


def stopped_too(case: Case) -> tuple[Observation, ...]:
    """Greetings with unrelated names that ended as the one in question does; nothing where they are too few to tell.

    Of a neutral place they count if it answered to another of these names, of a canary if it was asked by its own.
    """
    attempt = case.failing
    if attempt is None or attempt.stage != "tls" or attempt.last is None:
        return ()
    word = manner(attempt.last)
    found = tuple(o for o in (*_at_places(case), *_canaries(case)) if manner(o) == word)
    enough = len({named(o) for o in found}) >= _NAMES <= len({o.operation.address for o in found})
    return found if enough else ()


def _at_places(case: Case) -> Iterator[Observation]:
    for pair in at_neutrals(case):
        passed = {named(o) for o in pair.innocuous_successes}
        if passed and pair.over_tls:
            yield from (o for o in pair.innocuous_failures if named(o) not in passed)


def _canaries(case: Case) -> Iterator[Observation]:
    """Sites abroad whose own greetings failed, and never passed in this run."""
    members = [m for r in case.own.rounds for m in r.family("foreign")]
    passed = {m.where for m in members if m.passed}
    for member in members:
        if member.where not in passed:
            yield from (o for o in member.observations if isinstance(o.fact, TlsFact) and o.failure is not None)
