"""Certificates: the site's own, and what it has neglected. See ``interception`` for those that somebody else made."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation
from probe.verdict import certificates
from probe.verdict.case import Case
from probe.verdict.facts import tls
from probe.verdict.rows import Match, Row, row

_EXPIRED, _NOT_YET = 10, 9


def failing_chain(case: Case) -> Observation | None:
    """The handshake that failed for its certificate, if that is where the way ends."""
    attempt = case.failing
    if attempt is None or attempt.stage != "tls" or attempt.last is None or not tls(attempt.last).chain:
        return None
    return attempt.last


def lacks_a_link(case: Case, observation: Observation) -> bool:
    """Whether a leaf came alone, and its issuer is one that signs for sites whose chains verified in this run."""
    fact = tls(observation)
    alone = len(fact.chain) == 1 and not fact.chain[0].self_issued and fact.verify_code in (20, 21)
    return alone and fact.chain[0].issuer in case.view.known_issuers


@row(
    "intermediate_missing",
    speaks_for="outage",
    weight=0.8,
    family="certificate",
    basis="artefact",
    sentence="{host} shows its certificate without the one that links it to a known authority; the issuer that it names "
    "(“{issuer}”) signs for other sites, which verified",
    why="servers are often set up so, and browsers help themselves; a forger could borrow an issuer's name, so a leaning",
    signatures=("tls.certificate.incomplete",),
)
def intermediate_missing(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    if o is not None and lacks_a_link(case, o) and certificates.covers(tls(o).chain[0], case.name):
        yield Match(
            observations=(o,),
            parameters={"host": case.name, "issuer": tls(o).chain[0].issuer},
            method="certificate",
            signature="tls.certificate.incomplete",
        )


def expired(case: Case) -> Observation | None:
    """The handshake that failed for nothing but dates: OpenSSL looks at dates last, when the chain leads to a known root
    and the name is right.
    """
    o = failing_chain(case)
    if o is None or tls(o).verify_code not in (_EXPIRED, _NOT_YET):
        return None
    first = certificates.leaf(o.fact)
    return o if first is not None and (not first.names or certificates.covers(first, case.name)) else None


_BY_DATE = ("tls.certificate.expired", "tls.certificate.not_yet_valid")


def _dates(observation: Observation) -> str:
    """Which end of its time the certificate is beyond."""
    return _BY_DATE[tls(observation).verify_code == _NOT_YET]


@row(
    "certificate_expired",
    speaks_for="outage",
    weight=2.0,
    family="certificate",
    basis="artefact",
    proves=True,
    sentence="{host}'s own certificate is right in everything but its dates, and this computer's date is right",
    why="nobody forges a certificate of a public issuer to let it expire; the site's own neglect; the cap",
    signatures=_BY_DATE,
)
def certificate_expired(case: Case) -> Iterator[Match]:
    o = expired(case)
    if o is not None and case.own.clock_is_good():
        yield Match(
            observations=(o,),
            parameters={"host": case.name},
            method="certificate",
            signature=_dates(o),
            where="far_side",
        )


@row(
    "certificate_expired_or_clock",
    speaks_for="outage",
    weight=0.5,
    family="certificate",
    basis="behaviour",
    sentence="{host}'s certificate is outside its dates, but whether this computer's date is right is not known",
    why="an expired certificate or a wrong clock, and nothing told which; a reason",
    signatures=_BY_DATE,
)
def certificate_expired_or_clock(case: Case) -> Iterator[Match]:
    o = expired(case)
    if o is not None and not case.own.clock_is_good():
        yield Match(observations=(o,), parameters={"host": case.name}, method="certificate", signature=_dates(o))


@row(
    "certificate_wrong_host",
    speaks_for="outage",
    weight=0.4,
    family="certificate",
    basis="behaviour",
    sentence="the certificate shown for {host} is somebody else's valid one",
    why="a misconfigured server, a moved address or a lie of the DNS; a reason",
    signatures=("tls.certificate.wrong_host",),
)
def certificate_wrong_host(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    if o is not None and o.failure == "ssl_invalid_hostname":
        yield Match(
            observations=(o,),
            parameters={"host": case.name},
            method="certificate",
            signature="tls.certificate.wrong_host",
        )


@row(
    "certificate_self_signed",
    speaks_for="outage",
    weight=0.4,
    family="certificate",
    basis="behaviour",
    sentence="the certificate shown for {host} is signed by nobody but itself",
    why="a server that was set up anew, or a box on the way; a reason",
    signatures=("tls.certificate.self_signed",),
)
def certificate_self_signed(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    first = certificates.leaf(o.fact) if o is not None else None
    if o is not None and first is not None and first.self_issued:
        yield Match(
            observations=(o,),
            parameters={"host": case.name},
            method="certificate",
            signature="tls.certificate.self_signed",
        )


ROWS: tuple[Row, ...] = (
    intermediate_missing,
    certificate_expired,
    certificate_expired_or_clock,
    certificate_wrong_host,
    certificate_self_signed,
)
