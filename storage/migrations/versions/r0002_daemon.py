"""What `dalel run` keeps: readings, rollups, own sides, days, incidents, notes, messages, consent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("endpoints", sa.Column("kind", sa.Text()))
    op.add_column("endpoints", sa.Column("interface", sa.Text()))
    _places()
    _sources()
    _readings()
    _rollups()
    _own_sides()
    _days()
    _incidents()
    _incident_events()
    _notes()
    _outbox()
    _consents()


def _places() -> None:
    op.create_table(
        "places",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text()),
        sa.Column("service", sa.Text()),
        sa.Column("rule", sa.Text()),
        sa.Column("named_as_url", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_places"),
    )


def _sources() -> None:
    op.create_table(
        "sources",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("catalogue", sa.Text(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("country", sa.Text()),
        sa.Column("asn", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
    )


def _readings() -> None:
    op.create_table(
        "readings",
        sa.Column("at_us", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("place", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("signature", sa.Text()),
        sa.Column("confidence", sa.Float()),
        sa.Column("basis", sa.Text()),
        sa.Column("where", sa.Text()),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        sa.Column("bytes_received", sa.BigInteger(), nullable=False),
        sa.Column("clock_offset_us", sa.BigInteger()),
        sa.Column("interface", sa.Text()),
        sa.PrimaryKeyConstraint("at_us", "place", name="pk_readings"),
        sa.ForeignKeyConstraint(["place"], ["places.id"], name="fk_readings_places"),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name="fk_readings_sources"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_readings_latest", "readings", ["place", "at_us"])
    misdated = sa.text("clock_offset_us NOT BETWEEN -3600000000 AND 3600000000")
    op.create_index("ix_readings_misdated", "readings", ["at_us"], sqlite_where=misdated, postgresql_where=misdated)


def _rollups() -> None:
    op.create_table(
        "rollups",
        sa.Column("hour_us", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("place", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("accessible", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Integer(), nullable=False),
        sa.Column("denied", sa.Integer(), nullable=False),
        sa.Column("outage", sa.Integer(), nullable=False),
        sa.Column("no_network", sa.Integer(), nullable=False),
        sa.Column("inconclusive", sa.Integer(), nullable=False),
        sa.Column("median_us", sa.BigInteger()),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        sa.Column("bytes_received", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour_us", "place", name="pk_rollups"),
        sa.ForeignKeyConstraint(["place"], ["places.id"], name="fk_rollups_places"),
        sqlite_with_rowid=False,
    )


def _own_sides() -> None:
    op.create_table(
        "own_sides",
        sa.Column("at_us", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("interface", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("run", sa.String(length=32)),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("holes", sa.Text()),
        sa.Column("clock_offset_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("at_us", "interface", name="pk_own_sides"),
        sqlite_with_rowid=False,
    )


def _days() -> None:
    op.create_table(
        "days",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        sa.Column("bytes_received", sa.BigInteger(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("own_sides", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_days"),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("signature", sa.Text()),
        sa.Column("where", sa.Text()),
        sa.Column("platforms", sa.Text()),
        sa.Column("urls", sa.Text()),
        sa.Column("remaining", sa.Text()),
        sa.Column("folded", sa.Text()),
        sa.Column("holes", sa.Text()),
        sa.Column("interface", sa.Text()),
        sa.Column("began_after_us", sa.BigInteger()),
        sa.Column("began_by_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_after_us", sa.BigInteger()),
        sa.Column("ended_by_us", sa.BigInteger()),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger()),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.Column("confidence", sa.Float()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name="pk_incidents"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_incidents_opened_us", "incidents", ["opened_us"])


def _incident_events() -> None:
    op.create_table(
        "incident_events",
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("incident", "number", name="pk_incident_events"),
        sqlite_with_rowid=False,
    )


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("removes", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("incident", sa.Text()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("sent_us", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["next_us"],
        sqlite_where=sa.text("sent_us IS NULL"),
        postgresql_where=sa.text("sent_us IS NULL"),
    )


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
    )
