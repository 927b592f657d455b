"""What another vantage saw of the same name at the same time: a leaning, and never more.

A control that reaches what fails here may be served by another point of presence, take another route, or be liked by a
server that refuses this country; one that fails as well may be censored, banned or down itself. It says nothing at all
until it has shown that its own line works: greetings of two well-known sites that verify.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probe.observations import DnsFact, HttpFact, TcpFact, TlsFact
from probe.verdict.rows import Match, Row, row
from probe.verdict.view import Case, failed, verified

if TYPE_CHECKING:
    from probe.observations import Observation

_WELL_KNOWN = 2
"""So many of a control's own canaries (they are of different operators) must answer before it is heard."""
_SERVER_ERROR = 500
_METHODS = {"dns": "dns", "tcp": "ip", "tls": "tls", "http": "http"}


@dataclass(frozen=True, slots=True)
class _Told:
    """What one control says of the name in question: where it got as far as this network should have, and what failed."""

    name: str
    reached: tuple[Observation, ...]
    not_reached: tuple[Observation, ...]


def _told(case: Case) -> tuple[_Told, ...]:
    """What each control that can be heard says."""
    if case.failing is None:
        return ()
    by_vantage: dict[str, list[Observation]] = defaultdict(list)
    for o in case.elsewhere:
        by_vantage[o.vantage].append(o)
    return tuple(_reading(case, name, seen) for name, seen in sorted(by_vantage.items()) if _line_works(seen))


def _line_works(seen: list[Observation]) -> bool:
    members = {o.member for o in seen if o.purpose == "own_side" and o.member and verified(o.fact)}
    return len(members) >= _WELL_KNOWN


def _reading(case: Case, name: str, seen: list[Observation]) -> _Told:
    tried = [o for o in seen if o.purpose != "own_side" and o.arm != "innocuous" and _is_about(case, o)]
    reached = tuple(o for o in tried if _reached(case, o))
    missed = tuple(o for o in tried if _missed(case, o))
    return _Told(name.removeprefix("control:"), reached, missed)


def _is_about(case: Case, o: Observation) -> bool:
    name = o.fact.qname if isinstance(o.fact, DnsFact) else o.operation.name
    return case.is_target(name)


def _reached(case: Case, o: Observation) -> bool:
    """Whether the control came as far as here was to be come: to a verified greeting, a page, a bare connection.

    Where the page failed here, behind a greeting that did not, a greeting there says nothing.
    """
    fact, stage = o.fact, case.failing.stage if case.failing is not None else None
    if o.failure is not None:
        return False
    if case.scheme == "tcp":
        return isinstance(fact, TcpFact) and o.operation.port == case.asked.endpoint.port
    if isinstance(fact, HttpFact):
        page = fact.status is not None and fact.status < _SERVER_ERROR
        return page and (fact.verified_chain or _is_plain(case))
    return stage != "http" and verified(fact)


def _missed(case: Case, o: Observation) -> bool:
    """Whether the control failed where this network did, or sooner. That a name has no newer address is no failure."""
    fact = o.fact
    if isinstance(fact, DnsFact):
        at_the_name = case.failing is not None and case.failing.stage == "dns"
        return at_the_name and failed(o) and fact.qtype == "A"
    return failed(o) or _server_error(o)


def _is_plain(case: Case) -> bool:
    """Whether what failed here was asked for without encryption, so that an answer without it is like for like."""
    steps = case.failing.steps if case.failing is not None else ()
    secure = any(isinstance(o.fact, TlsFact) or o.operation.port == 443 for o in steps)
    return not secure and case.scheme == "http"


def _server_error(o: Observation) -> bool:
    return isinstance(o.fact, HttpFact) and o.fact.status is not None and o.fact.status >= _SERVER_ERROR


def _failed_at(case: Case) -> str | None:
    """The address that failed here; ``None`` where it was the name that did."""
    attempt = case.failing
    if attempt is None or attempt.last is None or attempt.stage == "dns":
        return None
    return attempt.last.operation.address


def _match(case: Case, told: _Told, seen: tuple[Observation, ...]) -> Match:
    stage = case.failing.stage if case.failing is not None else None
    parameters = {"vantage": told.name, "host": case.name, "address": _failed_at(case) or "the address"}
    return Match(observations=seen, parameters=parameters, method=_METHODS.get(stage or "", "ip"))


@row(
    "control_reaches",
    speaks_for="blocked",
    weight=0.7,
    family="control",
    basis="control",
    sentence="{vantage} reaches {host} at the same time, where this network does not",
    why="the same name, address and moment; a point of presence, a route, or a refusal of this country looks the same",
)
def control_reaches(case: Case) -> Iterator[Match]:
    here = _failed_at(case)
    for told in _told(case):
        same = tuple(o for o in told.reached if here is None or o.operation.address == here)
        if same:
            yield _match(case, told, same)


@row(
    "control_reaches_elsewhere",
    speaks_for="blocked",
    weight=0.3,
    family="control",
    basis="control",
    sentence="{vantage} reaches {host} at the same time, but at other addresses than {address}",
    why="the site is up for others; that this address is dead for all, or belongs to another region, explains it as well",
)
def control_reaches_elsewhere(case: Case) -> Iterator[Match]:
    here = _failed_at(case)
    if here is None:
        return
    for told in _told(case):
        if told.reached and all(o.operation.address != here for o in told.reached):
            yield _match(case, told, told.reached)


@row(
    "control_fails_too",
    speaks_for="outage",
    weight=0.8,
    family="control",
    basis="control",
    sentence="{vantage} does not reach {host} either, and reaches other sites",
    why="a control in a country that blocks the same name, or one that the site bans, fails as well: a reason only",
)
def control_fails_too(case: Case) -> Iterator[Match]:
    heard = _told(case)
    if any(told.reached for told in heard):
        return
    for told in heard:
        if told.not_reached:
            yield Match(
                observations=told.not_reached,
                parameters={"vantage": told.name, "host": case.name},
                method="dns" if case.failing is not None and case.failing.stage == "dns" else "server",
            )


ROWS: tuple[Row, ...] = (control_reaches, control_reaches_elsewhere, control_fails_too)
