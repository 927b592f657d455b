"""The lab's report as Markdown: what was asked and met, who said what of which truth, and every wrong call."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import platform
import statistics
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from probe.verdict.model import STATUSES
from tests.lab.baselines import BASELINES
from tests.lab.figures import Proportion, quantile, reliability, wilson
from tests.lab.net import REPOSITORY
from tests.lab.scenarios import Scenario
from tests.lab.score import OURS, Score, Unit, confusion, evenly_definite, scenarios_with, score

if TYPE_CHECKING:
    from tests.lab.trials import Trial

REPORTS = Path(__file__).with_name("reports")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One call of the runner. ``partial``: not all scenarios were asked for."""

    trials: tuple[Trial, ...]
    not_yet: tuple[Scenario, ...]
    seeds: tuple[int, ...]
    jobs: int
    seconds: float
    partial: bool = False
    began: str = ""
    """The state of the sources when the run began: rows are read then, the command anew by every trial."""

    @property
    def units(self) -> tuple[Unit, ...]:
        return tuple(unit for trial in self.trials for unit in trial.units)

    @property
    def judges(self) -> tuple[str, ...]:
        """Ours first; the others if they were heard."""
        heard = {judge for unit in self.units for judge in unit.said}
        return (OURS, *(name for name in BASELINES if name in heard))


def text(result: Result) -> str:
    """The whole report."""
    now = dt.datetime.now(dt.UTC)
    parts = [f"# The lab, {now:%Y-%m-%d %H:%M} UTC", _machine(result), _counts(result)]
    if result.units:
        parts += [_asked(result), _all_figures(result), _confusions(result), _reliability(result), _costs(result)]
    parts += [_wrong(result), _not_run(result), _not_yet(result)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(result: Result, report: str) -> Path:
    """The report and, beside it, compressed, every unit as one JSON line. The path of the report."""
    REPORTS.mkdir(exist_ok=True)
    path = REPORTS / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}-lab.md"
    path.write_text(report)
    lines = (json.dumps(unit.row(), ensure_ascii=False) + "\n" for unit in result.units)
    path.with_suffix(".jsonl.gz").write_bytes(gzip.compress("".join(lines).encode(), mtime=0))
    return path


# ---------------------------------------------------------------------------------------------------------------------
# the head


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    return done.stdout.strip()


def sources() -> str:
    """The commit, and whether what is measured differs from it."""
    changed = _git("status", "--porcelain", "--", "probe", "targets", "storage", "tests/lab/*.py")
    return f"{_git('rev-parse', '--short', 'HEAD') or 'unknown'}{' with uncommitted changes' if changed else ''}"


def _machine(result: Result) -> str:
    ended = sources()
    commit = ended if result.began in ("", ended) else f"{result.began} at the start, {ended} at the end"
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "?",
    )
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    seeds = ", ".join(map(str, result.seeds))
    return (
        f"Commit {commit}; "
        f"seeds {seeds} (1: the rows as written); Python {platform.python_version()}, Linux {platform.release()}, "
        f"{os.cpu_count()} × {cpu}, load {load}; {result.jobs} labs side by side; {result.seconds / 60:.1f} minutes.\n"
        "`dalel check --format json --no-save -q`, default settings, only `SSL_CERT_FILE` set."
    )


def _counts(result: Result) -> str:
    rows = {trial.scenario.name: trial.scenario for trial in result.trials if not trial.error}
    blocks = sum(row.is_block for row in rows.values())
    failed = sum(bool(trial.error) for trial in result.trials)
    wrong = sum(not trial.is_right for trial in result.trials) - failed
    return (
        f"{len(rows)} scenarios ran and proved themselves, {blocks} blocks and {len(rows) - blocks} others, "
        f"{len(result.units)} endpoints; {wrong} trials have something wrong, {failed} did not run, "
        f"{len(result.not_yet)} scenarios are not yet.\n\n"
        f"False `blocked`: {_names(result, lambda u: u.said[OURS].status == 'blocked' and not u.may_be_blocked)}. "
        f"Missed: {_names(result, lambda u: u.said[OURS].status != 'blocked' and u.is_known_block)}. "
        f"Otherwise wrong: {_names(result, _is_other)}."
    )


def _is_other(unit: Unit) -> bool:
    return not unit.is_right() and (unit.said[OURS].status == "blocked") == (unit.truth.status == "blocked")


def _names(result: Result, which: Callable[[Unit], bool]) -> str:
    """The scenarios (and seeds, if there are several) with such a call."""
    found = {(u.scenario, u.seed) for u in result.units if which(u)}
    many = len(result.seeds) > 1
    return ", ".join(f"{name} (seed {seed})" if many else name for name, seed in sorted(found)) or "none"


# ---------------------------------------------------------------------------------------------------------------------
# the figures


