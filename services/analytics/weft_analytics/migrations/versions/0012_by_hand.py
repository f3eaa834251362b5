"""Which executions somebody retried, and how many of those that completed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def upgrade() -> None:
    # Both are left out by a process of the release before.
    retried = sa.Column("retried", sa.Boolean, comment="whether somebody let it go on from a bad end; null for no")
    op.add_column("executions", retried, schema=SCHEMA)
    by_hand = sa.Column("by_hand", sa.BigInteger, nullable=False, server_default="0", comment="of `completed`, those that somebody retried")
    op.add_column("rollups", by_hand, schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("rollups", "by_hand", schema=SCHEMA)
    op.drop_column("executions", "retried", schema=SCHEMA)
