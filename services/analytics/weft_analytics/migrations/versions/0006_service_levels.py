"""When executions are due, and whether they were."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "analytics"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "service_levels",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, comment="in the journal, of the newest fact heard"),
        sa.Column("due_at", _time, comment="null where it has no sla any more"),
        sa.Column("warn_at", _time),
        sa.Column("status", sa.Text, nullable=False, comment="`on_track`, `warned`, `breached`"),
        schema=SCHEMA,
    )
    op.create_index("service_levels_due", "service_levels", ["tenant_id", "due_at"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "service_levels", rights="SELECT")


def downgrade() -> None:
    op.drop_table("service_levels", schema=SCHEMA)
