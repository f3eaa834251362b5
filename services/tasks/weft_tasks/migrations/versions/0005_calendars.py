"""Business calendars, with every version they had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.database import tenancy

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "tasks"
_time = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calendars",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", JSONB, nullable=False, comment="{zone, hours, holidays}"),
        sa.Column("created_at", _time, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("updated_at", _time, nullable=False),
        sa.Column("updated_by", sa.Text),
        schema=SCHEMA,
    )
    op.create_table(
        "calendar_versions",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("by", sa.Text),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "calendars", rights="SELECT, INSERT, UPDATE")
    tenancy.enable(op, SCHEMA, "calendar_versions", rights="SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("calendar_versions", schema=SCHEMA)
    op.drop_table("calendars", schema=SCHEMA)