@dataclass(frozen=True, slots=True)
class _Ask:
    """One thing asked of the figures: what, the limit, ours, whether met, and the baselines' figures."""

    what: str
    limit: str
    met: bool
    figure: Callable[[Score], float | None]
    less_is_better: bool = True
    contest: bool = True
    """Whether more of it is better. A judge that always speaks has all the definite calls there are."""


def _asks(ours: Score) -> list[_Ask]:
    signature = ours.signature
    return [
        _Ask("false `blocked`", "0", ours.false_blocked.hits == 0, lambda s: s.false_blocked.share),
        _Ask("missed blocks", "≤ 3 %", (ours.missed.share or 0) <= 0.03, lambda s: s.missed.share),
        _Ask("method right", "≥ 97 %", (ours.method.share or 0) >= 0.97, lambda s: s.method.share, less_is_better=False),
        _Ask("Brier score", "≤ 0.03", (ours.brier or 0) <= 0.03, lambda s: s.brier),
        _Ask(
            "… with definite calls", "≥ 85 %", (ours.definite.share or 0) >= 0.85, lambda s: s.definite.share,
            less_is_better=False, contest=False,
        ),
        _Ask("signature precision", "", met=True, figure=lambda s: s.signature.precision, less_is_better=False),
        _Ask("signature recall", "", met=signature.recall is not None, figure=lambda s: s.signature.recall, less_is_better=False),
    ]  # fmt: skip


def scores(result: Result) -> list[Score]:
    """Ours first."""
    return [score(result.units, judge) for judge in result.judges]


def is_met(result: Result) -> bool:
    """Whether every trial ran and was right, and what is asked of a whole run is met."""
    if not result.units or not all(trial.is_right for trial in result.trials):
        return False
    return result.partial or all(ask.met for ask in _asks(score(result.units)) if ask.limit)


def _asked(result: Result) -> str:
    ours, *others = scores(result)
    lines = ["## Asked and met", "", "| what | asked | " + " | ".join(result.judges) + " | met | beaten |"]
    lines.append("|" + "---|" * (len(result.judges) + 4))
    for ask in _asks(ours):
        values = [ask.figure(s) for s in (ours, *others)]
        beaten = all(_better(values[0], value, less=ask.less_is_better) for value in values[1:])
        last = ("yes" if beaten else "**no**") if ask.contest else "a condition"
        cells = " | ".join(_number(value) for value in values)
        met = ("yes" if ask.met else "**no**") if ask.limit else ""
        lines.append(f"| {ask.what} | {ask.limit} | {cells} | {met} | {last} |")
    return "\n".join([*lines, "", "Beaten: strictly better than each of the others, or both perfect."])


def _better(ours: float | None, other: float | None, *, less: bool) -> bool:
    if ours is None or other is None:
        return ours is not None
    perfect = 0.0 if less else 1.0
    return ours == other == perfect or (ours < other if less else ours > other)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _all_figures(result: Result) -> str:
    rows: list[tuple[str, Callable[[Score], str]]] = [
        ("status right", lambda s: str(s.right)),
        ("false `blocked`, of endpoints that may not be called blocked", lambda s: str(s.false_blocked)),
        ("… of scenarios", lambda s: str(_by_scenario(result.units, s.judge, false=True))),
        ("missed, of blocks that one vantage can know", lambda s: str(s.missed)),
        ("… of scenarios", lambda s: str(_by_scenario(result.units, s.judge, false=False))),
        ("method right, of blocks called blocked", lambda s: str(s.method)),
        ("signature precision, in nodes", lambda s: str(Proportion(s.signature.common, s.signature.said))),
        ("signature recall, in nodes", lambda s: str(Proportion(s.signature.common, s.signature.true))),
        ("definite calls", lambda s: str(s.definite)),
        ("… each scenario weighing the same", lambda s: _number(evenly_definite(result.units, s.judge))),
        ("Brier score over definite calls", lambda s: _number(s.brier)),
    ]
    lines = ["## Figures, with numerator, denominator and Wilson's 95 % interval", ""]
    lines += ["| what | " + " | ".join(result.judges) + " |", "|" + "---|" * (len(result.judges) + 1)]
    found = scores(result)
    lines += [f"| {what} | " + " | ".join(figure(s) for s in found) + " |" for what, figure in rows]
    note = (
        "Endpoints of one scenario fail together, so the intervals over endpoints are too narrow; those over scenarios are "
        "nearer to the truth. They are about these scenarios, and say nothing of networks that nobody wrote down here. "
        f"The others were heard under {_seeds_heard(result)}. Their rules see the same observations, with the probe's own baseline from the uncensored lab as control, and "
        "none where no foreign canary answered; one that gives no probability is taken at its word (confidence 1)."
    )
    return "\n".join([*lines, "", note])


def _seeds_heard(result: Result) -> str:
    seeds = sorted({unit.seed for unit in result.units if len(unit.said) > 1})
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" if seeds else "no seed"


