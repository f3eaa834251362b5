"""Where what was done came from, and what else there is to tell of it. Rows from before have neither, and their hashes hold."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def upgrade() -> None:
    op.add_column("audit", sa.Column("details", sa.Text, comment="JSON as it was hashed: what is no state of the resource"), schema=SCHEMA)
    op.add_column("audit", sa.Column("origin", sa.Text, comment="JSON as it was hashed: from where"), schema=SCHEMA)


def downgrade() -> None:
    for name in ("origin", "details"):
        op.drop_column("audit", name, schema=SCHEMA)
