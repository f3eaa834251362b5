"""Budgets for models: what may be spent, what was, what calls in hand may come to; answers that stand for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0014"
down_revision = "0013"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "budgets",
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
        schema=SCHEMA,
    )
    op.create_table(
        "ai_spending",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True, comment="of UTC"),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("spent", sa.Numeric, nullable=False, comment="US dollars"),
        schema=SCHEMA,
    )
    op.create_table(
        "ai_reservations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False, comment="of UTC, when it was asked"),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric, comment="the most it can cost, US dollars; null where that is not known"),
        sa.Column("told", JSONB, nullable=False, comment="what is said of the call, but for what it came to"),
        sa.Column("expires_at", _moment, nullable=False, comment="who asked is gone then"),
        schema=SCHEMA,
    )
    op.create_index("ai_reservations_tenant", "ai_reservations", ["tenant_id", "day"], schema=SCHEMA)
    op.create_index("ai_reservations_old", "ai_reservations", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "ai_answers",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True, comment="hash of all that decides what is asked"),
        sa.Column("body", sa.Text, nullable=False, comment="the output, JSON"),
        sa.Column("kept_at", _moment, nullable=False),
        sa.Column("expires_at", _moment, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("ai_answers_newest", "ai_answers", ["tenant_id", "kept_at"], schema=SCHEMA)
    op.create_index("ai_answers_old", "ai_answers", ["expires_at"], schema=SCHEMA)
    # Budgets are written by the message door alone.
    tenancy.enable(op, SCHEMA, "budgets", rights="SELECT")
    tenancy.enable(op, SCHEMA, "ai_spending", rights="SELECT, INSERT, UPDATE")
    tenancy.enable(op, SCHEMA, "ai_reservations", "ai_answers")


def downgrade() -> None:
    """Drop them."""
    for table in ("ai_answers", "ai_reservations", "ai_spending", "budgets"):
        op.drop_table(table, schema=SCHEMA)
