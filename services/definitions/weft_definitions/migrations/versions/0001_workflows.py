"""Workflows, their versions, who has installed them, what still runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "definitions"


def upgrade() -> None:
    op.create_table(
        "workflow",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("triggers", ARRAY(sa.Text), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("active_version", sa.Integer),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("edit", sa.Integer, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_index("workflow_listed", "workflow", ["tenant_id", "created_at", "slug"], schema=SCHEMA)
    op.create_table(
        "version",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("document", JSON, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text),
        sa.Column("published_at", sa.TIMESTAMP(timezone=True)),
        sa.Column("note", sa.Text),
        schema=SCHEMA,
    )
    op.create_table(
        "installation",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        schema=SCHEMA,
        comment="Which service has stored its copy of which revision.",
    )
    op.create_table(
        "live_execution",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False),
        schema=SCHEMA,
        comment="Executions that have started and not ended; what keeps a workflow from being deleted.",
    )
    op.create_index("live_execution_slug", "live_execution", ["tenant_id", "slug"], schema=SCHEMA)
    plumbing.create(op, SCHEMA)
    tenancy.enable(op, SCHEMA)


def downgrade() -> None:
    plumbing.drop(op, SCHEMA)
    for table in ("live_execution", "installation", "version", "workflow"):
        op.drop_table(table, schema=SCHEMA)
