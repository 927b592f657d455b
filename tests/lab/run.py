"""The lab's runner: the installed command with its default settings, through every scenario, beside what others would say.

    make lab [SEED=n] [SEEDS=k] [ONLY=name]      or  python -m tests.lab.run --seed n --seeds k --only name --jobs 3

Each scenario proves itself first; one that cannot is reported and counts for nothing. Writes a report and all units under
``tests/lab/reports/``. Exit code 1 when a call is wrong, a scenario does not prove itself, or what is asked is not met.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from probe.experiments import EXPERIMENTS
from tests.lab import facts, vary
from tests.lab.again import judged_again
from tests.lab.baselines import BASELINES, Judge, Said, reached_control
from tests.lab.lab import Lab
from tests.lab.namespaces import Done, LabError
from tests.lab.scenarios import Scenario
from tests.lab.score import OURS, Unit
from tests.lab.table import ALL, SLICE, family, is_unseen
from tests.lab.trials import Kept, Trial

LONGEST_S = 150
"""One command. Far more than any of it should take."""
LONGEST_DEEP_S = 330
"""With ``--deep`` the longest rest alone is three minutes."""
_SKIPPED = tuple(word for name, _ in EXPERIMENTS[2:] for word in ("--skip", name))


def ask(lab: Lab, *words: str, keep: str | None = None) -> tuple[Done, dict[str, Any]]:
    """``dalel check …`` as a user types it, and its document; ``LabError`` if there is none. *keep*: a database's URL."""
    where = ("--save", "--database", keep) if keep else ("--no-save",)
    longest_s = LONGEST_DEEP_S if "--deep" in words else LONGEST_S
    done = lab.dalel("check", *words, "--format", "json", *where, "-q", timeout=longest_s)
    if not done.stdout.startswith("{"):
        raise LabError(f"dalel: exit {done.returncode} after {done.seconds:.1f} s\n{done.stderr[-4000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return done, document


class Controls:
    """The probe's own baselines from the control, each measured once: rows of one seed whose control would see the same share
    one. It is asked after the probe, in the same lab, so that neither takes the other's time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, dict[str, list[dict[str, Any]]]] = {}

    def of(self, scenario: Scenario, seed: int, lab: Lab) -> dict[str, list[dict[str, Any]]]:
        """Observations by URL. ``LabError`` if a lab of its own is needed, and cannot be built."""
        world, rules = scenario.uncensored(seed)
        # Rows that are blocks only share one world, so most of them share one control.
        key = hashlib.sha256(repr((world, rules, sorted(scenario.asked))).encode()).hexdigest()
        with self._lock:
            mine = self._locks.setdefault(key, threading.Lock())
        with mine:
            if key not in self._known:
                if scenario.seen_world(seed) is not None:
                    lab.net.renew_abroad()  # what the proofs have done there is forgotten
                    _, document = ask(lab.from_control(), *scenario.asked, *_SKIPPED)
                else:
                    with Lab(world, rules=rules, seed=seed) as other:
                        _, document = ask(other, *scenario.asked, *_SKIPPED)
                self._known[key] = {result["url"]: result["observations"] for result in document["results"]}
            return self._known[key]


@contextlib.contextmanager
def proven(row: Scenario, seed: int) -> Iterator[Lab]:
    """A lab that has proven itself. On a busy machine a proof may be late: one more try, before the probe has said anything."""
    with contextlib.ExitStack() as stack:
        try:
            lab = stack.enter_context(row.lab(seed))
            row.prove(lab)
        except LabError:
            stack.close()
            lab = stack.enter_context(row.lab(seed))
            row.prove(lab)
        yield lab


def run_one(
    scenario: Scenario,
    seed: int = vary.AS_WRITTEN,
    controls: Controls | None = None,
    kept: Kept | None = None,
    sources: Path | None = None,
) -> Trial:
    """Build, prove, check; with *controls* hear what the others would say, with *kept* keep the facts there. *sources*:
    the program's packages, if they are not the installed ones."""
    started = time.monotonic()
    row = scenario.drawn(seed)
    if any(url.startswith("protocol://") for url in row.asked):
        controls = None  # nobody else compares protocols on the way to a control, so nobody is heard
    try:
        with proven(row, seed) as lab:
            lab.sources, lab.launcher = sources, row.launcher
            database = facts.database(lab) if kept else None
            done, document = ask(lab, *row.asked, *row.arguments, *lab.control_words, keep=database)
            if kept and database:
                facts.keep(database, kept.facts_of(row.name, seed))
            # Without a foreign canary's handshake they have no control, for it is asked through the same network.
            asked = controls if reached_control(document["network"]["observations"]) else None
            elsewhere = asked.of(row, seed, lab) if asked else {}
    except (LabError, OSError, ValueError) as error:
        text = f"{type(error).__name__}: {error}"
        return Trial(scenario=row, seed=seed, error=text, seconds=time.monotonic() - started)
    judges = BASELINES if controls else {}
    units = tuple(_unit(row, seed, result, elsewhere, judges) for result in document["results"])
    took = time.monotonic() - started
    return Trial(scenario=row, seed=seed, code=done.returncode, document=document, units=units, seconds=took)


def _unit(
    row: Scenario,
    seed: int,
    result: dict[str, Any],
    elsewhere: dict[str, list[dict[str, Any]]],
    judges: dict[str, Judge],
) -> Unit:
    said = {
        OURS: Said(
            result["status"], result["method"], result["confidence"], "", result["signature"] or ""
        )
    }  # fmt: skip
    for name, judge in judges.items():
        said[name] = judge(result["observations"], elsewhere.get(result["url"]), result["url"])
    return Unit(
        scenario=row.name,
        family=family(row.name),
        seed=seed,
        url=result["url"],
        acceptable=row.words_for(result["url"]),
        said=said,
        seconds=result["duration_s"],
        bytes=result["bytes_sent"] + result["bytes_received"],
        evidence=tuple({**f, "against": f in result["against"]} for f in [*result["evidence"], *result["against"]]),
        gates=tuple(result["gates"]),
        leaning=result["leaning"],
    )


# ---------------------------------------------------------------------------------------------------------------------


def run_all(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    jobs: int,
    *,
    controls: Controls | None = None,
    others: int | None = None,
    kept: Kept | None = None,
    anew: bool = False,
    sources: Path | None = None,
) -> Iterator[Trial]:
    """Every scenario under every seed, *jobs* labs side by side, as they end. What *kept* has is not run again, but judged
    *anew*; the others are heard under the first *others* seeds."""
    heard = seeds[:others] if controls else ()
    work = []
    for scenario, seed in _in_order(scenarios, seeds):
        trial = kept.load(scenario, seed) if kept else None
        if trial is None:
            work.append((scenario, seed))
        elif anew and kept:
            yield judged_again(trial, facts.read(kept.facts_of(scenario.name, seed)))
        else:
            yield trial
    if not jobs:
        return
    with ThreadPoolExecutor(jobs) as pool:
        futures = [
            pool.submit(run_one, scenario, seed, controls if seed in heard else None, kept, sources)
            for scenario, seed in work
        ]
        try:
            for future in as_completed(futures):
                if kept:
                    kept.save(future.result())
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_order(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> Iterator[tuple[Scenario, int]]:
    """One seed after the other, so that a run that is broken off has whole ones; within a seed no kind is in a row."""
    for seed in seeds:
        yield from ((scenario, seed) for scenario in random.Random(seed).sample(scenarios, len(scenarios)))


def prove_all(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> int:
    """Build and prove, and run no probe: what somebody does who writes rows of the half that is held out."""
    failed = 0
    for scenario, seed in ((scenario, seed) for seed in seeds for scenario in scenarios):
        try:
            with proven(scenario.drawn(seed), seed):
                word = "proven"
        except LabError as error:
            failed += 1
            word = str(error)
        print(f"{scenario.name} seed {seed}: {word}", file=sys.stderr)
    return 1 if failed else 0


def _tell(trial: Trial, number: int, total: int) -> None:
    word = (
        "right" if trial.is_right else f"WRONG: {len(trial.wrong)} of {len(trial.units)}; {'; '.join(trial.complaints)}"
    )
    if trial.error:
        word = f"NOT RUN: {trial.error.splitlines()[0][:200]}"
    print(
        f"[{number}/{total}] {trial.scenario.name} seed {trial.seed}: {word} ({trial.seconds:.1f} s)", file=sys.stderr
    )


def main(arguments: Sequence[str] | None = None) -> int:
    from tests.lab import report

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=vary.AS_WRITTEN, help="the first seed; 1 is the rows as written")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--only", action="append", default=[], help="scenarios by name, or NAME* for a beginning")
    parser.add_argument(
        "--kept", type=Path, help="keep trials and their facts in this directory; those there are not run"
    )
    parser.add_argument("--half", choices=("all", "seen", "unseen"), default="all", help="the unseen half is held out")
    parser.add_argument("--anew", action="store_true", help="judge what was kept by today's rules")
    parser.add_argument("--others", type=int, help="under how many seeds the others are heard too; all if not given")
    parser.add_argument("--slice", action="store_true", help="the rows that `make test` runs; nobody else is heard")
    parser.add_argument("--prove", action="store_true", help="only build each lab and let it prove itself")
    parser.add_argument(
        "--jobs", type=int, default=max(2, min(4, (os.cpu_count() or 2) + 1)), help="0: only report what is kept"
    )
    parser.add_argument("--keep", type=Path, help="write the documents of wrong trials to this directory")
    options = parser.parse_args(arguments)
    chosen = [row for row in ALL if not options.only or any(_named(row.name, only) for only in options.only)]
    if options.half != "all":
        chosen = [row for row in chosen if is_unseen(row.name) == (options.half == "unseen")]
    if options.slice:
        chosen = [row for row in chosen if row in SLICE]
    if not chosen:
        parser.error(f"there is no scenario {', '.join(options.only)}")
    ready = [row for row in chosen if not row.needs]
    seeds = range(options.seed, options.seed + options.seeds)
    if options.prove:
        return prove_all(chosen, seeds)
    # What runs is let end, so that no lab leaves its directory behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started, began = time.monotonic(), report.sources()
    trials = []
    kept = Kept(options.kept) if options.kept else None
    controls = None if options.slice else Controls()
    for trial in run_all(
        ready, seeds, options.jobs, controls=controls, others=options.others, kept=kept, anew=options.anew
    ):
        trials.append(trial)
        _tell(trial, len(trials), len(ready) * len(seeds))
        if options.keep and not trial.is_right:
            _keep(options.keep, trial)
    trials.sort(key=lambda trial: (trial.scenario.name, trial.seed))
    result = report.Result(
        trials=tuple(trials),
        not_yet=tuple(row for row in chosen if row.needs),
        seeds=tuple(seeds),
        jobs=options.jobs,
        seconds=time.monotonic() - started,
        partial=bool(options.only) or options.half != "all" or options.slice,
        began=began,
    )
    text = report.text(result)
    # One row replayed is for the eyes; a whole run is for the record.
    if not result.partial:
        print(f"wrote {report.write(result, text)}", file=sys.stderr)
    with contextlib.suppress(BrokenPipeError):
        print(text)
    return 0 if report.is_met(result) else 1


def _named(name: str, only: str) -> bool:
    return name.startswith(only[:-1]) if only.endswith("*") else name == only


def _keep(directory: Path, trial: Trial) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{trial.scenario.name}-{trial.seed}.json"
    path.write_text(json.dumps(trial.document or {"error": trial.error}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
