"""What a certificate says of itself, read by hand: held against the library that the hand stands in for."""

import datetime as dt
import hashlib
import re
import ssl
import warnings
from pathlib import Path

import certifi
import pytest
from cryptography import x509 as library
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import NameAttribute, NameOID, ObjectIdentifier, RelativeDistinguishedName
from cryptography.x509.name import _ASN1Type
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from probe.instruments import x509

KEY = ec.generate_private_key(ec.SECP256R1())
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PEMS = re.findall("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----", Path(certifi.where()).read_text())
KINDS = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.SERIAL_NUMBER, ObjectIdentifier("1.2.840.99999.3"))
TYPES = (_ASN1Type.UTF8String, _ASN1Type.BMPString, _ASN1Type.UniversalString)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=15)
attributes = st.builds(NameAttribute, st.sampled_from(KINDS), texts, st.sampled_from(TYPES))
relatives = st.lists(attributes, min_size=1, max_size=3, unique_by=lambda one: (one.oid, one.value))
names = st.lists(relatives.map(RelativeDistinguishedName), max_size=4).map(library.Name)


def made(
    subject: library.Name,
    issuer: library.Name,
    begins: dt.datetime = DAY,
    ends: dt.datetime = DAY + dt.timedelta(days=9),
) -> bytes:
    """A certificate with these names and dates, as DER."""
    builder = library.CertificateBuilder(issuer, subject, KEY.public_key(), 7, begins, ends)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def known(text: str) -> library.Name:
    return library.Name([NameAttribute(NameOID.COMMON_NAME, text)])


def by_library(encoded: bytes) -> x509.X509:
    with warnings.catch_warnings(action="ignore"):
        one = library.load_der_x509_certificate(encoded)
        return x509.X509(
            tbs=one.tbs_certificate_bytes,
            subject=one.subject.rfc4514_string(),
            issuer=one.issuer.rfc4514_string(),
            self_issued=one.subject == one.issuer,
            not_before_us=round(one.not_valid_before_utc.timestamp() * 1e6),
            not_after_us=round(one.not_valid_after_utc.timestamp() * 1e6),
            key=one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )


@pytest.mark.parametrize("pem", PEMS, ids=lambda pem: hashlib.sha256(pem.encode()).hexdigest()[:8])
def test_every_shipped_root_is_read_as_the_library_reads_it(pem: str):
    """Names in four kinds of strings, dates of both kinds, keys of both kinds, as the world's authorities write them."""
    encoded = ssl.PEM_cert_to_DER_cert(pem)
    assert x509.read(encoded) == by_library(encoded)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names, names)
@example(known(' #a,b+c;d<e>"f\\g\0 '), known("#"))
@example(known(" "), known(" "))
def test_names_are_written_as_the_library_writes_them(subject: library.Name, issuer: library.Name):
    """Whatever characters, in names of several parts and parts of several attributes."""
    encoded = made(subject, issuer)
    assert x509.read(encoded) == by_library(encoded)


@pytest.mark.parametrize("year", [1950, 1999, 2000, 2049, 2050, 9999])
def test_dates_of_both_kinds(year: int):
    """Two digits for a year until 2049, four from then on (RFC 5280 §4.1.2.5)."""
    moment = dt.datetime(year, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    encoded = made(known("a"), known("b"), dt.datetime(1950, 1, 1, tzinfo=dt.UTC), moment)
    assert x509.read(encoded) == by_library(encoded)


def test_latin_letters_of_old_certificates_are_read():
    """T61String is Latin-1 where it is not UTF-8: an authority's name is still evidence."""
    good = made(library.Name([NameAttribute(NameOID.ORGANIZATION_NAME, "Postgiro", _ASN1Type.UTF8String)]), known("b"))
    old = good.replace(b"\x0c\x08Postgiro", b"\x14\x08Stra\xdfe 1")
    found = x509.read(old)
    assert found is not None
    assert found.subject == "O=Straße 1"


@pytest.mark.parametrize(
    ("was", "now", "left"),
    [
        (b"\x17\x0d260101000000Z", b"\x17\x0d261301000000Z", None),
        (b"\x17\x0d260101000000Z", b"\x17\x0d26010100+500Z", None),
        (b"\x06\x03\x55\x04\x03", b"\x06\x03\x55\x04\x83", ""),
        (b"\x31\x0c\x30\x0a", b"\x32\x0c\x30\x0a", ""),
    ],
    ids=["month 13", "time zone", "identifier", "no set"],
)
def test_what_is_not_in_order_is_left_out(was: bytes, now: bytes, left: str | None):
    """A date that is none makes it no certificate; a name that is none is empty, and is not the other one either."""
    good = made(known("abc"), known("abc"))
    assert was in good
    found = x509.read(good.replace(was, now))
    assert (found and found.subject) == left
    assert found is None or not found.self_issued


def test_a_name_without_end_is_none():
    """Thousands of attributes are somebody's joke."""
    endless = library.Name([NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, str(n)) for n in range(101)])
    found = x509.read(made(endless, known("b")))
    assert found is not None
    assert (found.subject, found.issuer) == ("", "CN=b")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(min_value=0), st.binary(min_size=1, max_size=12))
def test_a_damaged_certificate_is_no_error(data: bytes, place: int, damage: bytes):
    """Anything, and a real one with bytes overwritten anywhere; where the library reads it too, it reads the same dates."""
    good = made(known("abc"), known("b"))
    at = place % len(good)
    for encoded in (data, good[:at] + damage + good[at + len(damage) :]):
        found = x509.read(encoded)
        try:
            theirs = by_library(encoded)
        except Exception:
            continue
        assert found is not None
        assert (found.not_before_us, found.not_after_us) == (theirs.not_before_us, theirs.not_after_us)
