"""Large payloads."""

from alembic import op
from weft_runtime.database import blobs

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    blobs.create(op, "sample")


def downgrade() -> None:
    blobs.drop(op, "sample")
