"""The figures that were asked for, each with what was found and whether that is enough, as a page that can be read."""

from __future__ import annotations

import datetime as dt
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.soak.process import Sample

REPORTS = Path(__file__).resolve().parents[2] / "bench" / "reports"
DAY_S = 86_400.0
_MOST_RESIDENT_MB = 80.0
_MOST_RISE_MB = 2.0
_MOST_CPU_S = DAY_S / 100
_MOST_BYTES = 25e6
_SETTLED = dt.timedelta(minutes=20)
"""After the start everything is measured for the first time, and what is needed is imported."""
_SPAN = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    what: str
    asked: str
    found: str
    met: bool


Span = tuple[dt.datetime, dt.datetime]


def figures(
    samples: Sequence[Sample], *, bugs: int, code: int, spent: int | None, troubled: Sequence[Span] = ()
) -> list[Figure]:
    """Of one run. Extrapolated to a day where it was shorter: from when it had settled to the end, in proportion.

    ``spent``: bytes inside TCP and UDP by the daemon's own count. ``troubled``: when something failed, or had just been
    mended: its bytes are told apart, and memory is held against what it was once everything had been used.
    """
    first, last = samples[0], samples[-1]
    ready = max((end for _, end in troubled), default=first.at + _SETTLED)
    settled = [one for one in samples if one.at >= ready] or list(samples)
    steady_s = (last.at - settled[0].at).total_seconds() or 1.0
    whole = (last.at - first.at).total_seconds() >= 0.99 * DAY_S
    since = first if whole else settled[0]
    part = 1.0 if whole else DAY_S / steady_s
    cpu_s = (last.cpu_s - (0.0 if whole else since.cpu_s)) * part
    apart = sum(_carried(samples, span) for span in troubled)
    calm = 1 - sum((end - begin).total_seconds() for begin, end in troubled) / DAY_S
    wire = (last.wire_bytes - since.wire_bytes - apart) * part / calm
    most = max(one.resident_mb for one in samples)
    early, late = _ends(settled)
    rise = _median(one.anonymous_mb for one in late) - _median(one.anonymous_mb for one in early)
    how = (
        "counted" if whole else f"{part:.1f} times {steady_s / 60:.0f} minutes after the first {_SETTLED.seconds // 60}"
    )
    calmly = f"{how}; {apart / 1e6:.1f} MB more for what failed" if troubled else how
    step = _median(one.anonymous_mb for one in early) - _median(one.anonymous_mb for one in _ends(samples)[0])
    grown = f"; {step:+.2f} MB before that" if troubled else ""
    own = f"; {spent / 1e6:.1f} MB without headers, by its own count, in the whole run" if spent is not None else ""
    return [
        Figure("resident memory, most", f"< {_MOST_RESIDENT_MB:g} MB", f"{most:.1f} MB", most < _MOST_RESIDENT_MB),
        Figure(
            f"its rise from the first ten minutes (settled{', by the end of the trouble' if troubled else ''}) to the last",
            f"≤ {_MOST_RISE_MB:g} MB",
            f"{rise:+.2f} MB of {_median(one.anonymous_mb for one in late):.1f} MB that are its own{grown}",
            rise <= _MOST_RISE_MB,
        ),
        Figure("CPU seconds a day", f"< {_MOST_CPU_S:g}", f"{cpu_s:.0f} ({how})", cpu_s < _MOST_CPU_S),
        Figure(
            "traffic a day, whole frames both ways",
            f"< {_MOST_BYTES / 1e6:g} MB",
            f"{wire / 1e6:.1f} MB ({calmly}){own}",
            wire < _MOST_BYTES,
        ),
        *_at_rest(settled, whole=whole),
        *(_leak(name, settled) for name in ("descriptors", "sockets", "tasks", "threads")),
        Figure("bugs in its own lines, and its exit code", "0 and 0", f"{bugs} and {code}", bugs == 0 == code),
    ]


