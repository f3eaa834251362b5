"""Tasks rest with their executions."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("tasks", sa.Column("asked_at", _time, comment="when the engine asked for it, where it said"), schema=SCHEMA)
    op.add_column("tasks", sa.Column("paused_since", _time, comment="set while its execution is paused"), schema=SCHEMA)
    op.add_column("tasks", sa.Column("paused_by", sa.Text), schema=SCHEMA)
    op.create_table(
        "pauses",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, comment="in the execution's journal"),
        sa.Column("at", _time, nullable=False),
        sa.Column("since", _time, comment="when the pause began that ends here; null where one begins"),
        sa.Column("by", sa.Text),
        sa.Column("heard_at", _time, nullable=False),
        comment="Where pauses of executions begin and end, each heard once.",
        schema=SCHEMA,
    )
    op.create_index("pauses_heard_at", "pauses", ["heard_at"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "pauses", rights="SELECT")


def downgrade() -> None:
    op.drop_table("pauses", schema=SCHEMA)
    for column in ("paused_by", "paused_since", "asked_at"):
        op.drop_column("tasks", column, schema=SCHEMA)
