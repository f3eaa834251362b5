"""Executions that wait for events, and what events can be looked up by."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "events"
TABLES = ("subscription", "listened", "event_value", "delivery")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "subscription",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("visit", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True, comment="the outcome waited for; empty: the visit ended before its wait was heard of"),
        sa.Column("place", sa.Integer, nullable=False, comment="among the names of its visit, as listed"),
        sa.Column("position", sa.Integer, nullable=False, comment="in the execution's history; the later word stands"),
        sa.Column("pattern", sa.Text, nullable=False, comment="type of the event, or a glob"),
        sa.Column("path", sa.Text, nullable=False, comment="JSON pointer into the event's data; empty: by type alone"),
        sa.Column("value", sa.Text, nullable=False, comment="key of what stands there"),
        sa.Column("opened_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
        comment="Visits of executions that wait for an event.",
    )
    op.create_index("subscription_lookup", "subscription", ["tenant_id", "pattern", "path", "value"], schema=SCHEMA)
    op.create_table(
        "listened",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("pattern", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("unmarked_until", sa.Uuid, comment="the newest event that was here before; later ones have their event_value"),
        schema=SCHEMA,
        comment="What the tenant's workflows wait for: the kinds of subscriptions there may be.",
    )
    op.create_table(
        "event_value",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("pattern", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True, comment="of the event"),
        schema=SCHEMA,
        comment="What events can be looked up by when a wait begins after they came.",
    )
    op.create_table(
        "delivery",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True, comment="of the event"),
        sa.Column("execution_id", sa.Uuid, primary_key=True),
        schema=SCHEMA,
        comment="Waits that an event ended.",
    )
    tenancy.enable(op, SCHEMA, *TABLES)


def downgrade() -> None:
    """Drop them."""
    for table in TABLES:
        op.drop_table(table, schema=SCHEMA)
