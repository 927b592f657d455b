"""Hosts that speak to a vendor's own program: their own authority, and answers that are not meant for a browser."""

from __future__ import annotations

from collections.abc import Iterator

from probe.verdict import certificates
from probe.verdict.findings.baseline import is_own_page, page_of
from probe.verdict.rows import Match, Row, row
from probe.verdict.view import Case, http, tls, verified


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


ROWS: tuple[Row, ...] = (vendor_chain, machine_answered, machine_greeted)
