"""``python -m tests.fuzz``: every reader for its share of some minutes; a report under tests/bench/reports/.

Exit code 1 if one did what none may do; its input is then kept under tests/fuzz/found/, as a seed from then on.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.harness import FOUND, Ran, Subject, run
from tests.fuzz.readers.all import SUBJECTS

_REPORTS = Path(__file__).parents[1] / "bench" / "reports"
_MOST_INPUTS = 1_000_000
_HOW = (
    "An input is a real message after one to five changes (bits, ends, lengths, pieces of others, repetitions), or noise. "
    "Whatever makes a reader say something new is changed further. Held against each: no exception but those that the "
    "reader's callers expect (*refused*), what it gives can be stored and comes back the same, processor time and peak "
    "memory of one input below the reader's bound, and nothing kept after all of them. Times are with memory traced, "
    "which makes Python two to four times slower."
)


def main(arguments: Sequence[str]) -> int:
    """Fuzz, say how it went, and keep a report unless a part only was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same inputs")
    parser.add_argument("--minutes", type=float, default=5.0, help="for all readers together")
    parser.add_argument("--inputs", type=int, default=_MOST_INPUTS, help="at most so many for one reader")
    parser.add_argument("--only", default="", help="readers whose name begins so")
    asked = parser.parse_args(arguments)
    subjects = [subject for subject in SUBJECTS if subject.name.startswith(asked.only)]
    if not subjects:
        parser.error(f"there is no reader {asked.only!r}; there are {', '.join(one.name for one in SUBJECTS)}")
    begun, ran = time.monotonic(), []
    for number, subject in enumerate(subjects):
        left = max(0.0, asked.minutes * 60 - (time.monotonic() - begun))
        ran.append(_one(subject, asked.seed, asked.inputs, left / (len(subjects) - number)))
    if not asked.only:
        now = datetime.now(UTC)
        path = _REPORTS / f"{now:%Y-%m-%d-%H%M}-fuzz.md"
        path.write_text(report(ran, now, asked.seed))
        sys.stdout.write(f"{path}\n")
    return int(any(one.faults for one in ran))


def _one(subject: Subject, seed: int, inputs: int, seconds: float) -> Ran:
    done = run(subject, seed=seed, inputs=inputs, seconds=seconds)
    sys.stdout.write(f"{done.subject}: {done.inputs} inputs, slowest {done.slowest_s * 1e3:.1f} ms, peak {done.peak}\n")
    for fault in done.faults:
        sys.stdout.write(f"  {fault.what}\n  {fault.data[:60].hex()}\n")
        if fault.data:
            FOUND.mkdir(exist_ok=True)
            (FOUND / fault.file).write_bytes(fault.data)
    sys.stdout.flush()
    return done


def report(ran: Sequence[Ran], now: datetime, seed: int) -> str:
    """What came of all readers, as a page."""
    faults = [fault for one in ran for fault in one.faults]
    how = (
        f"{sum(one.inputs for one in ran)} inputs for {len(ran)} readers in {sum(one.took_s for one in ran):.0f} s, seed {seed}; "
        f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}{_processor()}. "
        f"**{len(faults)} faults.**"
    )
    lines = [
        f"# Readers under wrong input, {now:%Y-%m-%d %H:%M} UTC",
        "",
        how,
        "",
        _HOW,
        "",
        "| reader | inputs | refused | different words | slowest, ms | its bytes | bound, ms | peak, KB | bound, KB | kept, KB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    bounds = {subject.name: subject for subject in SUBJECTS}
    for one in ran:
        bound = bounds[one.subject]
        lines.append(
            f"| {one.subject} | {one.inputs} | {one.refused} | {len(one.words)} | {one.slowest_s * 1e3:.1f} | "
            f"{one.slowest_bytes} | {bound.seconds * 1e3:.0f} | {one.peak / 1e3:.0f} | {bound.memory / 1e3:.0f} | "
            f"{one.kept / 1e3:.0f} |"
        )
    lines += ["", *(f"* {fault.subject}: {fault.what}" for fault in faults)]
    return "\n".join(lines).rstrip() + "\n"


def _processor() -> str:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return f", {next(line.partition(':')[2].strip() for line in lines if line.startswith('model name'))}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
