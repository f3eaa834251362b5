"""Sign-ins by OAuth that have begun: one of a connection, used once."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0013"
down_revision = "0012"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "connection_sign_ins",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("connection_id", sa.Uuid, primary_key=True),
        sa.Column("state_hash", sa.Text, nullable=False, comment="of what comes back with the answer; it is not kept itself"),
        sa.Column("browser_hash", sa.Text, nullable=False, comment="of the cookie that the browser has that began it"),
        sa.Column("verifier", sa.Text, nullable=False, comment="of PKCE, sealed"),
        sa.Column("version", sa.Integer, nullable=False, comment="of the connection when it began"),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text),
        sa.Column("expires_at", _moment, nullable=False),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "connection_sign_ins")


def downgrade() -> None:
    """Drop it."""
    op.drop_table("connection_sign_ins", schema=SCHEMA)
