"""What is left of a replay, kept beside its database, so that it can be judged again without replaying it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from tests.lab.replay.harness import Replayed, Sample


def put(replayed: Replayed) -> None:
    """Beside the database, as JSON."""
    words = {
        "seconds": replayed.seconds,
        "code": replayed.code,
        "shift_days": replayed.shift.days,
        "applied": [(tells, at.isoformat()) for tells, at in replayed.applied],
        "samples": [(one.at.isoformat(), one.resident_mb, one.cpu_s, one.descriptors) for one in replayed.samples],
    }
    _file(replayed.database).write_text(json.dumps(words))


def take(directory: Path, name: str) -> Replayed | None:
    """What was left of the event *name* there, or ``None``."""
    database = directory / f"{name}.db"
    if not _file(database).exists():
        return None
    words = json.loads(_file(database).read_text())
    return Replayed(
        database=database,
        heard=directory / f"{name}.heard",
        shift=dt.timedelta(days=words["shift_days"]),
        log=(directory / f"{name}.log").read_text(errors="replace"),
        seconds=words["seconds"],
        code=words["code"],
        applied=tuple((tells, dt.datetime.fromisoformat(at)) for tells, at in words["applied"]),
        samples=tuple(
            Sample(at=dt.datetime.fromisoformat(at), resident_mb=resident, cpu_s=cpu, descriptors=count)
            for at, resident, cpu, count in words["samples"]
        ),
    )


def _file(database: Path) -> Path:
    return database.with_suffix(".json")