def _carried(samples: Sequence[Sample], span: Span) -> int:
    """Bytes from the last sample before *span* to the first behind it."""
    before = max((one.wire_bytes for one in samples if one.at <= span[0]), default=0)
    return min((one.wire_bytes for one in samples if one.at >= span[1]), default=before) - before


def _at_rest(settled: Sequence[Sample], *, whole: bool) -> list[Figure]:
    """Bytes by the median ten minutes of an hour, each of which has a round in it: a machine that is busy with other things
    makes pages slow, and what is slow is asked again and compared, for many times the bytes.
    """
    tens = [_between(settled, number) for number in range(int((settled[-1].at - settled[0].at) / _SPAN))]
    if whole or not tens:
        return []
    wire = _median(tens) * DAY_S / _SPAN.total_seconds()
    found = f"{wire / 1e6:.1f} MB; the ten minutes were {', '.join(f'{one / 1e6:.2f}' for one in tens)} MB"
    return [Figure("the same by the median ten minutes", f"< {_MOST_BYTES / 1e6:g} MB", found, wire < _MOST_BYTES)]


def _between(settled: Sequence[Sample], number: int) -> float:
    inside = [one for one in settled if _SPAN * number <= one.at - settled[0].at <= _SPAN * (number + 1)]
    return inside[-1].wire_bytes - inside[0].wire_bytes


def _leak(name: str, settled: Sequence[Sample]) -> Figure:
    """Whether as few are left at the end as were at the beginning: the least of each, since a round holds some for a moment."""
    early, late = (_least(name, part) for part in _ends(settled))
    most = max((getattr(one, name) for one in settled if getattr(one, name) is not None), default=None)
    met = early is not None and late is not None and late <= early
    return Figure(f"{name}: in the end as in the beginning", "no more", f"{late} after {early}; {most} at most", met)


def _ends(settled: Sequence[Sample]) -> tuple[list[Sample], list[Sample]]:
    first, last = settled[0].at, settled[-1].at
    return [one for one in settled if one.at - first <= _SPAN], [one for one in settled if last - one.at <= _SPAN]


def _least(name: str, samples: Iterable[Sample]) -> int | None:
    return min((count for one in samples if (count := getattr(one, name)) is not None), default=None)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def render(parts: Sequence[tuple[str, str, Sequence[Figure], Sequence[Sample]]]) -> str:
    """Markdown: for each run its title, what it is, its figures, and its course."""
    met = sum(figure.met for _, _, found, _ in parts for figure in found)
    count = sum(len(found) for _, _, found, _ in parts)
    lines = [
        f"# What watching costs, {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}; {met} of {count} figures met.",
        "Resident memory is the kernel's VmRSS, in MiB: pages of libraries that other processes share are in it. Whole frames",
        "are counted at the interface of the pretend computer that the daemon runs on. Both stores of roots are as full as in",
        "the world. The lab's rows are the default catalogue, `@default`.",
        "",
    ]
    for title, words, found, samples in parts:
        lines += [f"## {title}", "", words, "", "| what | asked | found | |", "|---|---|---|---|"]
        lines += [f"| {f.what} | {f.asked} | {f.found} | {'met' if f.met else '**not met**'} |" for f in found]
        lines += ["", *_course(samples), ""]
    return "\n".join(lines)


def _course(samples: Sequence[Sample]) -> list[str]:
    """Some two dozen moments."""
    head = [
        "| at | resident MB | its own MB | CPU s | MB carried | open | sockets | tasks |",
        "|---|---|---|---|---|---|---|---|",
    ]
    step = max(1, len(samples) // 24)
    return [*head, *(_row(one, samples[0].wire_bytes) for one in (*samples[::step], samples[-1]))]


def _row(one: Sample, origin: int) -> str:
    carried, tasks = (one.wire_bytes - origin) / 1e6, "" if one.tasks is None else one.tasks
    return (
        f"| {one.at:%H:%M} | {one.resident_mb:.1f} | {one.anonymous_mb:.1f} | {one.cpu_s:.1f} | {carried:.2f} | "
        f"{one.descriptors} | {one.sockets} | {tasks} |"
    )
