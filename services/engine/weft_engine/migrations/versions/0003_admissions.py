"""Gates: how many executions live at once, and who waits."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0003"
down_revision = "0002"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "admissions",
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        sa.Column("gate", sa.Text, primary_key=True, comment="what bounds how many live at once: `workflow:<slug>:<key>` or `tenant`"),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("on_conflict", sa.Text, nullable=False),
        sa.Column("asked_at", _moment, nullable=False),
        sa.Column("let_in_at", _moment, comment="null while it waits"),
        schema=SCHEMA,
    )
    op.create_index("admissions_gate", "admissions", ["tenant_id", "gate", "asked_at"], schema=SCHEMA)
    op.create_index(
        "admissions_waiting",
        "admissions",
        ["tenant_id", "asked_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("let_in_at IS NULL"),
    )
    tenancy.enable(op, SCHEMA, "admissions")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("admissions", schema=SCHEMA)
