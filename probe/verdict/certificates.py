"""What a chain says about who stands in the middle.

National interception authorities come first, whatever else is wrong with the chain: Kazakhstan's went on intercepting
with expired intermediates (Mozilla bugs 1229827, 1567114, 1680927, 1864724, 1879046). The national PKI that signs for
government sites is legitimate there and is not in the table.
"""

from __future__ import annotations

import base64
import hashlib
import re

from probe.observations import Certificate, TlsFact

_NATIONAL = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"Information Security Certification Authority", "Information Security Certification Authority"),
        (r"\bO=ISCA\b", "Information Security Certification Authority"),
        (r"Qaznet", "Qaznet Trust Network"),
        (r"C=KZ\b.*CN=Security Certificate\b|CN=Security Certificate\b.*C=KZ\b", "Qaznet Trust Network"),
        (r"НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ", "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ"),
    )
)
_NATIONAL_SHA256 = {
    "89107c8e": "Information Security Certification Authority",
    "c530fadc": "Information Security Certification Authority",
    "235150de": "Information Security Certification Authority",
}
_NATIONAL_SHA1 = {
    # roots (ooni.org/post/2024-kazakhstan-report, Mozilla bugs 1229827, 1567114, 1680927, 1864724)
    "fabda72f": "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ",
    "ea5d093c": "Qaznet Trust Network",
    "1375ebdc": "Information Security Certification Authority",
    "bfd7f531": "Information Security Certification Authority",
    # intermediates of 75 days each, 2021 to 2024, which went on being shown when they had run out
    **dict.fromkeys(
        ("c0e15a94", "90f9aa29", "8634ecae", "cb074692", "dfcd9dcb", "5d54c6af", "76e9f2a5"),
        "Information Security Certification Authority",
    ),
}
"""Beginnings of SHA-1 sums, as the reports give them."""
_OTHER_COUNTRY = re.compile(r"(?:^|[,+/ ])C=(?!KZ\b)[A-Za-z]{2}\b")
_AT_HOME = (".gov.kz", ".stsc.kz", ".qca.kz", ".isca.gov.kz")
"""Where the state's own sites may carry the state's own certificates."""


def national(fact: object) -> str | None:
    """The national interception authority in the chain, by any of its certificates, or ``None``."""
    if not isinstance(fact, TlsFact) or f".{(fact.sni or '').lower()}".endswith(_AT_HOME):
        return None
    for certificate in fact.chain:
        by_hash = _NATIONAL_SHA256.get(certificate.sha256[:8].lower()) or _NATIONAL_SHA1.get(_sha1(certificate)[:8])
        if by_hash is not None:
            return by_hash
        for words in (certificate.issuer, certificate.subject):
            named = next((name for pattern, name in _NATIONAL if pattern.search(words)), None)
            # A company of another country may have an authority of that name, or be called ISCA itself.
            if named is not None and not _OTHER_COUNTRY.search(words):
                return named
    return None


def _sha1(certificate: Certificate) -> str:
    """The SHA-1 sum of a certificate that was kept whole, in hex; empty for others. It is how the reports name them."""
    try:
        whole = base64.b64decode(certificate.der_base64 or "", validate=True)
    except ValueError:
        return ""
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest() if whole else ""


def leaf(fact: object) -> Certificate | None:
    """The first certificate of the chain."""
    return fact.chain[0] if isinstance(fact, TlsFact) and fact.chain else None


def covers(certificate: Certificate, name: str) -> bool:
    """Whether *certificate* is for *name* (RFC 6125 §6.4.3: a wildcard stands for one whole left-most label)."""
    wanted = name.rstrip(".").lower()
    parent = wanted.partition(".")[2]
    return any(n.lower().rstrip(".") in (wanted, f"*.{parent}") for n in certificate.names)


def unknown_issuer(fact: object) -> str | None:
    """The leaf's issuer where the shipped store does not verify the chain for want of a known root; else ``None``."""
    first = leaf(fact)
    if first is None or not isinstance(fact, TlsFact) or first.self_issued:
        return None
    if fact.shipped_store_verifies is False and fact.system_store_verifies:
        return first.issuer
    # X509_V_ERR 2, 19, 20, 21: no issuer, self-signed root in the chain, no local issuer, first signature unverifiable.
    return first.issuer if fact.verified is False and fact.verify_code in (2, 19, 20, 21) else None


def os_trusted_issuer(fact: object) -> str | None:
    """The leaf's issuer where only this host's own store verifies the chain; else ``None``."""
    if isinstance(fact, TlsFact) and fact.shipped_store_verifies is False and fact.system_store_verifies:
        return unknown_issuer(fact)
    return None


_PRODUCTS = re.compile(
    r"forti(net|gate)|sophos|kaspersky|\beset\b|avast|\bavg\b|bitdefender|zscaler|netskope|umbrella|palo ?alto|check ?point"
    r"|barracuda|watchguard|sonicwall|untangle|pfsense|squid|adguard|dr\.? ?web|smoothwall|lightspeed|securly|iboss|forcepoint"
    r"|blue ?coat|symantec web|mcafee|trend ?micro|kerio|usergate|ideco|traffic inspector|cisco|charles|mitmproxy|fiddler"
    r"|\bnorton\b|\bavira\b|anti-?virus|g ?data\b",
    re.IGNORECASE,
)


def product(issuer: str | None) -> str | None:
    """The name in an issuer that a filtering product of a household, school or company gives itself, or ``None``.

    Providers buy some of them too: it takes a block away, and proves no filter.
    """
    found = _PRODUCTS.search(issuer or "")
    return found.group(0) if found else None


_ANTIVIRUS = re.compile(
    r"kaspersky|\beset\b|avast|\bavg\b|bitdefender|dr\.? ?web|adguard|mcafee|\bnorton\b|anti-?virus|g ?data|\bavira\b",
    re.IGNORECASE,
)


def is_antivirus(issuer: str | None) -> bool:
    """Whether an issuer's name is one that an antivirus or an ad filter on a computer of one's own gives itself."""
    return _ANTIVIRUS.search(issuer or "") is not None


def users_of(issuer: str | None) -> str:
    """Who has a product of that issuer's name, in words for a sentence; all of them for a name that is none's."""
    if product(issuer) is None:
        return "antivirus, companies or schools"
    return "antivirus programs on one's own computer" if is_antivirus(issuer) else "companies and schools"


_HOUSEHOLDS = re.compile(
    r"\b(192\.168|10\.\d+|172\.(1[6-9]|2\d|3[01]))\.\d+\.\d+\b|\.(local|localdomain|lan|home|box|internal|arpa|router)\b"
    r"|router|gateway|modem|firewall|openwrt|mikrotik|keenetic|zyxel|tp-?link|d-?link|netgear|linksys|asus|tenda|mi-?wifi"
    r"|huawei|zte|ubnt|ubiquiti|unifi|synology|qnap",
    re.IGNORECASE,
)


def of_a_household(certificate: Certificate) -> bool:
    """Whether a certificate may be that of a device in the own household or company: signed by itself, or in such words."""
    words = " ".join((certificate.subject, certificate.issuer, *certificate.names))
    return certificate.self_issued or bool(_HOUSEHOLDS.search(words)) or product(words) is not None
