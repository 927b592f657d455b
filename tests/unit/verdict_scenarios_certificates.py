"""Stories of certificates: made on the way, at home, by the site itself, or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.unit.facts import (
    GOOD_ISSUER,
    HOST,
    INNOCUOUS,
    NEUTRALS,
    OTHER_SITE,
    SITE,
    Facts,
    certificate,
)
from tests.unit.verdict_scenarios_begin import healthy_site

ISCA = "C=KZ, O=ISCA, CN=Information Security Certification Authority"
GATEWAY = "O=Some Company, CN=Some Company Inspection Root"


def national_ca(*, expired: bool = False) -> Facts:
    chain = (certificate(HOST, issuer=ISCA, expired=expired),)
    code, failure = (10, "ssl_invalid_certificate") if expired else (20, "ssl_unknown_authority")
    return healthy_site().no_greeting(failure, chain=chain, verify_code=code, verified=False)


def national_ca_trusted_here() -> Facts:
    facts = healthy_site().dns(SITE).tcp()
    chain = (certificate(HOST, issuer=ISCA),)
    facts.tls(chain=chain, verified=True, shipped_store_verifies=False, system_store_verifies=True)
    return facts.http(200)


def _inspected_round(facts: Facts, *, trusted: bool) -> Facts:
    facts.machine()
    facts.canary("system/92.46.1.1").canary("literal/1.1.1.1").canary("literal/8.8.8.8")
    for name in ("www.python.org", "www.debian.org"):
        chain = (certificate(name, issuer=GATEWAY),)
        facts.canary(
            f"foreign/{name}",
            None if trusted else "ssl_unknown_authority",
            chain=chain,
            verified=trusted,
            verify_code=None if trusted else 20,
            shipped_store_verifies=False,
            system_store_verifies=trusted,
        )
    return facts


def gateway_everywhere(*, trusted: bool) -> Facts:
    facts = _inspected_round(Facts().context(), trusted=trusted).dns(SITE).tcp()
    facts.tls(
        failure=None if trusted else "ssl_unknown_authority",
        chain=(certificate(HOST, issuer=GATEWAY),),
        verified=trusted,
        verify_code=None if trusted else 20,
        shipped_store_verifies=False,
        system_store_verifies=trusted,
    )
    return facts.http(200) if trusted else facts


def antivirus_with_exceptions() -> Facts:
    facts = healthy_site().dns(SITE).tcp()
    facts.tls(
        chain=(certificate(HOST, issuer=GATEWAY),),
        verified=True,
        shipped_store_verifies=False,
        system_store_verifies=True,
    )
    return facts.http(200)


def strange_issuer() -> Facts:
    chain = (certificate(HOST, issuer="CN=Nobody Knows Root"),)
    return healthy_site().no_greeting("ssl_unknown_authority", chain=chain, verify_code=20)


def forged_elsewhere(places: int = 2, **fact: Any) -> Facts:
    """The same unknown issuer signs for the name where it is not served."""
    facts = strange_issuer()
    chain = (certificate(HOST, issuer="CN=Nobody Knows Root"),)
    for n in range(places):
        told: dict[str, Any] = {"chain": chain, "verify_code": 20, "server_hello": True, "first_byte_us": 60_000} | fact
        facts.tls(
            address=NEUTRALS[n],
            purpose="neutral_chain",
            group=f"neutral/{n + 1}",
            arm="target",
            failure="ssl_unknown_authority",
            **told,
        )
    return facts


def stranger_shown(
    failure: str = "ssl_unknown_authority",
    *,
    places: int = 2,
    elsewhere: str = "22" * 32,
    first_byte_us: int = 5_000,
    shown: tuple[str, ...] = NEUTRALS,
    **fields: Any,
) -> Facts:
    """One stranger's certificate for the name, at its own address and where it is not served; *elsewhere*: another name's."""
    told = {"subject": "CN=panel.example", "issuer": "CN=Panel Default CA", **fields}
    stranger = replace(certificate("panel.example"), sha256="11" * 32, **told)
    code = {"ssl_invalid_hostname": 62}.get(failure, 20)
    fact: dict[str, Any] = {
        "chain": (stranger,),
        "verify_code": code,
        "verified": False,
        "first_byte_us": first_byte_us,
    }
    facts = healthy_site().no_greeting(failure, server_hello=True, **fact)
    for n, address in enumerate(shown[:places], 1):
        at: dict[str, Any] = {"address": address, "purpose": "neutral_chain", "group": f"neutral/{n}"}
        facts.tls(arm="target", failure=failure, server_hello=True, **at, **fact)
        own = (replace(certificate("neutral.example"), sha256=elsewhere),)
        bad: dict[str, Any] = {"failure": "ssl_invalid_hostname", "verify_code": 62, "verified": False}
        facts.tls(arm="innocuous", sni=INNOCUOUS, server_hello=True, chain=own, **at, **bad)
    return facts.healthy("after", 1)


VENDOR = "O=Some Vendor, CN=Some Vendor Root"


def vendor_root(issuer: str = VENDOR, **asked: Any) -> Facts:
    """A messenger's host under its vendor's own authority."""
    chain = (certificate(HOST, issuer=issuer),)
    facts = healthy_site(**({"own_root": True} | asked))
    return facts.no_greeting("ssl_unknown_authority", chain=chain, verify_code=19, server_hello=True)


def machine(status: int = 404) -> Facts:
    """A host for programs answers / with an error."""
    return healthy_site(any_status=True).works(status)


def greeted() -> Facts:
    """A host whose app takes an account: nothing is asked behind its greeting."""
    return healthy_site(handshake_only=True).dns(SITE).tcp().tls()


def expired(*, healthy: bool = True) -> Facts:
    facts = healthy_site() if healthy else Facts().context()
    chain = (certificate(HOST, expired=True),)
    return facts.no_greeting("ssl_invalid_certificate", chain=chain, verify_code=10)


def not_yet_valid() -> Facts:
    return healthy_site().no_greeting("ssl_invalid_certificate", chain=(certificate(HOST),), verify_code=9)


def no_intermediate(*, issuer: str = GOOD_ISSUER, links: int = 0, code: int = 20) -> Facts:
    """A leaf alone, by the issuer that other sites of the run verified with."""
    chain = (certificate(HOST, issuer=issuer), *(certificate(subject="CN=link") for _ in range(links)))
    facts = healthy_site().canary("foreign/www.gnu.org", chain=(certificate("www.gnu.org"),), verified=True)
    return facts.no_greeting("ssl_unknown_authority", chain=chain, verify_code=code, verified=False)


def garbled(url: str = f"https://{HOST}/") -> Facts:
    facts = healthy_site(url).dns(SITE).tcp()
    if url.startswith("https:"):
        facts.tls()
    return facts.http(None, failure="http_request_failed", malformed="illegal status line")


def wrong_host() -> Facts:
    chain = (certificate("shop.example.org"),)
    return healthy_site().no_greeting("ssl_invalid_hostname", chain=chain, verify_code=62)


def self_signed() -> Facts:
    chain = (certificate(HOST, issuer=f"CN={HOST}", self_issued=True),)
    return healthy_site().no_greeting("ssl_unknown_authority", chain=chain, verify_code=18)


def right_elsewhere() -> Facts:
    return strange_issuer().foreign(OTHER_SITE).tried(OTHER_SITE)
