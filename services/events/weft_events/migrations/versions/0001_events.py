"""The log of events, what makes them the same, and our copies of workflows and tenants."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("event_id", sa.Text, nullable=False, comment="the CloudEvents id"),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("time", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attributes", JSON, nullable=False, comment="all CloudEvents attributes, as sent"),
        sa.Column("data", JSON),
        sa.Column("is_binary", sa.Boolean, nullable=False, comment="data is base64 of bytes"),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started", JSONB, nullable=False, comment="ids of the executions it asked for"),
        sa.Column("considered", JSON, nullable=False, comment="the triggers considered, at most 100, with what came of each"),
        sa.Column("considered_total", sa.Integer, nullable=False),
        sa.Column("duplicates", sa.Integer, nullable=False, server_default="0", comment="how often it came again"),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("event_type", "event", ["tenant_id", "type", "id"], schema=SCHEMA)
    # One partition until retention cuts time into several: ids are UUIDv7, so a range of ids is a range of time.
    op.execute("CREATE TABLE events.event_default PARTITION OF events.event DEFAULT")
    op.create_table(
        "event_key",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("received_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
        comment="What makes an event the same event; apart from the log, whose partitions could not hold it unique.",
    )
    op.create_table(
        "verdict",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True, comment="of the event"),
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False, comment="key_taken or rejected"),
        sa.Column("detail", sa.Text, nullable=False),
        schema=SCHEMA,
        comment="What the engine said of a start that did not become an execution.",
    )
    op.create_table(
        "workflow",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("active_version", sa.Integer),
        schema=SCHEMA,
        comment="Our copy of the workflows there are.",
    )
    op.create_table(
        "trigger_set",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("triggers", JSON, nullable=False),
        schema=SCHEMA,
        comment="The triggers of every version that was ever active; explanations of old events read them.",
    )
    op.create_table(
        "tenant",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("tier", sa.Text, nullable=False, server_default="standard"),
        sa.Column("settings", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("stamp", sa.Uuid, nullable=False, comment="another one after every change of the tenant or its workflows"),
        schema=SCHEMA,
    )
    plumbing.create(op, SCHEMA)
    tenancy.enable(op, SCHEMA)


def downgrade() -> None:
    plumbing.drop(op, SCHEMA)
    for table in ("tenant", "trigger_set", "workflow", "verdict", "event_key", "event"):
        op.drop_table(table, schema=SCHEMA)
