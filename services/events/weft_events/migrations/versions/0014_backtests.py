"""Backtests that are to be run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON
from weft_runtime.database import tenancy

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "backtest",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True, comment="of the question"),
        sa.Column("asked", JSON, nullable=False, comment="as it was asked"),
        sa.Column("leased_until", sa.TIMESTAMP(timezone=True), comment="somebody runs it"),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
        schema=SCHEMA,
        comment="Backtests that are to be run.",
    )
    tenancy.enable(op, SCHEMA, "backtest", rights="SELECT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("backtest", schema=SCHEMA)
