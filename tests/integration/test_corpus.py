"""Old facts judged again, to the same words."""

import pytest

from probe.settings import Priors
from probe.verdict.judge import judge
from probe.verdict.view import View
from tests import corpus

RUNS = sorted(corpus.RUNS.glob("*.jsonl.gz"))


def said(name: str) -> list[str]:
    """What ``words.tsv`` has for the run *name*."""
    lines = corpus.WORDS.read_text().splitlines()
    return [line.partition("\t")[2] for line in lines if line.partition("\t")[0] == name]


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name.removesuffix(".jsonl.gz"))
def test_old_facts_are_judged_to_the_same_words(path):
    """Every endpoint of a recorded run gets the status, method and signature that were written down."""
    run = corpus.read(path)
    judged = []
    for one in run.asked:
        if one.number in run.horizons:
            view = View(run.observations, run.asked, horizon=run.horizons[one.number])
            judged.append("\t".join((one.endpoint.url, *corpus.words(judge(view, one, Priors())))))
    assert said(run.name) == judged


def test_the_corpus_is_whole_and_small():
    """Every run has words and every word a run; together they stay under 5 MB."""
    names = {line.partition("\t")[0] for line in corpus.WORDS.read_text().splitlines()}
    assert {path.name.removesuffix(".jsonl.gz") for path in RUNS} == names
    assert len(RUNS) >= 25
    assert sum(path.stat().st_size for path in RUNS) < 5_000_000
