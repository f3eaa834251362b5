"""How many requests a caller made, shared by the processes of the service."""

from alembic import op
from weft_runtime.database import plumbing

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of rates."""
    plumbing.add_rates(op, "tasks")


def downgrade() -> None:
    """Drop it."""
    plumbing.drop_rates(op, "tasks")
