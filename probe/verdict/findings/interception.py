"""Certificates that somebody else made: who opens the connection, and whether that is the network or this host."""

from __future__ import annotations

from collections.abc import Iterator

from probe.observations import Observation, TlsFact
from probe.verdict import certificates, networks, resolvers
from probe.verdict.case import Case
from probe.verdict.facts import tls, verified
from probe.verdict.findings.chains import expired, failing_chain, lacks_a_link
from probe.verdict.findings.resets import own_network_us
from probe.verdict.rows import Match, Row, row


def _shown(case: Case) -> tuple[Observation, ...]:
    """Handshakes for the name, made as a user's are, in which a chain was shown."""
    return tuple(
        o
        for o in case.handshakes
        if o.purpose in ("baseline", "retry", "siblings") and isinstance(o.fact, TlsFact) and o.fact.chain
    )


@row(
    "national_interception",
    speaks_for="blocked",
    weight=2.0,
    family="certificate",
    basis="artefact",
    proves=True,
    sentence="the certificate for {host} was made by “{authority}”, which is known to open encrypted connections for a state",
    why="published national interception roots, whether expired, trusted by this host or shown for every name; the cap",
    signatures=("tls.mitm.known_ca",),
)
def national_interception(case: Case) -> Iterator[Match]:
    for o in _shown(case):
        authority = certificates.national(o.fact)
        if authority is not None:
            yield Match(
                observations=(o,),
                parameters={"host": case.name, "authority": authority},
                method="mitm",
                signature="tls.mitm.known_ca",
                where="unknown",
            )


@row(
    "intercepted_everywhere",
    speaks_for="no_network",
    weight=0.8,
    family="certificate",
    basis="artefact",
    sentence="unrelated sites show certificates by the same unknown issuer (“{issuer}”): everything is opened on the way",
    why="a company gateway whose root is not installed here, or a state: cannot be told apart, so a reason only",
    signatures=("tls.mitm.unknown_ca",),
)
def intercepted_everywhere(case: Case) -> Iterator[Match]:
    everywhere = case.own.issuers()
    for o in _shown(case):
        issuer = certificates.unknown_issuer(o.fact)
        if issuer is not None and issuer in everywhere:
            yield Match(
                observations=(o,),
                parameters={"issuer": issuer},
                method="filter",
                signature="tls.mitm.unknown_ca",
                where="unknown",
            )


@row(
    "intercepted_here_only",
    speaks_for="no_network",
    weight=0.8,
    family="certificate",
    basis="artefact",
    sentence="{host} shows a certificate by “{issuer}”, which only this computer was told to trust; other sites do not",
    why="antivirus with a list of exceptions looks selective; the host's owner installed the issuer, so a reason only",
    signatures=("tls.mitm.unknown_ca",),
)
def intercepted_here_only(case: Case) -> Iterator[Match]:
    for o in _shown(case):
        issuer = certificates.os_trusted_issuer(o.fact)
        if issuer is not None and issuer not in case.own.issuers():
            yield Match(
                observations=(o,),
                parameters={"host": case.name, "issuer": issuer},
                method="filter",
                signature="tls.mitm.unknown_ca",
                where="unknown",
            )


