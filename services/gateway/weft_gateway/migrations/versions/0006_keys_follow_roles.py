"""API keys do no more than the person who made them may by now."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LOWERED = sa.text("lowered_to IS NOT NULL")


def upgrade() -> None:
    """Write down what keys are lowered to: those with a role that their owner has not, but for what every administrator may give.

    Who verifies a key compares what the roles allow, so one that is named here and does no more than it may loses nothing.
    """
    comment = "what its owner may, by roles, where that is less than its own allow"
    op.add_column("api_keys", sa.Column("lowered_to", ARRAY(sa.Text), comment=comment), schema="gateway")
    op.create_index("api_keys_lowered", "api_keys", ["expires_at"], schema="gateway", postgresql_where=_LOWERED)
    op.execute(
        "UPDATE gateway.api_keys AS k SET lowered_to = ARRAY(SELECT role FROM unnest(u.roles) AS role WHERE role IN"
        " ('viewer', 'approver', 'editor', 'admin', 'service', 'operator')) FROM gateway.users AS u"
        " WHERE u.tenant_id = k.tenant_id AND k.owner = u.id::text AND NOT k.service AND NOT k.roles <@ u.roles"
        " AND ('operator' = ANY (k.roles) OR NOT 'admin' = ANY (u.roles))"
    )


def downgrade() -> None:
    """Forget it again."""
    op.drop_index("api_keys_lowered", table_name="api_keys", schema="gateway")
    op.drop_column("api_keys", "lowered_to", schema="gateway")
