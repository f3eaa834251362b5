"""Rules of administrators, and questions to other services."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON
from weft_runtime.database import tenancy

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "definitions"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "rule",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True, comment="of its workflow, too"),
        sa.Column("document", JSON, nullable=False, comment="as its author wrote it"),
        sa.Column("entity_type", sa.Text, nullable=False),
        sa.Column("edit", sa.Integer, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
        comment="Rules of administrators. How one stands is told by its workflow.",
    )
    op.create_index("rule_listed", "rule", ["tenant_id", "created_at", "slug"], schema=SCHEMA)
    op.create_table(
        "question",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="simulation or backtest"),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("asked", JSON, nullable=False, comment="what was asked, without the documents"),
        sa.Column("answer", JSON),
        sa.Column("problem", JSON, comment="why there is no answer: code, detail"),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_at", sa.TIMESTAMP(timezone=True)),
        schema=SCHEMA,
        comment="What other services were asked, and what they answered; kept for some days.",
    )
    op.create_index("question_asked", "question", ["tenant_id", "asked_at"], schema=SCHEMA)
    tenancy.enable(op, SCHEMA, "rule", "question")


def downgrade() -> None:
    """Drop them; the workflows of rules stay."""
    op.drop_table("question", schema=SCHEMA)
    op.drop_table("rule", schema=SCHEMA)
