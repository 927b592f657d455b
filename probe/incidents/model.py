"""What goes into the incident machine (readings, looks at the own side) and what comes out (incidents, events).

All times are UTC microseconds, already corrected by what the run learned of its clock. ``None`` is "not known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from probe.verdict.model import Basis, Status, Where

Kind = Literal["cheap", "full", "deep", "burst"]
EventKind = Literal["opened", "widened", "method", "narrowed", "closed", "reopened"]
State = Literal["open", "closed"]
MOVED = "moved"
"""The method of a look (``inconclusive``) that found this host in another network than before."""
IncidentStatus = Literal["blocked", "denied", "outage", "no_network"]

KINDS: tuple[Kind, ...] = get_args(Kind)
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One verdict on one endpoint: what was said of it, when, and how it was measured.

    ``run`` and ``endpoint`` (its number in that run) say where the verdict is kept. ``kind``: ``cheap`` (a resumed
    handshake or the like: may show that all is well, never opens anything), ``full``, ``deep``, or ``burst`` (one of the
    rounds that confirm a first failure). ``at_us`` is when measuring began, ``until_us`` when its verdict was known.
    ``interface``: through which way out, where the host has several; ``None`` where it has one.
    """

    run: str
    endpoint: int
    url: str
    platform: str | None = None
    service: str | None = None
    rule: str | None = None
    at_us: int
    until_us: int
    status: Status
    method: str | None = None
    signature: str | None = None
    confidence: float | None = None
    basis: Basis | None = None
    where: Where | None = None
    kind: Kind = "full"
    interface: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSide:
    """One look at the own side. ``status`` is ``ok``, ``no_network`` (with its ``method``) or ``inconclusive``.

    ``holes``: what stayed open while the rest was shut (``udp/53``, ``tcp/179`` …). ``kind`` as of a reading: a failure
    that only cheap looks saw opens nothing, so a cheap one that fails should be followed by a full one (see ``wants``).
    """

    run: str
    at_us: int
    status: Literal["ok", "no_network", "inconclusive"]
    method: str | None = None
    holes: tuple[str, ...] = ()
    interface: str | None = None
    kind: Kind = "full"


Fact = Reading | OwnSide


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that began, took one or more platforms, and perhaps ended.

    It began after ``began_after_us`` (last time that all was well; ``None``: it was so when first looked at) and by
    ``began_by_us`` (first time that it was not); it ended after ``ended_after_us`` (last time that it was seen) and by
    ``ended_by_us`` (first time that all was well again). ``began_after_us`` ≤ ``began_by_us`` ≤ ``ended_after_us`` ≤
    ``ended_by_us`` wherever they are known. While it is open, and where this host has moved to another network before it
    was over, ``ended_by_us`` is ``None``, and ``ended_after_us`` may already be known from what has recovered.

    ``opened_us`` and ``closed_us`` are when the machine was sure, in the time of the readings; ``changed_us`` when this
    version was made. ``platforms`` are the names (for a URL of one's own: its host) that it took at any time, ``urls``
    their endpoints; ``remaining`` the endpoints that it still holds. ``folded``: endpoints that failed while the own
    side was down and therefore are part of this, and no incidents of their own. ``holes`` as of :class:`OwnSide`.
    ``id`` is derived from the first reading, so replaying the same readings gives the same id. ``events`` is how many
    events it has had: the next one has number ``events + 1``.
    """

    id: str
    status: IncidentStatus
    method: str | None = None
    signature: str | None = None
    where: Where | None = None
    platforms: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    holes: tuple[str, ...] = ()
    interface: str | None = None
    began_after_us: int | None = None
    began_by_us: int
    ended_after_us: int | None = None
    ended_by_us: int | None = None
    opened_us: int
    closed_us: int | None = None
    changed_us: int
    confidence: float | None = None
    state: State = "open"
    events: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change of an incident; ``(incident, number)`` is its key, and numbers begin at 1.

    ``detail`` is plain JSON: ``platforms`` and ``urls`` that came or went; ``method``, which is a pair (from, to) in an
    event of kind ``method``.
    """

    incident: str
    number: int
    kind: EventKind
    at_us: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What the machine wishes to have measured next; the plan obeys as far as its caps allow.

    ``bursts``: URLs with a first failure, or a first success inside an incident, that two more full rounds within a minute
    would settle, or some such pairs of rounds where a part of the connections fails. ``deep``: URLs in an open incident,
    whose deep test is due hourly. ``rounds``: URLs to measure fully every five minutes. ``old``: those of them to whose
    incident nothing has happened for a day; where data is dear, the ordinary pace will do for them. ``platforms``: names of
    which all endpoints should be measured at once; all names, where somebody seems to open connections. ``others``: URLs in
    an incident of which another is well again, to be measured at once. ``behind``: URLs in an incident that nothing can be
    known of, because the line is down. ``own_side``: look at the own side again now, and fully.
    """

    bursts: frozenset[str] = frozenset()
    deep: frozenset[str] = frozenset()
    rounds: frozenset[str] = frozenset()
    old: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    behind: frozenset[str] = frozenset()
    own_side: bool = False
