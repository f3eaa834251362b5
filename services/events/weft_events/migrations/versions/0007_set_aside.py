"""A schedule that meets a bug is set aside for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add how often, and until when."""
    failures = sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="bugs met one after the other")
    op.add_column("schedule", failures, schema="events")
    until = sa.Column("set_aside_until", sa.TIMESTAMP(timezone=True), comment="set by the newest of them")
    op.add_column("schedule", until, schema="events")


def downgrade() -> None:
    """Drop both."""
    op.drop_column("schedule", "set_aside_until", schema="events")
    op.drop_column("schedule", "failures", schema="events")
