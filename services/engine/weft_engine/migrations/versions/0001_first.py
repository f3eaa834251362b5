"""The engine's first schema: definitions it runs, executions, the journal by month, ownership of partitions."""

from alembic import op
from weft_engine.tables import metadata
from weft_runtime.database import plumbing, tenancy

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute("CREATE TABLE engine.journal_rest PARTITION OF engine.journal DEFAULT")
    plumbing.create(op, "engine")
    tenancy.enable(op, "engine", "workflows", "definitions", "tenants", "executions", "journal", "keys", "answers")


def downgrade() -> None:
    """Drop everything."""
    plumbing.drop(op, "engine")
    metadata.drop_all(op.get_bind(), checkfirst=False)
