"""Connections that are held up."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "suspension",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False, comment="its name"),
        sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lifted", sa.Boolean, nullable=False, comment="kept, so that what was said before stays without effect"),
        schema=SCHEMA,
        comment="Our copy of the suspensions of connections.",
    )
    held = sa.text("NOT lifted")
    op.create_index("suspension_connection", "suspension", ["tenant_id", "connection"], schema=SCHEMA, postgresql_where=held)
    tenancy.enable(op, SCHEMA, "suspension")


def downgrade() -> None:
    """Drop it, and let what it held up go on."""
    op.execute("UPDATE events.mail SET next_at = now() WHERE status = 'waiting' AND next_at IS NULL")
    op.drop_table("suspension", schema=SCHEMA)
