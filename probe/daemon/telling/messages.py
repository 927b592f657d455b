"""What people read: one message for everything that there is to tell of one incident. Pure.

A message says what the verdicts said and nothing more: "blocked" only of an incident whose status is ``blocked``, times as
intervals, and never who decided anything.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from probe.daemon.telling.items import Item
from probe.daemon.telling.times import Local, Times
from probe.daemon.words import Words
from probe.incidents.model import Incident
from probe.incidents.parts import Parts
from probe.report.safe import safe
from probe.settings.notify import EventKind

_MOST_PLATFORMS = 8
_LONGEST_NAME = 60
_LATE_US = 15 * 60 * 1_000_000
"""From here on a message says that it is late, and why."""
_MIDDLE: tuple[EventKind, ...] = ("reopened", "widened", "narrowed", "method")
"""What is told in a line of its own, beside how it began and ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """``id`` is the same whenever the same things are told to the same channel. ``urgent``: worth a sound.

    ``thread``: the same for all messages of an incident. ``kind``: of what happened last, or ``test``.
    """

    id: str
    thread: str
    kind: str
    title: str
    text: str
    language: str
    urgent: bool = False
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How messages of a channel are written."""

    words: Words
    local: Local
    channel: str
    probe: str | None = None
    parts: Parts = field(default_factory=Parts)


def compose(items: Sequence[Item], style: Style, now_us: int) -> Message:
    """One message of *items*, which are of one incident and in their order; at least one."""
    items = tuple(items)
    told = [replace(item, incident=style.parts.shown(item.incident)) for item in items]
    incident, kind = told[-1].incident, _headline(items)
    title = "left" if _has_left(incident) else kind
    times = Times(style.words, style.local, now_us)
    return Message(
        id=_id(style.channel, *(item.id for item in items)),
        thread=_id(incident.id),
        kind=kind,
        title=_named(style, style.words.say(f"title.{title}", subject=subject(incident, style.words))),
        text="\n".join(_lines(told, times)),
        language=style.words.language,
        urgent=kind in ("opened", "reopened") and incident.status in ("blocked", "no_network"),
        items=items,
    )


def a_test(style: Style, now_us: int) -> Message:
    """A message by which somebody sees that messages arrive."""
    return Message(
        id=_id(style.channel, "test", str(now_us)),
        thread=_id("test"),
        kind="test",
        title=_named(style, style.words.say("test.title")),
        text=style.words.say("test.text"),
        language=style.words.language,
    )


def subject(incident: Incident, words: Words) -> str:
    """``Blocked: Telegram, Signal``; of the own side only what is the matter."""
    short = words.deepest("short", incident.status, incident.method)
    if not _has_platforms(incident):
        return short
    return words.say("title.of", short=short, platforms=_platforms(incident.platforms, words))


def what(incident: Incident, words: Words) -> str:
    """What *incident* is, in one sentence that says as much as its method allows."""
    return words.deepest("what", incident.status, incident.method)


# ---------------------------------------------------------------------------------------------------------------------


def _headline(items: Sequence[Item]) -> EventKind:
    """What happened, in a word: that it is over outranks that it began, and that it began whatever came in between."""
    kinds = [item.kind for item in items]
    if items[-1].incident.state == "closed":
        return "closed"
    began: tuple[EventKind, ...] = ("reopened", "opened")
    return next((kind for kind in began if kind in kinds), kinds[-1])


def _named(style: Style, title: str) -> str:
    return style.words.say("title.probe", probe=safe(style.probe, 60), title=title) if style.probe else title


def _has_platforms(incident: Incident) -> bool:
    """What is wrong with the own side is told of no platform, but a filter is one of names."""
    return bool(incident.platforms) and (incident.status != "no_network" or incident.method == "filter")


def _platforms(names: Sequence[str], words: Words) -> str:
    shown = ", ".join(safe(name, _LONGEST_NAME) for name in names[:_MOST_PLATFORMS])
    left = len(names) - _MOST_PLATFORMS
    return f"{shown} {words.count('line.and_more', left)}" if left > 0 else shown


def _lines(items: Sequence[Item], times: Times) -> Iterator[str]:
    words, incident = times.words, items[-1].incident
    yield what(incident, words)
    if _has_platforms(incident):
        yield words.say("line.platforms", platforms=_platforms(incident.platforms, words))
    yield _began(incident, times)
    yield from (line for item in _joined(items, times) for line in _between(item, times))
    yield from _ended(incident, times)
    if incident.where not in (None, "unknown"):
        yield words.say("where.line", place=words.say(f"where.{incident.where}"))
    if incident.holes and incident.state == "open":
        yield words.say("line.holes", holes=", ".join(safe(hole, _LONGEST_NAME) for hole in incident.holes[:12]))
    if incident.confidence is not None:
        yield _sure(incident.confidence, words)
    if incident.status == "blocked":
        yield words.say("line.who")
    if (late_us := times.now_us - items[-1].at_us) > _LATE_US and items[-1].kind != "reminder":
        yield words.say("line.waited", duration=times.duration(late_us))
    yield words.say("line.more")


def _joined(items: Sequence[Item], times: Times) -> Iterator[Item]:
    """What happened in between; platforms that were added in the same minute are one line."""
    middle = [item for item in items if item.kind in _MIDDLE]
    for (kind, _), group in itertools.groupby(middle, key=lambda item: (item.kind, times.moment(item.at_us))):
        same = list(group)
        if kind not in ("widened", "narrowed"):
            yield from same
            continue
        names = dict.fromkeys(str(name) for item in same for name in item.detail.get("platforms") or ())
        yield replace(same[-1], detail={**same[-1].detail, "platforms": tuple(names)})


def _began(incident: Incident, times: Times) -> str:
    when = times.interval(incident.began_after_us, incident.began_by_us)
    return times.words.say("line.began" if incident.began_after_us is not None else "line.began_before", when=when)


def _ended(incident: Incident, times: Times) -> Iterator[str]:
    words, least_us = times.words, _least_us(incident)
    if _has_left(incident):
        yield words.say("line.left")
    if incident.ended_by_us is None:
        if least_us is not None and incident.state == "open" and least_us >= _LATE_US:
            yield words.say("line.goes_on", least=times.duration(least_us))
        return
    when = times.interval(incident.ended_after_us, incident.ended_by_us)
    yield words.say("line.ended" if incident.ended_after_us is not None else "line.ended_by", when=when)
    least = None if least_us is None else times.duration(least_us)
    most = None if incident.began_after_us is None else times.duration(incident.ended_by_us - incident.began_after_us)
    if least and most:
        yield words.say("line.lasted", least=least, most=most)
    elif least:
        yield words.say("line.lasted_least", least=least)
    elif most:
        yield words.say("line.lasted_most", most=most)


def _has_left(incident: Incident) -> bool:
    """Whether this computer moved to another network before it was over: then nobody here knows its end."""
    return incident.state == "closed" and incident.ended_by_us is None


def _least_us(incident: Incident) -> int | None:
    """How long it lasted for certain; ``None`` for what was seen at one moment only."""
    if incident.ended_after_us is None:
        return None
    least_us = incident.ended_after_us - incident.began_by_us
    return least_us if least_us >= 60_000_000 else None


def _between(item: Item, times: Times) -> Iterator[str]:
    words, when = times.words, times.moment(item.at_us)
    if item.kind in ("widened", "narrowed"):
        names = [str(name) for name in item.detail.get("platforms") or ()]
        if names:
            yield words.say(f"line.{item.kind}", when=when, platforms=_platforms(names, words))
    elif item.kind == "method":
        yield _method(item, words, when)
    else:
        yield words.say("line.reopened", when=when)


def _method(item: Item, words: Words, when: str) -> str:
    pair = item.detail.get("method")
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return words.say("line.method_unknown", when=when)
    before, now = (
        words.deepest("what", item.incident.status, method if isinstance(method, str) else None) for method in pair
    )
    return words.say("line.method", when=when, before=before, now=now)


def _sure(confidence: float, words: Words) -> str:
    """Never a false 100 %."""
    if confidence > 0.99:
        return words.say("line.sure_more", percent=99)
    return words.say("line.sure", percent=int(confidence * 100))


def _id(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
