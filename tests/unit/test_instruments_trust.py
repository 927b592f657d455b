"""Whose certificates are believed, what the contexts allow, and what is kept of a chain."""

import base64
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probe.instruments import certificates
from probe.instruments.trust import STACK, Stores, Trust, TrustError, arm_context
from tests import nano


def der(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


# ---------------------------------------------------------------------------------------------------------------------
# roots


def test_the_shipped_set_is_always_there():
    """Without SSL_CERT_FILE the Mozilla set is used, beside the system's store if the host has one."""
    trust = Trust.load({})

    assert trust.label.startswith("certifi ")
    assert not trust.replaced
    assert len(trust._shipped) > 50
    assert len(trust.context((), small=False).get_ca_certs()) >= len(trust._shipped)


def test_the_users_file_replaces_everything():
    """Its one root is all that is believed, and the label says which file."""
    trust = Trust.load({"SSL_CERT_FILE": nano.authority().file})

    assert trust.replaced
    assert trust.label == f"SSL_CERT_FILE={nano.authority().file}"
    assert len(trust.context((), small=False).get_ca_certs()) == 1
    assert trust.no_stores() == Stores(None, None)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "holds no usable PEM certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no usable PEM certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "holds no usable PEM certificate"),
    ],
)
def test_a_file_without_roots_is_refused_with_its_name(tmp_path: Path, content: str | None, words: str):
    """A user who names a wrong file is told which and why, before anything is measured."""
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(TrustError, match=words) as caught:
        Trust.load({"SSL_CERT_FILE": str(path)})
    assert str(path) in str(caught.value)


def test_comments_and_repeats_in_a_file_do_not_matter(tmp_path: Path):
    """Bundles have comments between certificates, and sometimes one twice."""
    pem = Path(nano.authority().file).read_text()
    path = tmp_path / "roots.pem"
    path.write_text(f"# Nano é\n{pem}\n# again\n{pem}")

    assert len(Trust.load({"SSL_CERT_FILE": str(path)})._shipped) == 1


def test_one_broken_root_costs_no_more_than_itself():
    """A system store that somebody has edited still counts, without the broken certificate."""
    good = der(nano.authority().root)
    trust = Trust("x", replaced=False, _shipped=(good,), _system=(b"\x30\x03abc", der(nano.authority("Other").root)))

    assert len(trust.context((), small=False).get_ca_certs()) == 2


def test_contexts_are_built_once_and_written_out():
    """TLS 1.2 at least, no compression or renegotiation, names checked; the same object each time."""
    trust = Trust.load({"SSL_CERT_FILE": nano.authority().file})
    context = trust.context(("h2",), small=False)

    assert trust.context(("h2",), small=False) is context
    assert trust.context(("h2",), small=True) is not context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.verify_flags == ssl.VERIFY_X509_TRUSTED_FIRST
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert arm_context(("h2",), small=False) is arm_context(("h2",), small=False)
    assert arm_context(("h2",), small=False).verify_mode is ssl.CERT_NONE
    assert STACK.endswith(" ".join(ssl.OPENSSL_VERSION.split()[:2]))


def test_the_stores_are_asked_one_by_one_only_where_they_differ():
    """The root in both, in one, in neither but reachable by a cross-sign, in neither."""
    usual, other = nano.authority(), nano.authority("Other")
    leaf = usual.issue("good.test")
    sent = tuple(der(c) for c in leaf.chain)
    root, foreign = der(usual.root), der(other.root)

    def stores(shipped: bytes, *system: bytes) -> Stores:
        trust = Trust("x", replaced=False, _shipped=(shipped,), _system=system)
        return trust.stores((*sent, root), sent, "good.test")

    assert stores(root, root, foreign) == Stores(shipped=True, system=True)
    assert stores(root, foreign) == Stores(shipped=True, system=False)
    assert stores(foreign, root) == Stores(shipped=False, system=True)
    # The chain ended in a root that the shipped set lacks, but its intermediate is a root there.
    assert stores(der(usual.intermediate), root) == Stores(shipped=True, system=True)


