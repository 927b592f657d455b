"""The judge, broken on purpose: an instrument that stays green then measures nothing.

    python -m tests.lab.broken [NAME …]

Each break is one small change to a copy of the program's sources, of the kind that somebody might make with good reasons.
The lab runs the installed command on that copy, on the rows that it must get wrong and on a row that it must not. Exit
code 1 if the lab stays green, or if its report does not name the rows.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab import report
from tests.lab.net import REPOSITORY
from tests.lab.run import run_all
from tests.lab.table import ALL

UNTOUCHED = "healthy"
"""What every break leaves right, so that a program that does not even start is no red lab."""


@dataclass(frozen=True, slots=True)
class Break:
    """In *file*, *old* (which is there once) becomes *new*; *wrong* are the scenarios that must go red."""

    name: str
    tells: str
    file: str
    old: str
    new: str
    wrong: tuple[str, ...]


BREAKS = (
    Break(
        "products_are_overlooked",
        "a certificate by a filtering product counts like a forger's",
        "probe/verdict/gates.py",
        'if "filter_product" in _codes(findings) else ()',
        'if "filter_product" in _codes(()) else ()',
        ("company_gateway_social_only",),
    ),
    Break(
        "neutrals_are_not_believed",
        "two neutral addresses are not enough any more",
        "probe/verdict/findings/tls.py",
        "    found = complete_neutrals(case)\n    if len(found) >= 2:",
        "    found = complete_neutrals(case)\n    if len(found) >= 20:",
        ("sni_end",),
    ),
    Break(
        "denials_are_believed",
        "that a name does not exist is true if the provider's resolver says so",
        "probe/verdict/findings/denials.py",
        '    "dns_nxdomain_contradicted",\n    speaks_for="blocked",',
        '    "dns_nxdomain_contradicted",\n    speaks_for="outage",',
        ("dns_nxdomain",),
    ),
    Break(
        "line_is_always_there",
        "nobody asks whether anything comes back from beyond the router",
        "probe/verdict/findings/own_side.py",
        '        yield from (_match("upstream", *found) for found in _broken(case, "upstream"))',
        '        yield from (_match("upstream", *found) for found in _broken(case, "upstream")[:0])',
        ("dead_upstream",),
    ),
)


@contextmanager
def broken(change: Break) -> Iterator[Path]:
    """A folder with the program's packages, one line of which is changed."""
    with tempfile.TemporaryDirectory(prefix="dalel-broken-") as folder:
        for package in ("probe", "storage", "targets"):
            shutil.copytree(REPOSITORY / package, Path(folder, package), ignore=shutil.ignore_patterns("__pycache__"))
        path = Path(folder, change.file)
        text = path.read_text()
        if text.count(change.old) != 1:
            raise ValueError(f"{change.name}: the line to change is not in {change.file} exactly once")
        path.write_text(text.replace(change.old, change.new))
        Path(folder).chmod(0o755)
        yield Path(folder)


def goes_red(change: Break) -> str:
    """Empty if the lab notices the break, otherwise what it failed to notice."""
    rows = [row for row in ALL if row.name in (*change.wrong, UNTOUCHED)]
    with broken(change) as folder:
        result = report.Result(
            trials=tuple(run_all(rows, (1,), jobs=2, sources=folder)),
            not_yet=(), seeds=(1,), jobs=2, seconds=0, partial=True,
        )  # fmt: skip
    wrong = {trial.scenario.name for trial in result.trials if not trial.is_right}
    text = report.text(result)
    unnamed = [name for name in wrong if f"### {name}, seed 1" not in text]
    if any(trial.error for trial in result.trials):
        return "; ".join(trial.error for trial in result.trials if trial.error)
    if wrong != set(change.wrong) or report.is_met(result):
        return f"wrong are {sorted(wrong)}, expected {sorted(change.wrong)}"
    return f"the report does not name {unnamed}" if unnamed else ""


def main(names: Sequence[str]) -> int:
    """Every break, or those that are named."""
    code = 0
    for change in BREAKS:
        if not names or change.name in names:
            unnoticed = goes_red(change)
            print(f"{change.name}: {unnoticed or 'the lab goes red'}")
            code |= bool(unnoticed)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
