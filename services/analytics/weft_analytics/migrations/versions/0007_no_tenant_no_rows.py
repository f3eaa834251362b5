"""A transaction without a tenant sees no row, also none that names no tenant."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every policy say so."""
    tenancy.renew(op, "analytics")
    # The view is its own guard: the owner reads the table for whoever asks. Its columns stay: no later one of the table may hang on it.
    columns = ", ".join(f'"{column["name"]}"' for column in sa.inspect(op.get_bind()).get_columns("own_executions", "analytics"))
    op.execute(
        f"CREATE OR REPLACE VIEW analytics.own_executions AS SELECT {columns} FROM analytics.executions WHERE tenant_id = {tenancy.CURRENT}"
    )


def downgrade() -> None:
    """Nothing: the release before does not ask without a tenant."""
