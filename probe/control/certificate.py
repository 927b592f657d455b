"""The certificate that a control shows: the operator's own, or one made at start, which probes know by its fingerprint."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path


class CertificateError(ValueError):
    """The files that the operator named cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A context for the listening side, and the SHA-256 of the leaf (DER) in hex. ``pem``: the chain and the key, for QUIC,
    whose TLS is not OpenSSL's.
    """

    context: ssl.SSLContext
    sha256: str
    pem: tuple[bytes, bytes] = field(default=(b"", b""), repr=False)


def load(certificate: str, key: str) -> Shown:
    """The operator's own, from PEM files. Raises :class:`CertificateError`."""
    try:
        context = _context(certificate, key)
        chain, secret = Path(certificate).read_bytes(), Path(key).read_bytes()
        leaf = ssl.PEM_cert_to_DER_cert(_first(chain.decode("ascii", errors="replace")))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or "it holds no certificate (PEM)"
        raise CertificateError(f"{certificate} and {key} cannot be used: {str(why).lower()}") from None
    return Shown(context, hashlib.sha256(leaf).hexdigest(), (chain, secret))


def make(now: dt.datetime) -> Shown:
    """A self-signed one for this process: it names nobody, because probes look at its fingerprint and at nothing else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    leaf = made.public_bytes(serialization.Encoding.DER)
    chain = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The ssl module reads keys from files only; this one is ours alone (0600) and gone before anybody connects.
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(chain + secret)
        file.flush()
        return Shown(_context(file.name, file.name), hashlib.sha256(leaf).hexdigest(), (chain, secret))


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.set_alpn_protocols(["http/1.1"])

    def no_password() -> str:
        raise ValueError

    context.load_cert_chain(certificate, key, password=no_password)
    return context


def _first(text: str) -> str:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    start = text.index(begin)
    return text[start : text.index(end, start) + len(end)]
