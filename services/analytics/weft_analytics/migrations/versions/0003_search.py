"""Executions are found by version, by the beginning of a key or an event's id, and by words, each along an index."""

import sqlalchemy as sa
from alembic import op
from weft_runtime.database import tenancy

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCHEMA = "analytics"
_words = (
    "(jsonb_to_tsvector('simple'::regconfig, labels, '[\"string\"]'::jsonb)"
    " || to_tsvector('simple'::regconfig, COALESCE((error_code || ' '::text) || error_message, ''::text)))"
)
_has_words = sa.text("labels <> '{}'::jsonb OR error_message IS NOT NULL")
_has_key, _has_event = sa.text("key IS NOT NULL"), sa.text("event_id IS NOT NULL")


def _key_and_event(**ops: str) -> None:
    for name, columns, where in (
        ("key", ["tenant_id", "key", "started_at", "id"], _has_key),
        ("event", ["tenant_id", "event_id"], _has_event),
    ):
        given = {column: opclass for column, opclass in ops.items() if column in columns}
        op.drop_index(f"executions_{name}", table_name="executions", schema=SCHEMA)
        op.create_index(f"executions_{name}", "executions", columns, schema=SCHEMA, postgresql_where=where, postgresql_ops=given)


def upgrade() -> None:
    op.create_index("executions_version", "executions", ["tenant_id", "workflow", "version", "started_at", "id"], schema=SCHEMA)
    _key_and_event(key="text_pattern_ops", event_id="text_pattern_ops")
    op.create_index(
        "executions_words", "executions", [sa.text(_words)], schema=SCHEMA, postgresql_using="gin", postgresql_where=_has_words
    )
    # The owner reads the table for whoever asks, so the condition is all that guards it; it is there whatever a query forgets.
    op.execute(
        "CREATE VIEW analytics.own_executions AS SELECT * FROM analytics.executions"
        f" WHERE tenant_id = current_setting('{tenancy.SETTING}', true)"
    )
    op.execute(f"GRANT SELECT ON analytics.own_executions TO {tenancy.quote(tenancy.api_role(SCHEMA))}")


def downgrade() -> None:
    op.execute("DROP VIEW analytics.own_executions")
    op.drop_index("executions_words", table_name="executions", schema=SCHEMA)
    _key_and_event()
    op.drop_index("executions_version", table_name="executions", schema=SCHEMA)
