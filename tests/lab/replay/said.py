"""The incidents that a replay's database holds, in the times of the event."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess

from tests.lab.lab import DALEL
from tests.lab.namespaces import LabError
from tests.lab.replay.harness import Replayed, moment_of, shift_of
from tests.lab.replay.model import Event
from tests.lab.replay.score import Said


def said_of(event: Event, replayed: Replayed) -> tuple[Said, ...]:
    """As the installed command tells them (``dalel export incidents``); reads a file, sends nothing."""
    done = subprocess.run(
        [
            str(DALEL),
            "export",
            "incidents",
            "--columns",
            "all",
            "--format",
            "jsonl",
            "--database",
            f"sqlite:///{replayed.database}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "HOME": str(replayed.database.parent), "LANG": "C.UTF-8"},
    )
    if done.returncode:
        raise LabError(f"the incidents of {event.name} cannot be read: {done.stderr[-500:]}")
    shift = shift_of(event)
    return tuple(_said(json.loads(line), shift) for line in done.stdout.splitlines())


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
    )


def _set(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
