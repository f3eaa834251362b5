"""Connections and their sealed secrets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0012"
down_revision = "0011"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "connections",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("settings", JSONB, nullable=False, comment="by the type; never a secret"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("updated_at", _moment, nullable=False),
        sa.Column("updated_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("connections_name", "connections", ["tenant_id", "name"], unique=True, schema=SCHEMA)
    op.create_table(
        "connection_secrets",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("connection_id", sa.Uuid, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("sealed", sa.Text, nullable=False, comment="for tenant, connection and field; opened in a worker's memory"),
        sa.Column("updated_at", _moment, nullable=False),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "connections", "connection_secrets")
    op.alter_column("suspensions", "kind", schema=SCHEMA, comment="`tenant`, `workflow`, `node_type`, `connection`")
    op.alter_column("suspensions", "name", schema=SCHEMA, comment="the slug, type or name; empty for a tenant")


def downgrade() -> None:
    """Drop them."""
    op.alter_column("suspensions", "kind", schema=SCHEMA, comment="`tenant`, `workflow`, `node_type`")
    op.alter_column("suspensions", "name", schema=SCHEMA, comment="the slug or type; empty for a tenant")
    op.drop_table("connection_secrets", schema=SCHEMA)
    op.drop_table("connections", schema=SCHEMA)
