"""Times and durations in the reader's language and in local time. Pure: the time zone is passed in.

An interval is widened to whole minutes, never narrowed: what began between 20:50:30 and 20:59:10 is told as between 20:50
and 21:00.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from probe.daemon.words import Words

Local = Callable[[int], datetime]
"""UTC microseconds to an aware datetime of the reader's time zone."""

_MINUTE_US = 60_000_000


def here(us: int) -> datetime:
    """The time zone of this host, with the rule that held at that very moment."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).astimezone()


@dataclass(frozen=True, slots=True)
class Times:
    """Says times. ``now_us``: when they are said; a year is named only if it is another one."""

    words: Words
    local: Local
    now_us: int

    def interval(self, after_us: int | None, by_us: int) -> str:
        """``on 22 November between 20:50 and 21:00 (UTC+5)``; one moment if nothing is known of the time before."""
        by = self.local(-(-by_us // _MINUTE_US) * _MINUTE_US)
        if after_us is None:
            return self._at(by)
        after = self.local(after_us // _MINUTE_US * _MINUTE_US)
        if after == by:
            return self._at(by)
        start = _clock(after) if after.utcoffset() == by.utcoffset() else _with_zone(after)
        places = {"from": start, "until": _with_zone(by)}
        if after.date() == by.date():
            return self.words.say("time.between", day=self._day(by), **places)
        return self.words.say("time.between_days", from_day=self._day(after), until_day=self._day(by), **places)

    def moment(self, us: int) -> str:
        """``21:00 (UTC+5), 22 November``."""
        return self._at(self.local(us // _MINUTE_US * _MINUTE_US))

    def duration(self, us: int) -> str:
        """In two units at most: ``3 days 4 hours``, ``2 hours 10 minutes``."""
        minutes = max(us, 0) // _MINUTE_US
        if minutes == 0:
            return self.words.say("time.less_than_a_minute")
        units = (("time.days", minutes // 1440), ("time.hours", minutes // 60 % 24), ("time.minutes", minutes % 60))
        first = next(index for index, (_name, count) in enumerate(units) if count)
        return " ".join(self.words.count(name, count) for name, count in units[first : first + 2] if count)

    def _at(self, when: datetime) -> str:
        return self.words.say("time.at", until=_with_zone(when), until_day=self._day(when))

    def _day(self, when: datetime) -> str:
        month = self.words.months()[when.month - 1]
        if when.year == self.local(self.now_us).year:
            return self.words.say("time.day", day=when.day, month=month)
        return self.words.say("time.day_year", day=when.day, month=month, year=when.year)


def _clock(when: datetime) -> str:
    return f"{when:%H:%M}"


def _with_zone(when: datetime) -> str:
    """``21:00 (UTC+5)``: names of time zones are ambiguous, and half of them are not known to people."""
    offset = when.utcoffset()
    assert offset is not None
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    zone = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"
    return f"{_clock(when)} ({zone})"
