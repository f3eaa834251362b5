"""What is watched for, what was found, and who looks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from weft_analytics.tables.schema import metadata, moment

alert_rules = sa.Table(
    "alert_rules",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, comment="`failed`, `stuck`, `overdue`, `slow`"),
    sa.Column("workflow", sa.Text, comment="null for each"),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("conditions", JSONB, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("created_by", sa.Text),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("updated_by", sa.Text),
    sa.Index("alert_rules_tenant", "tenant_id", "created_at", "id"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("rule_id", sa.Uuid, nullable=False),
    sa.Column("rule", sa.Text, nullable=False, comment="its name"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("details", JSONB, nullable=False),
    sa.Column("raised_at", moment, nullable=False),
    sa.Column("acknowledged_at", moment),
    sa.Column("acknowledged_by", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("resolved_at", moment),
    sa.Index("alerts_page", "tenant_id", "raised_at", "id"),
    sa.Index("alerts_cause", "tenant_id", "rule_id", "workflow", unique=True, postgresql_where=sa.text("resolved_at IS NULL")),
    sa.Index("alerts_old", "resolved_at", postgresql_where=sa.text("resolved_at IS NOT NULL")),
)

duties = sa.Table(
    "duties",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="what one process does at a time"),
    sa.Column("holder", sa.Uuid, nullable=False),
    sa.Column("until", moment, nullable=False, comment="by the clock of the database; then another may take it"),
)
