"""What was decided by links."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the table of receipts. A receipt is never changed, so the HTTP door may not."""
    op.create_table(
        "decision_receipts",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("link_id", sa.Uuid, nullable=False, comment="of the link; it is used once"),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("answer_hash", sa.Text, nullable=False, comment="SHA-256 of outcome and form, to know the same answer again"),
        sa.Column("shown_hash", sa.Text, nullable=False, comment="SHA-256 of what the link showed"),
        sa.Column("shown", JSONB, nullable=False, comment="what the link showed, without data and form where they are large"),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False, comment="who made the link"),
        sa.Column("link_expires_at", _time, nullable=False),
        sa.UniqueConstraint("tenant_id", "link_id", name="decision_receipts_link"),
        comment="What was decided by links: by whom, when, from where, and what they were shown.",
        schema=SCHEMA,
    )
    op.create_index("decision_receipts_task", "decision_receipts", ["tenant_id", "task_id"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "decision_receipts", rights="SELECT, INSERT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("decision_receipts", schema=SCHEMA)