def test_no_system_store_has_no_opinion():
    """None is "there is none", not "no"."""
    leaf = nano.authority().issue("good.test")
    sent = tuple(der(c) for c in leaf.chain)
    trust = Trust("x", replaced=False, _shipped=(der(nano.authority().root),), _system=None)

    assert trust.stores((*sent, der(nano.authority().root)), sent, "good.test") == Stores(True, None)
    assert trust.no_stores() == Stores(False, None)


# ---------------------------------------------------------------------------------------------------------------------
# certificates


def test_a_chain_is_described_leaf_first():
    """Names, dates, hashes; the DER only when asked for."""
    leaf = nano.authority().issue("good.test", "127.0.0.1", "::1")
    chain = [der(c) for c in (*leaf.chain, nano.authority().root)]
    first, second, third = certificates.describe(chain, keep_der=True)

    assert first.names == ("good.test", "127.0.0.1", "::1")
    assert (first.subject, first.issuer, first.self_issued) == ("CN=good.test", "CN=Nano Root CA 1", False)
    assert (second.subject, third.self_issued) == ("CN=Nano Root CA 1", True)
    assert first.not_before_us < datetime.now(UTC).timestamp() * 1e6 < first.not_after_us
    assert len(first.sha256) == len(first.spki_sha256 or "") == 64
    assert base64.b64decode(first.der_base64 or "") == chain[0]
    assert [c.der_base64 for c in certificates.describe(chain, keep_der=False)] == [None] * 3


def test_what_cannot_be_parsed_keeps_its_hash():
    """A forged blob is still evidence."""
    (described,) = certificates.describe([b"\x30\x03abc"], keep_der=True)

    assert (described.subject, described.issuer, described.names) == ("", "", ())
    assert len(described.sha256) == 64
    assert described.der_base64


def test_huge_chains_are_capped():
    """Many names, many certificates and many bytes are told as few."""
    leaf = nano.authority().issue("a.test", *(f"n{n}.{'x' * 50}.test" for n in range(600)))
    chain = [der(leaf.chain[0])] * 30
    described = certificates.describe(chain, keep_der=True)

    assert len(chain[0]) > 32_768
    assert len(described) == certificates.MAX_CERTIFICATES
    assert len(described[0].names) == certificates.MAX_NAMES
    assert {c.der_base64 for c in described} == {None}


@pytest.mark.filterwarnings("ignore")
def test_odd_certificates_are_described_as_far_as_they_can_be():
    """A country of three letters, no alternative names, a subject of a kilobyte."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "KAZ", _validate=False),
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x" * 64) for _ in range(20)),
        ]
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = (
        builder.serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (described,) = certificates.describe([der(certificate)], keep_der=False)

    assert (described.names, described.self_issued) == ((), True)
    assert len(described.subject) == certificates.MAX_SUBJECT
    assert not certificates.is_for(der(certificate), "good.test")


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("good.test", True),
        ("GOOD.test", True),
        ("a.wild.test", True),
        ("a.b.wild.test", False),
        ("wild.test", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("other.test", False),
    ],
)
def test_whom_a_certificate_is_for(host: str, fits: bool):
    """Exact names, one left-most label under a wildcard, addresses as addresses."""
    leaf = der(nano.identity("good.test", "*.wild.test", "192.0.2.1").chain[0])

    assert certificates.is_for(leaf, host) is fits


def test_a_broken_certificate_is_for_nobody():
    """Garbage names no host."""
    assert not certificates.is_for(b"garbage", "good.test")


def test_what_is_let_go_is_built_again_and_the_usual_one_stays():
    """Tickets are good in the context that they came from, so that of the usual greeting is the same one for good."""
    trust = Trust("x", replaced=False, _shipped=(der(nano.authority().root),), _system=None)
    usual, other = trust.context(("h2", "http/1.1"), small=False), trust.context(("http/1.1",), small=False)
    small = trust.context(("h2", "http/1.1"), small=True)
    trust.let_go(("h2", "http/1.1"))
    assert trust.context(("h2", "http/1.1"), small=False) is usual
    assert trust.context(("http/1.1",), small=False) is not other
    assert trust.context(("h2", "http/1.1"), small=True) is not small
