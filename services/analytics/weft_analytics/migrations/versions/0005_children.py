"""Executions are found by the one that called them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def upgrade() -> None:
    op.create_index(
        "executions_parent",
        "executions",
        ["tenant_id", "parent", "started_at", "id"],
        schema=SCHEMA,
        postgresql_where=sa.text("parent IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("executions_parent", table_name="executions", schema=SCHEMA)