def _by_scenario(units: Sequence[Unit], judge: str, *, false: bool) -> Proportion:
    units = [unit for unit in units if judge in unit.said]
    if false:
        return scenarios_with(units, lambda u: not u.may_be_blocked, lambda u: u.said[judge].status == "blocked")
    return scenarios_with(units, lambda u: u.is_known_block, lambda u: u.said[judge].status != "blocked")


def _confusions(result: Result) -> str:
    lines = ["## Status: true → said"]
    for judge in result.judges:
        table = confusion(result.units, judge)
        lines += ["", f"**{judge}**", "", "| true | " + " | ".join(STATUSES) + " | right or acceptable |"]
        lines.append("|" + "---|" * (len(STATUSES) + 2))
        for true in (status for status in STATUSES if status in table):
            of = [unit for unit in result.units if unit.truth.status == true and judge in unit.said]
            cells = " | ".join(str(table[true].get(said, 0)) for said in STATUSES)
            lines.append(f"| {true} | {cells} | {Proportion.of(u.status_is_right(judge) for u in of)} |")
    return "\n".join(lines)


def _reliability(result: Result) -> str:
    lines = ["## Reliability: when dalel says so sure, how often is it right?", ""]
    lines += ["| confidence | calls | mean confidence | right | 95 % |", "|---|---|---|---|---|"]
    for row in reliability(score(result.units).calls):
        low, high = wilson(row.right.hits, row.right.total)
        lines.append(
            f"| {row.low:g} to {row.high:g} | {row.right.total} | {row.confidence:.4f} | {row.right.share or 0:.4f} "
            f"| {low:.4f} to {high:.4f} |"
        )
    return "\n".join(lines)


def _costs(result: Result) -> str:
    lines = ["## Time to verdict and bytes, by family and truth", ""]
    lines += [
        "| family | truth | endpoints | seconds: median, 90 %, most | KB: median, 90 %, most |",
        "|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str], list[Unit]] = {}
    for unit in result.units:
        groups.setdefault((unit.family, unit.truth.status), []).append(unit)
    for (family, status), units in sorted(groups.items()):
        seconds = [unit.seconds for unit in units if unit.seconds is not None]
        sizes = [unit.bytes / 1000 for unit in units]
        lines.append(f"| {family} | {status} | {len(units)} | {_spread(seconds)} | {_spread(sizes)} |")
    return "\n".join([*lines, "", "Bytes are those that the sockets carried, both ways; follow-ups included."])


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{statistics.median(values):.1f}, {quantile(values, 0.9):.1f}, {max(values):.1f}"


# ---------------------------------------------------------------------------------------------------------------------
# what is wrong


def _wrong(result: Result) -> str:
    lines = ["## Wrong", ""]
    for trial in result.trials:
        if trial.error or trial.is_right:
            continue
        lines.append(f"### {trial.scenario.name}, seed {trial.seed}: {trial.scenario.tells}\n")
        lines += [f"- {complaint}" for complaint in trial.complaints]
        for unit in trial.wrong[:12]:
            lines += _wrong_unit(unit)
        if len(trial.wrong) > 12:
            lines.append(f"- … and {len(trial.wrong) - 12} more; see the .jsonl.gz")
        lines.append("")
    return "\n".join(lines) if len(lines) > 2 else "## Wrong\n\nNothing."


def _wrong_unit(unit: Unit) -> Iterator[str]:
    said = unit.said[OURS]
    right = ", ".join(" ".join(filter(None, (w.status, w.method, w.signature))) for w in unit.acceptable)
    words = " ".join(filter(None, (said.status, said.method, said.signature)))
    false = "**false blocked** " if said.status == "blocked" and not unit.may_be_blocked else ""
    missed = "**missed** " if unit.is_known_block and said.status != "blocked" else ""
    leaning = f", leaning {unit.leaning}" if unit.leaning else ""
    gates = f", gates {', '.join(unit.gates)}" if unit.gates else ""
    yield f"- {false}{missed}{unit.url}: said {words} ({_number(said.confidence)}{leaning}{gates}); right: {right}"
    for finding in unit.evidence:
        side = "against" if finding["against"] else "for"
        yield f"  - {side}: `{finding['code']}` {finding['weight']:+} ({finding['for']}): {finding['text']}"


def _not_run(result: Result) -> str:
    failed = [trial for trial in result.trials if trial.error]
    if not failed:
        return ""
    lines = [f"- {trial.scenario.name}, seed {trial.seed}: {' '.join(trial.error.split())[:600]}" for trial in failed]
    return "\n".join(["## Did not prove itself, or did not run", "", *lines])


def _not_yet(result: Result) -> str:
    if not result.not_yet:
        return ""
    needed = Counter(need for row in result.not_yet for need in row.needs)
    counts = ", ".join(f"{need} {count}" for need, count in needed.most_common())
    lines = [f"- {row.name} (needs {', '.join(row.needs)}): {row.tells}" for row in result.not_yet]
    return "\n".join([f"## Not yet: {counts}", "", *lines])
