"""The tables, in SQLAlchemy Core. Only rooms that talk to a database import this.

Facts, findings and verdicts are kept apart, and are only ever added. ``(run, number)`` is the key of an observation,
``(run, endpoint, version)`` that of a verdict: the highest version of an endpoint is the one that readers show. Columns
named ``*_us`` are UTC microseconds or durations in microseconds. NULL is "not measured". Times are never rewritten: a
run keeps the clock offset that it learned, and corrected time is computed on reading.

What a healthy round of ``dalel run`` leaves is one row of ``readings`` an endpoint, and later one of ``rollups`` an hour
(ARCHITECTURE.md, "Storage for years"). ``places`` and ``sources`` say once what those rows would repeat; their numbers are
hashes of what they say (``storage.readings``), so that a row can be made, and wait in the spool, without a database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
}
RUN_ID = String(32)
CLOCK_SLACK_US = 3_600_000_000
MISDATED = f"clock_offset_us NOT BETWEEN -{CLOCK_SLACK_US} AND {CLOCK_SLACK_US}"
"""A clock that was wrong by more than an hour. Word for word what the index says, or SQLite does not use it."""

metadata = MetaData(naming_convention=NAMES)


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index of the rows *where* only. PostgreSQL's form of the condition is left to :func:`for_postgresql`, because naming
    it here would import that dialect: 2 MB for as long as the process lives, and most have no such server.
    """
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


