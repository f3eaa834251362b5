"""What nodes took, and which ways executions went."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def _slot() -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    ]


def _counts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "walks_heard",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False, comment="JSON, to be added to the numbers"),
        schema=SCHEMA,
    )
    op.create_table(
        "step_counts",
        *_slot(),
        sa.Column("node", sa.Text, primary_key=True),
        *_counts("completed", "failed", "cancelled", "retries"),
        schema=SCHEMA,
    )
    op.create_table(
        "step_times",
        *_slot(),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("waits", sa.Boolean, primary_key=True, comment="whether it is the time of waiting, else of running"),
        sa.Column("bucket", sa.SmallInteger, primary_key=True, autoincrement=False, comment="of the logarithmic histogram"),
        *_counts("count"),
        schema=SCHEMA,
    )
    op.create_table(
        "ways",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("path", sa.Text, nullable=False, comment="ids of nodes, a space between"),
        schema=SCHEMA,
    )
    op.create_table(
        "way_counts",
        *_slot(),
        sa.Column("way", sa.Uuid, primary_key=True, comment="zeros for those that are not told apart"),
        sa.Column("status", sa.Text, primary_key=True, comment="how they ended"),
        sa.Column("bucket", sa.SmallInteger, primary_key=True, autoincrement=False, comment="of the whole duration"),
        *_counts("count"),
        schema=SCHEMA,
    )
    for table in ("step_counts", "step_times", "way_counts"):
        op.create_index(f"{table}_old", table, ["at"], schema=SCHEMA)
        # Rows of the hour that runs are changed again and again, in a column that no index holds.
        op.execute(f"ALTER TABLE analytics.{table} SET (fillfactor = 70)")
    tenancy.enable(op, SCHEMA, "step_counts", "step_times", "ways", "way_counts", rights="SELECT")
    tenancy.enable(op, SCHEMA, "walks_heard", rights="SELECT")


def downgrade() -> None:
    for table in ("way_counts", "ways", "step_times", "step_counts", "walks_heard"):
        op.drop_table(table, schema=SCHEMA)
