"""What ``dalel status`` and ``dalel incidents`` print as JSON is what ``dalel schema`` says of it."""

from __future__ import annotations

import json
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from probe.cli.schema_cmd import SCHEMAS
from probe.incidents.model import Event, Incident, OwnSide
from storage import incidents, own_sides
from storage.archive import Archive
from tests.integration.command import dalel
from tests.storage_samples import save_sample_run

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def schema(name: str) -> Any:
    return json.loads(files("probe.schema").joinpath(f"{name}.json").read_text(encoding="utf-8"))


def filled(home: Path) -> None:
    """A check, a look of the daemon's, an incident that goes on, one of every evening, a shutdown, and a note."""
    now_us = time.time_ns() // 1000
    with Archive.open(str(home / ".local" / "state" / "dalel" / "dalel.db")) as archive:
        save_sample_run(archive, 1)
        own_sides.save(archive, OwnSide(run="", at_us=now_us, status="ok")).result(30)
        for number in range(7):
            at_us = now_us - number * DAY_US - 3 * HOUR_US
            closed = number > 0
            one = Incident(
                id=f"n{number}",
                status="no_network" if number == 6 else "blocked",
                method="shutdown" if number == 6 else "tls",
                platforms=() if number == 6 else ("facebook",),
                urls=("https://www.facebook.com/",),
                holes=("tcp/179",) if number == 6 else (),
                began_after_us=at_us - 60_000_000,
                began_by_us=at_us,
                ended_after_us=at_us + HOUR_US if closed else None,
                ended_by_us=at_us + HOUR_US + 60_000_000 if closed else None,
                opened_us=at_us,
                closed_us=at_us + 2 * HOUR_US if closed else None,
                changed_us=at_us,
                state="closed" if closed else "open",
                confidence=0.97,
            )
            event = Event(incident=one.id, number=1, kind="opened", at_us=at_us, detail={"platforms": ["facebook"]})
            incidents.save(archive, one, [event]).result(30)
    assert dalel(home, "note", "live stream", "--at", "3h").returncode == 0


def printed(home: Path, *words: str) -> Any:
    return json.loads(dalel(home, *words, "--format", "json").stdout)


@pytest.mark.parametrize("name", ["status", "incidents"])
def test_what_is_printed_follows_its_schema(tmp_path: Path, name: str) -> None:
    """Where nothing was ever kept, and where there is all that can be."""
    found = schema(name)
    jsonschema.validate(printed(tmp_path, name), found)
    filled(tmp_path)
    document = printed(tmp_path, name)
    jsonschema.validate(document, found)
    assert all(document[key] for key in found["properties"] if key != "utc_offset_s")


@pytest.mark.parametrize("name", ["status", "incidents"])
def test_each_key_is_described(name: str) -> None:
    """And the schema is valid itself."""
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)

    def undescribed(value: Any) -> list[str]:
        if not isinstance(value, dict):
            return []
        own = [key for key, inner in value.get("properties", {}).items() if not inner.get("description")]
        return own + [key for inner in value.values() for key in undescribed(inner)]

    assert undescribed(found) == []


def test_every_schema_is_printed(tmp_path: Path) -> None:
    """What is in the house can be had from the command."""
    kept = {path.name.removesuffix(".json") for path in files("probe.schema").iterdir() if path.name.endswith(".json")}
    assert kept == set(SCHEMAS)
    for name in SCHEMAS:
        assert json.loads(dalel(tmp_path, "schema", name).stdout)["$schema"].startswith("https://json-schema.org/")
