"""How long executions are kept after their end."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = "engine"
KEPT = sa.text("kept_until IS NOT NULL")


def upgrade() -> None:
    """Add the moment, and find by it."""
    comment = "from when on it may be forgotten; null while it lives, and for never"
    op.add_column("executions", sa.Column("kept_until", sa.TIMESTAMP(timezone=True), comment=comment), schema=SCHEMA)
    op.create_index("executions_kept", "executions", ["kept_until"], schema=SCHEMA, postgresql_where=KEPT)


def downgrade() -> None:
    """Drop both."""
    op.drop_index("executions_kept", "executions", schema=SCHEMA)
    op.drop_column("executions", "kept_until", schema=SCHEMA)
