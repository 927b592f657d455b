"""What came of a replay, as a page that can be read."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.replay.harness import Replayed
from tests.lab.replay.model import CLOSE, Event
from tests.lab.replay.score import Judged, Said, Score

REPORTS = Path(__file__).resolve().parents[1] / "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event. Without a score it was not replayed: for want of what it needs, or because of ``trouble``."""

    event: Event
    score: Score | None = None
    replayed: Replayed | None = None
    trouble: str = ""

    @property
    def is_right(self) -> bool:
        if self.score is None:
            return not self.trouble
        return self.score.is_right

    @property
    def summary(self) -> str:
        if self.score is None:
            return f"{self.event.name}: {'not yet' if not self.trouble else self.trouble.strip().splitlines()[-1]}"
        seconds = f"{self.replayed.seconds / 60:.1f} min" if self.replayed is not None else "-"
        return f"{self.event.name}: {'right' if self.is_right else 'WRONG'} ({seconds})"


def render(rows: Sequence[Row]) -> str:
    """Markdown: what was asked and met, then every event."""
    scored = [row for row in rows if row.score is not None]
    judged = [one for row in scored if row.score is not None for one in row.score.judged]
    must = [one for one in judged if one.truth.must]
    false = sum(len(row.score.false_blocked) for row in scored if row.score is not None)
    lacking = sum(len(row.score.wrong) for row in scored if row.score is not None)
    stray = sum(len(row.score.stray) for row in scored if row.score is not None)
    onsets = [one.onset_min for one in must if one.onset_min is not None]
    recoveries = [one.recovery_min for one in must if one.recovery_min is not None]
    lines = [
        f"# History again, {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "",
        f"Python {platform.python_version()}; {len(scored)} events replayed, {len(rows) - len(scored)} not.",
        "",
        "| what | asked | found |",
        "|---|---|---|",
        f"| incidents that falsely say blocked | 0 | {false} |",
        f"| incidents that tell nothing true | 0 | {stray} |",
        f"| rows lost or misdated, messages lost, late or doubled, what comes back unnoticed | 0 | {lacking} |",
        f"| things that happened, told rightly | all | {sum(not one.wrong for one in must)} of {len(must)} |",
        f"| onset told, minutes, most | ≤ 12.5 | {_most(onsets)} |",
        f"| recovery told, minutes, most | ≤ 10 | {_most(recoveries)} |",
        "",
    ]
    for row in rows:
        lines += _event(row)
    return "\n".join(lines) + "\n"


def _most(values: Sequence[float]) -> str:
    return f"{max(values):.1f} (median {sorted(values)[len(values) // 2]:.1f})" if values else "-"


def _event(row: Row) -> list[str]:
    event = row.event
    lines = [f"## {event.title}", "", f"`{event.name}`, source: {event.source}. Watches {', '.join(event.watches)}."]
    if event.close != CLOSE:
        lines.append(f"Its own pace is kept for {event.close.seconds // 60} minutes before and after each change only.")
    if event.not_replayed:
        lines.append(f"Left out: {event.not_replayed}.")
    if row.score is None:
        why = row.trouble or f"needs {', '.join(event.needs)}"
        return [*lines, "", "**Not replayed.**", "", f"```\n{why.strip()}\n```", ""]
    lines += ["", f"**{'Right' if row.is_right else 'Wrong'}**{_cost(row.replayed)}.", ""]
    for one in row.score.judged:
        lines += _judged(one)
    lines += [f"- **false block**: {_words(said)}" for said in row.score.false_blocked]
    lines += [f"- stray: {_words(said)}" for said in row.score.stray]
    lines += [f"- of the lab, whose web servers tell the real date: {_words(said)}" for said in row.score.of_the_lab]
    lines += [f"- wrong: {words}" for words in row.score.wrong]
    return [*lines, ""]


def _cost(replayed: Replayed | None) -> str:
    if replayed is None or not replayed.samples:
        return ""
    last, most = replayed.samples[-1], max(sample.resident_mb for sample in replayed.samples)
    return f", in {replayed.seconds / 60:.1f} min; {last.cpu_s:.0f} s of CPU, {most:.0f} MB at most"


def _judged(one: Judged) -> list[str]:
    truth = one.truth
    ended = f"{truth.ended:%m-%d %H:%M}" if truth.ended else "…"
    said = " or ".join("/".join(filter(None, words)) for words in truth.words)
    mark = "wrong: " + "; ".join(one.wrong) if one.wrong else "right"
    times = ""
    if one.onset_min is not None:
        times = f", told after {one.onset_min:.1f} min"
    if one.recovery_min is not None:
        times += f", closed after {one.recovery_min:.1f} min"
    lines = [f"- {truth.began:%m-%d %H:%M} to {ended}, {said}: {mark}{times}"]
    return lines + [f"  - {_words(incident)}" for incident in one.said]


def _words(said: Said) -> str:
    def at(moment: dt.datetime | None) -> str:
        return f"{moment:%m-%d %H:%M}" if moment else "…"

    method = f"/{said.method}" if said.method else ""
    holes = f"; open: {', '.join(sorted(said.holes))}" if said.holes else ""
    return (
        f"{said.status}{method}, {', '.join(sorted(said.platforms)) or 'the network'}: began between "
        f"{at(said.began_after)} and {at(said.began_by)}, ended between {at(said.ended_after)} and {at(said.ended_by)}{holes}"
    )
