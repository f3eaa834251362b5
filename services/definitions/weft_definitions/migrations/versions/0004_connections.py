"""What connections there are: what definitions may name."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "definitions"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "connection",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False, comment="kept, so that what was said before stays without effect"),
        schema=SCHEMA,
        comment="What connections there are: what definitions may name.",
    )
    tenancy.enable(op, SCHEMA, "connection", rights="SELECT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("connection", schema=SCHEMA)
