"""How many requests a caller made, shared by the processes of the service."""

from alembic import op
from weft_runtime.database import plumbing

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of rates."""
    plumbing.add_rates(op, "engine")


def downgrade() -> None:
    """Drop it."""
    plumbing.drop_rates(op, "engine")
