"""What merely repeats itself may become short too: a short reading says what else was said of an endpoint."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("readings", sa.Column("leaning", sa.Text()))
    op.add_column("readings", sa.Column("impairments", sa.Text()))
