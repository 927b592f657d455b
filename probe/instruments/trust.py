"""Whose certificates are believed, and the TLS contexts, built once with every flag written out.

One set of roots per run. If ``SSL_CERT_FILE`` is set, its file replaces everything. Otherwise the Mozilla set that we ship
(certifi) and the operating system's store are both asked, and "verified" means the Mozilla set.

Both are asked with one handshake: it verifies against the union of the two, so that a certificate which only the system
trusts does not end the connection before its chain is known. Which store holds the root of the chain that OpenSSL built is
then a look into two sets of hashes. Only when it is in one and not in the other is the chain verified a second time, against
the other store alone, by cryptography.x509.verification (stricter than OpenSSL in what a certificate must have, so it may
miss an odd cross-sign). A second handshake was rejected: it would be a second connection that nobody asked for.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import ipaddress
import platform
import re
import ssl
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

# Where distributions keep one bundle of the system's roots: Debian, Fedora, SUSE, Alpine and macOS, FreeBSD.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
)

# What Chrome offers of TLS 1.2 (TLS 1.3's suites cannot be chosen through the ssl module). Written out, because Python's
# own list changes with its version and the ClientHello is part of the measurement.
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA:@SECLEVEL=2"
)
_OP_TLSEXT_PADDING = 1 << 4  # openssl/ssl.h; pads a hello of 256 to 511 bytes to 512, so names of any length look alike
_OPTIONS = (
    ssl.OP_ALL
    | ssl.OP_NO_COMPRESSION
    | ssl.OP_NO_RENEGOTIATION
    | ssl.OP_ENABLE_MIDDLEBOX_COMPAT
    | ssl.OP_IGNORE_UNEXPECTED_EOF
    | _OP_TLSEXT_PADDING
)

STACK = f"{platform.python_implementation()} {platform.python_version()}, {' '.join(ssl.OPENSSL_VERSION.split()[:2])}"
"""Name and version of what makes our ClientHello."""


class TrustError(ValueError):
    """The roots that the user named cannot be used; the text says which file and why."""


def _context(alpn: Sequence[str], *, small: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options = ssl.Options(_OPTIONS & ~_OP_TLSEXT_PADDING) if small else ssl.Options(_OPTIONS)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.set_ciphers(_CIPHERS)
    context.verify_flags = ssl.VerifyFlags.VERIFY_X509_TRUSTED_FIRST
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if small:
        context.set_ecdh_curve("prime256v1")  # one classical group: no post-quantum share of 1.2 KB
    return context


@functools.cache
def arm_context(alpn: tuple[str, ...], *, small: bool) -> ssl.SSLContext:
    """A context that believes everybody, for arms that stop at the first server record."""
    context = _context(alpn, small=small)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Stores:
    """Which store verifies a chain; ``None`` for a store that there is not."""

    shipped: bool | None
    system: bool | None


@dataclass(slots=True)
class Trust:
    """The roots of a run. ``label`` names them for the record; ``replaced`` says that the user's file took their place."""

    label: str
    replaced: bool
    _shipped: tuple[bytes, ...]
    _system: tuple[bytes, ...] | None
    _contexts: dict[tuple[tuple[str, ...], bool, bool], ssl.SSLContext] = field(default_factory=dict)
    _pem: bytes = b""

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Trust:
        """The roots that *environ* and this host name. ``TrustError`` when the user's file holds none."""
        if path := environ.get("SSL_CERT_FILE"):
            return cls(f"SSL_CERT_FILE={path}", replaced=True, _shipped=_users_roots(path), _system=None)
        import certifi

        shipped = _roots(Path(certifi.where()).read_text())
        label = f"certifi {certifi.__version__} ({len(shipped)} roots)"
        bundle, system = _system_roots()
        if system is None:
            return cls(f"{label}, no system store found", replaced=False, _shipped=shipped, _system=None)
        return cls(f"{label} and {bundle} ({len(system)} roots)", replaced=False, _shipped=shipped, _system=system)

    def context(self, alpn: tuple[str, ...], *, small: bool, check_hostname: bool = True) -> ssl.SSLContext:
        """The context that verifies against all of these roots, built at its first use."""
        key = (alpn, small, check_hostname)
        if key not in self._contexts:
            context = _context(alpn, small=small)
            context.check_hostname = check_hostname
            context.verify_mode = ssl.CERT_REQUIRED
            _load(context, tuple(dict.fromkeys((*self._shipped, *(self._system or ())))))
            self._contexts[key] = context
        return self._contexts[key]

    def pem(self) -> bytes:
        """All of these roots, for those who verify by themselves; one that cannot be read is left out. At first slow."""
        if not self._pem:
            self._pem = _as_pem(dict.fromkeys((*self._shipped, *(self._system or ()))))
        return self._pem

    def let_go(self, keep: tuple[str, ...]) -> None:
        """Hold on to the context for *keep* (of ALPN) alone: each has all roots of its own, which are a megabyte. Others are
        built again when they are needed; a ticket is good only in the context that it came from.
        """
        self._contexts = {key: context for key, context in self._contexts.items() if key == (keep, False, True)}

    def no_stores(self) -> Stores:
        """What a chain that failed against all roots together is worth to each store."""
        return Stores(None if self.replaced else False, None if self._system is None else False)

    def stores(self, chain: Sequence[bytes], sent: Sequence[bytes], host: str) -> Stores:
        """Which store verifies, given the *chain* (DER, root last) that verified against both, and what was *sent*."""
        if self.replaced or not chain:
            return Stores(None, None)
        shipped = chain[-1] in self._shipped
        system = None if self._system is None else chain[-1] in self._system
        if not shipped:
            shipped = _verifies(self._shipped, sent, host)
        if system is False and self._system is not None:
            system = _verifies(self._system, sent, host)
        return Stores(shipped, system)


