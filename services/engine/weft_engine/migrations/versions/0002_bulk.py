"""One verb on many executions: what they are chosen by, the jobs, their items."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0002"
down_revision = "0001"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add two columns, which readers of before do not miss, and the tables of jobs."""
    op.add_column("executions", sa.Column("key", sa.Text), schema=SCHEMA)
    op.add_column("executions", sa.Column("labels", JSONB), schema=SCHEMA)
    op.create_index(
        "executions_live",
        "executions",
        ["tenant_id", "workflow", "created_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "bulk_jobs",
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
        schema=SCHEMA,
    )
    op.create_index("bulk_jobs_page", "bulk_jobs", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_index("bulk_jobs_due", "bulk_jobs", ["due_at"], schema=SCHEMA, postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "bulk_items",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("execution_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("sent_at", _moment),
        sa.Column("done_at", _moment),
        schema=SCHEMA,
    )
    for status in ("sent", "refused"):
        op.create_index(
            f"bulk_items_{status}",
            "bulk_items",
            ["job_id", "number"],
            schema=SCHEMA,
            postgresql_where=sa.text(f"status = '{status}'"),
        )
    tenancy.enable(op, SCHEMA, "bulk_jobs", "bulk_items")


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("bulk_items", schema=SCHEMA)
    op.drop_table("bulk_jobs", schema=SCHEMA)
    op.drop_index("executions_live", table_name="executions", schema=SCHEMA)
    op.drop_column("executions", "labels", schema=SCHEMA)
    op.drop_column("executions", "key", schema=SCHEMA)
