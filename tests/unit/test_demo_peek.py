"""What the demo's box on the path reads of a connection's first bytes."""

import random
import ssl

import pytest

from probe.demo.peek import has_encrypted, hello_complete, host_header, server_name
from probe.instruments.client_hello import client_hello


def hello(name: str | None) -> bytes:
    """A ClientHello as this Python sends it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_reads_the_name_of_a_hello() -> None:
    """The SNI of a real ClientHello is read, in lower case."""
    assert server_name(hello("Videos.Example")) == "videos.example"


def test_a_hello_without_a_name_has_none() -> None:
    """A ClientHello without server_name gives no name, and neither does what is no TLS."""
    assert server_name(hello(None)) is None
    assert server_name(b"GET / HTTP/1.1\r\n\r\n") is None
    assert server_name(b"") is None


@pytest.mark.parametrize("encrypted", [True, False])
def test_tells_whether_a_name_is_hidden_inside(encrypted: bool) -> None:
    """A greeting with an encrypted one inside is told from one of its length with padding, and both show their name."""
    seen = client_hello("outer.example", random.Random(1), encrypted=encrypted)
    assert has_encrypted(seen) is encrypted
    assert server_name(seen) == "outer.example"
    assert hello_complete(seen)
    assert not any(has_encrypted(seen[:length]) for length in range(200))


def test_a_cut_hello_is_not_whole_and_gives_no_error() -> None:
    """Every beginning of a ClientHello is incomplete, and reading a name from it never raises."""
    whole = hello("videos.example")
    for length in range(1, len(whole)):
        assert not hello_complete(whole[:length])
        assert server_name(whole[:length]) in (None, *("videos.example"[:n] for n in range(15)))
    assert hello_complete(whole)


def test_reads_the_host_of_a_request() -> None:
    """The Host header is found in any case, without its port, and only in the head."""
    assert (
        host_header(b"GET / HTTP/1.1\r\nAccept: */*\r\nhOsT: News.Example:80\r\n\r\nHost: body.example")
        == "news.example"
    )
    assert host_header(b"GET / HTTP/1.1\r\n\r\nHost: body.example\r\n") is None
