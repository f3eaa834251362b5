"""What people are told, by which ways they want to be, and whom roles and groups stand for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from weft_runtime.database import tenancy

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the tables, and columns with a value where the release before writes none. What is overdue by now is told to nobody."""
    for name in ("roles", "groups"):
        op.add_column("people", sa.Column(name, ARRAY(sa.Text), nullable=False, server_default="{}"), schema=SCHEMA)
    told = sa.Column(
        "overdue_told", sa.Boolean, nullable=False, server_default="false", comment="that it is overdue was told, or need not be"
    )
    op.add_column("tasks", told, schema=SCHEMA)
    op.execute("UPDATE tasks.tasks SET overdue_told = true WHERE due_at < now() AND status IN ('open', 'claimed')")
    overdue = sa.text("due_at IS NOT NULL AND NOT overdue_told AND paused_since IS NULL AND status IN ('open', 'claimed')")
    op.create_index("tasks_overdue", "tasks", ["due_at"], schema=SCHEMA, postgresql_where=overdue)
    op.create_table(
        "workflow_owners",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, comment="who answers for it: its label `owner`, else who changed it last; null where nobody is known"),
        comment="Whose a workflow is.",
        schema=SCHEMA,
    )
    op.create_table(
        "notifications",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True, comment="of tenant, user and cause: what is told twice is one"),
        sa.Column(
            "user_id", sa.Text, nullable=False, comment="whom it is for: an id; as tasks name them where nobody of the tenant is known"
        ),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("link", sa.Text),
        sa.Column("about", JSONB, nullable=False, comment="ids of what it is about"),
        sa.Column("execution_id", sa.Uuid, comment="that it is about, with which it is forgotten"),
        sa.Column("in_app", sa.Boolean, nullable=False, comment="shown in their inbox"),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("read_at", _time),
        comment="What people were told.",
        schema=SCHEMA,
    )
    by_user = ["tenant_id", "user_id", "created_at", "id"]
    unread = sa.text("read_at IS NULL AND in_app")
    op.create_index("notifications_page", "notifications", by_user, schema=SCHEMA)
    op.create_index("notifications_unread", "notifications", by_user, schema=SCHEMA, postgresql_where=unread)
    op.create_index("notifications_execution", "notifications", ["tenant_id", "execution_id"], schema=SCHEMA)
    op.create_index("notifications_created_at", "notifications", ["created_at"], schema=SCHEMA)
    op.create_table(
        "preferences",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", JSONB, nullable=False, comment="as it was written"),
        sa.Column("updated_at", _time, nullable=False),
        comment="By which ways, and when, people want to be told.",
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "workflow_owners", rights="SELECT")
    tenancy.enable(op, SCHEMA, "notifications", "preferences", rights="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Take them away again."""
    for table in ("preferences", "notifications", "workflow_owners"):
        op.drop_table(table, schema=SCHEMA)
    op.drop_index("tasks_overdue", "tasks", schema=SCHEMA)
    op.drop_column("tasks", "overdue_told", schema=SCHEMA)
    for name in ("roles", "groups"):
        op.drop_column("people", name, schema=SCHEMA)
