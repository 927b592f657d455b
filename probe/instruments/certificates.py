"""What is kept of a server's certificates: names, dates, hashes. Everything in them is a stranger's word, so all is capped.

cryptography parses, and is imported only when there is something to parse: it costs 70 ms and 10 MB.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import ipaddress
import ssl
import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from probe.instruments import der
from probe.observations import Certificate

if TYPE_CHECKING:
    from cryptography import x509

MAX_CERTIFICATES = 10
MAX_NAMES = 50
MAX_NAME = 253  # RFC 1035 §2.3.4
MAX_SUBJECT = 300
MAX_DER = 32_768
"""Bytes of DER kept of one failed chain. OpenSSL itself reads up to 100 KB (SSL_MAX_CERT_LIST_DEFAULT)."""


def sent_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates that the server sent, leaf first, as DER; after a failed verification too. Empty if none came."""
    return _chain(connection, "get_unverified_chain")


def verified_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """The chain that OpenSSL built and believes, root last, as DER. Empty when nothing was verified."""
    return _chain(connection, "get_verified_chain")


def _chain(connection: ssl.SSLObject, method: str) -> tuple[bytes, ...]:
    # Public from Python 3.13, which gives bytes; the object below had the same method before, with certificate objects.
    owner: Any = connection if hasattr(connection, method) else connection._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    return tuple(item if isinstance(item, bytes) else _der(item) for item in getattr(owner, method)() or ())


def _der(item: Any) -> bytes:
    text: str = item.public_bytes()  # PEM by default: the constant for DER has no public name
    return ssl.PEM_cert_to_DER_cert(text)


def describe(chain: Sequence[bytes], *, keep_der: bool) -> tuple[Certificate, ...]:
    """What is kept of *chain* (DER, leaf first). What cannot be parsed keeps its hash. ``keep_der`` up to ``MAX_DER``."""
    left = MAX_DER if keep_der else 0
    described = []
    for encoded in chain[:MAX_CERTIFICATES]:
        kept = base64.b64encode(encoded).decode() if len(encoded) <= left else None
        left -= len(encoded) if kept else 0
        described.append(_describe(encoded, kept))
    return tuple(described)


def _describe(encoded: bytes, kept: str | None) -> Certificate:
    digest = hashlib.sha256(encoded).hexdigest()
    parsed = _parse(encoded)
    if parsed is None:
        return Certificate(sha256=digest, subject="", issuer="", not_before_us=0, not_after_us=0, der_base64=kept)
    return Certificate(
        sha256=digest,
        subject=_text(parsed, "subject"),
        issuer=_text(parsed, "issuer"),
        not_before_us=_us(parsed, "not_valid_before_utc"),
        not_after_us=_us(parsed, "not_valid_after_utc"),
        names=names(parsed),
        spki_sha256=_spki(parsed),
        self_issued=_same_names(parsed),
        der_base64=kept,
    )


def _parse(encoded: bytes) -> x509.Certificate | None:
    from cryptography import x509

    try:
        with warnings.catch_warnings(action="ignore"):
            return x509.load_der_x509_certificate(encoded)
    except (ValueError, x509.InvalidVersion):
        return None


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses of the subject alternative name, the first ``MAX_NAMES`` of them.

    Names come whatever else is wrong with the certificate's extensions.
    """
    hosts, addresses = der.names(certificate.tbs_certificate_bytes)
    return tuple(name[:MAX_NAME] for name in (*hosts, *addresses)[:MAX_NAMES])


def _spki(certificate: x509.Certificate) -> str | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    with contextlib.suppress(ValueError, UnsupportedAlgorithm):
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(key).hexdigest()
    return None


# cryptography parses each part when it is asked for, and raises then.


def _text(certificate: x509.Certificate, attribute: str) -> str:
    with contextlib.suppress(ValueError), warnings.catch_warnings(action="ignore"):
        text: str = getattr(certificate, attribute).rfc4514_string()
        return text[:MAX_SUBJECT]
    return ""


def _us(certificate: x509.Certificate, attribute: str) -> int:
    with contextlib.suppress(ValueError, OverflowError), warnings.catch_warnings(action="ignore"):
        moment: datetime = getattr(certificate, attribute)
        return round(moment.timestamp() * 1e6)
    return 0


def _same_names(certificate: x509.Certificate) -> bool:
    with contextlib.suppress(ValueError), warnings.catch_warnings(action="ignore"):
        return certificate.subject == certificate.issuer
    return False


def is_for(leaf: bytes, host: str) -> bool:
    """Whether the certificate names *host* (RFC 9525: a wildcard stands for one whole left-most label)."""
    parsed = _parse(leaf)
    if parsed is None:
        return False
    hosts, addresses = der.names(parsed.tbs_certificate_bytes)
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host)) in addresses
    _label, _, parent = host.lower().partition(".")
    return any(name.lower() in (host.lower(), f"*.{parent}") for name in hosts)
