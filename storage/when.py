"""Moments and periods as people type them: ``7d``, ``2026-11-01``, ``2026-11-01T10:00Z``. Pure: now is passed in."""

from __future__ import annotations

import datetime as dt
import re

_PERIOD = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
HINT = "give a period back from now (30m, 12h, 7d, 2w) or a moment in UTC (2026-11-01, 2026-11-01T10:00)"


def parse_period(text: str) -> int:
    """A period (``90d``) in microseconds; ``ValueError`` with a hint for anything else."""
    match = _PERIOD.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no period; give 30m, 12h, 7d or 2w")
    return int(match[1]) * _SECONDS[match[2]] * 1_000_000


def parse_when(text: str, now_us: int) -> int:
    """A moment in UTC microseconds: that long before *now_us*, or a date (its first moment), or a date and time.

    What names no time zone is UTC. ``ValueError`` with a hint for anything else.
    """
    try:
        return now_us - parse_period(text)
    except ValueError:
        pass
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is no moment; {HINT}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def utc_text(moment_us: int) -> str:
    """RFC 3339 in UTC with microseconds and a ``Z``."""
    moment = _EPOCH + dt.timedelta(microseconds=moment_us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
