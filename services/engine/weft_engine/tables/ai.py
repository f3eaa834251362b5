"""What may be spent on models, what was, what calls in hand may come to, and answers that stand for a while."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from weft_engine.tables.schema import metadata, moment

budgets = sa.Table(
    "budgets",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("workflow", sa.Text, comment="null for all of the tenant's"),
    sa.Column("period", sa.Text, nullable=False, comment="`day`, `week`, `month`"),
    sa.Column("limit", sa.Numeric, nullable=False, comment="US dollars"),
    sa.Column("hard", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("saving_from", sa.Float),
    sa.Column("saving_tier", sa.Text),
)

ai_spending = sa.Table(
    "ai_spending",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="of UTC"),
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("spent", sa.Numeric, nullable=False, comment="US dollars"),
)

ai_reservations = sa.Table(
    "ai_reservations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant_id", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False, comment="of UTC, when it was asked"),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, comment="the most it can cost, US dollars; null where that is not known"),
    sa.Column("told", JSONB, nullable=False, comment="what is said of the call, but for what it came to"),
    sa.Column("expires_at", moment, nullable=False, comment="who asked is gone then"),
    sa.Index("ai_reservations_tenant", "tenant_id", "day"),
    sa.Index("ai_reservations_old", "expires_at"),
)

ai_answers = sa.Table(
    "ai_answers",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True, comment="hash of all that decides what is asked"),
    sa.Column("body", sa.Text, nullable=False, comment="the output, JSON"),
    sa.Column("kept_at", moment, nullable=False),
    sa.Column("expires_at", moment, nullable=False),
    sa.Index("ai_answers_newest", "tenant_id", "kept_at"),
    sa.Index("ai_answers_old", "expires_at"),
)
