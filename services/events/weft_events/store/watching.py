"""What counts of tables' changes, as their tenants say."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_events.errors import TableEventsMoved
from weft_events.records import TableEvents
from weft_events.tables import table_events


async def known(uow: UnitOfWork, names: Collection[str]) -> dict[str, TableEvents]:
    """The settings of tables of these names, those that have some."""
    query = sa.select(table_events).where(table_events.c.tenant_id == uow.tenant, table_events.c.name.in_(sorted(names)))
    return {row.name: _settings(row) for row in await uow.conn.execute(query)} if names else {}


async def find(uow: UnitOfWork, name: str, *, hold: bool = False) -> TableEvents | None:
    """The settings of a table, None where it has none. hold: until the transaction ends nobody else changes them."""
    query = sa.select(table_events).where(table_events.c.tenant_id == uow.tenant, table_events.c.name == name)
    row = (await uow.conn.execute(query.with_for_update() if hold else query)).one_or_none()
    return None if row is None else _settings(row)


async def save(uow: UnitOfWork, made: TableEvents) -> None:
    """Write settings that were looked up under their lock. Raises: TableEventsMoved, where another made them first."""
    settings = {
        "enabled": made.enabled,
        "operations": list(made.operations),
        "fields": list(made.fields),
        "conditions": made.conditions,
        "workflows": None if made.workflows is None else list(made.workflows),
    }
    row = {"version": made.version, "settings": settings, "updated_at": made.updated_at, "updated_by": made.updated_by}
    statement = insert(table_events).values(tenant_id=uow.tenant, name=made.name, created_at=made.created_at, **row)
    newer = statement.on_conflict_do_update(
        index_elements=(table_events.c.tenant_id, table_events.c.name),
        set_={name: statement.excluded[name] for name in row},
        where=table_events.c.version == made.version - 1,
    )
    if (await uow.conn.execute(newer.returning(table_events.c.name))).first() is None:
        raise TableEventsMoved(made.name, str(made.version - 1), made.version)


async def remove(uow: UnitOfWork, name: str) -> None:
    """Forget the settings of a table."""
    await uow.conn.execute(sa.delete(table_events).where(table_events.c.tenant_id == uow.tenant, table_events.c.name == name))


def _settings(row: sa.Row[tuple[object, ...]]) -> TableEvents:
    given = row.settings
    return TableEvents(
        name=row.name,
        enabled=given["enabled"],
        operations=tuple(given["operations"]),
        fields=tuple(given["fields"]),
        conditions=given["conditions"],
        workflows=None if given["workflows"] is None else tuple(given["workflows"]),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )
