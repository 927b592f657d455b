"""A small file beside the archive: what a daemon notices another network by after a restart.

It is no part of the database, so no copy, export or server gets it. Only the newest is kept: a list would tell where
somebody goes. Where it cannot be written or read, a restart knows nothing of where it was.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from storage.location import Location


def path_of(location: Location) -> Path:
    """The file: beside a SQLite database, in the data directory of one on a server."""
    if location.path is None:
        return location.data_dir / "dalel.network"
    return location.path.with_name(f"{location.path.name}.network")


def read(location: Location) -> dict[str, Any]:
    """What was written last; empty where there is nothing that can be read."""
    try:
        said = json.loads(path_of(location).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def write(location: Location, said: dict[str, Any]) -> None:
    """Put *said* (plain JSON) in the place of what was there; only its owner can read it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path_of(location), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(said, file)
