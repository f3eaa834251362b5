"""How webhooks are called, and the connections that their calls are verified by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB
from weft_runtime.database import tenancy

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Add the column and create the table."""
    op.add_column("event", sa.Column("request", JSON, comment="how a webhook was called"), schema=SCHEMA)
    op.create_table(
        "connection",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("sealed", JSONB, nullable=False, comment="secrets by field; empty once it is removed"),
        sa.Column("removed", sa.Boolean, nullable=False, comment="kept, so that what was said before stays without effect"),
        schema=SCHEMA,
        comment="Our copy of the connections of type webhook.",
    )
    op.create_index("connection_name", "connection", ["tenant_id", "name"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "connection", rights="SELECT")


def downgrade() -> None:
    """Drop both."""
    op.drop_table("connection", schema=SCHEMA)
    op.drop_column("event", "request", schema=SCHEMA)