@row(
    "unknown_issuer",
    speaks_for="blocked",
    weight=0.5,
    family="certificate",
    basis="artefact",
    sentence="{host} shows a certificate in its name by an unknown issuer (“{issuer}”), while other sites show their own",
    why="a forged certificate looks like this; so does a site behind a private issuer, or a gateway that opens some names",
    signatures=("tls.mitm.unknown_ca",),
)
def unknown_issuer(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    if o is None:
        return
    issuer, first = certificates.unknown_issuer(o.fact), certificates.leaf(o.fact)
    if (
        issuer is not None
        and first is not None
        and issuer not in case.own.issuers()
        and not tls(o).system_store_verifies
        and not lacks_a_link(case, o)
    ):
        yield Match(
            observations=(o,),
            parameters={"host": case.name, "issuer": issuer},
            method="mitm",
            signature="tls.mitm.unknown_ca",
            where="unknown",
        )


_UNRELATED = 3
"""Sites of so many operators, this one included: two may belong to one company that signs for itself."""


@row(
    "issuer_of_unrelated",
    speaks_for="blocked",
    weight=0.5,
    family="certificate_shared",
    basis="artefact",
    sentence="{count} unrelated sites of this check show certificates by the same unknown issuer (“{issuer}”), and well-known "
    "sites show their own: somebody opens chosen names",
    why="chosen names are what a state opens, and a company's gateway too whose root is not installed here; a reason only",
    signatures=("tls.mitm.unknown_ca",),
)
def issuer_of_unrelated(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    issuer = certificates.unknown_issuer(o.fact) if o is not None else None
    if o is None or issuer is None or _may_be_of_the_household(case, o):
        return
    shown: dict[str, Observation] = {}
    for other in case.view.cases():
        for found in _shown(other):
            if certificates.unknown_issuer(found.fact) == issuer and not tls(found).system_store_verifies:
                shown.setdefault(resolvers.operator_of(other.name), found)
    if len(shown) >= _UNRELATED:
        yield Match(
            observations=(o,),
            parameters={"host": case.name, "issuer": issuer, "count": len(shown)},
            method="mitm",
            signature="tls.mitm.unknown_ca",
            where="unknown",
        )


@row(
    "forged_at_neutral",
    speaks_for="blocked",
    weight=2.0,
    family="certificate",
    basis="artefact",
    proves=True,
    sentence="{places} unrelated addresses abroad showed a certificate for {host} by the same unknown issuer (“{issuer}”): it "
    "was made on the way",
    why="only the site and a forger have a certificate in its name, and these servers are neither; other names are shown "
    "their own, and this host does not trust the issuer, and it came from farther than a gateway here; the cap",
    signatures=("tls.mitm.unknown_ca",),
)
def forged_at_neutral(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    issuer = certificates.unknown_issuer(o.fact) if o is not None else None
    if o is None or issuer is None or issuer in case.own.issuers() or tls(o).system_store_verifies:
        return
    forged = {
        found.operation.address: found
        for found in case.of("neutral_chain", "tls")
        if found.arm != "innocuous"
        if certificates.unknown_issuer(found.fact) == issuer
        if (first := certificates.leaf(found.fact)) is not None and certificates.covers(first, case.name)
    }
    # Who opens everything may be a company's gateway: somebody must have been shown a certificate of their own in this run,
    # and nobody else one by this issuer, also where the canaries got lost.
    others = (found for found in case.of("neutral_chain", "tls") if found.arm == "innocuous")
    if not case.view.known_issuers or any(certificates.unknown_issuer(found.fact) == issuer for found in others):
        return
    # A gateway whose root is not installed on a guest's computer forges as well, and answers as soon as the own router.
    quick, _measured = own_network_us(case)
    far = [found for found in forged.values() if (tls(found).first_byte_us or 0) > quick]
    if len(far) >= 2:
        yield Match(
            observations=(o, *forged.values()),
            parameters={"host": case.name, "issuer": issuer, "places": len(forged)},
            method="mitm",
            signature="tls.mitm.unknown_ca",
            where="unknown",
        )


@row(
    "stranger_at_neutral",
    speaks_for="blocked",
    weight=2.0,
    family="certificate",
    basis="artefact",
    proves=True,
    sentence="{places} unrelated addresses abroad show one and the same certificate (“{subject}”) when asked for {host}, and "
    "another one for another name: somebody on the way answers in their place",
    why="the site, its neighbours abroad and their operators share no certificate, and none of them shows it to strangers in "
    "general; self-signed ones and those of household devices and filtering products are left out; the cap",
    signatures=("tls.mitm.unknown_ca", "tls.mitm.stranger"),
)
def stranger_at_neutral(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    first = certificates.leaf(o.fact) if o is not None else None
    if o is None or first is None or _may_be_of_the_household(case, o):
        return
    shown = [
        found for found in case.of("neutral_chain", "tls") if found.operation.address and _sha256(found) is not None
    ]
    others = {(found.operation.address, _sha256(found)) for found in shown if found.arm == "innocuous"}
    honest = {address for address, _ in others} - {address for address, sha256 in others if sha256 == first.sha256}
    places = {
        networks.network_of(found.operation.address or ""): found
        for found in shown
        if found.arm == "target" and _sha256(found) == first.sha256 and found.operation.address in honest
    }
    places.pop(networks.network_of(o.operation.address or ""), None)
    quick, _measured = own_network_us(case)
    near = [f for f in (o, *places.values()) if (tls(f).first_byte_us or 0) <= quick]
    if len(places) >= 2 and not near:
        trusted = o.failure == "ssl_invalid_hostname"
        yield Match(
            observations=(o, *shown),
            parameters={"host": case.name, "subject": first.subject, "places": len(places)},
            method="mitm",
            signature="tls.mitm.stranger" if trusted else "tls.mitm.unknown_ca",
            where="unknown",
        )


def _sha256(observation: Observation) -> str | None:
    first = certificates.leaf(observation.fact)
    return first.sha256 if first is not None else None


def _may_be_of_the_household(case: Case, observation: Observation) -> bool:
    """Whether the certificate may have been shown by a device or a gateway of the own household or company."""
    first, issuer = certificates.leaf(observation.fact), certificates.unknown_issuer(observation.fact)
    own = issuer is not None and issuer in case.own.issuers()
    return own or bool(tls(observation).system_store_verifies) or first is None or certificates.of_a_household(first)


@row(
    "certificate_right_elsewhere",
    speaks_for="blocked",
    weight=0.7,
    family="certificate_elsewhere",
    basis="behaviour",
    sentence="at another address, which DNS elsewhere gave, {host} shows its right certificate",
    why="the address is wrong or somebody sits on the way to it; stale addresses look the same, so a reason",
)
def certificate_right_elsewhere(case: Case) -> Iterator[Match]:
    o = failing_chain(case)
    if o is None or expired(case) is not None:
        return
    for other in case.of("dns_answers", "tls", "address/"):
        if verified(other.fact) and other.operation.address != o.operation.address:
            yield Match(observations=(other,), parameters={"host": case.name}, method="mitm", where="unknown")


ROWS: tuple[Row, ...] = (
    national_interception,
    intercepted_everywhere,
    intercepted_here_only,
    unknown_issuer,
    issuer_of_unrelated,
    forged_at_neutral,
    stranger_at_neutral,
    certificate_right_elsewhere,
)
