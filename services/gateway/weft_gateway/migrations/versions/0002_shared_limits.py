"""How many requests a caller made and how often signing in failed, shared by the processes of the gateway."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA
from weft_runtime.database import plumbing

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    plumbing.add_rates(op, "gateway")
    op.create_table(
        "sign_in_failures",
        sa.Column("kind", sa.Text, primary_key=True, comment="account or address"),
        sa.Column("name", BYTEA, primary_key=True, comment="SHA-256 of the e-mail address or of the network address"),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("ends_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema="gateway",
    )
    op.create_index("sign_in_failures_ends_at", "sign_in_failures", ["ends_at"], schema="gateway")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("sign_in_failures", schema="gateway")
    plumbing.drop_rates(op, "gateway")
