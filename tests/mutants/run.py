"""Mutants: each finding and each gate disabled in turn. No run of the verdict tests may stay green.

    python -m tests.mutants.run [--only NAME …] [--processes N]

Nothing in the source is edited: a forked child replaces one row's function by one that finds nothing, or one gate by one
that never closes, and runs the fast verdict tests (the contract, the gates, the own side) until the first of them fails.
A mutant that no test notices *survives*: it is printed, and the exit code is 1. A mutant whose tests could not run at all
counts as an error, never as killed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from probe.verdict import evidence, gates, word_gates
from tests.mutants import reports

HERE = Path(__file__).resolve().parents[1]
FAST = (
    "test_verdict_words.py",
    "test_verdict_gates.py",
    "test_verdict_network.py",
    "test_verdict_holes.py",
    "test_verdict_control.py",
    "test_verdict_control_pairs.py",
    "test_verdict_behind.py",
    "test_verdict_residual.py",
    "test_verdict_located.py",
    "test_verdict_this_side.py",
    "test_verdict_questions.py",
    "test_verdict_others.py",
    "test_verdict_moved.py",
    "test_verdict_throttling.py",
    "test_verdict_quic.py",
    "test_verdict_protocols.py",
    "test_raw_packets.py",
)
"""Only tests of what is *said*. The contract test would kill every row by looking for it in its own story."""
LAST = "test_verdict_contract.py"

SURVIVED, KILLED, ERROR = 0, 1, 2

Disable = Callable[[], None]


def mutants() -> Iterator[tuple[str, Disable]]:
    """Every mutant: its name, and what makes it (in a child process)."""
    for code in evidence.TABLE:
        yield f"finding {code}", lambda code=code: _blind(code)  # type: ignore[misc]
    for name in gates.EVIDENCE_GATES:
        yield f"gate {name}", lambda name=name: _open_evidence_gate(name)  # type: ignore[misc]
    for name in word_gates.WORD_GATES:
        yield f"gate {name}", lambda name=name: _open_word_gate(name)  # type: ignore[misc]


def _blind(code: str) -> None:
    evidence.TABLE[code] = replace(evidence.TABLE[code], find=lambda _case: ())


def _open_evidence_gate(name: str) -> None:
    gates.EVIDENCE_GATES[name] = replace(gates.EVIDENCE_GATES[name], find=lambda _case, _findings: ())


def _open_word_gate(name: str) -> None:
    word_gates.WORD_GATES[name] = replace(word_gates.WORD_GATES[name], stops=lambda _case, _draft: False)


def _outcome(disable: Disable | None) -> tuple[int, str]:
    """Run the tests until one fails; (outcome, the file that killed it)."""
    if disable is not None:
        disable()
    for file in (*FAST, LAST):
        path = HERE / "unit" / file
        if not path.exists():
            continue
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = pytest.main(["-x", "-q", "--no-header", str(path)])
        if code == pytest.ExitCode.TESTS_FAILED:
            return KILLED, file
        if code != pytest.ExitCode.OK:
            return ERROR, file
    return SURVIVED, ""


class Child:
    """One mutant in a process of its own; it tells its outcome through a pipe."""

    def __init__(self, name: str, disable: Disable | None) -> None:
        self.name = name
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            outcome, file = _outcome(disable)
            os.write(write, f"{outcome} {file}".encode())
            os._exit(0)
        os.close(write)

    def wait(self) -> tuple[int, str]:
        """The outcome; a child that said nothing is an error."""
        with os.fdopen(self._read, "rb") as pipe:
            said = pipe.read().decode()
        os.waitpid(self.pid, 0)
        outcome, _, file = said.partition(" ")
        return (int(outcome), file) if outcome else (ERROR, "")


def main(arguments: list[str] | None = None) -> int:
    """Run every mutant; 1 if one survives, 2 if the tests are red or cannot run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="names or parts of names")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", action="store_true", help="also write tests/mutants/reports/<date>-….md")
    chosen = parser.parse_args(arguments)
    begun = time.monotonic()
    if Child("none", None).wait()[0] != SURVIVED:
        print("the verdict tests are red without any mutant")
        return ERROR
    todo = [m for m in mutants() if not chosen.only or any(part in m[0] for part in chosen.only)]
    outcomes = dict(_run(todo, chosen.processes))
    survivors = [name for name, (outcome, _) in outcomes.items() if outcome == SURVIVED]
    errors = [name for name, (outcome, _) in outcomes.items() if outcome == ERROR]
    by_contract = [name for name, (_, file) in outcomes.items() if file == LAST]
    lines = [f"SURVIVED  {name}" for name in survivors] + [f"ERROR     {name}" for name in errors]
    lines.append(
        f"{len(outcomes)} mutants: {len(outcomes) - len(survivors) - len(errors)} killed "
        f"({len(by_contract)} of them by the table's own stories only), {len(survivors)} survived, {len(errors)} errors; "
        f"{time.monotonic() - begun:.0f} s"
    )
    print("\n".join(lines))
    if chosen.report:
        lines += ["", "killed by the table's own stories only:", *by_contract]
        reports.write("mutants", "Mutants: each finding and each gate disabled in turn", lines)
    return ERROR if errors else int(bool(survivors))


def _run(todo: list[tuple[str, Disable]], processes: int) -> Iterator[tuple[str, tuple[int, str]]]:
    """Outcomes in the order of *todo*, a few children at a time."""
    waiting: list[Child] = []
    for name, disable in todo:
        waiting.append(Child(name, disable))
        if len(waiting) >= processes:
            done = waiting.pop(0)
            yield done.name, done.wait()
    for child in waiting:
        yield child.name, child.wait()


if __name__ == "__main__":
    sys.exit(main())
