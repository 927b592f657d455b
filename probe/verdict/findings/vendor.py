"""Hosts that speak to a vendor's own program: their own authority, and answers that are not meant for a browser."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict import certificates
from probe.verdict.case import Case
from probe.verdict.facts import dns, http, tls, verified
from probe.verdict.pages import is_own_page, page_of
from probe.verdict.rows import Match, Row, row

_OPERATORS = 2


@row(
    "vendor_chain",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} finished its greeting with a certificate in its name by an authority of its own (“{issuer}”), as its "
    "vendor's program expects",
    why="no public store holds this vendor's root, so an unknown issuer is the healthy answer there; the cap, so that it "
    "outweighs the failed verification of the same greeting",
)
def vendor_chain(case: Case) -> Iterator[Match]:
    if not case.asked.own_root:
        return
    for attempt in case.all_baselines:
        for o in attempt.of("tls"):
            first, issuer = certificates.leaf(o.fact), certificates.unknown_issuer(o.fact)
            national = certificates.national(o.fact) is not None
            everywhere = issuer in case.own.issuers()  # then somebody opens everything, not the vendor
            if first is None or issuer is None or national or everywhere or not tls(o).server_hello:
                continue
            if certificates.covers(first, case.name):
                yield Match(observations=(o,), parameters={"host": case.name, "issuer": issuer})


@row(
    "machine_answered",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} answered over a connection with a valid certificate (status {status}); it serves programs, so its "
    "front page means nothing",
    why="an answer over a verified chain is the host's own; its paths are for programs, and / is none of them; the cap",
)
def machine_answered(case: Case) -> Iterator[Match]:
    if not case.asked.any_status:
        return
    for attempt in case.all_baselines:
        page = page_of(attempt)
        status = http(page).status if page is not None else None
        # 5xx is the server's own word that it is in trouble, whoever asks.
        if attempt.ok and page is not None and status is not None and status < 500 and is_own_page(case, attempt):
            yield Match(observations=(page,), parameters={"host": case.name, "status": status})


@row(
    "machine_greeted",
    speaks_for="accessible",
    weight=2.0,
    family="baseline",
    basis="behaviour",
    proves=True,
    sentence="{host} finished its greeting with a valid certificate; what its app says after that takes an account",
    why="a verified greeting is the host's own, and the catalogue says that nothing more can be asked there; the cap",
)
def machine_greeted(case: Case) -> Iterator[Match]:
    if not case.asked.handshake_only:
        return
    for attempt in case.all_baselines:
        for o in attempt.of("tls"):
            if o.failure is None and verified(o.fact):
                yield Match(observations=(o,), parameters={"host": case.name})


def _signs(case: Case, *, outage: bool) -> tuple[Observation, ...]:
    """What was answered when the vendor's sign was asked for, over encryption; each resolver once."""
    found: dict[str | None, Observation] = {}
    for o in case.of("vendor_sign", "dns"):
        said = set(dns(o).addresses) if o.failure is None else set()
        known = said and said <= set(case.asked.sign_answers)
        if known and bool(said & set(case.asked.sign_outage)) == outage and dns(o).transport == "doh":
            found.setdefault(o.operation.address, o)
    return tuple(found.values())


@row(
    "vendor_says_outage",
    speaks_for="outage",
    weight=1.5,
    family="vendor",
    basis="behaviour",
    proves=True,
    sentence="the vendor itself says that it has an outage: its sign {sign} says so through {resolvers} DNS services of other "
    "operators",
    why="as a zone's own word heard by two operators over encryption; the whole of a vendor's outage need not be this host's, "
    "so not the cap",
)
def vendor_says_outage(case: Case) -> Iterator[Match]:
    said = _signs(case, outage=True)
    if len(said) >= _OPERATORS and not _signs(case, outage=False) and case.failing is not None:
        about = {"sign": case.asked.sign, "resolvers": len(said)}
        yield Match(observations=said, parameters=about, method="server", where="far_side")


@row(
    "vendor_says_up",
    speaks_for="outage",
    weight=-0.8,
    family="vendor",
    basis="behaviour",
    sentence="the vendor itself says that it has no outage: its sign {sign} says so through {resolvers} DNS services of other "
    "operators",
    why="a vendor's sign is set by hand and may be late; a reason against",
)
def vendor_says_up(case: Case) -> Iterator[Match]:
    said = _signs(case, outage=False)
    if len(said) >= _OPERATORS and not _signs(case, outage=True) and case.failing is not None:
        yield Match(observations=said, parameters={"sign": case.asked.sign, "resolvers": len(said)})


ROWS: tuple[Row, ...] = (vendor_chain, machine_answered, machine_greeted, vendor_says_outage, vendor_says_up)
