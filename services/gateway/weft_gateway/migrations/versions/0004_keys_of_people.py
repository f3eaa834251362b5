"""API keys are refused while the person who made them is not active."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_REFUSED = sa.text("revoked_at IS NOT NULL OR suspended_at IS NOT NULL")


def upgrade() -> None:
    """Write down whose each key is, and let those rest whose person is inactive by now."""
    op.add_column(
        "api_keys",
        sa.Column("owner", sa.Text, nullable=False, server_default="", comment="the id of the person who made it"),
        schema="gateway",
    )
    op.add_column(
        "api_keys",
        sa.Column("service", sa.Boolean, nullable=False, server_default=sa.false(), comment="the tenant's: it outlives its maker"),
        schema="gateway",
    )
    suspended = sa.Column("suspended_at", sa.TIMESTAMP(timezone=True), comment="set while its owner is not active")
    op.add_column("api_keys", suspended, schema="gateway")
    op.execute(
        "UPDATE gateway.api_keys AS k SET owner = u.id::text, suspended_at = CASE WHEN u.active THEN NULL ELSE now() END"
        " FROM gateway.users AS u WHERE u.tenant_id = k.tenant_id AND k.created_by IN (u.email, u.id::text)"
    )
    op.drop_index("api_keys_revoked", table_name="api_keys", schema="gateway")
    op.create_index("api_keys_refused", "api_keys", ["expires_at"], schema="gateway", postgresql_where=_REFUSED)


def downgrade() -> None:
    """Forget it again."""
    op.drop_index("api_keys_refused", table_name="api_keys", schema="gateway")
    op.create_index("api_keys_revoked", "api_keys", ["expires_at"], schema="gateway", postgresql_where=sa.text("revoked_at IS NOT NULL"))
    for column in ("suspended_at", "service", "owner"):
        op.drop_column("api_keys", column, schema="gateway")
