"""Facts of whole runs, and the words that were said of them: old facts must be judged to the same words.

``python -m tests.corpus.record`` plays the demo and the lab's scenarios and writes one file a run. Addresses are those of
pretend networks, so nothing needs redacting. Recording again after a change of rules is how the words are changed: the diff of
``words.tsv`` is what a reviewer reads.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from probe.observations import Observation
from probe.observations.as_json import observation_from_json, observation_to_json
from probe.verdict.model import Verdict
from targets.model import Asked, Endpoint

FOLDER = Path(__file__).parent
RUNS = FOLDER / "runs"
WORDS = FOLDER / "words.tsv"

Words = tuple[str, str, str]


def words(verdict: Verdict) -> Words:
    """Status, method and signature; ``-`` for what is not given."""
    return verdict.status, verdict.method or "-", verdict.signature or "-"


@dataclasses.dataclass(frozen=True)
class Recorded:
    """One run: what was asked, every observation, and how far each endpoint's judge could see."""

    name: str
    asked: tuple[Asked, ...]
    observations: tuple[Observation, ...]
    horizons: dict[int, int]


def write(path: Path, asked: Sequence[Asked], observations: Sequence[Observation], verdicts: Sequence[Verdict]) -> None:
    """Write one run. The same facts give the same bytes."""
    lines = [
        {"asked": [dataclasses.asdict(one) for one in asked]},
        {"horizons": {v.endpoint: v.horizon for v in verdicts}},
    ]
    lines += [observation_to_json(observation) for observation in observations]
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def path_of(name: str) -> Path:
    """Where the run *name* of the corpus is."""
    return RUNS / f"{name}.jsonl.gz"


def read(path: Path) -> Recorded:
    """The run that :func:`write` wrote."""
    first, second, *rest = (json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines())
    return Recorded(
        name=path.name.removesuffix(".jsonl.gz"),
        asked=tuple(_asked(one) for one in first["asked"]),
        observations=tuple(observation_from_json(line) for line in rest),
        horizons={int(number): horizon for number, horizon in second["horizons"].items()},
    )


def _asked(data: dict[str, object]) -> Asked:
    known = {field.name for field in dataclasses.fields(Asked)}
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items() if key in known}
    endpoint = values.pop("endpoint")
    assert isinstance(endpoint, dict)
    return Asked(endpoint=Endpoint(endpoint["url"]), **values)  # type: ignore[arg-type]
