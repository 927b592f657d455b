"""Which messages go together, and when. Pure.

Everything that waits for one channel and is about one incident goes in one message, so whoever was offline for a day reads
one message an incident and not forty. The oldest goes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probe.daemon.telling.items import Item, ItemError, from_payload
from probe.settings.notify import DAYS, Channel, Quiet
from storage.outbox import Message as Row

_SECOND_US = 1_000_000
_FIRST_S, _LONGEST_S = 60, 3600
_REFUSED_FIRST_S, _REFUSED_LONGEST_S = 900, 21_600
"""Who has said no will say it again: an account is not to be locked by us."""
MOST_WAITING = 500
"""For one channel. The newest are kept: of an old incident the end is what people want to know."""
OLDEST_US = 30 * 86_400 * _SECOND_US
"""A shutdown may last for days; what is older than a month is in ``dalel incidents``, and news no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What goes in one message: the rows of the outbox, and what they tell, in its order. ``attempts`` so far."""

    channel: str
    rows: tuple[int, ...]
    items: tuple[Item, ...]
    attempts: int
    due: bool


@dataclass(frozen=True, slots=True)
class Sorted:
    """What waits: in parcels, oldest first; and rows that are not to be sent any more, each with the reason."""

    parcels: tuple[Parcel, ...]
    dropped: Mapping[int, str]


def sort(rows: Sequence[Row], channels: Sequence[Channel], now_us: int, *, at_once: bool = False) -> Sorted:
    """*rows* as they wait. *at_once*: whatever failed before is due now, because the way out has just come back."""
    dropped: dict[int, str] = {}
    read: dict[tuple[str, str], list[tuple[Row, Item]]] = {}
    kept = _kept(rows, {channel.name for channel in channels}, now_us, dropped)
    for row in sorted(kept, key=lambda row: row.id):
        try:
            item = from_payload(row.payload)
        except ItemError as error:
            dropped[row.id] = str(error)
        else:
            read.setdefault((row.channel, item.incident.id), []).append((row, item))
    parcels = tuple(_parcel(channel, pairs, now_us, at_once=at_once) for (channel, _incident), pairs in read.items())
    return Sorted(parcels, dropped)


def next_try_us(now_us: int, attempts: int, *, refused: bool) -> int:
    """When to try again after *attempts* failures, of which the last has just come."""
    first, longest = (_REFUSED_FIRST_S, _REFUSED_LONGEST_S) if refused else (_FIRST_S, _LONGEST_S)
    return now_us + min(first << min(attempts - 1, 20), longest) * _SECOND_US


def is_quiet(quiet: Quiet, now: datetime) -> bool:
    """Whether *now*, in local time, lies in it. Only the hands of the clock count, so no change of the clocks matters."""
    minute = now.hour * 60 + now.minute
    today, yesterday = DAYS[now.weekday()], DAYS[(now - timedelta(days=1)).weekday()]
    if quiet.begins < quiet.ends:
        return today in quiet.days and quiet.begins <= minute < quiet.ends
    return (today in quiet.days and minute >= quiet.begins) or (yesterday in quiet.days and minute < quiet.ends)


# ---------------------------------------------------------------------------------------------------------------------


def _kept(rows: Sequence[Row], known: set[str], now_us: int, dropped: dict[int, str]) -> list[Row]:
    """Those that can still be sent; the others go to *dropped*."""
    kept: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.id, reverse=True):
        of_channel = kept.setdefault(row.channel, [])
        if row.channel not in known:
            dropped[row.id] = f"there is no channel {row.channel} any more"
        elif now_us - row.made_us > OLDEST_US:
            dropped[row.id] = "it has waited for a month"
        elif len(of_channel) >= MOST_WAITING:
            dropped[row.id] = f"more than {MOST_WAITING} were waiting"
        else:
            of_channel.append(row)
    return [row for of_channel in kept.values() for row in of_channel]


def _parcel(channel: str, pairs: Sequence[tuple[Row, Item]], now_us: int, *, at_once: bool) -> Parcel:
    items: dict[str, Item] = {}
    for _row, item in pairs:
        items.setdefault(item.id, item)  # one that was put in twice is told once
    return Parcel(
        channel=channel,
        rows=tuple(row.id for row, _item in pairs),
        items=_worth_telling(tuple(items.values())),
        attempts=max(row.attempts for row, _item in pairs),
        due=at_once or any(_is_due(row, now_us) for row, _item in pairs),
    )


def _worth_telling(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Without reminders that something has overtaken: of several only the last, and none of what has changed since."""
    return tuple(item for item in items[:-1] if item.kind != "reminder") + items[-1:]


def _is_due(row: Row, now_us: int) -> bool:
    """A wait that is longer than any is a clock that was set back."""
    return row.next_us <= now_us or row.next_us > now_us + _REFUSED_LONGEST_S * _SECOND_US
