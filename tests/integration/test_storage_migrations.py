"""The schema's history: it leads to the tables that the program uses, in a child, after a copy was made."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, inspect

from storage import schema
from storage.archive import Archive
from storage.database import Database
from storage.errors import StorageError
from storage.location import Location, parse
from storage.reader import Reader
from storage.revisions import HEAD, REVISIONS
from storage.upgrade import config, upgrade
from tests.storage_samples import save_sample_run

pytest_plugins = ("tests.postgresql",)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "sqlite":
        return parse(str(tmp_path / "dalel.db"))
    return parse(request.getfixturevalue("postgresql_url"), data_dir=tmp_path)


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), schema.metadata))


def _shape(connection: Connection) -> dict[str, object]:
    """Columns, keys and indexes as the database has them."""
    seen = inspect(connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(name)],
            seen.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (str(k["name"]), k["constrained_columns"], k["referred_columns"]) for k in seen.get_foreign_keys(name)
            ),
            sorted((str(i["name"]), i["column_names"], bool(i["unique"])) for i in seen.get_indexes(name)),
        )
        for name in seen.get_table_names()
    }


def test_the_migrations_lead_to_the_tables(location: Location) -> None:
    """From nothing to the head by Alembic: compare_metadata finds no difference, and one made directly has the same shape."""
    upgrade(location.url)
    engine = create_engine(location.url, poolclass=NullPool)
    with engine.connect() as connection:
        assert _differences(connection) == []
        migrated = _shape(connection)
        schema.metadata.drop_all(connection)
        schema.stamp.metadata.drop_all(connection)
        connection.commit()
    with Archive.open(location) as archive, archive.reader.database.reading() as connection:
        assert _shape(connection) == migrated
        assert _differences(connection) == []


def test_a_difference_would_be_seen(location: Location) -> None:
    """The comparison is not blind: a column that is missing is found."""
    Archive.open(location).close()
    with Database.open(location, writable=True) as database, database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN asn")
        assert _differences(connection) != []


def test_the_revisions_are_those_of_the_files() -> None:
    """The list that is known without Alembic is the chain that Alembic walks."""
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(config(connection))
    assert tuple(script.revision for script in reversed(list(scripts.walk_revisions()))) == REVISIONS
    assert scripts.get_heads() == [HEAD]


def test_a_database_that_is_behind_is_copied_and_upgraded(tmp_path: Path) -> None:
    """The copy has what was there before; the database has the new tables and what was there; Alembic stays outside."""
    path = tmp_path / "a b?" / "dalel.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.execute("CREATE TABLE kept (word TEXT)")
        connection.execute("INSERT INTO kept VALUES ('still here')")
        connection.commit()
    was_imported = {name for name in sys.modules if name.startswith("alembic")}
    with Archive.open(str(path)) as archive:
        save_sample_run(archive)
    assert {name for name in sys.modules if name.startswith("alembic")} == was_imported
    (copy,) = (path.parent / "backups").iterdir()
    assert copy.name.startswith("dalel-")
    assert copy.name.endswith(f"-before-{HEAD}.db")
    for file, tables in ((path, 18), (copy, 2)):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("still here",)
            assert connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone() == (tables,)


def test_a_server_that_is_behind_is_upgraded(postgresql_url: str, tmp_path: Path) -> None:
    """The same on PostgreSQL, where the server's owner makes the copies."""
    location = parse(postgresql_url, data_dir=tmp_path)
    engine = create_engine(location.url, poolclass=NullPool)
    with engine.begin() as connection:
        schema.stamp.create(connection)
    with Archive.open(location) as archive:
        save_sample_run(archive)
        assert len(archive.runs()) == 1


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    """A table in the way: nothing is half done, the sentence has the reason and where the copy is."""
    path = tmp_path / "dalel.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.execute("CREATE TABLE verdicts (word TEXT)")
        connection.commit()
    with pytest.raises(StorageError, match=r"verdicts already exists.*backups"):
        Reader.open(parse(str(path)))
    with closing(sqlite3.connect(path)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert names == {"alembic_version", "verdicts"}
