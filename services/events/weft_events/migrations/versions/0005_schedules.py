"""The schedules of workflows, and how far each of them is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON
from weft_runtime.database import tenancy

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "schedule",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True, comment="follows from tenant, workflow and trigger"),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False, comment="its id among the triggers of the workflow"),
        sa.Column("version", sa.Integer, nullable=False, comment="of the workflow"),
        sa.Column("rule", JSON, nullable=False, comment="cron, every, timezone, catch_up, starts, ends as written"),
        sa.Column("active", sa.Boolean, nullable=False, comment="the workflow is, and the trigger enabled"),
        sa.Column("origin_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="what `every` is counted from"),
        sa.Column("next_at", sa.TIMESTAMP(timezone=True), comment="the first moment that nothing was done about; null where there is none"),
        sa.Column("paused_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("paused_by", sa.Text),
        sa.Column("last_at", sa.TIMESTAMP(timezone=True), comment="the newest moment that was fired"),
        sa.Column("last_event", sa.Uuid, comment="its event in the log"),
        sa.Column("fired", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("missed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "slug", "trigger", name="schedule_trigger"),
        schema=SCHEMA,
        comment="The schedules of workflows, and how far each of them is.",
    )
    due = sa.text("paused_at IS NULL AND next_at IS NOT NULL")
    op.create_index("schedule_due", "schedule", ["next_at"], schema=SCHEMA, postgresql_where=due)
    tenancy.enable(op, SCHEMA, "schedule")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("schedule", schema=SCHEMA)
