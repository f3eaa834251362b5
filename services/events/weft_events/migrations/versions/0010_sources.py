"""Databases of tenants of which tables are watched, and the connections that they are reached by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "events"
AT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables, and tell the connections of other types from those of webhooks."""
    op.add_column("connection", sa.Column("type", sa.Text, nullable=False, server_default="webhook"), schema=SCHEMA)
    op.create_table_comment("connection", "Our copy of the connections of types webhook and postgres.", schema=SCHEMA)
    op.create_table(
        "source",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False, comment="its name"),
        sa.Column("tables", JSONB, nullable=False, comment="[{name, schema, table}]"),
        sa.Column("wake", sa.Text, nullable=False, comment="notify or poll"),
        sa.Column("version", sa.Integer, nullable=False, comment="counts what people change"),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("updated_at", AT, nullable=False),
        sa.Column("installed", JSONB, comment="its tables when capture was last put in place"),
        sa.Column("installed_at", AT),
        sa.Column("removing", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("owner", sa.Uuid, comment="the process that reads it"),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0", comment="counts its readers"),
        sa.Column("leased_until", AT),
        sa.Column("next_try_at", AT),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0", comment="one after the other"),
        sa.Column("error", JSONB, comment="{code, message} of the last of them"),
        sa.Column("error_at", AT),
        sa.Column("looked_at", AT, comment="when its outbox was last read"),
        sa.Column("pending", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lag_s", sa.Float, nullable=False, server_default="0"),
        sa.Column("missing", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb"), comment="tables that are not captured any more"),
        sa.Column("changes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("passed_over", sa.BigInteger, nullable=False, server_default="0", comment="changes that did not count"),
        sa.Column("refused", sa.BigInteger, nullable=False, server_default="0", comment="changes that could not be taken in"),
        sa.Column("last_change_at", AT),
        sa.Column("last_event", sa.Uuid, comment="its event in the log"),
        sa.UniqueConstraint("tenant_id", "name", name="source_name"),
        schema=SCHEMA,
        comment="Databases of tenants of which tables are watched, and how far the reading of each is.",
    )
    installed = sa.text("installed_at IS NOT NULL")
    op.create_index("source_lease", "source", ["leased_until"], schema=SCHEMA, postgresql_where=installed)
    op.create_table(
        "watched",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True, comment="what triggers call it"),
        sa.Column("source_id", sa.Uuid, nullable=False),
        schema=SCHEMA,
        comment="Which source has the table of a name.",
    )
    op.create_index("watched_source", "watched", ["tenant_id", "source_id"], schema=SCHEMA)
    op.create_table(
        "table_events",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("settings", JSONB, nullable=False, comment="enabled, operations, fields, conditions, workflows"),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("updated_at", AT, nullable=False),
        sa.Column("updated_by", sa.Text),
        schema=SCHEMA,
        comment="What counts of a table's changes, and for which workflows.",
    )
    tenancy.enable(op, SCHEMA, "source", "watched", "table_events")


def downgrade() -> None:
    """Drop all of it."""
    for name in ("table_events", "watched", "source"):
        op.drop_table(name, schema=SCHEMA)
    op.execute("DELETE FROM events.connection WHERE type <> 'webhook'")
    op.drop_column("connection", "type", schema=SCHEMA)
    op.create_table_comment("connection", "Our copy of the connections of type webhook.", schema=SCHEMA)
