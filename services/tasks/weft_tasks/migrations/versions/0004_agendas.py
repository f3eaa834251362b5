"""Several decisions on one task, tasks kept apart from each other, and what time does to a task."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)
_next = sa.text("next_at IS NOT NULL AND paused_since IS NULL")


def upgrade() -> None:
    """Add what tasks have more, and say of those that are completed by whom, since others may be kept apart from them."""
    for column in (
        sa.Column("approvals", JSONB(none_as_null=True), comment="where it takes several decisions"),
        sa.Column("decisions", JSONB, nullable=False, server_default="[]", comment="of several, those so far"),
        sa.Column("deciders", ARRAY(sa.Text), nullable=False, server_default="{}", comment="who decided it or had a part in that, derived"),
        sa.Column("separate_from", ARRAY(sa.Text), nullable=False, server_default="{}", comment="nodes whose deciders may not act on it"),
        sa.Column(
            "excluded", JSONB, nullable=False, server_default="{}", comment="users who may not act on it, with the node, as the engine knew"
        ),
        sa.Column("rounds", sa.Text, nullable=False, server_default="", comment="the iterations around it"),
        sa.Column("agenda", JSONB, nullable=False, server_default="[]", comment="what time does to it, in order"),
        sa.Column("passed", sa.Integer, nullable=False, server_default="0", comment="how many steps of the agenda are over"),
        sa.Column("clock_from", _time, comment="from when on its time counts: when it was asked for, put off by pauses"),
        sa.Column("next_at", _time, comment="when the next step of the agenda comes, derived; null where none does"),
    ):
        op.add_column("tasks", column, schema=SCHEMA)
    op.execute("UPDATE tasks.tasks SET deciders = ARRAY[completed_by] WHERE completed_by IS NOT NULL")
    op.create_index("tasks_next", "tasks", ["next_at"], schema=SCHEMA, postgresql_where=_next)


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("tasks_next", "tasks", schema=SCHEMA)
    for column in (
        *("next_at", "clock_from", "passed", "agenda"),
        *("rounds", "excluded", "separate_from", "deciders", "decisions", "approvals"),
    ):
        op.drop_column("tasks", column, schema=SCHEMA)
