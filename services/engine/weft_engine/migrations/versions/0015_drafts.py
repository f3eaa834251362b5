"""Copies of drafts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0015"
down_revision = "0014"

SCHEMA = "engine"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "drafts",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False, comment="the number that it has when it is published"),
        sa.Column("edit", sa.Integer, nullable=False, comment="of the workflow; the higher one is the truth"),
        sa.Column("document", JSONB, nullable=False),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "drafts", rights="SELECT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("drafts", schema=SCHEMA)
