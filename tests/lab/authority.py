"""The lab's certificate authority: chains that look like the web's, for a web that may live in another year.

Leaf and intermediate together take 3 to 4 KB on the wire, as public chains do: AKI, SKI, EKU, policies, OCSP and CRL
addresses, embedded SCTs (of the right size, signed by nobody) and a page of names. Every third leaf has an RSA key.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import ipaddress
import threading
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Kind = Literal[
    "good", "expired", "not_yet", "wrong_name", "self_signed", "no_intermediate", "huge", "vendor", "forger", "fresh", "ending"
]  # fmt: skip
"""``fresh`` began yesterday, ``ending`` ends tomorrow: only who has the date right can use them. ``no_intermediate``: the server forgot to send it. ``huge``: a certificate of many names, some 15 KB. ``vendor``: by an
authority of the site owner's own. ``forger``: by an authority that nobody knows."""
_OTHER_AUTHORITIES = {"vendor": "Messenger Service Root CA", "forger": "Secure Gateway CA"}

_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_DOMAIN_VALIDATED = ObjectIdentifier("2.23.140.1.2.1")
_DAY = dt.timedelta(days=1)
_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Issued:
    """PEM: the chain as a server sends it (leaf, intermediate) and the leaf's private key."""

    chain: bytes
    key: bytes


@functools.cache
def _rsa(_what: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def _ec(_what: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab Trust Services"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


class Authority:
    """A root and an intermediate whose "now" is *shift_days* away from this host's clock."""

    def __init__(self, shift_days: int = 0) -> None:
        self._now = dt.datetime.now(dt.UTC).replace(microsecond=0) + shift_days * _DAY
        self._root_key = _rsa("root")
        self._key = _rsa("intermediate")
        self._issued: dict[tuple[tuple[str, ...], Kind], Issued] = {}
        # The root is long-lived, so a clock that is a year wrong meets a bad leaf, as on the web.
        self.root = self._authority(
            _name("Lab Root R1"), self._root_key, _name("Lab Root R1"), self._root_key, 3650, None
        )
        self._intermediate = self._authority(
            _name("Lab TLS CA 1C3"), self._key, self.root.subject, self._root_key, 1800, 0
        )

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.PEM)

    def _authority(
        self,
        subject: x509.Name,
        key: rsa.RSAPrivateKey,
        issuer: x509.Name,
        issuer_key: rsa.RSAPrivateKey,
        days: int,
        path_length: int | None,
    ) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - days * _DAY)
            .not_valid_after(self._now + days * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        )
        if path_length is not None:
            builder = _with_addresses(builder, "r1").add_extension(_web_use(), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())

    def issue(self, *names: str, kind: Kind = "good") -> Issued:
        """A certificate for *names* (host names or addresses) with its chain; the same one for the same names."""
        known = self._issued.get((names, kind))
        if known is None:
            known = self._issued[names, kind] = self._issue(names, kind)
        return known

    def _issue(self, names: tuple[str, ...], kind: Kind) -> Issued:
        rsa_leaf = hashlib.sha256(names[0].encode()).digest()[0] % 3 == 0
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = _rsa("leaf") if rsa_leaf else _ec("leaf")
        if kind == "wrong_name":
            names = ("parked.hosting.example",)
        spans = {"expired": (-100, -7), "not_yet": (7, 97), "fresh": (-1, 89), "ending": (-89, 1)}
        start, end = spans.get(kind, (-20, 70))
        signer, issuer = self._key, self._intermediate.subject
        if kind == "self_signed":
            signer, issuer = key, _name(names[0])  # type: ignore[assignment]
        elif kind in _OTHER_AUTHORITIES:
            signer, issuer = _rsa(kind), _name(_OTHER_AUTHORITIES[kind])
        builder = (
            x509.CertificateBuilder()
            .subject_name(
                _name(names[0])
                if kind == "self_signed"
                else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
            )
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now + start * _DAY)
            .not_valid_after(self._now + end * _DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_alternative_names(names, 400 if kind == "huge" else 22), critical=False)
            .add_extension(_web_use(), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(x509.UnrecognizedExtension(_SCTS, _timestamps(3)), critical=False)
        )
        leaf = _with_addresses(builder, "1c3").sign(signer, hashes.SHA256())
        chain = leaf.public_bytes(serialization.Encoding.PEM)
        if kind in _OTHER_AUTHORITIES:
            own = self._authority(issuer, _rsa(kind), issuer, _rsa(kind), 3650, None)
            chain += own.public_bytes(serialization.Encoding.PEM)
        elif kind not in ("self_signed", "no_intermediate"):
            chain += self._intermediate.public_bytes(serialization.Encoding.PEM)
        return Issued(chain, _pem(key))


def authority(shift_days: int = 0) -> Authority:
    """One authority a process and year: making keys is what takes time."""
    # Labs begin side by side, and a cache alone lets two threads make one each: what one trusts is not what signs then.
    with _MAKING:
        return _made(shift_days)


@functools.cache
def _made(shift_days: int) -> Authority:
    return Authority(shift_days)


def _timestamps(count: int) -> bytes:
    """Signed certificate timestamps (RFC 6962 §3.3), well formed, of the usual size and signed by nobody."""
    one = (
        b"\0"
        + bytes(32)
        + (1_790_000_000_000).to_bytes(8, "big")
        + b"\0\0"
        + b"\x04\x03"
        + (71).to_bytes(2, "big")
        + bytes(71)
    )
    every = b"".join(len(one).to_bytes(2, "big") + one for _ in range(count))
    text = len(every).to_bytes(2, "big") + every
    return b"\x04\x82" + len(text).to_bytes(2, "big") + text


def _web_use() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


def _with_addresses(builder: x509.CertificateBuilder, issuer: str) -> x509.CertificateBuilder:
    def uri(text: str) -> x509.UniformResourceIdentifier:
        return x509.UniformResourceIdentifier(f"http://{text}")

    oid = AuthorityInformationAccessOID
    access = [
        x509.AccessDescription(oid.OCSP, uri(f"o.pki.lab.example/{issuer}")),
        x509.AccessDescription(oid.CA_ISSUERS, uri(f"i.pki.lab.example/{issuer}.der")),
    ]
    lists = [x509.DistributionPoint([uri(f"c.pki.lab.example/{issuer}/aK8s3.crl")], None, None, None)]
    policies = [x509.PolicyInformation(_DOMAIN_VALIDATED, None)]
    return (
        builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
        .add_extension(x509.CRLDistributionPoints(lists), critical=False)
        .add_extension(x509.CertificatePolicies(policies), critical=False)
    )


def _alternative_names(names: tuple[str, ...], others: int) -> x509.SubjectAlternativeName:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    # Large sites share one certificate among many names; none of these is anybody's.
    found += [x509.DNSName(f"*.s{number:02d}.{names[0]}.lab.example") for number in range(others)]
    return x509.SubjectAlternativeName(found)
