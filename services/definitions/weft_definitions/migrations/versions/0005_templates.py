"""Templates, seen by their tenant and by those they are shared with."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from weft_runtime.database import tenancy

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "definitions"
SHARED = "shared"


def upgrade() -> None:
    """Create the tables. Whom a template is shared with may read it, and no more."""
    op.create_table(
        "template",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("labels", JSONB, nullable=False),
        sa.Column("latest", sa.Integer, nullable=False),
        sa.Column("edit", sa.Integer, nullable=False),
        sa.Column("shared_with", ARRAY(sa.Text), nullable=False, comment="tenants that see it, too; * is all"),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
        comment="Definitions with parameters, of which workflows are made. Its tenant's own, and seen by those it is shared with.",
    )
    op.create_table(
        "template_version",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("slug", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("content", JSON, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    tenancy.enable(op, SCHEMA, "template", "template_version")
    role = tenancy.quote(tenancy.api_role(SCHEMA))
    seen = f"shared_with && ARRAY['*', {tenancy.CURRENT}]::text[]"
    op.execute(f"CREATE POLICY {SHARED} ON {SCHEMA}.template FOR SELECT TO {role} USING ({tenancy.CURRENT} IS NOT NULL AND {seen})")
    op.execute(
        f"CREATE POLICY {SHARED} ON {SCHEMA}.template_version FOR SELECT TO {role} USING (EXISTS (SELECT 1 FROM {SCHEMA}.template AS whole"
        f" WHERE whole.tenant_id = template_version.tenant_id AND whole.slug = template_version.slug AND {tenancy.CURRENT} IS NOT NULL AND {seen}))"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("template_version", schema=SCHEMA)
    op.drop_table("template", schema=SCHEMA)
