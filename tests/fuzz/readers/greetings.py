"""TLS: records, greetings, whole handshakes with OpenSSL in the middle; certificates (RFC 8446, RFC 5280)."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Hashable

from cryptography.hazmat.primitives.serialization import Encoding

from probe.instruments import certificates, der, tls, tls_records
from probe.instruments.tls import Hello
from probe.instruments.trust import Trust, arm_context
from probe.observations import TlsFact
from probe.wire import Wire
from tests import nano
from tests.fuzz.harness import Subject
from tests.fuzz.readers import Heard, cut, done, sound, stored

_NAME = "good.test"
_WIRE = Wire()


def _flight(version: ssl.TLSVersion) -> tuple[bytes, bytes]:
    """What a client and a server say first, to each other."""
    server_context = nano.identity(_NAME).context(alpn=["h2"])
    server_context.maximum_version = version
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_out = ssl.MemoryBIO()
    client = arm_context(("h2", "http/1.1"), small=False).wrap_bio(ssl.MemoryBIO(), client_out, server_hostname=_NAME)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side, move in ((client, None), (server, client_out)):
        if move is not None:
            hello = move.read()
            to_server.write(hello)
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return hello, to_client.read()


def _records(data: bytes) -> Hashable:
    """However it is cut, it means the same; and our own alert is read by the same reader."""
    whole, pieces = tls_records.Inbound(), tls_records.Inbound()
    whole.feed(data)
    for piece in cut(data):
        pieces.feed(piece)
    means = [(one.server_hello, one.alert, one.fatal, one.not_tls, one.first) for one in (whole, pieces)]
    assert means[0] == means[1]
    return (*means[0][:4], tls_records.alert_in(data))


def _hello(data: bytes) -> Hashable:
    """A greeting, and what it says can be sent on in pieces."""
    hello = tls_records.parse_client_hello(data)
    assert len(hello.fingerprint) == 32
    for form in ("segments", "records", "both"):
        tls_records.cut(data, form)
    return len(hello.extensions), hello.sni is None, len(hello.alpn)


@functools.cache
def _trust() -> Trust:
    return Trust.load({"SSL_CERT_FILE": nano.authority().file})


def _handshake(data: bytes) -> Hashable:
    """A server that says this to a greeting: verified, and as an arm."""
    shaken = done(tls.handshake(_WIRE, Heard(*cut(data)), hello=Hello(_NAME), trust=_trust(), host=_NAME, deadline_s=9))
    arm = done(tls.first_record(_WIRE, Heard(*cut(data)), hello=Hello(_NAME), deadline_s=9))
    assert shaken.stream is None
    assert isinstance(arm.fact, TlsFact)
    failure = sound(shaken.operation)
    assert failure is not None
    return failure, sound(arm), arm.fact.alert, arm.fact.server_hello


def _certificate(data: bytes) -> Hashable:
    """One certificate and a chain of it."""
    described = certificates.describe([data, data], keep_der=True)
    certificates.is_for(data, _NAME)
    certificates.is_for(data, "192.0.2.1")
    stored("tls", TlsFact(sni=None, verify=True, chain=described))
    return bool(described[0].subject), len(described[0].names), described[0].not_after_us == 0


def _der(data: bytes) -> Hashable:
    """The reader of names by itself: what cryptography refuses never gets to it in :func:`_certificate`."""
    hosts, addresses = der.names(data)
    assert sum(map(len, hosts)) <= 4 * len(data)
    return min(len(hosts), 5), min(len(addresses), 5)


_OLD, _NEW = _flight(ssl.TLSVersion.TLSv1_2), _flight(ssl.TLSVersion.TLSv1_3)
_ALERTS = tuple(bytes((21, 3, 3, 0, 2, level, number)) for level, number in ((1, 112), (2, 40), (2, 112)))
_SAID = (_OLD[1], _NEW[1], *_ALERTS, _ALERTS[0] + _NEW[1], b"HTTP/1.1 400 Bad Request\r\n\r\n")
_LEAF = nano.identity(_NAME).chain[0]
_LEAF_DER = _LEAF.public_bytes(Encoding.DER)
_OTHERS = tuple(
    one.public_bytes(Encoding.DER) for one in (nano.identity(_NAME).chain[-1], nano.identity("192.0.2.1").chain[0])
)
SUBJECTS = (
    Subject(name="tls-records", read=_records, seeds=_SAID),
    Subject(name="tls-hello", read=_hello, seeds=(_OLD[0], _NEW[0]), declared=(ValueError,)),
    Subject(name="tls-handshake", read=_handshake, seeds=_SAID),
    Subject(
        name="certificate",
        read=_certificate,
        seeds=(_LEAF_DER, _LEAF_DER.replace(b"good.test", b"good\0test"), *_OTHERS),
        seconds=0.6,
    ),
    Subject(name="der-names", read=_der, seeds=(_LEAF.tbs_certificate_bytes,), longest=100_000),
)
