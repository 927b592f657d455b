"""Stories of certificates: known authorities and those who only bear their names, chosen names, antivirus and gateways."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Callable

from tests.unit.facts import HOST, SITE, Facts, certificate

STRANGER = "CN=Web Security Services R2,O=Web Security Services,C=US"
SITES = ("meduza.io", "rus.azattyq.org")
DER = b"a certificate of the table"


def shown(issuer: str, url: str = f"https://{HOST}/", *, whole: bytes | None = None) -> Facts:
    """A certificate by *issuer* in the site's name, which does not verify; *whole*: its bytes, where they were kept."""
    leaf = certificate(Facts(url).host, issuer=issuer)
    if whole is not None:
        leaf = dataclasses.replace(leaf, der_base64=base64.b64encode(whole).decode())
    facts = Facts(url).context().healthy()
    return facts.no_greeting("ssl_unknown_authority", chain=(leaf,), verify_code=20, verified=False)


def chosen_names(*others: str, issuer: str = STRANGER, trusted: bool | None = None) -> Facts:
    """The same unknown issuer at unrelated sites of one check."""
    facts = shown(issuer)
    for number, name in enumerate(others, start=2):
        facts.also(number, f"https://{name}/").dns(SITE, endpoint=number, name=name).tcp(endpoint=number, name=name)
        facts.tls(
            sni=name,
            endpoint=number,
            failure="ssl_unknown_authority",
            chain=(certificate(name, issuer=issuer),),
            verify_code=20,
            verified=False,
            system_store_verifies=trusted,
        )
    return facts


def by_its_sum() -> Facts:
    """A certificate without any known name in it, but with the sum of one of the table."""
    return shown("C=KZ, O=Somebody", whole=DER)


def known_sum() -> str:
    """The beginning of the sum of the certificate above, as the table holds them."""
    return hashlib.sha1(DER, usedforsecurity=False).hexdigest()[:8]


CODES: dict[str, Callable[[], Facts]] = {"issuer_of_unrelated": lambda: chosen_names(*SITES)}
KNOWN, UNKNOWN = "blocked/mitm/tls.mitm.known_ca", "inconclusive/tls.mitm.unknown_ca"
WORDS: dict[str, tuple[Callable[[], Facts], str]] = {
    "the authority of 2015": (lambda: shown("C=KZ, CN=НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ"), KNOWN),
    "the authority of 2019": (lambda: shown("C=KZ,O=Qaznet Trust Network,CN=Qaznet Trust Network"), KNOWN),
    "its intermediate": (lambda: shown("CN=Security Certificate,C=KZ"), KNOWN),
    "the authority of December 2020": (
        lambda: shown("CN=Information Security Certification Authority CA,C=KZ"),
        KNOWN,
    ),
    "the authority of 2021 to 2024": (
        lambda: shown("C=KZ, O=ISCA, CN=Information Security Certification Authority"),
        KNOWN,
    ),
    "an authority of that name without a country": (
        lambda: shown("CN=Information Security Certification Authority"),
        KNOWN,
    ),
    "a company of another country that is called so": (lambda: shown("CN=Gateway,O=ISCA,C=US"), UNKNOWN),
    "another country's authority of that name": (
        lambda: shown("C=IN, CN=Information Security Certification Authority"),
        UNKNOWN,
    ),
    "another country's security certificate": (lambda: shown("C=DE, CN=Security Certificate"), UNKNOWN),
    "a state's own site with the state's certificate": (
        lambda: shown("C=KZ, O=ISCA, CN=Information Security Certification Authority", "https://portal.gov.kz/"),
        UNKNOWN,
    ),
    "the national authority that signs for citizens": (
        lambda: shown("C=KZ, CN=ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)", "https://egov.kz/"),
        UNKNOWN,
    ),
    "an unknown issuer at unrelated sites": (lambda: chosen_names(*SITES), UNKNOWN),
    "an antivirus that is not installed here": (
        lambda: shown("CN=Anti-Virus Personal Root Certificate,O=AO Kaspersky Lab,C=RU"),
        "inconclusive/network.filter",
    ),
}
