"""What models cost: what may be spent, each call, and calls added up by the day."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "analytics"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "budgets",
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
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("updated_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("budgets_scope", "budgets", ["tenant_id", sa.text("coalesce(workflow, '')"), "period"], schema=SCHEMA, unique=True)
    op.create_table(
        "ai_calls",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("at", _moment, nullable=False),
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
        schema=SCHEMA,
    )
    op.create_index("ai_calls_tenant", "ai_calls", ["tenant_id", "at"], schema=SCHEMA)
    op.create_index("ai_calls_old", "ai_calls", ["at"], schema=SCHEMA)
    op.create_table(
        "ai_costs",
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
        schema=SCHEMA,
    )
    op.create_index("ai_costs_old", "ai_costs", ["day"], schema=SCHEMA)
    op.create_table(
        "ai_times",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("bucket", sa.SmallInteger, primary_key=True, comment="of how long answers took"),
        sa.Column("count", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("ai_times_old", "ai_times", ["day"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "budgets", rights="SELECT, INSERT, UPDATE")
    tenancy.enable(op, SCHEMA, "ai_calls", "ai_costs", "ai_times", rights="SELECT")


def downgrade() -> None:
    for table in ("ai_times", "ai_costs", "ai_calls", "budgets"):
        op.drop_table(table, schema=SCHEMA)
