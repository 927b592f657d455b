"""How often the true place is found: the sweeps alone, or the whole installed command, through every row that has a truth.

    python -m tests.lab.locating --seeds 20 [--seed 2] [--only NAME] [--whole]

A trial is one row under one seed. It is right if the interval is the narrowest one that the routers who speak allow, and if
no interval is told where there is none. Writes a table; exit code 1 if a trial names an interval without the device in it, or
if fewer than 95 % are right of those that have a place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probe.wire import translated
from tests.lab import dual
from tests.lab.figures import Proportion, quantile
from tests.lab.greetings import NEUTRAL, PLAIN
from tests.lab.lab import Lab
from tests.lab.run import ask
from tests.lab.scenario import FACEBOOK, Scenario
from tests.lab.scenarios_located import SCENARIOS, TRUTHS, Truth

_SWEEP = Path(__file__).with_name("sweep.py")
_INNOCUOUS = "www.nobelprize.org"
_ASKED = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was said of one row under one seed: an interval, or ``None``."""

    row: str
    seed: int
    truth: Truth
    said: tuple[int, int] | None
    ways: tuple[int, int] = (0, 0)
    seconds: float | None = None
    bytes: int = 0
    error: str = ""
    flipped: bool = True

    @property
    def is_right(self) -> bool:
        return not self.error and self.said == self.truth.interval

    @property
    def is_false(self) -> bool:
        """An interval was told that the device is not in."""
        if self.said is None:
            return False
        device = self.truth.behind
        return device is None or not self.said[0] <= device < self.said[1]


def sweep(row: Scenario, seed: int, scale: float = 1.0) -> Trial:
    """The sweeps alone, in a lab of their own, as they are run after a flip or for a silent address."""
    truth = TRUTHS[row.name]
    with row.drawn(seed).lab(seed) as lab:
        site, neutral = (_address(lab, name) for name in (FACEBOOK, NEUTRAL))
        words = {
            "greeting": (neutral, FACEBOOK, _INNOCUOUS),
            "request": (neutral, PLAIN, _INNOCUOUS, "plain"),
            "connection": (site, neutral),
        }[truth.what]
        done = lab.run(sys.executable, str(_SWEEP), str(scale), *words, timeout=60)
    if done.returncode:
        return Trial(row=row.name, seed=seed, truth=truth, said=None, error=done.stderr.strip()[-300:])
    said: dict[str, Any] = json.loads(done.stdout)
    found = said["found"]
    interval = (found["after"], found["before"]) if found and found["manner"] != "reply_lost" else None
    ways = tuple(found["ways"]) if found else (0, 0)
    return Trial(
        row=row.name,
        seed=seed,
        truth=truth,
        said=interval,
        ways=ways,
        seconds=said["seconds"],
        bytes=said["bytes"],
    )


def _address(lab: Lab, name: str) -> str:
    """Where the probe's machine meets *name*: over IPv6 where the row has it, through the translator where it must."""
    plain = lab.world.sites[name].address
    if lab.world.ipv6 == "nat64":
        return translated(plain, lab.world.prefix64)
    return dual.six(lab.world, name) if lab.world.ipv6 else plain


def whole(row: Scenario, seed: int) -> Trial:
    """The installed command with its default settings. ``flipped``: it had reason to look for a place."""
    truth = TRUTHS[row.name]
    with row.drawn(seed).lab(seed) as lab:
        return read(row, seed, truth, _document(lab, row))


def _document(lab: Lab, row: Scenario) -> dict[str, Any]:
    _, document = ask(lab, *row.asked)
    return document


def read(row: Scenario, seed: int, truth: Truth, document: dict[str, Any]) -> Trial:
    """The trial that a document tells of the row's own site."""
    result = next(result for result in document["results"] if result["url"] in row.check)
    place, sent = result["place"], [o for o in result["observations"] if o["purpose"] == "locate"]
    interval = None
    if place is not None and place["before"] is not None:
        interval = (place["after"]["hop"], place["before"]["hop"])
    return Trial(
        row=row.name,
        seed=seed,
        truth=truth,
        said=interval,
        ways=(place["ways_stopped"], place["ways"]) if place is not None else (0, 0),
        seconds=result["duration_s"],
        bytes=sum(o["bytes_sent"] + o["bytes_received"] for o in sent),
        flipped=bool(sent),
    )


def table(trials: Sequence[Trial]) -> Iterator[str]:
    """One line a row, and the sum over those that have a place."""
    yield "| row | true interval | right | false | seconds (median, most) | bytes (most) |"
    yield "|---|---|---|---|---|---|"
    for name in dict.fromkeys(trial.row for trial in trials):
        mine = [trial for trial in trials if trial.row == name and trial.flipped]
        if not mine:
            yield f"| {name} | {TRUTHS[name].interval or 'none'} | nothing was looked for | | | |"
            continue
        took = sorted(trial.seconds for trial in mine if trial.seconds is not None)
        seconds = f"{quantile(took, 0.5):.1f}, {took[-1]:.1f}" if took else ""
        right = f"{sum(t.is_right for t in mine)} of {len(mine)}"
        false = sum(t.is_false for t in mine)
        most = max(trial.bytes for trial in mine)
        yield f"| {name} | {mine[0].truth.interval or 'none'} | {right} | {false} | {seconds} | {most} |"
    placed = Proportion.of(t.is_right for t in trials if t.truth.behind is not None and t.flipped)
    yield ""
    yield f"Of those that have a place: {placed}. False: {sum(t.is_false for t in trials)} of {len(trials)}."


def is_met(trials: Sequence[Trial]) -> bool:
    """No interval without the device in it, and the true one nearly always."""
    placed = [t.is_right for t in trials if t.truth.behind is not None and t.flipped]
    return not any(t.is_false for t in trials) and sum(placed) >= _ASKED * len(placed)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; 1 is the rows as written")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--only", action="append", default=[], help="rows by name")
    parser.add_argument("--scale", type=float, default=1.0, help="how much more time the sweeps get, on a busy machine")
    parser.add_argument("--whole", action="store_true", help="run the whole installed command")
    options = parser.parse_args(arguments)
    rows = [row for row in SCENARIOS if not options.only or row.name in options.only]
    if not rows:
        parser.error(f"there is no row {', '.join(options.only)}")
    trials = []
    for seed in range(options.seed, options.seed + options.seeds):
        for row in rows:
            trial = whole(row, seed) if options.whole else sweep(row, seed, options.scale)
            trials.append(trial)
            word = "right" if trial.is_right else trial.error or f"said {trial.said}, true is {trial.truth.interval}"
            print(f"{row.name} seed {seed}: {word}", file=sys.stderr)
    print("\n".join(table(trials)))
    return 0 if is_met(trials) else 1


if __name__ == "__main__":
    sys.exit(main())
