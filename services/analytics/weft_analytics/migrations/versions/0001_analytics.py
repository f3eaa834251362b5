"""Executions, the numbers, tasks, workflows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "analytics"
_time = sa.TIMESTAMP(timezone=True)
_not_completed = sa.text("status <> 'completed'")
_paths = {"labels": "jsonb_path_ops"}
_has_key = sa.text("key IS NOT NULL")
_has_event = sa.text("event_id IS NOT NULL")
_has_labels = sa.text("labels <> '{}'::jsonb")


def upgrade() -> None:
    op.create_table(
        "executions",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False, comment="in the journal, of the newest fact heard"),
        sa.Column("begun", sa.Boolean, nullable=False, comment="whether how it began is known"),
        sa.Column("key", sa.Text),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("trigger_type", sa.Text, nullable=False),
        sa.Column("trigger_id", sa.Text),
        sa.Column("event_id", sa.Text),
        sa.Column("user", sa.Text),
        sa.Column("parent", sa.Uuid),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("started_at", _time, nullable=False),
        sa.Column("completed_at", _time),
        sa.Column("duration_ms", sa.BigInteger),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("error_node", sa.Text),
        sa.Column("waiting_node", sa.Text),
        sa.Column("waiting_kind", sa.Text),
        sa.Column("waiting_until", _time),
        schema=SCHEMA,
    )
    op.create_index("executions_page", "executions", ["tenant_id", "started_at", "id"], schema=SCHEMA)
    op.create_index("executions_workflow", "executions", ["tenant_id", "workflow", "started_at", "id"], schema=SCHEMA)
    op.create_index("executions_status", "executions", ["tenant_id", "status", "started_at", "id"], schema=SCHEMA, postgresql_where=_not_completed)
    op.create_index("executions_key", "executions", ["tenant_id", "key", "started_at", "id"], schema=SCHEMA, postgresql_where=_has_key)
    op.create_index("executions_event", "executions", ["tenant_id", "event_id"], schema=SCHEMA, postgresql_where=_has_event)
    op.create_index("executions_labels", "executions", ["labels"], schema=SCHEMA, postgresql_using="gin", postgresql_ops=_paths, postgresql_where=_has_labels)
    op.create_table(
        "rollups",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("grain", sa.Integer, primary_key=True, comment="seconds of the slot: 60 or 3600"),
        sa.Column("at", sa.BigInteger, primary_key=True, comment="where the slot begins, seconds since 1970"),
        sa.Column("queued", sa.BigInteger, nullable=False),
        sa.Column("running", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.BigInteger, nullable=False),
        sa.Column("paused", sa.BigInteger, nullable=False),
        sa.Column("completed", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("cancelled", sa.BigInteger, nullable=False),
        sa.Column("timed_out", sa.BigInteger, nullable=False),
        sa.Column("ended_completed", sa.BigInteger, nullable=False, comment="ended in this slot, whenever they started"),
        sa.Column("ended_failed", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("rollups_time", "rollups", ["tenant_id", "grain", "at"], schema=SCHEMA)
    op.create_index("rollups_old", "rollups", ["grain", "at"], schema=SCHEMA)
    op.create_table(
        "durations",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("grain", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("bucket", sa.SmallInteger, primary_key=True, comment="of the logarithmic histogram"),
        sa.Column("count", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("durations_time", "durations", ["tenant_id", "grain", "at"], schema=SCHEMA)
    op.create_index("durations_old", "durations", ["grain", "at"], schema=SCHEMA)
    op.create_table(
        "tasks",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _time, nullable=False, comment="of the earliest fact heard"),
        sa.Column("completed_at", _time),
        schema=SCHEMA,
    )
    op.create_index("tasks_created", "tasks", ["tenant_id", "created_at"], schema=SCHEMA, postgresql_include=["workflow", "status"])
    op.create_table(
        "workflows",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    # Read all the time and never changed in a column that an index holds but `status`: room on the page keeps updates near.
    op.execute("ALTER TABLE analytics.executions SET (fillfactor = 80)")
    tenancy.enable(op, SCHEMA, "executions", "rollups", "durations", "tasks", "workflows", rights="SELECT")
    plumbing.create(op, SCHEMA)


def downgrade() -> None:
    plumbing.drop(op, SCHEMA)
    for table in ("workflows", "tasks", "durations", "rollups", "executions"):
        op.drop_table(table, schema=SCHEMA)
