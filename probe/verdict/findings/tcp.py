"""Connections: none of this proves anything from one network alone.

A refused or silent address looks the same from a dead server, a dead route and a null route by order. ICMP codes, other
addresses and living neighbours only turn the leaning; a block of an address needs another vantage and the place.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict.case import Case
from probe.verdict.facts import failed, tcp
from probe.verdict.rows import Match, Row, row

_ADMINISTRATIVE = (9, 10, 13)
"""RFC 1812 §5.2.7.1: administratively prohibited (network, host, communication)."""


def _failure(case: Case) -> Observation | None:
    attempt = case.failing
    return attempt.last if attempt is not None and attempt.stage == "tcp" else None


@row(
    "tcp_timeout",
    speaks_for="outage",
    weight=0.1,
    family="tcp",
    basis="behaviour",
    sentence="{address} did not answer at all",
    why="dead hosts are a little commoner than null routes; nearly nothing",
    signatures=("ip.timeout",),
)
def tcp_timeout(case: Case) -> Iterator[Match]:
    o = _failure(case)
    if o is not None and o.failure == "generic_timeout_error":
        yield Match(
            observations=(o,),
            parameters={"address": o.operation.address},
            method="server",
            signature="ip.timeout",
            where="unknown",
        )


@row(
    "tcp_refused",
    speaks_for="outage",
    weight=0.5,
    family="tcp",
    basis="behaviour",
    sentence="{address} refused the connection",
    why="a stopped server refuses, censors in this country's record are silent; a forged refusal looks the same: a reason",
    signatures=("ip.reset",),
)
def tcp_refused(case: Case) -> Iterator[Match]:
    o = _failure(case)
    if o is not None and o.failure in ("connection_refused", "connection_reset") and tcp(o).icmp_type is None:
        yield Match(
            observations=(o,),
            parameters={"address": o.operation.address},
            method="server",
            signature="ip.reset",
            where="unknown",
        )


@row(
    "tcp_prohibited",
    speaks_for="blocked",
    weight=0.5,
    family="tcp",
    basis="behaviour",
    sentence="{offender} on the way said that connections to {address} are prohibited by its administrator",
    why="codes 9, 10 and 13 speak for a filter, and home routers and companies filter too; a reason",
    signatures=("ip.unreachable",),
)
def tcp_prohibited(case: Case) -> Iterator[Match]:
    o = _failure(case)
    if o is not None and tcp(o).icmp_type == 3 and tcp(o).icmp_code in _ADMINISTRATIVE:
        yield Match(
            observations=(o,),
            parameters={"address": o.operation.address, "offender": tcp(o).icmp_from or "somebody"},
            method="ip",
            signature="ip.unreachable",
            where="unknown",
        )


@row(
    "tcp_no_route",
    speaks_for="outage",
    weight=0.4,
    family="tcp",
    basis="behaviour",
    sentence="{offender} on the way has no route to {address}",
    why="codes 0 and 1 speak for a lost route or a dead host, wherever they come from; a reason",
    signatures=("ip.unreachable",),
)
def tcp_no_route(case: Case) -> Iterator[Match]:
    o = _failure(case)
    if o is not None and tcp(o).icmp_type == 3 and tcp(o).icmp_code in (0, 1):
        yield Match(
            observations=(o,),
            parameters={"address": o.operation.address, "offender": tcp(o).icmp_from or "somebody"},
            method="route",
            signature="ip.unreachable",
            where="unknown",
        )


@row(
    "all_addresses_dead",
    speaks_for="outage",
    weight=0.2,
    family="addresses",
    basis="behaviour",
    sentence="all {count} addresses of {host} that were tried are dead",
    why="a server that is down is down at all of its addresses; so is a name that is blocked by address",
    signatures=("ip.timeout", "ip.reset", "ip.unreachable"),
)
def all_addresses_dead(case: Case) -> Iterator[Match]:
    first = _failure(case)
    others = case.of("siblings", "tcp", "address/")
    if first is not None and others and all(failed(o) for o in others):
        count = len({o.operation.address for o in (first, *others)})
        yield Match(
            observations=(first, *others),
            parameters={"host": case.name, "count": count},
            method="server",
            where="unknown",
        )


@row(
    "other_port_alive",
    speaks_for="blocked",
    weight=0.2,
    family="ports",
    basis="behaviour",
    sentence="{address} answers on port {port}, so the machine is up",
    why="a stopped service and a filtered port look the same from here; nearly nothing",
    signatures=("ip.timeout", "ip.reset", "ip.unreachable"),
)
def other_port_alive(case: Case) -> Iterator[Match]:
    if _failure(case) is None:
        return
    for o in case.of("siblings", "tcp", "port/"):
        if o.failure is None:
            yield Match(
                observations=(o,), parameters={"address": o.operation.address, "port": o.operation.port}, method="ip"
            )


def _neighbours(case: Case) -> tuple[list[Observation], list[Observation]]:
    """(alive, dead) connections to other names' addresses in the same network."""
    connects = case.of("neighbours", "tcp")
    return [o for o in connects if o.failure is None], [o for o in connects if failed(o)]


@row(
    "neighbours_alive",
    speaks_for="blocked",
    weight=0.6,
    family="neighbours",
    basis="behaviour",
    sentence="other names at addresses beside {address} can be reached ({neighbour})",
    why="a dead route takes the neighbours too; a host's own filter or a blackhole under attack does not: a reason only",
    signatures=("ip.timeout", "ip.reset", "ip.unreachable"),
)
def neighbours_alive(case: Case) -> Iterator[Match]:
    failure, (alive, dead) = _failure(case), _neighbours(case)
    if failure is not None and alive and not dead:
        parameters = {"address": failure.operation.address, "neighbour": alive[0].operation.name or "another site"}
        yield Match(observations=tuple(alive), parameters=parameters, method="ip", where="unknown")


@row(
    "neighbours_dead",
    speaks_for="outage",
    weight=0.8,
    family="neighbours",
    basis="behaviour",
    sentence="other names at addresses beside {address} are dead too: it is the road or the place, not this name",
    why="a dead route or point of presence takes them all; a block by network does as well, so a reason only",
    signatures=("ip.timeout", "ip.reset", "ip.unreachable"),
)
def neighbours_dead(case: Case) -> Iterator[Match]:
    failure, (alive, dead) = _failure(case), _neighbours(case)
    if failure is not None and dead and not alive:
        yield Match(
            observations=tuple(dead), parameters={"address": failure.operation.address}, method="route", where="unknown"
        )


ROWS: tuple[Row, ...] = (
    tcp_timeout,
    tcp_refused,
    tcp_prohibited,
    tcp_no_route,
    all_addresses_dead,
    other_port_alive,
    neighbours_alive,
    neighbours_dead,
)
