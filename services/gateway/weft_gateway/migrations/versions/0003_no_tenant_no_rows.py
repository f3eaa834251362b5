"""A transaction without a tenant sees no row, also none that names no tenant."""

from alembic import op
from weft_runtime.database import tenancy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every policy say so."""
    tenancy.renew(op, "gateway")


def downgrade() -> None:
    """Nothing: the release before does not ask without a tenant."""
