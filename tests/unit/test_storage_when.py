"""Moments and periods as people type them."""

import pytest

from storage.when import parse_period, parse_when, utc_text

NOW_US = 1_795_000_000_000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", NOW_US - 7 * 86_400_000_000),
        ("12h", NOW_US - 43_200_000_000),
        (" 30M ", NOW_US - 1_800_000_000),
        ("2w", NOW_US - 1_209_600_000_000),
        ("2026-11-01", 1_793_491_200_000_000),
        ("2026-11-01T10:00", 1_793_527_200_000_000),
        ("2026-11-01T10:00Z", 1_793_527_200_000_000),
        ("2026-11-01T15:00+05:00", 1_793_527_200_000_000),
        ("2026-11-01T10:00:00.000001", 1_793_527_200_000_001),
    ],
)
def test_moments(text: str, expected: int) -> None:
    """A period counts back from now; what names no time zone is UTC."""
    assert parse_when(text, NOW_US) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "1.5d", "2026-13-01", "99999999d"])
def test_what_is_no_moment_gets_a_hint(text: str) -> None:
    """The error says what could be typed instead."""
    with pytest.raises(ValueError, match="7d"):
        parse_when(text, NOW_US)
    with pytest.raises(ValueError, match="7d"):
        parse_period(text)


def test_a_moment_is_shown_in_utc() -> None:
    """RFC 3339 with microseconds and a Z."""
    assert utc_text(1_793_527_200_000_001) == "2026-11-01T10:00:00.000001Z"
