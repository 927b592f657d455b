"""Recorded runs, disturbed as life disturbs them, and judged again: does any become ``blocked`` that is not?

    python -m tests.lab.disturbed [--from FOLDER] [--times 3] [--seed 1] [--seconds 600] [--only WORDS]

Without a folder the runs are those of ``tests/corpus``; a folder is one that ``tests.lab.run --kept`` filled. What is true of
a run is what its row accepts. Every false ``blocked`` is told with the fewest edits that make it (``disturb.shrunk``). For runs
that are blocked it is counted how many get another definite word: a line that lost everything is one of them, and rightly.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from probe.observations import Observation
from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.model import Verdict
from probe.verdict.view import View
from targets.model import Asked
from tests import corpus
from tests.lab import disturb
from tests.lab.table import ALL

MANY = 1_200
"""Of a run with more observations only its own side and the endpoint in question are looked at."""
_ROWS = {row.name: row for row in ALL}


@dataclass(frozen=True, slots=True)
class Told:
    """One endpoint of a recorded run, and which words are right for it."""

    run: str
    one: Asked
    asked: tuple[Asked, ...]
    facts: disturb.Facts
    right: frozenset[str]

    @property
    def is_block(self) -> bool:
        return "blocked" in self.right

    def judged(self, facts: disturb.Facts | None = None) -> Verdict:
        return judge(View(self.facts if facts is None else facts, self.asked), self.one, Priors())


@dataclass(frozen=True, slots=True)
class False_:
    """A word that is not true, and the least that makes it."""

    told: Told
    kind: str
    verdict: Verdict
    edits: int
    least: tuple[str, ...]


def told(paths: Sequence[Path], *, most: int = 2) -> Iterator[Told]:
    """The endpoints of recorded runs, at most *most* of each."""
    said = [line.split("\t") for line in corpus.WORDS.read_text().splitlines()]
    for path in paths:
        run = corpus.read(path)
        name = run.name.removeprefix("lab-")
        row = _ROWS.get(name) or _ROWS.get(name.rpartition("-")[0])
        judged = [one for one in run.asked if one.number in run.horizons]
        for one in random.Random(run.name).sample(judged, min(most, len(judged))):
            if row is not None:
                right = frozenset(words.status for words in row.words_for(one.endpoint.url))
            else:
                right = frozenset(line[2] for line in said if line[:2] == [run.name, one.endpoint.url])
            seen = [o for o in run.observations if o.number <= run.horizons[one.number]]
            if len(seen) > MANY:
                seen = [o for o in seen if o.endpoint in (None, one.number)]
            if right and len(seen) > 1:
                yield Told(run.name, one, run.asked, disturb.spread(seen), right)


def disturbed(subject: Told, kind: str, number: int, seed: int) -> tuple[Verdict, list[disturb.Edit]]:
    """*subject* after one disturbance; the same numbers give the same one."""
    dice = random.Random(f"{seed}/{subject.run}/{subject.one.number}/{kind}/{number}")
    edits = (disturb.KINDS | disturb.MALICE)[kind](subject.facts, dice)
    return subject.judged(disturb.apply(subject.facts, edits)), edits


def least(subject: Told, edits: list[disturb.Edit], status: str) -> tuple[str, ...]:
    """The fewest of *edits* that still make that word, in words."""
    few = disturb.shrunk(subject.facts, edits, lambda facts: subject.judged(facts).status == status)
    by_number = {o.number: o for o in subject.facts}
    return tuple(_in_words(by_number[number], new) for edit in few for number, new in list(edit.items())[:1])


def _in_words(o: Observation, new: tuple[Observation, ...]) -> str:
    became = "gone" if not new else "twice" if len(new) > 1 else new[0].failure or "changed"
    place = "/".join(str(part) for part in (o.purpose, o.operation.kind, o.group, o.arm, o.member) if part is not None)
    return f"{place}: {o.failure or 'well'} -> {became}"


class Tally:
    """What came of all of them."""

    def __init__(self) -> None:
        self.judged: Counter[tuple[bool, str]] = Counter()
        self.wrong: Counter[tuple[bool, str, str]] = Counter()
        self.changed: Counter[int] = Counter()
        self.false: list[False_] = []

    def take(self, subject: Told, kind: str, verdict: Verdict, edits: list[disturb.Edit]) -> None:
        """Count one."""
        self.judged[subject.is_block, kind] += 1
        if not subject.is_block:
            self.changed[_magnitude(len(edits))] += 1
            if verdict.status == "blocked":
                self.wrong[False, kind, "blocked"] += 1
                found = least(subject, edits, "blocked")
                self.false.append(False_(subject, kind, verdict, len(edits), found))
        elif verdict.status not in subject.right | {"inconclusive"}:
            self.wrong[True, kind, verdict.status] += 1

    def lines(self) -> Iterator[str]:
        """A table for each truth, and every false ``blocked``."""
        for is_block, title in ((False, "not blocked"), (True, "blocked")):
            yield f"{title}: disturbance, judged, wrong"
            for (block, kind), count in sorted(self.judged.items()):
                words = {w: n for (b, k, w), n in sorted(self.wrong.items()) if (b, k) == (is_block, kind)}
                if block is is_block:
                    yield f"  {kind:40} {count:7,} {words or 0}"
        for size in sorted(self.changed):
            bad = sum(_magnitude(one.edits) == size for one in self.false)
            yield f"up to {size} changed: {bad} false of {self.changed[size]:,}"
        for one in self.false:
            codes = ", ".join(f.code for f in one.verdict.findings[:4])
            yield f"FALSE {one.told.run} {one.told.one.endpoint.url} ({one.kind}): {codes}"
            yield from (f"    {line}" for line in one.least[:8])


def _magnitude(count: int) -> int:
    return next(size for size in (1, 3, 10, 30, 100, 10**9) if count <= size)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 if any run became ``blocked`` that is not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="folder", type=Path, default=corpus.RUNS)
    parser.add_argument("--times", type=int, default=3, help="of each disturbance, for each endpoint")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--only", default="", help="runs whose name has this in it")
    parser.add_argument("--malice", action="store_true", help="what no chance does instead")
    parser.add_argument("--not-blocked", action="store_true", help="leave out runs that are blocked")
    chosen = parser.parse_args(arguments)
    paths = [path for path in sorted(chosen.folder.glob("*.jsonl.gz")) if chosen.only in path.name]
    random.Random(chosen.seed).shuffle(paths)
    begun, tally, runs = time.monotonic(), Tally(), set()
    for subject in told(paths):
        if time.monotonic() - begun > chosen.seconds:
            break
        if chosen.not_blocked and subject.is_block:
            continue
        runs.add(subject.run)
        for kind in disturb.MALICE if chosen.malice else disturb.KINDS:
            for number in range(chosen.times):
                verdict, edits = disturbed(subject, kind, number, chosen.seed)
                if edits:
                    tally.take(subject, kind, verdict, edits)
    print("\n".join(tally.lines()))
    total = sum(count for (block, _), count in tally.judged.items() if not block)
    took = time.monotonic() - begun
    print(f"{len(tally.false)} false of {total:,} ({len(runs)} of {len(paths)} runs, seed {chosen.seed}, {took:.0f} s)")
    return int(bool(tally.false))


if __name__ == "__main__":
    sys.exit(main())
