"""Executions are found by who started them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def upgrade() -> None:
    op.create_index(
        "executions_user",
        "executions",
        ["tenant_id", "user", "started_at", "id"],
        schema=SCHEMA,
        postgresql_where=sa.text('"user" IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index("executions_user", table_name="executions", schema=SCHEMA)
