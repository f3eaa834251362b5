"""What models cost: what may be spent, each call, and calls added up by the day."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from weft_analytics.tables.schema import metadata, moment

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("workflow", sa.Text, comment="null for all of the tenant's"),
    sa.Column("period", sa.Text, nullable=False, comment="`day`, `week`, `month`"),
    sa.Column("limit", sa.Numeric, nullable=False, comment="US dollars"),
    sa.Column("hard", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("alerts_at", JSONB, nullable=False, comment="shares of the limit"),
    sa.Column("saving_from", sa.Float),
    sa.Column("saving_tier", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("created_by", sa.Text),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("updated_by", sa.Text),
    sa.Index("budgets_scope", "tenant_id", sa.text("coalesce(workflow, '')"), "period", unique=True),
)

ai_calls = sa.Table(
    "ai_calls",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("at", moment, nullable=False),
    sa.Column("execution_id", sa.Uuid, nullable=False),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("repair", sa.Boolean, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.Numeric, comment="US dollars; null where the price is not known"),
    sa.Column("took_ms", sa.BigInteger, nullable=False),
    sa.Index("ai_calls_tenant", "tenant_id", "at"),
    sa.Index("ai_calls_old", "at"),
)

ai_costs = sa.Table(
    "ai_costs",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="of UTC"),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("node", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("answered", sa.BigInteger, nullable=False),
    sa.Column("failed", sa.BigInteger, nullable=False),
    sa.Column("unanswered", sa.BigInteger, nullable=False),
    sa.Column("cached", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("repairs", sa.BigInteger, nullable=False),
    sa.Column("unpriced", sa.BigInteger, nullable=False, comment="calls whose price is not known"),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.Numeric, nullable=False, comment="US dollars"),
    sa.Index("ai_costs_old", "day"),
)

ai_times = sa.Table(
    "ai_times",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("bucket", sa.SmallInteger, primary_key=True, comment="of how long answers took"),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("ai_times_old", "day"),
)
