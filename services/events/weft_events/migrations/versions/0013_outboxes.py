"""What stands in the databases of sources: which release put it there, and how large it is."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "events"


def upgrade() -> None:
    """Add the columns."""
    about = "of the capture function, as it was last looked at; null before"
    op.add_column("source", sa.Column("capture_version", sa.Integer, comment=about), schema=SCHEMA)
    size = sa.Column("outbox_bytes", sa.BigInteger, nullable=False, server_default="0", comment="on the disk of its database")
    op.add_column("source", size, schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.drop_column("source", "outbox_bytes", schema=SCHEMA)
    op.drop_column("source", "capture_version", schema=SCHEMA)
