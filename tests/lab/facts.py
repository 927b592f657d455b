"""The facts of trials, kept: so that what was measured once can be judged again, by other weights or by a later judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.model import Verdict
from probe.verdict.view import View
from storage.location import resolve
from storage.reader import Reader
from tests import corpus
from tests.lab.lab import Lab
from tests.lab.namespaces import LabError

SUFFIX = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class Facts:
    """One trial's facts; ``name`` is the scenario's."""

    name: str
    seed: int
    run: corpus.Recorded

    def verdicts(self, priors: Priors | None = None) -> Iterator[tuple[str, Verdict]]:
        """(URL, what the judge of today says), each seeing no further than the judge did then."""
        for one in self.run.asked:
            if one.number in self.run.horizons:
                view = View(self.run.observations, self.run.asked, horizon=self.run.horizons[one.number])
                yield one.endpoint.url, judge(view, one, priors or Priors())


def database(lab: Lab) -> str:
    """Where the command in *lab* is to save: a URL."""
    return f"sqlite:///{lab.net.directory}/home/facts.db"


def keep(url: str, path: Path) -> list[Verdict]:
    """Take the one run out of the database and write it to *path*; what was said. ``LabError`` if there is no run."""
    with Reader.open(resolve(url, {})) as reader:
        run = reader.last_run()
        if run is None:
            raise LabError(f"nothing was saved in {url}")
        _run, asked, observations = reader.load(run.id)
        verdicts = list(reader.verdicts(run.id).values())
    corpus.write(path, asked, observations, verdicts)
    return verdicts


def read(path: Path) -> Facts:
    """What :func:`keep` wrote."""
    name, _, seed = path.name.removesuffix(SUFFIX).rpartition("-")
    return Facts(name, int(seed), corpus.read(path))
