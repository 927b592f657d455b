"""Incidents in plain sentences, and as a document. Pure: the time zone, the notes and the moment are passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from probe.incidents.model import Event, Incident
from probe.incidents.parts import Parts
from probe.incidents.recurrence import Recurrence
from probe.incidents.round_time import Question, p_value, round_time
from probe.report.safe import safe
from probe.report.words import SYMBOLS, certainty

Local = Callable[[int], datetime]
"""UTC microseconds to an aware datetime of the reader's time zone."""

_MINUTE_US = 60_000_000
ROUND_ENOUGH = 0.05
"""A chance that is told: more often than once in twenty it would be told of ordinary faults."""
LONG_AGO_US = 3 * 60 * _MINUTE_US
"""What an open incident holds is looked at hourly at least, while somebody watches it."""
_NAMES_SHOWN = 8
_LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What the user wrote down about a moment, or about the time from one to another."""

    id: int
    at_us: int
    until_us: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is shown. ``events``: by incident, where they are wanted. ``looked_us``: when what an open incident holds was
    looked at last, by incident, as far as it is known.
    """

    incidents: tuple[Incident, ...]
    events: Mapping[str, tuple[Event, ...]]
    remarks: tuple[Remark, ...]
    recurrences: tuple[Recurrence, ...]
    now_us: int
    local: Local
    parts: Parts = field(default_factory=Parts)
    looked_us: Mapping[str, int] = field(default_factory=dict)


_HOW: Mapping[str, str] = {
    "blocked": "blocked",
    "blocked.dns": "blocked by false answers, or none, to the question where the name is (DNS)",
    "blocked.ip": "blocked by address",
    "blocked.tls": "blocked by name",
    "blocked.http": "blocked by what is asked for",
    "blocked.quic": "blocked over the newer protocol (QUIC)",
    "blocked.protocol": "blocked by what the app speaks",
    "blocked.mitm": "read on the way: somebody opens the encrypted connections",
    "blocked.throttling": "slowed down on the way",
    "denied": "refused by the site itself",
    "denied.geo": "refused by the site itself to this country",
    "denied.legal": "refused by the site itself for legal reasons",
    "outage": "down at its own side",
    "outage.dns": "down at its own side: nobody answers for its name (DNS)",
    "outage.server": "down at its own side: its servers do not work",
    "outage.certificate": "broken at its own side: its certificate is not valid",
    "outage.http": "broken at its own side: it answers with errors",
    "outage.route": "down at its own side: no way leads there",
    "no_network": "your own network did not work",
    "no_network.link": "this computer had no connection to its own network",
    "no_network.upstream": "your provider's line was dead",
    "no_network.resolver": "your provider's name service (DNS) did not answer",
    "no_network.filter": "kept out by a filter in this computer, household or company",
    "no_network.captive_portal": "your network first wanted a log-in or a payment",
    "no_network.clock": "this computer's clock was wrong",
    "no_network.international": "nothing abroad could be reached; sites inside the country could",
    "no_network.whitelist": "only a few chosen sites could be reached",
    "no_network.shutdown": "the network was cut off: nothing at all answered",
}


def lines(picture: Picture) -> Iterator[str]:
    """Open incidents first, then the others, the latest first."""
    living = [incident for incident in picture.incidents if incident.state == "open"]
    over = [incident for incident in picture.incidents if incident.state == "closed"]
    for heading, chosen in (("Going on", living), ("Over", over)):
        if chosen:
            yield heading
            for incident in sorted(chosen, key=lambda one: (one.began_by_us, one.id), reverse=True):
                yield from _incident(incident, picture)
            yield ""
    yield from _together(over, picture)
    for recurrence in picture.recurrences:
        yield f"{appointment(recurrence)}."
    if picture.recurrences:
        yield ""
    yield from _loose_remarks(picture)
    yield f"Times are those of {zones(map(picture.local, _moments(picture)))}."


