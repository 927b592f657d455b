"""The child process that runs the migrations: ``python -m storage.upgrade`` with ``{"url": …}`` on its standard input.

The only importer of Alembic besides the migrations themselves.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from storage.location import Location, parse
from storage.revisions import ADVISORY_LOCK, HEAD

MIGRATIONS = Path(__file__).parent / "migrations"


def config(connection: Connection) -> Config:
    """Alembic's settings for *connection*, without a file of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def upgrade(url: str, revision: str = HEAD) -> None:
    """Bring the database to *revision* in one transaction."""
    engine = _engine(parse(url))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            # The driver begins no transaction before DDL: without this a failing migration would stay half done.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # One at a time; who comes second finds nothing left to do.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        command.upgrade(config(connection), revision)
        connection.commit()


def _engine(location: Location) -> Engine:
    path = location.path
    if path is None:
        return create_engine(location.url, poolclass=NullPool)
    return create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None, timeout=30.0), poolclass=NullPool
    )


def main() -> int:
    """Exit 0 when done; otherwise the last line on stderr says why."""
    url = json.load(sys.stdin)["url"]
    try:
        upgrade(url)
    except DBAPIError as error:
        sys.stderr.write(f"{str(error.orig).strip().splitlines()[0]}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
