"""What is watched for, what was found, and who looks; when an execution was heard of last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "analytics"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="`failed`, `stuck`, `overdue`, `slow`"),
        sa.Column("workflow", sa.Text, comment="null for each"),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("conditions", JSONB, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("updated_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("alert_rules_tenant", "alert_rules", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Uuid, nullable=False),
        sa.Column("rule", sa.Text, nullable=False, comment="its name"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("raised_at", _moment, nullable=False),
        sa.Column("acknowledged_at", _moment),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("resolved_at", _moment),
        schema=SCHEMA,
    )
    op.create_index("alerts_page", "alerts", ["tenant_id", "raised_at", "id"], schema=SCHEMA)
    stands = sa.text("resolved_at IS NULL")
    op.create_index("alerts_cause", "alerts", ["tenant_id", "rule_id", "workflow"], unique=True, schema=SCHEMA, postgresql_where=stands)
    op.create_index("alerts_old", "alerts", ["resolved_at"], schema=SCHEMA, postgresql_where=sa.text("resolved_at IS NOT NULL"))
    op.create_table(
        "duties",
        sa.Column("name", sa.Text, primary_key=True, comment="what one process does at a time"),
        sa.Column("holder", sa.Uuid, nullable=False),
        sa.Column("until", _moment, nullable=False, comment="by the clock of the database; then another may take it"),
        schema=SCHEMA,
    )
    # Null for those of which nothing was heard since: a process of the release before does not write it.
    op.add_column("executions", sa.Column("heard_of_at", _moment, comment="time of the newest fact heard"), schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "alert_rules")
    tenancy.enable(op, SCHEMA, "alerts", rights="SELECT, UPDATE")


def downgrade() -> None:
    op.drop_column("executions", "heard_of_at", schema=SCHEMA)
    for table in ("duties", "alerts", "alert_rules"):
        op.drop_table(table, schema=SCHEMA)