def _moments(picture: Picture) -> Iterator[int]:
    """All that is shown; now, if nothing is."""
    if not picture.incidents and not picture.remarks:
        yield picture.now_us
    for one in picture.incidents:
        yield from (
            us for us in (one.began_after_us, one.began_by_us, one.ended_after_us, one.ended_by_us) if us is not None
        )
        yield from (event.at_us for event in picture.events.get(one.id, ()))
    yield from picture.looked_us.values()
    yield from (us for one in picture.remarks for us in (one.at_us, one.until_us) if us is not None)


def _incident(incident: Incident, picture: Picture) -> Iterator[str]:
    certain = f" ({certainty(incident.confidence)})" if incident.confidence is not None else ""
    yield f"  {SYMBOLS[incident.status]} {headline(picture.parts.shown(incident))}{certain}"
    yield f"    {_when(incident, picture)}"
    if incident.state == "open" and set(incident.remaining) != set(incident.urls):
        yield f"    Still: {_some([safe(url, 80) for url in incident.remaining])}"
    if incident.holes:
        yield f"    What stayed open: {', '.join(safe(hole, 20) for hole in incident.holes)}"
    if incident.folded:
        count = len(incident.folded)
        yield f"    {count} address{'es' if count != 1 else ''} failed because of it."
    score = round_time(incident, _offset_us(picture.local(incident.began_by_us)))
    if score is not None and score.p <= ROUND_ENOUGH:
        yield f"    Its times are round half hours, as ordered ones are; chance alone does that {_chance(score.p)}."
    for event in picture.events.get(incident.id, ()):
        yield f"    {_clock(picture.local(event.at_us))} {_happened(event)}"
    for remark in _beside(incident, picture):
        yield f"    Note {remark.id}: {_remark(remark, picture)}"
    yield f"    [{safe(incident.id, 40)}]"


def headline(incident: Incident) -> str:
    """``facebook, instagram: blocked by name (tls.timeout.sni)``."""
    how = _HOW.get(f"{incident.status}.{incident.method}", _HOW[incident.status])
    sign = incident.signature or incident.method
    names = _some([safe(name, 60) for name in incident.platforms])
    way = f" through {safe(incident.interface, 20)}" if incident.interface else ""
    text = f"{names}: {how}" if names else how[0].upper() + how[1:]
    return f"{text}{way}" + (f" ({safe(sign, 60)})" if sign else "")


def _when(incident: Incident, picture: Picture) -> str:
    began = _interval(incident.began_after_us, incident.began_by_us, picture.local)
    if incident.began_after_us is None:
        began = f"{began} or earlier (it was so when first looked at)"
    if incident.state == "open":
        looked_us = picture.looked_us.get(incident.id, picture.now_us)
        if picture.now_us - looked_us > LONG_AGO_US:
            return f"Since {began}; not looked at since {_clock(picture.local(looked_us))}: it may be over"
        return f"Since {began}; for {_duration(picture.now_us - incident.began_by_us)} so far"
    if incident.ended_by_us is None:
        return f"Began {began}; when it ended is not known: this computer was in another network by then"
    ended = _interval(incident.ended_after_us, incident.ended_by_us, picture.local)
    return f"Began {began}; ended {ended}; {_lasted(incident)}"


def _lasted(incident: Incident) -> str:
    assert incident.ended_by_us is not None
    least_us = max(0, (incident.ended_after_us or incident.began_by_us) - incident.began_by_us)
    if incident.began_after_us is None:
        return (
            f"lasted {_duration(least_us)} or longer" if least_us >= _MINUTE_US else "how long it lasted is not known"
        )
    least, most = _duration(least_us), _duration(incident.ended_by_us - incident.began_after_us)
    if least_us < _MINUTE_US:
        return f"lasted {most} at most"
    return f"lasted {least}" if least == most else f"lasted between {least} and {most}"


def _together(over: Sequence[Incident], picture: Picture) -> Iterator[str]:
    """Several losses of the line are judged together: one alone proves little."""
    scores = [
        score
        for incident in over
        if not incident.platforms
        and (score := round_time(incident, _offset_us(picture.local(incident.began_by_us)))) is not None
    ]
    p = p_value(question for score in scores for question in score.questions)
    if len(scores) > 1 and p <= ROUND_ENOUGH:
        yield (
            f"Taken together, the {len(scores)} times that your own network was down lie at round half hours, as ordered ones "
            f"do; chance alone does that {_chance(p)}."
        )
        yield ""


