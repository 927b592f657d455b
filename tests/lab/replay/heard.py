"""Whether people were told: every incident once, as soon as there was a way to tell it. Pure: messages in, complaints out."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.replay.harness import moment_of
from tests.lab.replay.model import RECOVERY, Event
from tests.lab.replay.score import Said

_OFFLINE = "no_network"
_MOMENT = dt.timedelta(minutes=1)
MOST_IN_A_MINUTE = 2
"""Messages about one incident: that it began, and what has joined it since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message that arrived abroad, in the times of the event: about which incident, and the kinds of what it tells."""

    at: dt.datetime
    incident: str
    kinds: tuple[str, ...]


def read(file: Path, shift: dt.timedelta) -> tuple[Heard, ...]:
    """What the ear wrote down; the event was moved by *shift*."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return tuple(
        Heard(
            at=moment_of(row["at_us"]) - shift,
            incident=row["body"]["incident"]["id"],
            kinds=tuple(item["kind"] for item in row["body"]["events"]),
        )
        for row in rows
    )


def unheard(event: Event, told: Iterable[Said], heard: Sequence[Heard]) -> list[str]:
    """What is wrong with how *told* was passed on; nothing if all of it arrived once, and in time."""
    wrong = []
    for said in told:
        mine = [message for message in heard if message.incident == said.id]
        for kind, moment in (("opened", said.opened), ("closed", said.closed)):
            # What nobody could be told before the replay was over is not asked for.
            if moment is not None and _next_access(event, moment) < event.ends - RECOVERY:
                wrong += _once_in_time(event, said, kind, moment, mine)
    together = Counter((message.incident, message.at.replace(second=0, microsecond=0)) for message in heard)
    wrong += [
        f"{count} messages about one incident at {moment:%m-%d %H:%M}"
        for (_, moment), count in together.items()
        if count > MOST_IN_A_MINUTE
    ]
    return wrong


def _once_in_time(event: Event, said: Said, kind: str, moment: dt.datetime, messages: Sequence[Heard]) -> list[str]:
    what = f"that {said.status}/{said.method or '-'} {kind} at {moment:%m-%d %H:%M}"
    about = [message for message in messages if kind in message.kinds]
    if not about:
        return [f"nobody was told {what}"]
    # What opened again is over once more.
    again = sum("reopened" in message.kinds for message in messages) if kind == "closed" else 0
    if len(about) > 1 + again:
        return [f"told {len(about)} times {what}"]
    latest = _next_access(event, moment) + RECOVERY
    at = about[-1].at
    if at > latest + _MOMENT:
        return [f"told at {at:%m-%d %H:%M} {what}, and not by {latest:%m-%d %H:%M}"]
    return []


def _next_access(event: Event, moment: dt.datetime) -> dt.datetime:
    """When somebody abroad can be told of what happened at *moment*: at once, or when the closure that holds then is over."""
    for truth in event.truths:
        ended = truth.ended or event.ends
        if all(status == _OFFLINE for status, _ in truth.words) and truth.began <= moment < ended:
            return ended
    return moment
