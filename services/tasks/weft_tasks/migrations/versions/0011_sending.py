"""What is sent to people by mail and by Slack, and by which connections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Add the tables. The HTTP door reads how something is sent, and says that it is to be; messages themselves it does not touch."""
    op.create_table(
        "deliveries",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("notification_id", sa.Uuid, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("due_at", _time, nullable=False, comment="when it is sent: not in quiet hours, and with the digest where there is one"),
        sa.Column("message_id", sa.Uuid, comment="in which it is sent; null while it waits"),
        comment="By which ways beside the inbox a notification is sent.",
        schema=SCHEMA,
    )
    op.create_index("deliveries_due", "deliveries", ["due_at"], schema=SCHEMA, postgresql_where=sa.text("message_id IS NULL"))
    op.create_index("deliveries_message", "deliveries", ["tenant_id", "message_id"], schema=SCHEMA)
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("made_at", _time, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_at", _time, comment="when it is asked for again; null once it has ended"),
        sa.Column("ended_at", _time),
        sa.Column("receipt", JSONB(none_as_null=True)),
        sa.Column("error", JSONB(none_as_null=True)),
        sa.Column("sealed", sa.LargeBinary, comment="what is sent, sealed, since it may hold decision links; null once it has ended"),
        comment="What is sent to people by mail and by Slack, by a worker.",
        schema=SCHEMA,
    )
    op.create_index("messages_next", "messages", ["next_at"], schema=SCHEMA, postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_index("messages_made_at", "messages", ["made_at"], schema=SCHEMA)
    op.create_table(
        "connections",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        comment="The tenant's connections by which notifications are sent, without secrets.",
        schema=SCHEMA,
    )
    op.create_table(
        "suspensions",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("lifted", sa.Boolean, nullable=False),
        comment="Which of them are held up.",
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "deliveries", rights="SELECT, INSERT")
    tenancy.enable(op, SCHEMA, "messages", "connections", "suspensions", rights="SELECT")


def downgrade() -> None:
    """Drop them."""
    for table in ("suspensions", "connections", "messages", "deliveries"):
        op.drop_table(table, schema=SCHEMA)
