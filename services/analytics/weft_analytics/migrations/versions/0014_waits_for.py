"""Whom an execution waits for, in lists too; and executions by the names of their labels."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCHEMA = "analytics"


def upgrade() -> None:
    op.add_column("executions", sa.Column("waiting_for", sa.Text, comment="JSON"), schema=SCHEMA)
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("own_executions", SCHEMA)]
    named = ", ".join(f'"{name}"' for name in (*columns, "waiting_for"))
    op.execute(
        f"CREATE OR REPLACE VIEW analytics.own_executions AS SELECT {named} FROM analytics.executions WHERE tenant_id = {tenancy.CURRENT}"
    )
    names = sa.text("(jsonb_path_query_array(labels, '$.keyvalue().\"key\"'::jsonpath))")
    has_labels = sa.text("labels <> '{}'::jsonb")
    op.create_index(
        "executions_label_names", "executions", [names], schema=SCHEMA, postgresql_using="gin", postgresql_where=has_labels
    )


def downgrade() -> None:
    """The column stays: the release before asks for those that it knows."""
    op.drop_index("executions_label_names", table_name="executions", schema=SCHEMA)
