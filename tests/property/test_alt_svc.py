"""What a site says of HTTP/3 in its headers: whatever is written there, nothing raises, and only its own word counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.experiments.alt_svc import http3_port

HOST = "www.example.org"


@pytest.mark.parametrize(
    ("value", "port"),
    [
        ('h3=":443"; ma=86400', 443),
        ('h3=":443"; ma=86400, h3-29=":443"; ma=86400', 443),
        ('h2=":443", h3=":8443"', 8443),
        ('h3="www.example.org:443"', 443),
        ('h3="alt.example.net:443"', None),
        ('h3-29=":443"', None),
        ("clear", None),
        ('h3=":0"', None),
        ('h3=":70000"', None),
        ("h3=:443", None),
        ("", None),
    ],
)
def test_the_sites_own_word_is_taken(value, port):
    """HTTP/3 itself, at the site itself, on a port that there is."""
    assert http3_port((("Server", "nginx"), ("Alt-Svc", value)), HOST) == port


@given(st.lists(st.tuples(st.sampled_from(["alt-svc", "server"]), st.text(max_size=300))), st.text(max_size=40))
def test_whatever_is_written_there(headers, host):
    """A port or nothing."""
    found = http3_port(headers, host)
    assert found is None or 0 < found < 65536


@given(st.text(alphabet='h3=":; ,a', max_size=20_000))
def test_a_long_header_takes_no_longer(value):
    """What is read of a header is bounded."""
    http3_port((("alt-svc", value),), HOST)
