"""Tasks that are handed on, looked after by stand-ins, or sleep."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY
from weft_runtime.database import tenancy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the columns, each with a value where the release before writes none, and the table of stand-ins."""
    for column in (
        sa.Column("requested_by", sa.Text, comment="who started the execution, where somebody did"),
        sa.Column("delegators", ARRAY(sa.Text), nullable=False, server_default="{}", comment="who handed it on, whose it was first"),
        sa.Column("standing_for", sa.Text, comment="for whom the assignee took it as a stand-in"),
        sa.Column("on_behalf_of", sa.Text, comment="whose it was to decide, where completed_by is another"),
        sa.Column(
            "represented", ARRAY(sa.Text), nullable=False, server_default="{}", comment="of each decision for whom it was; '' for none"
        ),
        sa.Column("snoozed_until", _time, comment="until when the assignee does not want to see it"),
        sa.Column("snoozed_by", sa.Text),
    ):
        op.add_column("tasks", column, schema=SCHEMA)
    op.create_table(
        "delegations",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("absent", sa.Text, nullable=False, comment="who is away: a user's id, or an e-mail address where nobody is known"),
        sa.Column("stand_in", sa.Text, nullable=False, comment="likewise"),
        sa.Column("starts_at", _time, nullable=False),
        sa.Column("ends_at", _time, nullable=False),
        sa.Column("workflows", ARRAY(sa.Text), comment="null for all"),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("revoked_at", _time),
        sa.Column("revoked_by", sa.Text),
        comment="Who stands in for whom, from when to when.",
        schema=SCHEMA,
    )
    op.create_index("delegations_page", "delegations", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_index("delegations_stand_in", "delegations", ["tenant_id", "stand_in", "ends_at"], schema=SCHEMA)
    op.create_index("delegations_absent", "delegations", ["tenant_id", "absent", "ends_at"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "delegations", rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("delegations", schema=SCHEMA)
    for name in ("snoozed_by", "snoozed_until", "represented", "on_behalf_of", "standing_for", "delegators", "requested_by"):
        op.drop_column("tasks", name, schema=SCHEMA)
