"""Play the demo and the lab, and keep their facts: ``python -m tests.corpus.record [NAME …]``.

A name is ``demo-ACT`` or ``lab-SCENARIO``. Without one the demo and the slice of the lab are played, and files of what is no
longer played are removed.

    python -m tests.corpus.record --from FOLDER

plays the demo, and takes the slice and every third other scenario from what ``tests.lab.run --kept FOLDER`` measured.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from probe.demo.play import play
from probe.demo.table import PROGRAMME
from probe.verdict.model import Verdict
from tests import corpus
from tests.lab import facts
from tests.lab.namespaces import LabError
from tests.lab.scenario import Scenario
from tests.lab.table import ALL, SLICE
from tests.lab.trials import Kept

AT_ONCE = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Record *names*, or everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--from", dest="folder", type=Path)
    options = parser.parse_args(arguments)
    partly = bool(options.names)
    said = _read_words() if partly else {}
    for name, lines in _taken(options.folder) if options.folder else _play(options.names):
        said[name] = lines
        print(name, len(lines), file=sys.stderr)
    rows = [f"{name}\t{line}\n" for name in sorted(said) for line in said[name]]
    corpus.WORDS.write_text("".join(rows))
    if not partly:
        for path in corpus.RUNS.glob("*.jsonl.gz"):
            if path.name.removesuffix(".jsonl.gz") not in said:
                path.unlink()


def _read_words() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    text = corpus.WORDS.read_text() if corpus.WORDS.exists() else ""
    for line in text.splitlines():
        name, _, rest = line.partition("\t")
        found.setdefault(name, []).append(rest)
    return found


def _taken(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The demo, and of the first seed's kept facts a share that does not fill the repository."""
    yield from _play_demo([])
    for row in ALL:
        path = Kept(folder).facts_of(row.name, 1)
        if path.exists() and (row in SLICE or hashlib.sha256(row.name.encode()).digest()[0] % 3 == 0):
            name = f"lab-{row.name}"
            shutil.copyfile(path, corpus.path_of(name))
            yield name, ["\t".join((url, *corpus.words(verdict))) for url, verdict in facts.read(path).verdicts()]


def _play(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    yield from _play_demo(names)
    yield from _play_lab(names)


def _play_demo(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    for act in PROGRAMME:
        if not names or f"demo-{act.name}" in names:
            played = asyncio.run(play(act, lambda _event: None))
            verdicts = [result.verdict for result in played.outcome.results]
            corpus.write(
                corpus.path_of(f"demo-{act.name}"), played.outcome.asked, played.outcome.observations, verdicts
            )
            urls = {result.number: result.url for result in played.outcome.results}
            yield f"demo-{act.name}", _lines(urls, verdicts)


def _play_lab(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    chosen = [row for row in ALL if (f"lab-{row.name}" in names if names else row in SLICE)]
    with ThreadPoolExecutor(AT_ONCE) as labs:
        playing = {labs.submit(_play_scenario, scenario): scenario.name for scenario in chosen}
        for done in as_completed(playing):
            try:
                yield f"lab-{playing[done]}", done.result()
            except LabError as error:
                print(f"lab-{playing[done]} did not prove itself: {error}", file=sys.stderr)


def _play_scenario(scenario: Scenario) -> list[str]:
    path = corpus.path_of(f"lab-{scenario.name}")
    with scenario.lab() as lab:
        lab.launcher = scenario.launcher
        database = facts.database(lab)
        lab.dalel("check", "--save", "--database", database, "-q", *scenario.asked)
        verdicts = facts.keep(database, path)
    urls = {one.number: one.endpoint.url for one in corpus.read(path).asked}
    return _lines(urls, verdicts)


def _lines(urls: dict[int, str], verdicts: list[Verdict]) -> list[str]:
    return ["\t".join((urls[v.endpoint], *corpus.words(v))) for v in verdicts]


if __name__ == "__main__":
    main()
