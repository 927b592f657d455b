"""The first tables: runs, endpoints, observations, verdicts, findings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _runs()
    _endpoints()
    _observations()
    _verdicts()
    _findings()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_us", sa.BigInteger()),
        sa.Column("clock_offset_us", sa.BigInteger()),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("catalogue", sa.Text(), nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("country", sa.Text()),
        sa.Column("asn", sa.BigInteger()),
        sa.Column("network_status", sa.Text()),
        sa.Column("network_method", sa.Text()),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_started_us_id", "runs", ["started_us", "id"], unique=True)


def _endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text()),
        sa.Column("service", sa.Text()),
        sa.Column("rule", sa.Text()),
        sa.Column("named_as_url", sa.Boolean(), nullable=False),
        sa.Column("expected", sa.Text()),
        sa.Column("profile", sa.Text()),
        sa.Column("started_us", sa.BigInteger()),
        sa.Column("duration_us", sa.BigInteger()),
        sa.Column("bytes_sent", sa.BigInteger()),
        sa.Column("bytes_received", sa.BigInteger()),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_endpoints_runs"),
        sa.PrimaryKeyConstraint("run", "number", name="pk_endpoints"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_endpoints_latest", "endpoints", ["platform", "service", "url", "started_us"])


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.Integer()),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("vantage", sa.Text(), nullable=False),
        sa.Column("arm", sa.Text()),
        sa.Column("group", sa.Text()),
        sa.Column("round", sa.Integer()),
        sa.Column("hop", sa.Integer(), nullable=False),
        sa.Column("member", sa.Text()),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger()),
        sa.Column("failure", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("port", sa.Integer()),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        sa.Column("bytes_received", sa.BigInteger(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run", "endpoint"], ["endpoints.run", "endpoints.number"], name="fk_observations_endpoints"
        ),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_observations_runs"),
        sa.PrimaryKeyConstraint("run", "number", name="pk_observations"),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("judged_us", sa.BigInteger(), nullable=False),
        sa.Column("horizon", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("signature", sa.Text()),
        sa.Column("confidence", sa.Float()),
        sa.Column("basis", sa.Text()),
        sa.Column("where", sa.Text()),
        sa.Column("leaning", sa.Text()),
        sa.Column("settle", sa.Text()),
        sa.Column("impairments", sa.Text()),
        sa.Column("gates", sa.Text()),
        sa.Column("also", sa.Text()),
        sa.Column("evidence", sa.Text()),
        sa.Column("against", sa.Text()),
        sa.ForeignKeyConstraint(
            ["run", "endpoint"], ["endpoints.run", "endpoints.number"], name="fk_verdicts_endpoints"
        ),
        sa.PrimaryKeyConstraint("run", "endpoint", "version", name="pk_verdicts"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_verdicts_again",
        "verdicts",
        ["run", "endpoint", "version"],
        sqlite_where=sa.text("version > 1"),
        postgresql_where=sa.text("version > 1"),
    )


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("against", sa.Boolean(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("speaks_for", sa.Text(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("signature", sa.Text()),
        sa.Column("where", sa.Text()),
        sa.Column("observations", sa.Text()),
        sa.Column("parameters", sa.Text()),
        sa.ForeignKeyConstraint(
            ["run", "endpoint", "version"],
            ["verdicts.run", "verdicts.endpoint", "verdicts.version"],
            name="fk_findings_verdicts",
        ),
        sa.PrimaryKeyConstraint("run", "endpoint", "version", "position", name="pk_findings"),
        sqlite_with_rowid=False,
    )
