"""TLS records: our own ClientHello, and what the server says before it is encrypted."""

import ssl

import pytest

from probe.instruments.tls_records import ClientHello, Inbound, alert_in, cut, parse_client_hello
from probe.instruments.trust import arm_context


def hello_bytes(sni: str | None, alpn: tuple[str, ...] = ("h2", "http/1.1"), *, small: bool = False) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = arm_context(alpn, small=small).wrap_bio(incoming, outgoing, server_hostname=sni)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def record(kind: int, payload: bytes) -> bytes:
    return bytes((kind, 3, 3)) + len(payload).to_bytes(2) + payload


SERVER_HELLO = record(22, b"\x02\x00\x00\x26" + bytes(38))


def test_our_hello_is_read_back():
    """The parser finds the name, the protocols, TLS 1.2 and 1.3, and what Chrome offers of TLS 1.2."""
    hello = parse_client_hello(hello_bytes("example.test"))

    assert hello.sni == "example.test"
    assert hello.alpn == ("h2", "http/1.1")
    assert hello.versions == (0x0304, 0x0303)
    assert {0x1301, 0xC02F, 0x002F} <= set(hello.ciphers)
    assert hello.extensions[0] == 0 or 0 in hello.extensions
    assert 29 in hello.groups


def test_the_fingerprint_is_the_stacks_and_not_the_names():
    """Another name, a longer one, or none: the same fingerprint. Other protocols or groups: another."""
    prints = {parse_client_hello(hello_bytes(name)).fingerprint for name in ("a.test", "b" * 60 + ".test", None)}

    assert len(prints) == 1
    assert len(prints.copy().pop()) == 32
    assert parse_client_hello(hello_bytes("a.test", ("http/1.1",))).fingerprint not in prints
    assert parse_client_hello(hello_bytes("a.test", small=True)).fingerprint not in prints


def test_hellos_differ_in_what_the_fingerprint_leaves_out():
    """Random and key share change each time, so equal fingerprints are not equal bytes."""
    assert hello_bytes("a.test") != hello_bytes("a.test")


def test_hellos_of_names_of_any_length_are_equally_long():
    """Padding makes the name's length invisible, so arms of a pair are alike."""
    assert len(hello_bytes("a.test")) == len(hello_bytes("b" * 60 + ".test"))


def test_a_small_hello_fits_one_segment_and_has_one_classical_group():
    """Under 517 bytes and only P-256: no post-quantum share, whatever the OpenSSL."""
    data = hello_bytes("example.test", small=True)

    assert len(data) < 517
    assert parse_client_hello(data).groups == (23,)


@pytest.mark.parametrize(
    "data", [b"", b"\x16\x03\x01\x00\x05\x02\0\0\1\0", record(21, b"\2\50"), hello_bytes("a")[:-1]]
)
def test_what_is_no_client_hello_is_a_value_error(data: bytes):
    """Nothing, another message, another record and a cut hello are refused."""
    with pytest.raises(ValueError, match=r"ends too early|not a"):
        parse_client_hello(data)


def test_a_hello_without_extensions_is_read():
    """SSL 3 hellos end after the compression methods."""
    body = b"\x03\x00" + bytes(32) + b"\0" + b"\x00\x02\x00\x2f" + b"\x01\0"
    data = record(22, b"\x01" + len(body).to_bytes(3) + body)

    assert parse_client_hello(data) == ClientHello(version=0x0300, ciphers=(0x2F,), extensions=())


def test_a_server_hello_is_success():
    """The first handshake message of the server, even before all of it is here."""
    watch = Inbound()
    watch.feed(SERVER_HELLO[:6])

    assert watch.server_hello
    assert watch.answered


def test_a_fatal_alert_is_an_answer_and_no_success():
    """Alert 112 at level 2 ends it."""
    watch = Inbound()
    watch.feed(record(21, b"\x02\x70"))

    assert (watch.answered, watch.server_hello, watch.alert, watch.not_tls) == (True, False, 112, False)


def test_a_warning_is_noted_and_not_an_answer():
    """RFC 6066 lets a server warn of an unknown name and go on."""
    watch = Inbound()
    watch.feed(record(21, b"\x01\x70"))
    assert not watch.answered

    watch.feed(SERVER_HELLO)
    assert (watch.server_hello, watch.alert) == (True, 112)


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request", b"\x16\x02\x00\x00\x05\x02", record(22, b"\x0e\0\0\0")])
def test_other_bytes_are_no_tls(data: bytes):
    """Plain HTTP, another major version and another first message are not a ServerHello."""
    watch = Inbound()
    watch.feed(data)

    assert (watch.not_tls, watch.server_hello) == (True, False)


def test_encrypted_records_are_not_read():
    """After the ServerHello what looks like an alert may be ciphertext; the first bytes are kept, capped."""
    watch = Inbound()
    watch.feed(SERVER_HELLO + record(20, b"\1") + record(23, bytes(100)) + record(21, b"\x02\x28"))

    assert (watch.alert, watch.not_tls, len(watch.first)) == (None, False, 64)


def test_alerts_of_the_plain_part_of_a_handshake_are_seen():
    """In TLS 1.2 a server may send its certificate and then an alert in clear."""
    watch = Inbound()
    watch.feed(SERVER_HELLO + record(22, b"\x0b" + bytes(3000)) + record(21, b"\x02\x28"))

    assert watch.alert == 40


def test_our_own_alerts_are_read():
    """The alert that we send about a certificate, and none where there is none."""
    assert alert_in(record(21, b"\x02\x2a")) == 42
    assert alert_in(b"") is None
    assert alert_in(record(23, bytes(19))) is None


@pytest.mark.parametrize("name", ["example.test", "a.kz", "b" * 60 + ".test"])
def test_a_hello_in_two_segments_is_the_same_bytes(name):
    """Cut inside the name: neither piece has all of it."""
    hello = hello_bytes(name)
    first, second = cut(hello, "segments")

    assert first + second == hello
    assert name.encode() not in first
    assert name.encode() not in second


def test_a_hello_in_two_records_says_the_same():
    """Two records of one handshake message: their contents together are the first one's."""
    hello = hello_bytes("example.test")
    (both,) = cut(hello, "records")
    size = 5 + int.from_bytes(both[3:5])
    one, other = both[:size], both[size:]

    assert one[:3] == other[:3] == hello[:3]
    assert int.from_bytes(other[3:5]) == len(other) - 5
    assert one[5:] + other[5:] == hello[5:]
    assert b"example.test" not in both
    assert cut(hello, "both") == (one, other)


def test_a_hello_without_a_name_is_cut_in_its_middle():
    """There is nothing better."""
    hello = hello_bytes(None)
    assert len(cut(hello, "segments")[0]) == len(hello) // 2
