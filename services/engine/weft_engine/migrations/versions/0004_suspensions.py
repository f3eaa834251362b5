"""Suspensions: tenants, workflows and node types that are held up."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0004"
down_revision = "0003"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "suspensions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="`tenant`, `workflow`, `node_type`"),
        sa.Column("name", sa.Text, nullable=False, comment="the slug or type; empty for a tenant"),
        sa.Column("reason", sa.Text),
        sa.Column("since", _moment, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("pause_job", sa.Uuid, comment="the bulk job that paused what lived then"),
        sa.Column("lifted_at", _moment),
        sa.Column("lifted_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index(
        "suspensions_open",
        "suspensions",
        ["tenant_id", "kind", "name"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    tenancy.enable(op, SCHEMA, "suspensions")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("suspensions", schema=SCHEMA)
