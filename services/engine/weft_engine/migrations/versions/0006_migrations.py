"""Moving live executions to another version: the migrations, and what becomes of each execution."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0006"
down_revision = "0005"

SCHEMA = "engine"
_moment = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "migrations",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("from_version", sa.Integer, nullable=False),
        sa.Column("to_version", sa.Integer, nullable=False),
        sa.Column("mapping", JSONB, nullable=False, comment="nodes that change: what each becomes, null where it goes"),
        sa.Column("proposed", JSONB, nullable=False, comment="what the structure suggests: [{from, to, confidence, reason}]"),
        sa.Column("timers", sa.Text, nullable=False),
        sa.Column("filter", JSONB, nullable=False),
        sa.Column("canary", JSONB, nullable=False, comment="{share} or {count}, {} for none"),
        sa.Column("stop_at_error_rate", sa.Float, nullable=False),
        sa.Column("watch_s", sa.Float, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False, comment="items, numbered 1..total"),
        sa.Column("judged", sa.Integer, nullable=False, server_default="0", comment="number of the last item with a verdict"),
        sa.Column("canary_total", sa.Integer, nullable=False, server_default="0"),
        sa.Column("forgiven", sa.Integer, nullable=False, server_default="0", comment="errors before it was last told to go on"),
        sa.Column("forgiven_of", sa.Integer, nullable=False, server_default="0", comment="items sent before that"),
        sa.Column("halted", JSONB, comment="why it stopped: {errors, of, rate}"),
        sa.Column("caller", JSONB, nullable=False, comment="who asked: {id, email, roles}"),
        sa.Column("created_at", _moment, nullable=False),
        sa.Column("watch_until", _moment),
        sa.Column("due_at", _moment, server_default=sa.func.clock_timestamp(), comment="when it is looked at next, null for not"),
        schema=SCHEMA,
    )
    op.create_index("migrations_page", "migrations", ["tenant_id", "created_at", "id"], schema=SCHEMA)
    op.create_index("migrations_due", "migrations", ["due_at"], schema=SCHEMA, postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_table(
        "migration_items",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("migration_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("execution_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, comment="null until it is judged"),
        sa.Column("reasons", JSONB, nullable=False, server_default="[]"),
        sa.Column("warnings", JSONB, nullable=False, server_default="[]"),
        sa.Column("canary", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("code", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("sent_at", _moment),
        sa.Column("done_at", _moment),
        schema=SCHEMA,
    )
    op.create_index("migration_items_status", "migration_items", ["migration_id", "status", "number"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "migrations", "migration_items")


def downgrade() -> None:
    """Drop them."""
    op.drop_table("migration_items", schema=SCHEMA)
    op.drop_table("migrations", schema=SCHEMA)
