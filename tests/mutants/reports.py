"""Dated reports of what was run: commit, seed, machine, and the lines that were printed."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def write(name: str, title: str, lines: list[str]) -> Path:
    """Write ``reports/<date>-<name>.md`` (a later run of the same day replaces it) and say where it is."""
    now = dt.datetime.now(dt.UTC)
    path = HERE / "reports" / f"{now:%Y-%m-%d}-{name}.md"
    path.parent.mkdir(exist_ok=True)
    head = [
        f"# {title}",
        "",
        f"{now:%Y-%m-%d %H:%M} UTC · commit {_commit()} · Python {platform.python_version()} · {_machine()}",
        "",
        "```",
    ]
    path.write_text("\n".join([*head, *lines, "```", ""]), encoding="utf-8")
    return path


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores"


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"
