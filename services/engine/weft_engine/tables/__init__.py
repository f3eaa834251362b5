"""The engine's schema. The journal is the truth; `executions` holds what queries and timers need of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB
from weft_runtime.database import blobs as runtime_blobs

from weft_engine.tables.ai import ai_answers, ai_reservations, ai_spending, budgets
from weft_engine.tables.connections import connection_secrets, connection_sign_ins, connections
from weft_engine.tables.drafts import drafts
from weft_engine.tables.schema import metadata
from weft_engine.tables.schema import moment as _moment

__all__ = [
    "admissions",
    "ai_answers",
    "ai_reservations",
    "ai_spending",
    "answers",
    "blob_uses",
    "blobs",
    "budgets",
    "bulk_items",
    "bulk_jobs",
    "calendars",
    "connection_secrets",
    "connection_sign_ins",
    "connections",
    "definitions",
    "drafts",
    "executions",
    "journal",
    "keys",
    "metadata",
    "migration_items",
    "migrations",
    "nodes",
    "partitions",
    "start_rates",
    "suspensions",
    "tenants",
    "workflows",
]

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

calendars = sa.Table(
    "calendars",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("document", JSONB, nullable=False, comment="{zone, hours, holidays}"),
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
    sa.Column("key", sa.Text),
    sa.Column("labels", JSONB(none_as_null=True)),
    sa.Column("kept_until", _moment, comment="from when on it may be forgotten; null while it lives, and for never"),
    sa.Index("executions_wake", "partition", "wake_at", postgresql_where=sa.text("wake_at IS NOT NULL")),
    # Whose status an operator can still change. Its condition names no column that changes while an execution lives.
    sa.Index("executions_live", "tenant_id", "workflow", "created_at", postgresql_where=sa.text("ended_at IS NULL")),
    sa.Index("executions_kept", "kept_until", postgresql_where=sa.text("kept_until IS NOT NULL")),
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

blobs = runtime_blobs.table(metadata)

blob_uses = sa.Table(
    "blob_uses",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("blob_id", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Uuid, primary_key=True, comment="whose journal names the blob"),
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

admissions = sa.Table(
    "admissions",
    metadata,
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    sa.Column("gate", sa.Text, primary_key=True, comment="what it has to pass: `workflow:<slug>:<key>`, `tenant`, `starts`"),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("on_conflict", sa.Text, nullable=False),
    sa.Column("asked_at", _moment, nullable=False),
    sa.Column("let_in_at", _moment, comment="null while it waits"),
    sa.Column("priority", sa.SmallInteger, nullable=False, server_default="0", comment="0..9: the higher is let in first"),
    sa.Index("admissions_gate", "tenant_id", "gate", "asked_at"),
    sa.Index(
        "admissions_waiting",
        *("tenant_id", "gate", sa.text("priority DESC"), "asked_at", "execution_id"),
        postgresql_where=sa.text("let_in_at IS NULL"),
    ),
)

start_rates = sa.Table(
    "start_rates",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("spent_until", _moment, nullable=False, comment="when all starts that have begun are earned again by the quota's rate"),
)

suspensions = sa.Table(
    "suspensions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="`tenant`, `workflow`, `node_type`, `connection`"),
    sa.Column("name", sa.Text, nullable=False, comment="the slug, type or name; empty for a tenant"),
    sa.Column("reason", sa.Text),
    sa.Column("since", _moment, nullable=False),
    sa.Column("by", sa.Text),
    sa.Column("pause_job", sa.Uuid, comment="the bulk job that paused what lived then"),
    sa.Column("lifted_at", _moment),
    sa.Column("lifted_by", sa.Text),
    sa.Index("suspensions_open", "tenant_id", "kind", "name", unique=True, postgresql_where=sa.text("lifted_at IS NULL")),
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

bulk_jobs = sa.Table(
    "bulk_jobs",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("filter", JSONB, nullable=False),
    sa.Column("options", JSONB, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("rate_per_s", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False, comment="items, numbered 1..total"),
    sa.Column("sample", JSONB, nullable=False, comment="the first few, as they were chosen"),
    sa.Column("sent", sa.Integer, nullable=False, server_default="0", comment="number of the last item whose command was said"),
    sa.Column("ok", sa.Integer, nullable=False, server_default="0"),
    sa.Column("refused", sa.Integer, nullable=False, server_default="0"),
    sa.Column("caller", JSONB, nullable=False, comment="who asked: {id, email, roles}"),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("finished_at", _moment),
    sa.Column("paced_at", _moment, nullable=False, server_default=sa.func.clock_timestamp(), comment="up to when the rate was spent"),
    sa.Column("due_at", _moment, nullable=False, server_default=sa.func.clock_timestamp(), comment="when it is looked at next"),
    sa.Index("bulk_jobs_page", "tenant_id", "created_at", "id"),
    sa.Index("bulk_jobs_due", "due_at", postgresql_where=sa.text("finished_at IS NULL")),
)

bulk_items = sa.Table(
    "bulk_items",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("execution_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("sent_at", _moment),
    sa.Column("done_at", _moment),
    sa.Index("bulk_items_sent", "job_id", "number", postgresql_where=sa.text("status = 'sent'")),
    sa.Index("bulk_items_refused", "job_id", "number", postgresql_where=sa.text("status = 'refused'")),
)

migrations = sa.Table(
    "migrations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("from_version", sa.Integer, nullable=False),
    sa.Column("to_version", sa.Integer, nullable=False),
    sa.Column("mapping", JSONB, nullable=False, comment="nodes that change: what each becomes, null where it goes"),
    sa.Column("proposed", JSONB, nullable=False, comment="what the structure suggests: [{from, to, confidence, reason}]"),
    sa.Column("timers", sa.Text, nullable=False),
    sa.Column("filter", JSONB, nullable=False),
    sa.Column("canary", JSONB, nullable=False, comment="{share} or {count}, {} for none"),
    sa.Column("stop_at_error_rate", sa.Float, nullable=False),
    sa.Column("watch_s", sa.Float, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("total", sa.Integer, nullable=False, comment="items, numbered 1..total"),
    sa.Column("judged", sa.Integer, nullable=False, server_default="0", comment="number of the last item with a verdict"),
    sa.Column("canary_total", sa.Integer, nullable=False, server_default="0"),
    sa.Column("forgiven", sa.Integer, nullable=False, server_default="0", comment="errors before it was last told to go on"),
    sa.Column("forgiven_of", sa.Integer, nullable=False, server_default="0", comment="items sent before that"),
    sa.Column("halted", JSONB, comment="why it stopped: {errors, of, rate}"),
    sa.Column("caller", JSONB, nullable=False, comment="who asked: {id, email, roles}"),
    sa.Column("created_at", _moment, nullable=False),
    sa.Column("watch_until", _moment),
    sa.Column("due_at", _moment, server_default=sa.func.clock_timestamp(), comment="when it is looked at next, null for not"),
    sa.Index("migrations_page", "tenant_id", "created_at", "id"),
    sa.Index("migrations_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

migration_items = sa.Table(
    "migration_items",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("migration_id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("execution_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, comment="null until it is judged"),
    sa.Column("reasons", JSONB, nullable=False, server_default="[]"),
    sa.Column("warnings", JSONB, nullable=False, server_default="[]"),
    sa.Column("canary", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("code", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("sent_at", _moment),
    sa.Column("done_at", _moment),
    sa.Index("migration_items_status", "migration_id", "status", "number"),
)
