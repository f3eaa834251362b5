"""The engine's schema. The journal is the truth; `executions` holds what queries and timers need of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

metadata = sa.MetaData(schema="engine")

_moment = sa.TIMESTAMP(timezone=True)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("active_version", sa.Integer),
    sa.Column("updated_at", _moment, nullable=False, server_default=sa.func.now()),
)

definitions = sa.Table(
    "definitions",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("created_at", _moment, nullable=False, server_default=sa.func.now()),
)

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("settings", JSONB, nullable=False),
)

executions = sa.Table(
    "executions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, comment="0 until it is known"),
    sa.Column("partition", sa.SmallInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("wake_at", _moment, comment="look at it then or before; never later than its earliest deadline"),
    sa.Column("created_at", _moment, nullable=False, server_default=sa.func.now()),
    sa.Column("ended_at", _moment),
    sa.Index("executions_wake", "partition", "wake_at", postgresql_where=sa.text("wake_at IS NOT NULL")),
    postgresql_with={"fillfactor": "80"},
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("partition", sa.SmallInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, comment="rises by one per row of the partition"),
    sa.Column("at", _moment, primary_key=True),
    sa.Column("execution_id", sa.Uuid, nullable=False),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False, comment="of the row's first entry in its execution"),
    sa.Column("entries", JSON, nullable=False),
    sa.Index("journal_execution", "execution_id", "position"),
    postgresql_partition_by="RANGE (at)",
)

partitions = sa.Table(
    "partitions",
    metadata,
    sa.Column("partition", sa.SmallInteger, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0", comment="rises with each new owner and fences the old one"),
    sa.Column("owner", sa.Uuid),
    sa.Column(
        "published", sa.BigInteger, nullable=False, server_default="0", comment="seq up to which the broker has confirmed all messages"
    ),
)

nodes = sa.Table(
    "nodes",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("lock_key", sa.BigInteger, nullable=False, comment="the session advisory lock it holds while it lives"),
    sa.Column("seen_at", _moment, nullable=False),
)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Uuid, nullable=False),
)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.Column("answered_at", _moment, nullable=False, server_default=sa.func.now()),
    sa.Index("answers_answered_at", "answered_at"),
)
