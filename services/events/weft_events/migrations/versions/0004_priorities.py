"""The priority of what a workflow's triggers start."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Add the column."""
    written = sa.Column("priority", sa.SmallInteger, comment="settings.priority, null where it is not written")
    op.add_column("trigger_set", written, schema=SCHEMA)


def downgrade() -> None:
    """Drop it."""
    op.drop_column("trigger_set", "priority", schema=SCHEMA)