def appointment(recurrence: Recurrence) -> str:
    """``facebook, youtube: every evening from about 20:00 to 22:00, on 3 days of 3``."""
    names = _some([safe(name, 60) for name in recurrence.platforms]) or "Your own network"
    start = _of_day(recurrence.from_minute)
    until = f" to {_of_day(recurrence.until_minute)}" if recurrence.until_minute is not None else ""
    if recurrence.weekly:
        often, unit = f"every {recurrence.days[0]:%A}", "weeks"
    else:
        often, unit = f"every {_part_of_day(recurrence.from_minute)}", "days"
    first, last = recurrence.days[0].isoformat(), recurrence.days[-1].isoformat()
    word = "down" if not recurrence.platforms else recurrence.status
    return (
        f"{names}: {word} {often} from about {start}{until}, in {len(recurrence.days)} of {recurrence.out_of} {unit} "
        f"({first} to {last})"
    )


def _loose_remarks(picture: Picture) -> Iterator[str]:
    """Notes that are beside no incident."""
    shown = {remark.id for incident in picture.incidents for remark in _beside(incident, picture)}
    loose = [remark for remark in picture.remarks if remark.id not in shown]
    for remark in loose:
        yield f"Note {remark.id}: {_remark(remark, picture)}"
    if loose:
        yield ""


def _beside(incident: Incident, picture: Picture) -> list[Remark]:
    """Notes about a time in which it was, or was about to be: an hour around it counts."""
    hour_us = 60 * _MINUTE_US
    low_us = (incident.began_by_us if incident.began_after_us is None else incident.began_after_us) - hour_us
    ends = (incident.ended_by_us, incident.closed_us if incident.state == "closed" else None, picture.now_us)
    high_us = next(us for us in ends if us is not None) + hour_us
    return [
        remark
        for remark in picture.remarks
        if remark.at_us <= high_us and (remark.at_us if remark.until_us is None else remark.until_us) >= low_us
    ]


def _remark(remark: Remark, picture: Picture) -> str:
    at = picture.local(remark.at_us)
    until = "" if remark.until_us is None else f" to {_until(at, picture.local(remark.until_us))}"
    return f"{_clock(at)}{until}: {safe(remark.text, _LONGEST_NOTE)}"


def _happened(event: Event) -> str:
    names = _some([safe(str(name), 60) for name in event.detail.get("platforms", ())])
    if event.kind == "method":
        old, new = event.detail.get("method", (None, None))
        return f"changed its method from {old or 'unknown'} to {new or 'unknown'}"
    if event.detail.get("moved"):
        return "was no longer seen, from another network"
    words = {
        "opened": "was sure of",
        "widened": "took",
        "narrowed": "let go of",
        "closed": "was over for sure",
        "reopened": "began again",
    }
    return f"{words[event.kind]} {names}".rstrip() if names else words[event.kind].removesuffix(" of")


# ---------------------------------------------------------------------------------------------------------------------
# times and numbers


