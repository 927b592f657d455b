"""Judge kept facts again, by today's rules: ``python -m tests.lab.again FOLDER [NAME …]``.

FOLDER is what ``tests.lab.run --kept`` wrote. Prints every endpoint whose word has changed since it was measured, whether it
is right now, and at the end how many are wrong. Exit code 1 if any is. What would have been *measured* differently by
today's experiments is not seen.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from probe.verdict.model import Verdict
from tests.lab import facts
from tests.lab.baselines import Said
from tests.lab.score import OURS, Unit
from tests.lab.table import ALL
from tests.lab.trials import Kept, Trial


def said_by(verdict: Verdict) -> Said:
    """A verdict, as units have it."""
    return Said(verdict.status, verdict.method, verdict.confidence, "", verdict.signature or "")


def judged_again(trial: Trial, kept: facts.Facts) -> Trial:
    """The trial with what the judge says of its facts now. The own side and the exit code stay as they were."""
    now = dict(kept.verdicts())
    return replace(trial, units=tuple(_unit(unit, now.get(unit.url)) for unit in trial.units))


def _unit(unit: Unit, verdict: Verdict | None) -> Unit:
    if verdict is None:
        return unit
    against = {id(finding) for finding in verdict.against}
    evidence = tuple(
        {"code": f.code, "weight": f.weight, "for": f.speaks_for, "text": "", "against": id(f) in against}
        for f in (*verdict.findings, *verdict.against)
    )
    return replace(
        unit,
        said={**unit.said, OURS: said_by(verdict)},
        evidence=evidence,
        gates=verdict.gates,
        leaning=verdict.leaning,
    )


def again(
    folder: Path, names: Container[str] | None = None, among: Container[tuple[str, int]] | None = None
) -> Iterator[tuple[Trial, Trial]]:
    """(as it was, as it is now), trial by trial: all, those of some scenarios, or those *among* (scenario, seed)."""
    kept = Kept(folder)
    for row in ALL:
        for seed in kept.seeds_of(row.name) if names is None or row.name in names else ():
            if among is None or (row.name, seed) in among:
                trial = kept.load(row, seed)
                path = kept.facts_of(row.name, seed)
                if trial is not None and path.exists():
                    yield trial, judged_again(trial, facts.read(path))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="scenarios; all that are kept if none is named")
    options = parser.parse_args(arguments)
    trials = wrong = 0
    for before, now in again(options.folder, options.names or None):
        trials += 1
        wrong += bool(now.wrong)
        for was, is_now in zip(before.units, now.units, strict=True):
            if was.said[OURS] != is_now.said[OURS] or not is_now.is_right():
                word = "right" if is_now.is_right() else "WRONG"
                print(f"{word} {now.scenario.name}-{now.seed} {was.url}: {_text(was)} -> {_text(is_now)}")
    print(f"{trials} trials, {wrong} with a wrong word")
    return 1 if wrong else 0


def _text(unit: Unit) -> str:
    said = unit.said[OURS]
    return " ".join(str(part) for part in (said.status, said.method, said.signature, said.confidence) if part)


if __name__ == "__main__":
    sys.exit(main())
