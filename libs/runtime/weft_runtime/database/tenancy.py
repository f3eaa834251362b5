"""Row-level security: the API role of a service sees and writes rows of one tenant only, whatever a query forgets.

The tenant is a setting of the transaction, `app.tenant_id`. Where it is missing or empty, no row is seen and none can be written.
Source: PostgreSQL manual, "Row Security Policies".
"""

from __future__ import annotations

from typing import Any, Protocol

import sqlalchemy as sa

SETTING = "app.tenant_id"
POLICY = "tenant_only"
CURRENT = f"nullif(current_setting('{SETTING}', true), '')"
"""The tenant of the transaction in SQL, null where it has none. An empty one is none, too: rows that name no tenant (`parked` has such)
are not its rows."""


class Operations(Protocol):
    """What of Alembic's `op` is used here."""

    def execute(self, sqltext: str) -> Any:
        """Run a statement."""

    def get_bind(self) -> sa.Connection:
        """The connection of the migration."""


def api_role(schema: str) -> str:
    """The role of a service's HTTP door: `<service>_api`."""
    return f"{schema}_api"


def enable(op: Operations, schema: str, *tables: str, columns: str = "tenant_id", rights: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Give the API role rights on tenant tables and hold it to one tenant, in a migration.

    tables: names in `schema`; none: every table created so far that has the column.  columns: the tenant's column.
    rights: what the API role may do.
    """
    bind = op.get_bind()
    role = quote(api_role(schema))
    for name in tables or _tenant_tables(bind, schema, columns):
        table = f"{quote(schema)}.{quote(name)}"
        match = _match(columns)
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
        op.execute(f"CREATE POLICY {POLICY} ON {table} FOR ALL TO {role} USING ({match}) WITH CHECK ({match})")
        op.execute(f"GRANT {rights} ON {table} TO {role}")
    op.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {quote(schema)} TO {role}")


def renew(op: Operations, schema: str) -> None:
    """Make the policies that `enable` made in a schema before say what it says today, in a migration. Rights stay as they are."""
    match = _match("tenant_id")
    for name in _guarded_tables(op.get_bind(), schema):
        op.execute(f"ALTER POLICY {POLICY} ON {quote(schema)}.{quote(name)} USING ({match}) WITH CHECK ({match})")


def grant_insert(op: Operations, schema: str, *tables: str) -> None:
    """Let the API role add rows to tables of no tenant, which it still cannot read."""
    for name in tables:
        op.execute(f"GRANT INSERT ON {quote(schema)}.{quote(name)} TO {quote(api_role(schema))}")


def grant_read(op: Operations, schema: str, *tables: str) -> None:
    """Let the API role read tables that belong to no tenant."""
    for name in tables:
        op.execute(f"GRANT SELECT ON {quote(schema)}.{quote(name)} TO {quote(api_role(schema))}")


def quote(name: str) -> str:
    """An identifier, quoted for SQL. Raises: ValueError when it is not a plain lower-case name."""
    if not name.replace("_", "").isalnum() or not name.islower():
        raise ValueError(f"{name!r} is no plain lower-case SQL name; use letters, digits and underscores")
    return f'"{name}"'


def _match(column: str) -> str:
    return f"{quote(column)} = {CURRENT}"


def _guarded_tables(bind: sa.Connection, schema: str) -> list[str]:
    query = sa.text("SELECT tablename FROM pg_policies WHERE schemaname = :schema AND policyname = :policy ORDER BY tablename")
    return [row[0] for row in bind.execute(query, {"schema": schema, "policy": POLICY})]


def _tenant_tables(bind: sa.Connection, schema: str, column: str) -> list[str]:
    found = bind.execute(
        sa.text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attname = :column AND NOT a.attisdropped"
            " AND NOT c.relrowsecurity ORDER BY c.relname"
        ),
        {"schema": schema, "column": column},
    )
    return [row[0] for row in found]
