"""Certificates for a pretend Internet: an authority whose chains look like the web's, and ones that nobody trusts.

Chains are root → intermediate → leaf with the extensions that browsers ask for (RFC 5280, CA/Browser Forum): subject
alternative names, key usages, key identifiers. Keys are P-256: making one takes a fraction of a millisecond.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Condition = Literal["good", "expired", "wrong_name", "self_signed", "unknown_issuer"]
"""What is the matter with a server's certificate."""

STRANGER = "another-site.example"
"""Whom a certificate with the wrong name is for."""

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a leaf certificate is for: DNS names and addresses, the first of them is the subject."""

    names: tuple[str, ...]
    condition: Condition = "good"


@dataclass(frozen=True, slots=True)
class _Issuer:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def distinguished_name(*, country: str | None = None, organization: str | None = None, common: str) -> x509.Name:
    """An X.501 name of the parts that certificate authorities use."""
    parts = ((NameOID.COUNTRY_NAME, country), (NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts if value])


PUBLIC = (
    distinguished_name(country="US", organization="Pretend Trust Services", common="Pretend Root R1"),
    distinguished_name(country="US", organization="Pretend Trust Services", common="Pretend Issuing CA E5"),
)
# The subjects of the certificates that were used in Kazakhstan in 2020 and after (Mozilla bugs 1680927, 1864724).
NATIONAL = (
    distinguished_name(country="KZ", organization="ISCA", common="Information Security Certification Authority"),
    distinguished_name(country="KZ", organization="ISCA", common="Information Security Certification Authority CA"),
)
UNKNOWN = (
    distinguished_name(organization="Gateway Inspection", common="Gateway Inspection Root"),
    distinguished_name(organization="Gateway Inspection", common="Gateway Inspection CA"),
)


class Authority:
    """A root, an intermediate, and the server contexts made from them, each once. ``now`` is its idea of the time."""

    def __init__(self, folder: Path, *, now: dt.datetime, names: tuple[x509.Name, x509.Name]) -> None:
        self._folder = folder
        self._now = now
        self._contexts: dict[Identity, ssl.SSLContext] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = self._authority(names[0], names[0], root_key, root_key, path_length=None)
        self._root = root
        self._issuer = _Issuer(self._authority(names[1], names[0], self._key, root_key, path_length=0), self._key)

    def root_file(self) -> Path:
        """The root in PEM, as a file for whoever should trust it."""
        path = self._folder / "root.pem"
        if not path.exists():
            path.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))
        return path

    def context(self, identity: Identity) -> ssl.SSLContext:
        """A server context for *identity*: TLS 1.2 and 1.3, HTTP/1.1 by ALPN."""
        if identity not in self._contexts:
            self._contexts[identity] = self._make_context(identity)
        return self._contexts[identity]

    def pem(self, identity: Identity) -> tuple[bytes, bytes]:
        """A chain for *identity*, the leaf first, and its key."""
        key, chain = self._chain(identity)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain), private

    # -----------------------------------------------------------------------------------------------------------------

    def _make_context(self, identity: Identity) -> ssl.SSLContext:
        chain, key = self.pem(identity)
        path = self._folder / f"leaf-{len(self._contexts)}-{id(self)}.pem"
        path.write_bytes(key + chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _chain(self, identity: Identity) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
        key = ec.generate_private_key(ec.SECP256R1())
        names = (STRANGER,) if identity.condition == "wrong_name" else identity.names
        if identity.condition == "self_signed":
            return key, [self._leaf(names, key, _Issuer(self._self_signed(names[0], key), key), self._valid(identity))]
        leaf = self._leaf(names, key, self._issuer, self._valid(identity))
        return key, [leaf, self._issuer.certificate]

    def _self_signed(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        subject = distinguished_name(common=name)
        return self._authority(subject, subject, key, key, path_length=0)

    def _valid(self, identity: Identity) -> tuple[dt.datetime, dt.datetime]:
        if identity.condition == "expired":
            return self._now - 95 * _DAY, self._now - 5 * _DAY
        return self._now - 20 * _DAY, self._now + 70 * _DAY

    def _authority(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey,
        *,
        path_length: int | None,
    ) -> x509.Certificate:
        return (
            _begin(subject, issuer, key, self._now - 1000 * _DAY, self._now + 1000 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )

    def _leaf(
        self,
        names: tuple[str, ...],
        key: ec.EllipticCurvePrivateKey,
        issuer: _Issuer,
        valid: tuple[dt.datetime, dt.datetime],
    ) -> x509.Certificate:
        signer = issuer.key.public_key()
        return (
            _begin(distinguished_name(common=names[0]), issuer.certificate.subject, key, *valid)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, since: dt.datetime, until: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """What a key may do: sign certificates, or sign handshakes only."""
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
