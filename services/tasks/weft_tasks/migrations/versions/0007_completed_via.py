"""Who decides with an API key is the person who made it, by way of the key."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    column = sa.Column("completed_via", sa.Text, comment="the key that completed_by decided with")
    op.add_column("tasks", column, schema="tasks")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("tasks", "completed_via", schema="tasks")