def _users_roots(path: str) -> tuple[bytes, ...]:
    try:
        roots = _roots(Path(path).read_text(errors="replace"))
    except OSError as error:
        raise TrustError(f"SSL_CERT_FILE names {path}, which cannot be read: {error.strerror}") from error
    usable = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        usable.load_verify_locations(cadata=b"".join(roots))
    except (ssl.SSLError, ValueError) as error:
        raise TrustError(f"SSL_CERT_FILE names {path}, which holds no usable PEM certificate") from error
    return roots


def _system_roots() -> tuple[str, tuple[bytes, ...] | None]:
    compiled_in = ssl.get_default_verify_paths().openssl_cafile
    for bundle in (*_BUNDLES, compiled_in):
        with contextlib.suppress(OSError):
            if roots := _roots(Path(bundle).read_text(errors="replace")):
                return bundle, roots
    return "", None


def _load(context: ssl.SSLContext, roots: Sequence[bytes]) -> None:
    """Believe *roots*. One that OpenSSL refuses, in a store that somebody has edited, costs no more than itself."""
    try:
        context.load_verify_locations(cadata=b"".join(roots))
    except ssl.SSLError:
        for root in roots:
            with contextlib.suppress(ssl.SSLError):
                context.load_verify_locations(cadata=root)


_PEM = re.compile("-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----")


def _roots(text: str) -> tuple[bytes, ...]:
    """The certificates of a PEM file as DER, without repeats; comments and broken ones are left out."""
    roots: dict[bytes, None] = {}
    for body in _PEM.findall(text):
        with contextlib.suppress(binascii.Error):
            roots[base64.b64decode(body)] = None
    return tuple(roots)


def _as_pem(roots: Iterable[bytes]) -> bytes:
    from cryptography import x509

    found = []
    with warnings.catch_warnings(action="ignore"):
        for root in roots:
            with contextlib.suppress(ValueError, x509.InvalidVersion):
                x509.load_der_x509_certificate(root)
                found.append(ssl.DER_cert_to_PEM_cert(root))
    return "".join(found).encode("ascii")


def _verifies(roots: Sequence[bytes], sent: Sequence[bytes], host: str) -> bool:
    """Whether *sent* (leaf first) verifies for *host* against *roots* alone. Slow; only for what the stores disagree on."""
    from cryptography import x509
    from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

    def load(ders: Sequence[bytes]) -> list[x509.Certificate]:
        loaded = []
        for der in ders:
            with contextlib.suppress(ValueError, x509.InvalidVersion):
                loaded.append(x509.load_der_x509_certificate(der))
        return loaded

    with warnings.catch_warnings(action="ignore"):
        try:
            leaf, *others = load(sent)
            verifier = PolicyBuilder().store(Store(load(roots))).build_server_verifier(_subject(host))
            verifier.verify(leaf, others)
        except (VerificationError, ValueError):
            return False
    return True


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
