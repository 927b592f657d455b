"""Where data is kept: ``DALEL_DATA_DIR`` or ``[data] dir``, else systemd's state directory, else XDG state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from probe.settings import Settings

DATABASE = "dalel.db"
SPOOL = "spool"


def data_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The directory for the database and the spool. It may not exist yet; nothing is created here."""
    if settings.data_dir:
        return Path(settings.data_dir).expanduser()
    if state := environ.get("STATE_DIRECTORY"):  # systemd.exec(5): may be several, separated by colons
        return Path(state.partition(":")[0])
    base = environ.get("XDG_STATE_HOME")
    if base:
        return Path(base, "dalel")
    return Path(environ.get("HOME") or "~").expanduser() / ".local/state/dalel"


def database_url(settings: Settings, environ: Mapping[str, str]) -> str:
    """The database's URL: the one that was set, else SQLite in the data directory. A bare path means SQLite."""
    chosen = settings.database
    if chosen is None:
        return f"sqlite:///{data_dir(settings, environ) / DATABASE}"
    return chosen if "://" in chosen else f"sqlite:///{Path(chosen).expanduser()}"


def spool_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where results go that the database would not take."""
    return data_dir(settings, environ) / SPOOL
