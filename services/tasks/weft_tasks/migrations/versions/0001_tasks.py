"""Tasks, their history, those taken back early, people."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)
_live = sa.text("status IN ('open', 'claimed')")


def upgrade() -> None:
    op.create_table(
        "tasks",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("execution_id", sa.Uuid, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("visit", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("form", JSONB(none_as_null=True)),
        sa.Column("ui", JSONB(none_as_null=True)),
        sa.Column("data", JSONB(none_as_null=True)),
        sa.Column("reserved_for", sa.Text, comment="whom the workflow or an assigner named"),
        sa.Column("assignee", sa.Text, comment="who has it now: a user's id or e-mail address"),
        sa.Column("candidates", JSONB, nullable=False),
        sa.Column("openers", ARRAY(sa.Text), nullable=False, comment="whom it is for, derived, to be found by"),
        sa.Column("outcomes", ARRAY(sa.Text), nullable=False),
        sa.Column("due_at", _time),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("result", JSONB(none_as_null=True)),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("updated_at", _time, nullable=False),
        sa.Column("completed_at", _time),
        sa.Column("completed_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("tasks_page", "tasks", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_index("tasks_live", "tasks", ["tenant_id", "created_at", "id"], schema=SCHEMA, postgresql_where=_live)
    op.create_index("tasks_assignee", "tasks", ["tenant_id", "assignee", "created_at", "id"], schema=SCHEMA)
    op.create_index("tasks_openers", "tasks", ["openers"], schema=SCHEMA, postgresql_using="gin", postgresql_where=_live)
    op.create_index("tasks_execution", "tasks", ["tenant_id", "execution_id"], schema=SCHEMA)
    op.create_table(
        "history",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("task_id", sa.Uuid, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("data", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("history_task", "history", ["tenant_id", "task_id", "position"], schema=SCHEMA)
    op.create_table(
        "taken_back",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("task_id", sa.Uuid, primary_key=True),
        sa.Column("at", _time, nullable=False),
        comment="Tasks that were cancelled before they were created: a late creation does not open them.",
        schema=SCHEMA,
    )
    op.create_index("taken_back_at", "taken_back", ["at"], schema=SCHEMA)
    op.create_table(
        "people",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("people_email", "people", ["tenant_id", "email"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "tasks", rights="SELECT, UPDATE")
    tenancy.enable(op, SCHEMA, "history", rights="SELECT, INSERT")
    tenancy.enable(op, SCHEMA, "taken_back", "people", rights="SELECT")
    plumbing.create(op, SCHEMA)


def downgrade() -> None:
    plumbing.drop(op, SCHEMA)
    for table in ("people", "taken_back", "history", "tasks"):
        op.drop_table(table, schema=SCHEMA)
