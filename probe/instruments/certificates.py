"""What is kept of a server's certificates: names, dates, hashes. Everything in them is a stranger's word, so all is capped."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import ipaddress
import ssl
from collections.abc import Sequence
from typing import Any

from probe.instruments import der, x509
from probe.observations import Certificate

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
    parsed = x509.read(encoded)
    if parsed is None:
        return Certificate(sha256=digest, subject="", issuer="", not_before_us=0, not_after_us=0, der_base64=kept)
    return Certificate(
        sha256=digest,
        subject=parsed.subject[:MAX_SUBJECT],
        issuer=parsed.issuer[:MAX_SUBJECT],
        not_before_us=parsed.not_before_us,
        not_after_us=parsed.not_after_us,
        names=_names(parsed.tbs),
        spki_sha256=hashlib.sha256(parsed.key).hexdigest(),
        self_issued=parsed.self_issued,
        der_base64=kept,
    )


def _names(tbs: bytes) -> tuple[str, ...]:
    """The DNS names and addresses of the subject alternative name, the first ``MAX_NAMES`` of them.

    Names come whatever else is wrong with the certificate's extensions.
    """
    hosts, addresses = der.names(tbs)
    return tuple(name[:MAX_NAME] for name in (*hosts, *addresses)[:MAX_NAMES])


def is_for(leaf: bytes, host: str) -> bool:
    """Whether the certificate names *host* (RFC 9525: a wildcard stands for one whole left-most label)."""
    parsed = x509.read(leaf)
    if parsed is None:
        return False
    hosts, addresses = der.names(parsed.tbs)
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host)) in addresses
    _label, _, parent = host.lower().partition(".")
    return any(name.lower() in (host.lower(), f"*.{parent}") for name in hosts)
