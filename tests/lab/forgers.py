"""Certificates that somebody in the middle makes: a root of his own, and a leaf for every name that he opens."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forged:
    """PEM: the root, a chain (leaf, root) by name, and the key of every leaf."""

    root: bytes
    chains: dict[str, bytes]
    key: bytes


@functools.cache
def _key(_what: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def _root(subject: str) -> x509.Certificate:
    name, key, now = x509.Name.from_rfc4514_string(subject), _key(subject), dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 400 * _DAY)
        .not_valid_after(now + 3000 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_signs(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signs() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _leaf(subject: str, name: str, *, expired: bool) -> bytes:
    root, now = _root(subject), dt.datetime.now(dt.UTC)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
        .issuer_name(root.subject)
        .public_key(_key("leaf").public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 100 * _DAY)
        .not_valid_after(now + (-5 if expired else 60) * _DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(_key("leaf").public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_key(subject).public_key()), critical=False)
        .sign(_key(subject), hashes.SHA256())
    )
    return leaf.public_bytes(serialization.Encoding.PEM) + _pem(root)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def root(subject: str) -> bytes:
    """The root that calls itself *subject* (RFC 4514), as PEM: the same one every time."""
    return _pem(_root(subject))


def forge(subject: str, names: Iterable[str], *, expired: bool = False) -> Forged:
    """A chain for each of *names* by the authority that calls itself *subject*."""
    key = _key("leaf").private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Forged(root(subject), {name: _leaf(subject, name, expired=expired) for name in names}, key)
