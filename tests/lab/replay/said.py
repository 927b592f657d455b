"""What a replay's database tells, in the times of the event: by the installed command, which reads a file and sends nothing."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from typing import Any

from tests.lab.lab import DALEL
from tests.lab.namespaces import LabError
from tests.lab.replay.harness import Replayed, moment_of
from tests.lab.replay.score import Said

_SOMETHING_IS = (0, 1, 3)
"""``dalel incidents`` ends with 1 or 3 while something is open."""


def said_of(replayed: Replayed) -> tuple[Said, ...]:
    """The incidents (``dalel export incidents``)."""
    lines = _dalel(replayed, "export", "incidents", "--columns", "all", "--format", "jsonl").splitlines()
    return tuple(_said(json.loads(line), replayed.shift) for line in lines)


def recurrences_of(replayed: Replayed) -> list[dict[str, Any]]:
    """What comes back every day (``dalel incidents``), by the clock of UTC."""
    document = json.loads(_dalel(replayed, "incidents", "--since", "90d", "--zone", "UTC", "--format", "json"))
    found: list[dict[str, Any]] = document["recurrences"]
    return found


def _dalel(replayed: Replayed, *words: str) -> str:
    done = subprocess.run(
        [str(DALEL), *words, "--database", f"sqlite:///{replayed.database}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "HOME": str(replayed.database.parent), "LANG": "C.UTF-8"},
    )
    if done.returncode not in _SOMETHING_IS:
        raise LabError(f"{replayed.database} cannot be read: {done.stderr[-500:]}")
    return done.stdout


def _said(row: dict[str, object], shift: dt.timedelta) -> Said:
    def at(key: str) -> dt.datetime | None:
        value = row.get(key)
        if value is None:
            return None
        moment = moment_of(value) if isinstance(value, int) else dt.datetime.fromisoformat(str(value))
        return moment - shift

    began_by, opened = at("began_by"), at("opened_at")
    assert began_by is not None
    assert opened is not None
    method, platforms, holes = row.get("method"), row.get("platforms"), row.get("holes")
    return Said(
        id=str(row["incident"]),
        status=str(row["status"]),
        method=str(method) if method else None,
        platforms=_set(platforms),
        began_after=at("began_after"),
        began_by=began_by,
        ended_after=at("ended_after"),
        ended_by=at("ended_by"),
        opened=opened,
        closed=at("closed_at"),
        holes=_set(holes),
        interface=str(row["interface"]) if row["interface"] else None,
    )


def _set(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
