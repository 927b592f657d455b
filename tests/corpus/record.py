"""Play the demo and the lab, and keep their facts: ``python -m tests.corpus.record [NAME …]``.

A name is ``demo-ACT`` or ``lab-SCENARIO``; without one everything is played and files of what is no longer played are removed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from probe.demo.play import play
from probe.demo.table import PROGRAMME
from probe.verdict.model import Verdict
from storage.location import resolve
from storage.reader import Reader
from tests import corpus
from tests.lab.scenarios import SCENARIOS, Scenario


def main(names: list[str]) -> None:
    """Record *names*, or everything."""
    said = _read_words() if names else {}
    for name, lines in _play(names):
        said[name] = lines
        print(name, len(lines), file=sys.stderr)
    rows = [f"{name}\t{line}\n" for name in sorted(said) for line in said[name]]
    corpus.WORDS.write_text("".join(rows))
    if not names:
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
        if not names or f"demo-{act.name}" in names:
            played = asyncio.run(play(act, lambda _event: None))
            verdicts = [result.verdict for result in played.outcome.results]
            corpus.write(f"demo-{act.name}", played.outcome.asked, played.outcome.observations, verdicts)
            urls = {result.number: result.url for result in played.outcome.results}
            yield f"demo-{act.name}", _lines(urls, verdicts)
    for scenario in SCENARIOS:
        if not names or f"lab-{scenario.name}" in names:
            yield f"lab-{scenario.name}", _play_scenario(scenario)


def _play_scenario(scenario: Scenario) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, scenario.lab() as lab:
        Path(folder).chmod(0o777)
        url = f"sqlite:///{folder}/dalel.db"
        lab.dalel("check", "--save", "--database", url, "-q", *scenario.asked)
        with Reader.open(resolve(url, {})) as reader:
            run = reader.last_run()
            assert run is not None
            _run, asked, observations = reader.load(run.id)
            verdicts = list(reader.verdicts(run.id).values())
    corpus.write(f"lab-{scenario.name}", asked, observations, verdicts)
    return _lines({one.number: one.endpoint.url for one in asked}, verdicts)


def _lines(urls: dict[int, str], verdicts: list[Verdict]) -> list[str]:
    return ["\t".join((urls[v.endpoint], *corpus.words(v))) for v in verdicts]


if __name__ == "__main__":
    main(sys.argv[1:])
