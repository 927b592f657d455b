"""One trial, and what is kept of it: so that a run of hours may be broken off, and its reports written anew."""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.baselines import Said
from tests.lab.scenarios import Scenario, Words
from tests.lab.score import Unit


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One scenario under one seed: what was said, or why nothing was. ``network``: the own side was judged rightly."""

    scenario: Scenario
    seed: int
    error: str = ""
    code: int | None = None
    document: dict[str, Any] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    seconds: float = 0.0

    @property
    def wrong(self) -> tuple[Unit, ...]:
        return tuple(unit for unit in self.units if not unit.is_right())

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong besides single calls."""
        if self.error:
            return (self.error,)
        found = []
        network = self.document["network"]
        if not self.scenario.network_is_right(network):
            found.append(f"the own side is said to be {network['status']} {network['method'] or ''}".rstrip())
        if self.code not in self.scenario.exit_codes:
            found.append(f"exit code {self.code}, not one of {self.scenario.exit_codes}")
        found.extend(f"a bug of ours: {error}" for error in sorted(_bugs(self.document)))
        for unit in self.units:
            missing = self.scenario.not_found(unit.url, (finding["code"] for finding in unit.evidence))
            found.extend(f"{unit.url}: nothing is told of {code}" for code in missing)
        found.extend(self._impairments())
        found.extend(filter(None, (whole.fault(self.document["platforms"]) for whole in self.scenario.platforms)))
        platforms = {platform["status"] for platform in self.document["platforms"]}
        if not self.scenario.is_block and "blocked" in platforms:
            found.append("a platform is said to be blocked")
        return tuple(found)

    def _impairments(self) -> list[str]:
        """What is said of QUIC and of greetings that hide a name in another way than the row has it."""
        if self.scenario.impaired is None:
            return []
        wanted = sorted(self.scenario.impaired)
        told = {
            result["url"]: sorted(code for code in result["impairments"] if code.startswith(("quic_", "ech_")))
            for result in self.document["results"]
            if result["url"] in self.scenario.check
        }
        return [
            f"{url}: told of QUIC and of greetings: {codes}, not {wanted}"
            for url, codes in told.items()
            if codes != wanted
        ]

    @property
    def is_right(self) -> bool:
        return not self.wrong and not self.complaints


def _bugs(document: dict[str, Any]) -> set[str]:
    """What the program says of its own mistakes in this run."""
    seen = (o for o in _observations(document) if o["kind"] == "bug")
    return {f"{o['fact']['experiment']}: {o['fact']['error']}" for o in seen}


def _observations(document: dict[str, Any]) -> list[dict[str, Any]]:
    ours = document["network"].get("observations", ())
    return [*ours, *(o for result in document["results"] for o in result["observations"])]


class Kept:
    """A folder of trials. Those that are there need not be made again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def facts_of(self, name: str, seed: int) -> Path:
        """Where the facts of a trial are kept; see ``facts``."""
        return self.folder / f"{name}-{seed}.jsonl.gz"

    def save(self, trial: Trial) -> None:
        """Write one trial, without the observations: those are in its facts."""
        data = {name: getattr(trial, name) for name in ("seed", "error", "code", "seconds")}
        data |= {"document": _short(trial.document), "units": [asdict(unit) for unit in trial.units]}
        path = self._path(trial.scenario.name, trial.seed)
        path.write_bytes(gzip.compress(json.dumps(data, ensure_ascii=False).encode(), mtime=0))

    def load(self, scenario: Scenario, seed: int) -> Trial | None:
        """The trial of a row, its units beside what is right of it today; ``None`` if there is none, or if it did not run."""
        path = self._path(scenario.name, seed)
        if not path.exists():
            return None
        data = json.loads(gzip.decompress(path.read_bytes()))
        if data["error"]:
            return None
        row = scenario.drawn(seed)
        data["units"] = tuple(_unit(unit, row.words_for(unit["url"])) for unit in data["units"])
        return Trial(scenario=row, **data)

    def seeds_of(self, name: str) -> list[int]:
        """The seeds under which a row was tried."""
        found = (path.name.removesuffix(".json.gz").rpartition("-") for path in self.folder.glob(f"{name}-*.json.gz"))
        return sorted(int(seed) for row, _, seed in found if row == name)

    def _path(self, name: str, seed: int) -> Path:
        return self.folder / f"{name}-{seed}.json.gz"


def _unit(data: dict[str, Any], acceptable: tuple[Words, ...]) -> Unit:
    said = {judge: Said(**words) for judge, words in data["said"].items()}
    lists = {name: tuple(data[name]) for name in ("evidence", "gates")}
    return Unit(**{**data, **lists, "said": said, "acceptable": acceptable})


def _short(document: dict[str, Any]) -> dict[str, Any]:
    """The document without observations, but for those in which the program speaks of its own mistakes."""
    if not document:
        return {}
    network = document["network"]
    bugs = [o for o in _observations(document) if o["kind"] == "bug"]
    kept = {name: network.get(name) for name in ("status", "method", "signature", "confidence")}
    return {"network": kept | {"observations": bugs}, "platforms": document["platforms"], "results": []}
