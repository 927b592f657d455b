"""What the daemon tells a monitoring system: figures, and the text that Prometheus reads. Pure; the page is another file.

The form is Prometheus' text format 0.0.4. Labels are few and bounded: platforms, host names, words of ours, never an address.
What was not measured is not there: never 0, and never "blocked". What was measured too long ago goes away again.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from probe.incidents.model import Incident, OwnSide, Reading
from probe.observations import AppFact, DnsFact, HttpFact, Observation, QuicFact, TcpFact, TlsFact
from probe.verdict.model import STATUSES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STALE_US = 3 * 3600 * 1_000_000
"""Every endpoint is measured at least hourly: what is three hours old says nothing about now."""
_STEPS: Mapping[type, str] = {
    DnsFact: "dns",
    TcpFact: "tcp",
    TlsFact: "tls",
    HttpFact: "http",
    QuicFact: "quic",
    AppFact: "app",
}
_MOST_PLACES = 2000
_MOST_FAILURES = 500
_ANY_ADDRESS = "address"
"""Stands for a host that is an address."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: ``suffix`` is ``_bucket`` and the like."""

    value: float
    labels: Labels = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its name without ``dalel_``, what it is, and its lines."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is known only when somebody asks. ``None`` is left out."""

    now_us: int
    db_bytes: int | None = None
    messages_waiting: int | None = None
    resident_bytes: int | None = None
    tasks: int | None = None


