"""What another vantage saw of the same name at the same time.

A control that reaches what fails here may be served by another point of presence, take another route, or be liked by a
server that refuses this country: a leaning, and never more. One that fails as well may be censored, banned or down itself;
but where it is in another country, its own line is clear, and it meets the very same twice, the site is down.
See :mod:`probe.verdict.elsewhere` for who is heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from probe.observations import HttpFact
from probe.verdict import elsewhere
from probe.verdict.case import Case
from probe.verdict.elsewhere import Told
from probe.verdict.findings import baseline
from probe.verdict.rows import Match, Row, row

if TYPE_CHECKING:
    from probe.observations import Observation

_METHODS = {"dns": "dns", "tcp": "ip", "tls": "tls", "http": "http"}
_FAILED = (baseline.dns_failed, baseline.tcp_failed, baseline.tls_failed, baseline.http_failed)
_SERVER_ERROR = "http.server_error"


def _told(case: Case) -> tuple[Told, ...]:
    return elsewhere.heard(case) if case.failing is not None else ()


def _match(case: Case, told: Told, seen: tuple[Observation, ...]) -> Match:
    stage = case.failing.stage if case.failing is not None else None
    address = elsewhere.failed_at(case) or "the address"
    parameters = {"vantage": told.name, "host": case.name, "address": address}
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
    here = elsewhere.failed_at(case)
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
    here = elsewhere.failed_at(case)
    if here is None:
        return
    for told in _told(case):
        if _only_elsewhere(told, here) and not _is_dead(case, told):
            yield _match(case, told, told.reached)


def _only_elsewhere(told: Told, here: str) -> bool:
    """Whether it was reached, and at other addresses."""
    return bool(told.reached) and all(o.operation.address not in (None, here) for o in told.reached)


@row(
    "proxy_reaches",
    speaks_for="blocked",
    weight=0.3,
    family="control",
    basis="control",
    sentence="{host} can be reached through {vantage} at the same time; at which address, a proxy does not tell",
    why="as control_reaches_elsewhere: the site is up for others, perhaps at another place",
)
def proxy_reaches(case: Case) -> Iterator[Match]:
    if elsewhere.failed_at(case) is None:
        return
    for told in _told(case):
        unseen = tuple(o for o in told.reached if o.operation.address is None)
        if unseen:
            yield _match(case, told, unseen)


def _is_dead(case: Case, told: Told) -> bool:
    """Whether the address that failed here fails there as well, and is the name's own."""
    return bool(told.alike) and elsewhere.is_its_own(case, told)


@row(
    "control_finds_address_dead",
    speaks_for="outage",
    weight=0.6,
    family="control",
    basis="control",
    sentence="{vantage} does not reach {host} at {address} either, and does at other addresses",
    why="one address or one region of the site is dead for others too; that they are kept out there as well explains it too",
)
def control_finds_address_dead(case: Case) -> Iterator[Match]:
    here = elsewhere.failed_at(case)
    if here is None:
        return
    for told in _told(case):
        if _only_elsewhere(told, here) and _is_dead(case, told):
            match = _match(case, told, told.alike)
            yield Match(observations=match.observations, parameters=match.parameters, method="server")


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
        if told.missed:
            yield Match(
                observations=told.missed,
                parameters={"vantage": told.name, "host": case.name},
                method="dns" if case.failing is not None and case.failing.stage == "dns" else "server",
            )


@row(
    "down_in_two_countries",
    speaks_for="outage",
    weight=1.9,
    family="control",
    basis="control",
    proves=True,
    sentence="{vantage}, in another country ({country}), meets the very same at {host}, twice, and reaches other sites",
    why="two networks under two governments fail alike at one server; a site that bans both is what is left; near the cap",
    signatures=tuple(dict.fromkeys([s for failed in _FAILED for s in failed.signatures] + [_SERVER_ERROR])),
)
def down_in_two_countries(case: Case) -> Iterator[Match]:
    here, heard = elsewhere.broken(case), elsewhere.heard(case)
    if here is None or any(told.reached for told in heard):
        return
    for told in heard:
        if elsewhere.broken_for_both(case, told):
            yield Match(
                observations=(here, *told.alike),
                parameters={"vantage": told.name, "country": told.country, "host": case.name},
                method=_method(here),
                signature=_signature(case),
                where="far_side",
            )


def _method(here: Observation) -> str:
    if isinstance(here.fact, HttpFact) and here.failure is None:
        return "http"
    if (here.failure or "").startswith("ssl_") and here.failure != "ssl_failed_handshake":
        return "certificate"
    return "dns" if here.operation.kind == "dns" else "server"


def _signature(case: Case) -> str:
    found = (match.signature for failed in _FAILED for match in failed.find(case))
    return next((signature for signature in found if signature is not None), _SERVER_ERROR)


ROWS: tuple[Row, ...] = (
    down_in_two_countries,
    control_reaches,
    control_reaches_elsewhere,
    proxy_reaches,
    control_finds_address_dead,
    control_fails_too,
)
