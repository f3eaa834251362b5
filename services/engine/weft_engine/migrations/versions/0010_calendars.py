"""Copies of business calendars."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0010"
down_revision = "0009"

SCHEMA = "engine"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "calendars",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", JSONB, nullable=False, comment="{zone, hours, holidays}"),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "calendars", rights="SELECT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("calendars", schema=SCHEMA)