@dataclass(slots=True)
class _Durations:
    """A histogram in seconds."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds

    def samples(self, labels: Labels) -> Iterator[Sample]:
        count = 0
        for limit, inside in zip((*map(str, BUCKETS_S), "+Inf"), self.buckets, strict=True):
            count += inside
            yield Sample(count, (*labels, ("le", limit)), "_bucket")
        yield Sample(self.total_s, labels, "_sum")
        yield Sample(count, labels, "_count")


@dataclass(slots=True)
class Figures:
    """What has been counted since the start. The daemon gives it what it learns; all of it is bounded."""

    software: str
    ruleset: str
    _places: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict, init=False)
    _durations: dict[tuple[str, str], _Durations] = field(default_factory=dict, init=False)
    _failures: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)
    _controls: dict[str, bool] = field(default_factory=dict, init=False)
    _bytes: Counter[str] = field(default_factory=Counter, init=False)
    _own_side: OwnSide | None = field(default=None, init=False)
    _open: Counter[str] = field(default_factory=Counter, init=False)
    _last_run_us: int | None = field(default=None, init=False)
    last_sign_s: float | None = field(default=None, init=False)
    """When something was measured last, were it only the own side: by a clock that nobody sets (``time.monotonic``)."""
    offset_us: int = field(default=0, init=False)
    """How far this host's clock is behind the times of what was measured, as far as that is known."""

    # what is learned

    def came(self, readings: Iterable[Reading], own_side: OwnSide | None, *, sent: int, received: int) -> None:
        """What a round or a look has brought."""
        self.measured(readings)
        if own_side is not None:
            self.looked(own_side)
        self.paid(sent=sent, received=received)

    def measured(self, readings: Iterable[Reading]) -> None:
        """Verdicts. Of a platform's endpoints with one host name the last word counts."""
        last_us = None
        for reading in readings:
            place = (reading.platform or "", _host(reading.url))
            self._places.pop(place, None)
            self._places[place] = (reading.until_us, reading.status)
            last_us = max(last_us or 0, reading.until_us)
        # Not the latest of all: what a wrong clock has dated next year would be that for a year.
        self._last_run_us = last_us or self._last_run_us
        while len(self._places) > _MOST_PLACES:
            del self._places[next(iter(self._places))]

    def looked(self, own_side: OwnSide) -> None:
        """A look at the own side."""
        self._own_side = own_side

    def seen(self, observations: Sequence[Observation]) -> None:
        """Operations of a round. Only those that an ordinary visitor would have made are timed."""
        for o in observations:
            if o.purpose == "control" and o.vantage == "local" and (o.member or "").startswith("control:"):
                self._controls[(o.member or "").removeprefix("control:")] = o.failure is None
            elif o.purpose == "baseline" and o.vantage == "local" and type(o.fact) in _STEPS:
                self._step(o)

    def paid(self, *, sent: int, received: int) -> None:
        """Bytes of measuring."""
        self._bytes["sent"] += sent
        self._bytes["received"] += received

    def incidents(self, known: Iterable[Incident]) -> None:
        """Those that are known now."""
        self._open = Counter(incident.status for incident in known if incident.state == "open")

    def _step(self, o: Observation) -> None:
        step = _STEPS[type(o.fact)]
        if o.failure is None:
            family = "6" if ":" in (o.operation.address or "") else "4"
            duration_us = o.operation.duration_us
            if duration_us is not None:
                self._durations.setdefault((step, family), _Durations()).add(duration_us / 1e6)
        elif (step, o.failure) in self._failures or len(self._failures) < _MOST_FAILURES:
            self._failures[step, o.failure] += 1

    # what is told

    def families(self, moment: Moment) -> Iterator[Family]:
        """Everything, as it is at *moment*."""
        build = Sample(1, (("version", self.software), ("ruleset", self.ruleset)))
        yield Family("build_info", "gauge", "The program and its rules.", (build,))
        yield from self._verdicts(moment.now_us)
        yield from self._steps()
        yield from self._own()
        opened = tuple(Sample(self._open[s], (("status", s),)) for s in ("blocked", "denied", "outage", "no_network"))
        yield Family("incidents_open", "gauge", "Incidents that go on.", opened)
        moved = tuple(Sample(self._bytes[way], (("direction", way),)) for way in ("sent", "received"))
        yield Family("bytes_total", "counter", "Bytes of measuring since the start.", moved)
        if self._last_run_us is not None:
            last = (Sample(self._last_run_us / 1e6),)
            yield Family("last_run_timestamp_seconds", "gauge", "When the last verdict was known.", last)
        yield from _momentary(moment)

    def _verdicts(self, now_us: int) -> Iterator[Family]:
        fresh = sorted((place, word) for place, (at_us, word) in self._places.items() if now_us - at_us <= STALE_US)
        success, words = [], []
        for (target, host), status in fresh:
            labels = (("target", target), ("host", host))
            if status not in ("inconclusive", "no_network"):
                success.append(Sample(status == "accessible", labels))
            words += [Sample(word == status, (*labels, ("verdict", word))) for word in STATUSES]
        yield Family(
            "check_success", "gauge", "1 accessible; 0 blocked, denied or outage; else not there.", tuple(success)
        )
        yield Family("check_verdict", "gauge", "1 for the word of the last verdict.", tuple(words))

    def _steps(self) -> Iterator[Family]:
        timed = [
            sample
            for (step, family), durations in sorted(self._durations.items())
            for sample in durations.samples((("step", step), ("family", family)))
        ]
        told = "How long a step took that came about, of what a visitor does."
        yield Family("step_duration_seconds", "histogram", told, tuple(timed))
        failed = [
            Sample(count, (("step", step), ("failure", failure)))
            for (step, failure), count in sorted(self._failures.items())
        ]
        yield Family(
            "step_failures_total", "counter", "Steps that failed, by the words of OONI's df-007.", tuple(failed)
        )

    def _own(self) -> Iterator[Family]:
        if self._own_side is not None and self._own_side.status != "inconclusive":
            value = (Sample(self._own_side.status == "ok"),)
            yield Family("own_side_ok", "gauge", "Whether the own side worked at the last look.", value)
        controls = tuple(Sample(ok, (("control", name),)) for name, ok in sorted(self._controls.items()))
        yield Family("control_ok", "gauge", "Whether a control answered when it was asked last.", controls)


def render(families: Iterable[Family]) -> str:
    """The text. A family without lines is left out."""
    return "".join(line for family in families if family.samples for line in _lines(family))


# ---------------------------------------------------------------------------------------------------------------------


def _momentary(moment: Moment) -> Iterator[Family]:
    told: Mapping[str, tuple[int | None, str]] = {
        "db_bytes": (moment.db_bytes, "The size of the database."),
        "messages_waiting": (moment.messages_waiting, "Messages that wait to be sent."),
        "resident_bytes": (moment.resident_bytes, "Memory of the program."),
        "tasks": (moment.tasks, "Tasks of the program that have not ended."),
    }
    for name, (value, meaning) in told.items():
        if value is not None:
            yield Family(name, "gauge", meaning, (Sample(value),))


def _host(url: str) -> str:
    """Its host, unless that is an address."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return _ANY_ADDRESS


def _lines(family: Family) -> Iterator[str]:
    name = f"dalel_{family.name}"
    yield f"# HELP {name} {_escaped(family.help, quotes=False)}\n"
    yield f"# TYPE {name} {family.kind}\n"
    for sample in family.samples:
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels)
        yield f"{name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}\n"


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
