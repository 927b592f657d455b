"""Whether datagrams pass here at all, by servers that are nobody's target: an app's silence over UDP is held against it."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import AppFact, Observation
from probe.verdict.case import Case
from probe.verdict.facts import app
from probe.verdict.findings.app import unanswered
from probe.verdict.rows import Match, Row, row

_FAMILY = "datagrams"
_ENOUGH = 2
"""Silent servers of different operators before anything is said of the line: one may be down, or have been given up."""


def _asked(case: Case) -> tuple[Observation, ...]:
    """What was asked of them, where it is an app's silence over UDP that is to be explained."""
    o = unanswered(case)
    if o is None or app(o).transport != "udp" or o.failure != "generic_timeout_error":
        return ()
    return tuple(o for o in case.of("udp_here") if isinstance(o.fact, AppFact) and o.failure != "interrupted")


def _answered(o: Observation) -> bool:
    return o.failure is None and app(o).expected is True


@row(
    "datagrams_pass_here",
    speaks_for="no_network",
    weight=-1.5,
    family=_FAMILY,
    basis="behaviour",
    sentence="datagrams pass here: {places} unrelated servers for calls answered at once",
    why="who lets one server's datagrams through has not shut all of them out; another port may fare otherwise, so not the cap",
)
def datagrams_pass_here(case: Case) -> Iterator[Match]:
    good = tuple(o for o in _asked(case) if _answered(o))
    if good:
        yield Match(observations=good, parameters={"places": len(good)})


@row(
    "datagrams_stopped_here",
    speaks_for="no_network",
    weight=0.8,
    family=_FAMILY,
    basis="behaviour",
    sentence="datagrams may not pass here at all: {places} unrelated servers for calls gave no answer either",
    why="homes, hotels and companies let nothing but DNS out, and so do some providers: which one cannot be told; a reason",
)
def datagrams_stopped_here(case: Case) -> Iterator[Match]:
    asked = _asked(case)
    silent = tuple(o for o in asked if o.failure == "generic_timeout_error")
    if len(silent) == len(asked) and len(silent) >= _ENOUGH:
        yield Match(observations=silent, parameters={"places": len(silent)}, method="filter", where="unknown")


ROWS: tuple[Row, ...] = (datagrams_pass_here, datagrams_stopped_here)
