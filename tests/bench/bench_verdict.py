"""What a word costs where something is wrong: seconds and bytes to the verdict, by family, on the lab's 80 ms path.

``python -m tests.bench.bench_verdict [--rounds N] [--only NAME] [--beside DIR]`` writes ``tests/bench/reports/DATE-verdict.md``.
*DIR* holds another version of the program (its packages, as ``git archive`` gives them), which takes turns with this one.

*Seconds* are from the first packet of the baseline to the verdict, the second look at the own side included. *Beyond the
baseline* is everything that was sent and received for that endpoint besides its baseline: as the program counts it (what
sockets were given and gave), and as IP packets at the router, headers, resends and the encrypted questions' own handshakes
included. The look at the own side is the run's, not an endpoint's, and in neither figure.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probe.settings import Settings
from tests.bench.bench_check import REPORTS, _machine, _seconds_of
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError
from tests.lab.net import CONTROL, RESOLVER
from tests.lab.run import ask
from tests.lab.scenario import Scenario
from tests.lab.table import ALL

ROWS = {
    "silence": ("sni_drop", "sni_reply_drop", "http_host_drop", "sink_sni_drop"),
    "reset": (
        "sni_reset",
        "sni_reset_client_only",
        "behind_reset_and_translator",
        "http_host_reset",
        "sink_sni_reset",
    ),
    "end or alert": ("sni_end", "sni_alert"),
    "DNS": ("dns_bogon", "dns_nxdomain", "dns_injection", "inject_other_dead", "dns_block_page"),
    "interception": ("national_ca_some_names", "stranger_ca_some_names"),
    "page": ("http_block_page", "http_redirect_to_block_page"),
}
SILENCE_S = 1.2 * Settings().deadlines.tls_hard
WORD_S = 6.0
MOST_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Word:
    """What one decided endpoint took. ``shares``: bytes by purpose, as the program counts them."""

    seconds: float
    bytes: int
    packets: int
    shares: dict[str, int]


def words(row: Scenario, seed: int, sources: Path | None) -> Iterator[Word]:
    """The endpoints of *row* that were called blocked, in one run in a fresh lab. ``LabError`` if there is none."""
    with row.lab(seed) as lab:
        lab.sources = sources
        lab.net.router.clear()
        _, document = ask(lab, *row.asked, *lab.control_words)
        remotes = lab.net.router.counters()["remotes"]
        decided = [result for result in document["results"] if result["status"] == "blocked"]
        if not decided:
            raise LabError(f"{row.name}: nothing is said to be blocked")
        for result in decided:
            yield _word(lab, result, remotes)


def _word(lab: Lab, result: dict[str, Any], remotes: dict[str, Any]) -> Word:
    more = [o for o in result["observations"] if o["purpose"] != "baseline" and o["vantage"] == "local"]
    shares: Counter[str] = Counter()
    for o in more:
        shares[o["purpose"]] += o["bytes_sent"] + o["bytes_received"]
    places = {o["address"] for o in more if o["address"]} - {RESOLVER}
    if lab.control_words:
        places.add(CONTROL.address.partition("/")[0])
    packets = sum(remotes[place]["bytes_up"] + remotes[place]["bytes_down"] for place in places if place in remotes)
    return Word(_seconds_of(result), shares.total(), packets, dict(shares))


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the report."""

    family: str
    name: str
    words: tuple[Word, ...]
    beside: tuple[Word, ...] = ()

    @property
    def limit_s(self) -> float:
        return SILENCE_S if self.family == "silence" else WORD_S

    @property
    def met(self) -> bool:
        return _seconds(self.words) <= self.limit_s and _bytes(self.words) <= MOST_BYTES


def _seconds(found: Sequence[Word]) -> float:
    return statistics.median(word.seconds for word in found)


def _bytes(found: Sequence[Word]) -> float:
    return statistics.median(word.bytes for word in found)


def _packets(found: Sequence[Word]) -> float:
    return statistics.median(word.packets for word in found)


def measure(family: str, name: str, options: argparse.Namespace) -> Line:
    """The row *rounds* times; with ``--beside`` the other version in turn with it."""
    row = next(row for row in ALL if row.name == name).drawn(options.seed)
    ours: list[Word] = []
    others: list[Word] = []
    for _ in range(options.rounds):
        if options.beside is not None:
            others.extend(words(row, options.seed, options.beside))
        ours.extend(words(row, options.seed, None))
    line = Line(family, name, tuple(ours), tuple(others))
    print(_line(line), file=sys.stderr)
    return line


def _figures(found: Sequence[Word]) -> str:
    spread = f"{min(w.seconds for w in found):.1f} to {max(w.seconds for w in found):.1f}"
    seconds = f"{_seconds(found):.1f} ({spread})" if len(found) > 1 else f"{_seconds(found):.1f}"
    return f"{seconds} | {_bytes(found) / 1000:.1f} | {_packets(found) / 1000:.1f}"


def _line(line: Line) -> str:
    before = f" {_figures(line.beside)} |" if line.beside else ""
    met = "yes" if line.met else "**no**"
    return f"| {line.family} | {line.name} |{before} {_figures(line.words)} | ≤ {line.limit_s:.0f} s | {met} |"


def text(lines: Sequence[Line], options: argparse.Namespace) -> str:
    now = dt.datetime.now(dt.UTC)
    both = bool(lines and lines[0].beside)
    names = ("before: s", "KB", "KB of IP", "after: s", "KB", "KB of IP") if both else ("s", "KB", "KB of IP")
    head = "| family | row | " + " | ".join(names) + " | asked | met |\n" + "|---" * (len(names) + 4) + "|\n"
    shares: Counter[str] = Counter()
    for line in lines:
        for word in line.words:
            shares.update(word.shares)
    count = max(1, sum(len(line.words) for line in lines))
    parts = ", ".join(f"{purpose} {size / count / 1000:.1f}" for purpose, size in shares.most_common())
    return (
        f"# What a word costs, {now:%Y-%m-%d %H:%M} UTC\n\n{_machine(options.seed)}\n\n"
        f"Medians of {options.rounds} run(s) a row, in labs one after the other. Seconds: first packet to verdict. KB: beyond the\n"
        f"baseline, for one endpoint, as the program counts it (asked: ≤ {MOST_BYTES / 1000:.0f}); KB of IP: the same at the router, with headers and\n"
        "resends; what the own side's look sends to the same resolvers is in it as well.\n\n"
        f"{head}" + "\n".join(_line(line) for line in lines) + f"\n\nKB by purpose, mean of all: {parts}.\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], help="rows by name")
    parser.add_argument("--beside", type=Path, help="a folder with another version's packages")
    options = parser.parse_args(arguments)
    lines = [
        measure(family, name, options)
        for family, names in ROWS.items()
        for name in names
        if not options.only or name in options.only
    ]
    report = text(lines, options)
    if not options.only:
        REPORTS.mkdir(exist_ok=True)
        (REPORTS / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}-verdict.md").write_text(report)
    print(report)
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
