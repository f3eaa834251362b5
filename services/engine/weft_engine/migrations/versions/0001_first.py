"""The engine's first schema: definitions it runs, executions, the journal by month, ownership of partitions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "workflows",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("active_version", sa.Integer),
        sa.Column("updated_at", _moment, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_table(
        "definitions",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("created_at", _moment, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_table(
        "tenants",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "executions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="0 until it is known"),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("wake_at", _moment, comment="look at it then or before; never later than its earliest deadline"),
        sa.Column("created_at", _moment, nullable=False, server_default=sa.func.now()),
        sa.Column("ended_at", _moment),
        schema=SCHEMA,
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "executions_wake", "executions", ["partition", "wake_at"], schema=SCHEMA, postgresql_where=sa.text("wake_at IS NOT NULL")
    )
    op.create_table(
        "journal",
        sa.Column("partition", sa.SmallInteger, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, comment="rises by one per row of the partition"),
        sa.Column("at", _moment, primary_key=True),
        sa.Column("execution_id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="of the row's first entry in its execution"),
        sa.Column("entries", JSON, nullable=False),
        schema=SCHEMA,
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("journal_execution", "journal", ["execution_id", "position"], schema=SCHEMA)
    op.create_table(
        "partitions",
        sa.Column("partition", sa.SmallInteger, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0", comment="rises with each new owner and fences the old one"),
        sa.Column("owner", sa.Uuid),
        sa.Column(
            "published", sa.BigInteger, nullable=False, server_default="0", comment="seq up to which the broker has confirmed all messages"
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("lock_key", sa.BigInteger, nullable=False, comment="the session advisory lock it holds while it lives"),
        sa.Column("seen_at", _moment, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "keys",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Uuid, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("answered_at", _moment, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_index("answers_answered_at", "answers", ["answered_at"], schema=SCHEMA)
    op.execute("CREATE TABLE engine.journal_rest PARTITION OF engine.journal DEFAULT")
    plumbing.create(op, SCHEMA)
    tenancy.enable(op, SCHEMA, "workflows", "definitions", "tenants", "executions", "journal", "keys", "answers")


def downgrade() -> None:
    """Drop everything."""
    plumbing.drop(op, SCHEMA)
    for table in ("answers", "keys", "nodes", "partitions", "journal", "executions", "tenants", "definitions", "workflows"):
        op.drop_table(table, schema=SCHEMA)
