"""Who did what: a chain of rows for each tenant."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, comment="from 1, without a gap"),
        sa.Column("fact", sa.Text, nullable=False, comment="what it was heard by; the same once only"),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, comment="a user's or key's id; null where it was not told"),
        sa.Column("via", sa.Text, comment="the API key they did it with"),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("resource_type", sa.Text, nullable=False),
        sa.Column("resource_id", sa.Text, nullable=False),
        sa.Column("before", sa.Text, comment="JSON as it was hashed"),
        sa.Column("after", sa.Text, comment="JSON as it was hashed"),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, comment="SHA-256 of the row and of the hash before"),
        schema=SCHEMA,
    )
    op.create_index("audit_fact", "audit", ["tenant_id", "fact"], unique=True, schema=SCHEMA)
    op.create_index("audit_resource", "audit", ["tenant_id", "resource_type", "resource_id", "seq"], schema=SCHEMA)
    op.create_index("audit_actor", "audit", ["tenant_id", "actor", "seq"], schema=SCHEMA)
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False, comment="of the newest row"),
        sa.Column("hash", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    # The HTTP role adds what is done by its own routes, and can neither change nor remove what is there.
    tenancy.enable(op, SCHEMA, "audit", rights="SELECT, INSERT")
    tenancy.enable(op, SCHEMA, "audit_heads", rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    for table in ("audit_heads", "audit"):
        op.drop_table(table, schema=SCHEMA)
