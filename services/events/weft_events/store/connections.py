"""Our copy of the connections of type webhook, their secrets sealed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_runtime.uow import UnitOfWork

from weft_events.tables import connection


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of type webhook. sealed: its secrets, by field."""

    id: UUID
    name: str
    settings: dict[str, Any]
    sealed: dict[str, str]


async def named(uow: UnitOfWork, names: Collection[str]) -> dict[str, Connection]:
    """The tenant's connections of these names, those there are."""
    mine = (connection.c.tenant_id == uow.tenant, connection.c.name.in_(sorted(names)), sa.not_(connection.c.removed))
    columns = (connection.c.id, connection.c.name, connection.c.settings, connection.c.sealed)
    # Of two with one name the one with the higher id is the truth: the removal of the other is on its way.
    rows = await uow.conn.execute(sa.select(*columns).where(*mine).order_by(connection.c.id)) if names else ()
    return {row.name: Connection(row.id, row.name, row.settings, row.sealed) for row in rows}


async def keep(uow: UnitOfWork, said: ConnectionSaved) -> None:
    """Keep a connection as it is now; an older word changes nothing."""
    await _put(uow, said, said.settings, said.sealed, removed=False)


async def remove(uow: UnitOfWork, said: ConnectionRemoved) -> None:
    """Forget a connection and its secrets, but not that it was."""
    await _put(uow, said, {}, {}, removed=True)


async def _put(
    uow: UnitOfWork, said: ConnectionSaved | ConnectionRemoved, settings: dict[str, Any], sealed: dict[str, str], *, removed: bool
) -> None:
    row = {"revision": said.revision, "name": said.name, "settings": settings, "sealed": sealed, "removed": removed}
    statement = insert(connection).values(tenant_id=uow.tenant, id=said.connection_id, **row)
    newer = statement.on_conflict_do_update(
        index_elements=(connection.c.tenant_id, connection.c.id),
        set_={name: statement.excluded[name] for name in row},
        where=connection.c.revision < statement.excluded.revision,
    )
    await uow.conn.execute(newer)
