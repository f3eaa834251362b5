"""Starts per second of a tenant, and the order in which those that wait are let in."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0008"
down_revision = "0007"

SCHEMA = "engine"
WAITS = sa.text("let_in_at IS NULL")
FORMER = "what bounds how many live at once: `workflow:<slug>:<key>` or `tenant`"
NOW = "what it has to pass: `workflow:<slug>:<key>`, `tenant`, `starts`"


def upgrade() -> None:
    """Create the table and the column."""
    op.create_table(
        "start_rates",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column(
            "spent_until",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            comment="when all starts that have begun are earned again by the quota's rate",
        ),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "start_rates")
    priority = sa.Column("priority", sa.SmallInteger, nullable=False, server_default="0", comment="0..9: the higher is let in first")
    op.add_column("admissions", priority, schema=SCHEMA)
    op.drop_index("admissions_waiting", "admissions", schema=SCHEMA)
    op.create_index(
        "admissions_waiting",
        "admissions",
        ["tenant_id", "gate", sa.text("priority DESC"), "asked_at", "execution_id"],
        schema=SCHEMA,
        postgresql_where=WAITS,
    )
    op.alter_column("admissions", "gate", comment=NOW, existing_comment=FORMER, schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.alter_column("admissions", "gate", comment=FORMER, existing_comment=NOW, schema=SCHEMA)
    op.drop_index("admissions_waiting", "admissions", schema=SCHEMA)
    op.create_index("admissions_waiting", "admissions", ["tenant_id", "asked_at"], schema=SCHEMA, postgresql_where=WAITS)
    op.drop_column("admissions", "priority", schema=SCHEMA)
    op.drop_table("start_rates", schema=SCHEMA)