def for_postgresql() -> None:
    """Complete the tables before they are made on a PostgreSQL server."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if (where := index.info.get("where")) is not None:
                index.dialect_options["postgresql"]["where"] = text(where)


runs = Table(
    "runs",
    metadata,
    Column("id", RUN_ID, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("finished_us", BigInteger),
    Column("clock_offset_us", BigInteger),
    Column("software", Text, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("catalogue", Text, nullable=False),
    Column("trust", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("country", Text),
    Column("asn", BigInteger),
    Column("network_status", Text),
    Column("network_method", Text),
    Column("interrupted", Boolean, nullable=False),
    PrimaryKeyConstraint("id"),
    # Unique, so that SQLite knows its order to be complete and an export sorts nothing.
    Index(None, "started_us", "id", unique=True),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("run", RUN_ID, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("platform", Text),
    Column("service", Text),
    Column("rule", Text),
    Column("named_as_url", Boolean, nullable=False),
    # What the catalogue said of it at the time (networks, odd answers that are right for it …), as JSON.
    Column("expected", Text),
    # Known once it has been measured; NULL where the run ended before.
    Column("profile", Text),
    Column("started_us", BigInteger),
    Column("duration_us", BigInteger),
    Column("bytes_sent", BigInteger),
    Column("bytes_received", BigInteger),
    # How the daemon measured it (cheap, full, deep, burst); NULL for a check by hand.
    Column("kind", Text),
    # Through which way out, where the host has several.
    Column("interface", Text),
    PrimaryKeyConstraint("run", "number"),
    ForeignKeyConstraint(["run"], ["runs.id"]),
    # The last word on every endpoint is read from this index alone.
    Index("ix_endpoints_latest", "platform", "service", "url", "started_us"),
    sqlite_with_rowid=False,
)

observations = Table(
    "observations",
    metadata,
    Column("run", RUN_ID, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("endpoint", Integer),
    Column("purpose", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("vantage", Text, nullable=False),
    Column("arm", Text),
    Column("group", Text),
    Column("round", Integer),
    Column("hop", Integer, nullable=False),
    Column("member", Text),
    Column("started_us", BigInteger, nullable=False),
    Column("duration_us", BigInteger),
    Column("failure", Text),
    Column("name", Text),
    Column("address", Text),
    Column("port", Integer),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("fact", Text, nullable=False),
    PrimaryKeyConstraint("run", "number"),
    ForeignKeyConstraint(["run"], ["runs.id"]),
    ForeignKeyConstraint(["run", "endpoint"], ["endpoints.run", "endpoints.number"]),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("run", RUN_ID, nullable=False),
    Column("endpoint", Integer, nullable=False, autoincrement=False),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("ruleset", Text, nullable=False),
    Column("judged_us", BigInteger, nullable=False),
    Column("horizon", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("method", Text),
    Column("signature", Text),
    Column("confidence", Float),
    Column("basis", Text),
    Column("where", Text),
    Column("leaning", Text),
    Column("settle", Text),
    Column("impairments", Text),
    Column("gates", Text),
    Column("also", Text),
    Column("evidence", Text),
    Column("against", Text),
    PrimaryKeyConstraint("run", "endpoint", "version"),
    ForeignKeyConstraint(["run", "endpoint"], ["endpoints.run", "endpoints.number"]),
    # Few or none: whether a verdict has a newer one is seen here without looking through all of them.
    _partial("ix_verdicts_again", "run", "endpoint", "version", where="version > 1"),
    sqlite_with_rowid=False,
)

findings = Table(
    "findings",
    metadata,
    Column("run", RUN_ID, nullable=False),
    Column("endpoint", Integer, nullable=False, autoincrement=False),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("position", Integer, nullable=False, autoincrement=False),
    Column("against", Boolean, nullable=False),
    Column("code", Text, nullable=False),
    Column("speaks_for", Text, nullable=False),
    Column("weight", Float, nullable=False),
    Column("family", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("method", Text),
    Column("signature", Text),
    Column("where", Text),
    Column("observations", Text),
    Column("parameters", Text),
    PrimaryKeyConstraint("run", "endpoint", "version", "position"),
    ForeignKeyConstraint(["run", "endpoint", "version"], ["verdicts.run", "verdicts.endpoint", "verdicts.version"]),
    sqlite_with_rowid=False,
)

CHILDREN_FIRST = (findings, verdicts, observations, endpoints, runs)
"""The order in which rows of a run can be removed."""

# ---------------------------------------------------------------------------------------------------------------------
# what the daemon keeps

places = Table(
    "places",
    metadata,
    Column("id", BigInteger, nullable=False, autoincrement=False),
    Column("url", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("platform", Text),
    Column("service", Text),
    Column("rule", Text),
    Column("named_as_url", Boolean, nullable=False),
    PrimaryKeyConstraint("id"),
)

sources = Table(
    "sources",
    metadata,
    Column("id", BigInteger, nullable=False, autoincrement=False),
    Column("software", Text, nullable=False),
    Column("ruleset", Text, nullable=False),
    Column("catalogue", Text, nullable=False),
    Column("trust", Text, nullable=False),
    Column("country", Text),
    Column("asn", BigInteger),
    PrimaryKeyConstraint("id"),
)

readings = Table(
    "readings",
    metadata,
    Column("at_us", BigInteger, nullable=False, autoincrement=False),
    Column("place", BigInteger, nullable=False, autoincrement=False),
    Column("source", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("method", Text),
    Column("signature", Text),
    Column("confidence", Float),
    Column("basis", Text),
    Column("where", Text),
    Column("duration_us", BigInteger, nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("clock_offset_us", BigInteger),
    Column("interface", Text),
    # What was said besides; NULL of everything that was healthy.
    Column("leaning", Text),
    Column("impairments", Text),
    PrimaryKeyConstraint("at_us", "place"),
    ForeignKeyConstraint(["place"], ["places.id"]),
    ForeignKeyConstraint(["source"], ["sources.id"]),
    # The last reading of each place.
    Index("ix_readings_latest", "place", "at_us"),
    # Those whose clock was far off: others are found by their time, give or take a little.
    _partial("ix_readings_misdated", "at_us", where=MISDATED),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    Column("hour_us", BigInteger, nullable=False, autoincrement=False),
    Column("place", BigInteger, nullable=False, autoincrement=False),
    Column("accessible", Integer, nullable=False),
    Column("blocked", Integer, nullable=False),
    Column("denied", Integer, nullable=False),
    Column("outage", Integer, nullable=False),
    Column("no_network", Integer, nullable=False),
    Column("inconclusive", Integer, nullable=False),
    # Of the accessible ones; NULL where there are none.
    Column("median_us", BigInteger),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    PrimaryKeyConstraint("hour_us", "place"),
    ForeignKeyConstraint(["place"], ["places.id"]),
    sqlite_with_rowid=False,
)

own_sides = Table(
    "own_sides",
    metadata,
    Column("at_us", BigInteger, nullable=False, autoincrement=False),
    # Empty where the host has one way out.
    Column("interface", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # The run that has the details, where there is one; it may be removed before.
    Column("run", RUN_ID),
    Column("status", Text, nullable=False),
    Column("method", Text),
    Column("holes", Text),
    Column("clock_offset_us", BigInteger),
    PrimaryKeyConstraint("at_us", "interface"),
    sqlite_with_rowid=False,
)

days = Table(
    "days",
    metadata,
    Column("day", String(10), nullable=False),
    Column("bytes_sent", BigInteger, nullable=False),
    Column("bytes_received", BigInteger, nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("readings", Integer, nullable=False),
    Column("own_sides", Integer, nullable=False),
    PrimaryKeyConstraint("day"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("method", Text),
    Column("signature", Text),
    Column("where", Text),
    Column("platforms", Text),
    Column("urls", Text),
    Column("remaining", Text),
    Column("folded", Text),
    Column("holes", Text),
    Column("interface", Text),
    Column("began_after_us", BigInteger),
    Column("began_by_us", BigInteger, nullable=False),
    Column("ended_after_us", BigInteger),
    Column("ended_by_us", BigInteger),
    Column("opened_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Column("changed_us", BigInteger, nullable=False),
    Column("confidence", Float),
    Column("state", Text, nullable=False),
    Column("events", Integer, nullable=False),
    PrimaryKeyConstraint("id", "version"),
    Index(None, "opened_us"),
    sqlite_with_rowid=False,
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("incident", Text, nullable=False),
    Column("number", Integer, nullable=False, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("detail", Text),
    PrimaryKeyConstraint("incident", "number"),
    sqlite_with_rowid=False,
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
    Column("text", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    # A row with this takes back the note that it names: nothing that was written is rewritten.
    Column("removes", Integer),
    PrimaryKeyConstraint("id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("incident", Text),
    Column("channel", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("sent_us", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("next_us", BigInteger, nullable=False),
    Column("trouble", Text),
    PrimaryKeyConstraint("id"),
    _partial("ix_outbox_waiting", "next_us", where="sent_us IS NULL"),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("how", Text, nullable=False),
    PrimaryKeyConstraint("id"),
)

stamp = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table, outside of our metadata; a new database is stamped without importing Alembic."""
