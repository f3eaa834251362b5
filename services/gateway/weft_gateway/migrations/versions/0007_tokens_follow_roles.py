"""Access tokens are good no longer than what they tell of their person's roles and groups."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCHEMA = "gateway"
REDUCED = sa.text("reduced_revision > 0")


def upgrade() -> None:
    """Count when a role or group was taken, and which revision of a person a token tells; of those given before nobody knows."""
    reduced = "the newest revision that took a role or a group from them; 0 for none"
    op.add_column("users", sa.Column("reduced_revision", sa.BigInteger, nullable=False, server_default="0", comment=reduced), schema=SCHEMA)
    op.create_index("users_reduced", "users", ["updated_at"], schema=SCHEMA, postgresql_where=REDUCED)
    told = "of the person, as the access token tells them"
    op.add_column("refresh_tokens", sa.Column("revision", sa.BigInteger, comment=told), schema=SCHEMA)


def downgrade() -> None:
    """Forget it again."""
    op.drop_column("refresh_tokens", "revision", schema=SCHEMA)
    op.drop_index("users_reduced", table_name="users", schema=SCHEMA)
    op.drop_column("users", "reduced_revision", schema=SCHEMA)
