"""The tables of analytics: executions as they are listed, the numbers by minute and by hour, tasks, slas, and the names of workflows."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from weft_analytics.tables.alerts import alert_rules, alerts, duties
from weft_analytics.tables.audit import audit, audit_heads
from weft_analytics.tables.costs import ai_calls, ai_costs, ai_times, budgets
from weft_analytics.tables.schema import metadata
from weft_analytics.tables.schema import moment as _time
from weft_analytics.tables.walks import step_counts, step_times, walks_heard, way_counts, ways

__all__ = [
    "WORDS",
    "ai_calls",
    "ai_costs",
    "ai_times",
    "alert_rules",
    "alerts",
    "audit",
    "audit_heads",
    "budgets",
    "durations",
    "duties",
    "executions",
    "metadata",
    "own_executions",
    "rollups",
    "service_levels",
    "step_counts",
    "step_times",
    "tasks",
    "walks_heard",
    "way_counts",
    "ways",
    "workflows",
]

_not_completed = sa.text("status <> 'completed'")
_paths = {"labels": "jsonb_path_ops"}
_has_key = sa.text("key IS NOT NULL")
_has_event = sa.text("event_id IS NOT NULL")
_has_parent = sa.text("parent IS NOT NULL")
_has_user = sa.text('"user" IS NOT NULL')
_has_labels = sa.text("labels <> '{}'::jsonb")
_has_words = sa.text("labels <> '{}'::jsonb OR error_message IS NOT NULL")
_begins = "text_pattern_ops"
WORDS: Final = (
    "(jsonb_to_tsvector('simple'::regconfig, labels, '[\"string\"]'::jsonb)"
    " || to_tsvector('simple'::regconfig, COALESCE((error_code || ' '::text) || error_message, ''::text)))"
)
"""What is looked for by words: the values of labels, the codes and messages of errors. Exactly what the index holds, so that it is used."""

LABEL_NAMES: Final = "(jsonb_path_query_array(labels, '$.keyvalue().\"key\"'::jsonpath))"
"""The names of labels, exactly as the index holds them."""

executions = sa.Table(
    "executions",
    metadata,
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
    sa.Column("waiting_for", sa.Text, comment="JSON"),
    sa.Column("heard_of_at", _time, comment="time of the newest fact heard"),
    sa.Column("retried", sa.Boolean, comment="whether somebody let it go on from a bad end; null for no"),
    sa.Index("executions_page", "tenant_id", "started_at", "id"),
    sa.Index("executions_workflow", "tenant_id", "workflow", "started_at", "id"),
    sa.Index("executions_version", "tenant_id", "workflow", "version", "started_at", "id"),
    sa.Index("executions_status", "tenant_id", "status", "started_at", "id", postgresql_where=_not_completed),
    sa.Index("executions_key", "tenant_id", "key", "started_at", "id", postgresql_ops={"key": _begins}, postgresql_where=_has_key),
    sa.Index("executions_user", "tenant_id", "user", "started_at", "id", postgresql_where=_has_user),
    sa.Index("executions_event", "tenant_id", "event_id", postgresql_ops={"event_id": _begins}, postgresql_where=_has_event),
    sa.Index("executions_parent", "tenant_id", "parent", "started_at", "id", postgresql_where=_has_parent),
    sa.Index("executions_labels", "labels", postgresql_using="gin", postgresql_ops=_paths, postgresql_where=_has_labels),
    sa.Index("executions_label_names", sa.text(LABEL_NAMES), postgresql_using="gin", postgresql_where=_has_labels),
    sa.Index("executions_words", sa.text(WORDS), postgresql_using="gin", postgresql_where=_has_words),
)

own_executions = sa.table(
    "own_executions",
    *(sa.column(one.name, one.type) for one in executions.c if one.name not in ("heard_of_at", "retried")),
    schema="analytics",
)
"""A view of the executions of the transaction's tenant, for lists: as the row-level security of the table, but by a plain condition.

Under row-level security PostgreSQL uses no index for `LIKE`, `@>` and `@@`, which might tell of rows of others by their errors, and reads
the whole table instead. The HTTP role asks fixed questions only, so that nothing can be told here.
"""

rollups = sa.Table(
    "rollups",
    metadata,
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
    sa.Column("by_hand", sa.BigInteger, nullable=False, server_default="0", comment="of `completed`, those that somebody retried"),
    sa.Index("rollups_time", "tenant_id", "grain", "at"),
    sa.Index("rollups_old", "grain", "at"),
)

durations = sa.Table(
    "durations",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("grain", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, primary_key=True),
    sa.Column("bucket", sa.SmallInteger, primary_key=True, comment="of the logarithmic histogram"),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("durations_time", "tenant_id", "grain", "at"),
    sa.Index("durations_old", "grain", "at"),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", _time, nullable=False, comment="of the earliest fact heard"),
    sa.Column("completed_at", _time),
    sa.Index("tasks_created", "tenant_id", "created_at", postgresql_include=["workflow", "status"]),
)

service_levels = sa.Table(
    "service_levels",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("execution_id", sa.Uuid, primary_key=True),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False, comment="in the journal, of the newest fact heard"),
    sa.Column("due_at", _time, comment="null where it has no sla any more"),
    sa.Column("warn_at", _time),
    sa.Column("status", sa.Text, nullable=False, comment="`on_track`, `warned`, `breached`"),
    sa.Index("service_levels_due", "tenant_id", "due_at"),
)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