def _interval(after_us: int | None, by_us: int, local: Local) -> str:
    """Widened to whole minutes, never narrowed: ``between 2026-11-22 20:50 and 21:00``."""
    by = local(-(-by_us // _MINUTE_US) * _MINUTE_US)
    if after_us is None:
        return _clock(by)
    after = local(after_us // _MINUTE_US * _MINUTE_US)
    return f"between {_clock(after)} and {_until(after, by)}"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _until(first: datetime, then: datetime) -> str:
    """The second of two moments: its date and its zone only where they are others."""
    text = f"{then:%H:%M}" if then.date() == first.date() else _clock(then)
    return text if then.utcoffset() == first.utcoffset() else f"{text} ({zone_name(then)})"


def _offset_us(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1_000_000)


def zone_name(moment: datetime) -> str:
    """``UTC+5``: names of time zones are ambiguous, and half of them are not known to people."""
    minutes = _offset_us(moment) // _MINUTE_US
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "") if minutes else "UTC"


def zones(moments: Iterable[datetime]) -> str:
    """``UTC+5``; ``UTC+1 and UTC+2, whichever held then`` where the clocks were changed meanwhile."""
    names = sorted({zone_name(moment) for moment in moments})
    return names[0] if len(names) == 1 else f"{' and '.join(names)}, whichever held then"


def _duration(us: int) -> str:
    minutes = max(us, 0) // _MINUTE_US
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2 * 1440:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{minutes // 1440} days" + (f" {minutes // 60 % 24} h" if minutes // 60 % 24 else "")


def _of_day(minute: int) -> str:
    """To the next five minutes: more exact than that nobody knows it."""
    rounded = round(minute / 5) * 5 % 1440
    return f"{rounded // 60:02}:{rounded % 60:02}"


def _part_of_day(minute: int) -> str:
    hour = minute // 60
    return "night" if hour < 5 or hour >= 23 else "morning" if hour < 11 else "day" if hour < 17 else "evening"


def _chance(p: float) -> str:
    """``once in 27 times``."""
    return f"once in {round(1 / p):,} times" if p > 1e-6 else "less than once in a million times"


def _some(names: Sequence[str]) -> str:
    if len(names) <= _NAMES_SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMES_SHOWN])} and {len(names) - _NAMES_SHOWN} more"


# ---------------------------------------------------------------------------------------------------------------------
# for programs


def document(picture: Picture, text: Callable[[int], str]) -> dict[str, Any]:
    """The same as JSON. *text* writes UTC microseconds; the zone counts for days and times of day only."""

    def when(us: int | None) -> str | None:
        return None if us is None else text(us)

    def one(incident: Incident) -> dict[str, Any]:
        score = round_time(incident, _offset_us(picture.local(incident.began_by_us)))
        plain = ("id", "state", "status", "method", "signature", "where", "confidence", "interface")
        lists = ("platforms", "urls", "remaining", "folded", "holes")
        return {
            **{name: getattr(incident, name) for name in plain},
            **{name: list(getattr(incident, name)) for name in lists},
            "began": {"after": when(incident.began_after_us), "by": when(incident.began_by_us)},
            "ended": {"after": when(incident.ended_after_us), "by": when(incident.ended_by_us)},
            "opened_at": when(incident.opened_us),
            "closed_at": when(incident.closed_us),
            "round_time": None
            if score is None
            else {"begins": _question(score.begins), "lasts": _question(score.lasts), "p": score.p},
            "events": [_event(event, when) for event in picture.events.get(incident.id, ())],
            "notes": [remark.id for remark in _beside(incident, picture)],
        }

    return {
        "schema": "dalel.incidents/1",
        "now": text(picture.now_us),
        "utc_offset_s": _offset_us(picture.local(picture.now_us)) // 1_000_000,
        "incidents": [one(incident) for incident in picture.incidents],
        "recurrences": [_recurrence(recurrence) for recurrence in picture.recurrences],
        "notes": remark_rows(picture.remarks, text),
    }


def remark_rows(remarks: Iterable[Remark], text: Callable[[int], str]) -> list[dict[str, Any]]:
    """Notes as JSON."""
    return [
        {
            "id": remark.id,
            "at": text(remark.at_us),
            "until": None if remark.until_us is None else text(remark.until_us),
            "text": remark.text,
        }
        for remark in remarks
    ]


def _question(question: Question | None) -> dict[str, Any] | None:
    return None if question is None else {"round": question.held, "chance": question.chance}


def _event(event: Event, when: Callable[[int | None], str | None]) -> dict[str, Any]:
    return {"number": event.number, "kind": event.kind, "at": when(event.at_us), "detail": dict(event.detail)}


def _recurrence(recurrence: Recurrence) -> dict[str, Any]:
    return {
        "status": recurrence.status,
        "platforms": list(recurrence.platforms),
        "every": "week" if recurrence.weekly else "day",
        "from": _of_day(recurrence.from_minute),
        "until": None if recurrence.until_minute is None else _of_day(recurrence.until_minute),
        "days": [day.isoformat() for day in recurrence.days],
        "out_of": recurrence.out_of,
        "incidents": list(recurrence.incidents),
        "p": recurrence.p,
    }
