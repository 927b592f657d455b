"""Play the demo and the lab, and keep their facts: ``python -m tests.corpus.record [NAME …]``.

A name is ``demo-ACT`` or ``lab-SCENARIO``. Without one the demo, the first lab and the slice of the whole table are played,
and files of what is no longer played are removed; ``all`` plays every scenario that needs nothing which is not there yet.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from probe.demo.play import play
from probe.demo.table import PROGRAMME
from probe.verdict.model import Verdict
from tests import corpus
from tests.lab import facts
from tests.lab.namespaces import LabError
from tests.lab.scenarios import SCENARIOS, Scenario
from tests.lab.table import ALL

AT_ONCE = 3


def main(names: list[str]) -> None:
    """Record *names*, or everything."""
    partly = bool(names) and names != ["all"]
    said = _read_words() if partly else {}
    for name, lines in _play(names):
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


def _play(names: list[str]) -> Iterator[tuple[str, list[str]]]:
    for act in PROGRAMME:
        if not names or names == ["all"] or f"demo-{act.name}" in names:
            played = asyncio.run(play(act, lambda _event: None))
            verdicts = [result.verdict for result in played.outcome.results]
            corpus.write(
                corpus.path_of(f"demo-{act.name}"), played.outcome.asked, played.outcome.observations, verdicts
            )
            urls = {result.number: result.url for result in played.outcome.results}
            yield f"demo-{act.name}", _lines(urls, verdicts)
    chosen = [scenario for scenario in ALL if not scenario.needs and _is_wanted(scenario, names)]
    with ThreadPoolExecutor(AT_ONCE) as labs:
        playing = {labs.submit(_play_scenario, scenario): scenario.name for scenario in chosen}
        for done in as_completed(playing):
            try:
                yield f"lab-{playing[done]}", done.result()
            except LabError as error:
                print(f"lab-{playing[done]} did not prove itself: {error}", file=sys.stderr)


def _is_wanted(scenario: Scenario, names: list[str]) -> bool:
    if not names:
        return scenario in SCENARIOS or scenario.in_slice
    return names == ["all"] or f"lab-{scenario.name}" in names


def _play_scenario(scenario: Scenario) -> list[str]:
    path = corpus.path_of(f"lab-{scenario.name}")
    with scenario.lab() as lab:
        database = facts.database(lab)
        lab.dalel("check", "--save", "--database", database, "-q", *scenario.asked)
        verdicts = facts.keep(database, path)
    urls = {one.number: one.endpoint.url for one in corpus.read(path).asked}
    return _lines(urls, verdicts)


def _lines(urls: dict[int, str], verdicts: list[Verdict]) -> list[str]:
    return ["\t".join((urls[v.endpoint], *corpus.words(v))) for v in verdicts]


if __name__ == "__main__":
    main(sys.argv[1:])
