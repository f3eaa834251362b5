"""WebSockets are opened by tickets that are good once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA
from weft_runtime.database import tenancy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "gateway"


def upgrade() -> None:
    """Create the table. Taking a ticket is the owner's, before anybody knows whose it is."""
    op.create_table(
        "live_tickets",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("hash", BYTEA, primary_key=True, comment="SHA-256 of the ticket"),
        sa.Column("person", sa.Text, nullable=False, comment="the id of whom it is for, or of their key"),
        sa.Column("topics", ARRAY(sa.Text), nullable=False),
        sa.Column("sealed", BYTEA, nullable=False, comment="nonce and AES-256-GCM ciphertext of the token it was had by"),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
        prefixes=["UNLOGGED"],
    )
    op.create_index("live_tickets_person", "live_tickets", ["tenant_id", "person"], schema=SCHEMA)
    op.create_index("live_tickets_expires_at", "live_tickets", ["expires_at"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "live_tickets", rights="SELECT, INSERT")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("live_tickets", schema=SCHEMA)
