"""Whatever a server sends as Location, the probe goes somewhere on the web or nowhere."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.experiments.website import redirect

HERE = "https://site.example/a/b?c=d"


@given(st.text(max_size=200) | st.sampled_from(["http://[bad", "http://x:99999/", "https://x:0/", "http://a..b/"]))
def test_any_location_is_a_web_address_or_nothing(location: str):
    """Never an exception; what comes back has a scheme, a host and a port that can be connected to."""
    found = redirect(HERE, location)
    if found is not None:
        parts = urlsplit(found)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert (parts.port or 443) in range(1, 65536)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/next", "https://site.example/next"),
        ("?x", "https://site.example/a/b?x"),
        ("//other.example/y", "https://other.example/y"),
        (" http://plain.example/ ", "http://plain.example/"),
        ("mailto:a@b.example", None),
        ("javascript:alert(1)", None),
        ("", None),
        (None, None),
        ("http://[bad", None),
        ("http://host:99999/", None),
    ],
)
def test_locations_lead_where_a_browser_goes(location: str | None, expected: str | None):
    """Relative references are resolved (RFC 3986 §5), other schemes and nonsense lead nowhere."""
    assert redirect(HERE, location) == expected


def test_an_upgrade_in_capitals_is_one_to_https():
    """What is judged by the beginning of an address is judged as what it is: nobody on the way wrote that page."""
    assert redirect("http://site.example/", "HTTPS://Other.example/y") == "https://Other.example/y"
