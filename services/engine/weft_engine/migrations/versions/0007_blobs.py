"""Large values apart from the journal: their contents, and which executions use them."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import blobs, tenancy

revision = "0007"
down_revision = "0006"

SCHEMA = "engine"


def upgrade() -> None:
    """Create the tables."""
    blobs.create(op, SCHEMA)
    op.create_table(
        "blob_uses",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("blob_id", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Uuid, primary_key=True, comment="whose journal names the blob"),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "blob_uses", rights="SELECT")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("blob_uses", schema=SCHEMA)
    blobs.drop(op, SCHEMA)
