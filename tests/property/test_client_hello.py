"""A ClientHello that is built by hand reads as one, and its two forms differ in one extension."""

import pathlib
import random
import ssl
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.instruments.client_hello import ENCRYPTED, PADDING, client_hello
from probe.instruments.tls_records import parse_client_hello
from tests.integration.test_sink_quic import SHOWN

NAMES = st.from_regex(r"[a-z0-9-]{1,60}(\.[a-z0-9-]{1,60}){0,3}", fullmatch=True)


@given(NAMES, st.integers(0, 2**32), st.booleans())
def test_it_reads_as_a_greeting(name, seed, encrypted):
    """With the name in clear, and the one extension or the other."""
    read = parse_client_hello(client_hello(name, random.Random(seed), encrypted=encrypted))
    assert (read.sni, read.alpn, read.versions) == (name, ("h2", "http/1.1"), (0x0304, 0x0303))
    assert (ENCRYPTED in read.extensions, PADDING in read.extensions) == (encrypted, not encrypted)


@given(NAMES, st.integers(0, 2**32))
def test_the_two_forms_are_alike(name, seed):
    """Of one length and one content, but for that extension."""
    there, instead = (client_hello(name, random.Random(seed), encrypted=encrypted) for encrypted in (True, False))
    assert len(there) == len(instead)
    at = there.index(ENCRYPTED.to_bytes(2) + b"\0\xfa") if ENCRYPTED.to_bytes(2) + b"\0\xfa" in there else None
    assert at is not None
    assert there[11:43] == instead[11:43]
    assert there[76:at] == instead[76:at]


@pytest.mark.parametrize("name", ["", "x" * 256, "имя.example"])
def test_what_cannot_be_sent_is_refused(name):
    """Before anything is sent."""
    with pytest.raises(ValueError):
        client_hello(name, random.Random(1), encrypted=True)


@pytest.mark.parametrize("encrypted", [False, True])
def test_openssl_answers_it(encrypted):
    """With a ServerHello, whether it knows the extension or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        chain, key = (pathlib.Path(folder) / name for name in ("chain.pem", "key.pem"))
        chain.write_bytes(SHOWN.pem[0])
        key.write_bytes(SHOWN.pem[1])
        context.load_cert_chain(chain, key)
    inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(inbound, outbound, server_side=True)
    inbound.write(client_hello("cloudflare-ech.com", random.Random(1), encrypted=encrypted))
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    answer = outbound.read()
    assert (answer[0], answer[5]) == (22, 2)
