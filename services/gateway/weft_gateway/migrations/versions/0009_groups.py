"""Groups are things of their own, with an id; who is in one is told by the names in a person's `groups`, as before."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "gateway"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table. Groups that people are in already are adopted by a gateway when it starts."""
    op.create_table(
        "groups",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, comment="what the groups of people, workflows and tokens call it"),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("groups_name", "groups", ["tenant_id", "name"], unique=True, schema=SCHEMA)
    op.create_index("users_groups", "users", ["groups"], schema=SCHEMA, postgresql_using="gin")
    tenancy.enable(op, SCHEMA, "groups")


def downgrade() -> None:
    """Drop it."""
    op.drop_index("users_groups", table_name="users", schema=SCHEMA)
    op.drop_table("groups", schema=SCHEMA)
