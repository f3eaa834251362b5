"""Copies of business calendars, which the conditions of triggers count by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "calendar",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", JSONB, nullable=False, comment="{zone, hours, holidays}"),
        schema=SCHEMA,
        comment="Our copies of the business calendars that conditions count by.",
    )
    tenancy.enable(op, SCHEMA, "calendar", rights="SELECT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("calendar", schema=SCHEMA)
