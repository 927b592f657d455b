"""The names of a certificate, whatever else is wrong with it."""

import datetime as dt
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from probe.instruments import certificates, der

KEY = ec.generate_private_key(ec.SECP256R1())
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
BROKEN = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.19"), b"\x30\x7fno basic constraints")
NAMES = (x509.DNSName("www.example"), x509.IPAddress(ipaddress.ip_address("2001:db8::1")), x509.DNSName("*.b.example"))


def made(*extensions: x509.ExtensionType, critical: bool = False) -> bytes:
    """A leaf with these extensions, as DER."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    builder = x509.CertificateBuilder(subject, subject, KEY.public_key(), 7, DAY, DAY + dt.timedelta(days=9))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("before", [True, False])
def test_a_malformed_extension_costs_no_name(before: bool, critical: bool):
    """The name by which the site is known is kept, wherever the broken extension stands."""
    good = x509.SubjectAlternativeName(NAMES)
    leaf = made(*((BROKEN, good) if before else (good, BROKEN)), critical=critical)
    (described,) = certificates.describe([leaf], keep_der=False)
    assert described.names == ("www.example", "*.b.example", "2001:db8::1")
    assert certificates.is_for(leaf, "www.example")
    assert certificates.is_for(leaf, "a.b.example")
    assert certificates.is_for(leaf, "2001:db8:0::1")
    assert not certificates.is_for(leaf, "a.a.b.example")


def test_no_names_where_there_are_none():
    """A leaf without the extension, and one whose extension of names is itself broken."""
    broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x84\xff\xff\xff\xffwww.example")
    for leaf in (made(), made(broken)):
        (described,) = certificates.describe([leaf], keep_der=False)
        assert described.names == ()
        assert not certificates.is_for(leaf, "www.example")


@given(st.binary(max_size=400))
def test_any_bytes_are_read_to_the_end(data: bytes):
    """Whatever a stranger sends: names or none, and no error."""
    assert isinstance(der.names(data), tuple)


@given(st.binary(min_size=1, max_size=40), st.integers(min_value=0))
def test_a_damaged_certificate_is_no_error(damage: bytes, place: int):
    """A real one with bytes overwritten anywhere."""
    whole = x509.load_der_x509_certificate(made(x509.SubjectAlternativeName(NAMES))).tbs_certificate_bytes
    at = place % len(whole)
    hosts, addresses = der.names(whole[:at] + damage + whole[at + len(damage) :])
    assert all(isinstance(name, str) for name in (*hosts, *addresses))
