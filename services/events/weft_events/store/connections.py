"""Our copy of the connections that calls and mails come in by, their secrets sealed."""

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
    """A connection. sealed: its secrets, by field."""

    id: UUID
    name: str
    settings: dict[str, Any]
    sealed: dict[str, str]


async def named(uow: UnitOfWork, type_: str, names: Collection[str]) -> dict[str, Connection]:
    """The tenant's connections of a type and these names, those there are."""
    return await _found(uow, type_, connection.c.name.in_(sorted(names))) if names else {}


async def of_type(uow: UnitOfWork, type_: str) -> dict[str, Connection]:
    """The tenant's connections of a type, by name."""
    return await _found(uow, type_)


async def keep(uow: UnitOfWork, said: ConnectionSaved) -> None:
    """Keep a connection as it is now; an older word changes nothing."""
    await _put(uow, said, said.settings, said.sealed, removed=False)


async def remove(uow: UnitOfWork, said: ConnectionRemoved) -> None:
    """Forget a connection and its secrets, but not that it was."""
    await _put(uow, said, {}, {}, removed=True)


async def _found(uow: UnitOfWork, type_: str, *more: sa.ColumnElement[bool]) -> dict[str, Connection]:
    mine = (connection.c.tenant_id == uow.tenant, connection.c.type == type_, sa.not_(connection.c.removed), *more)
    columns = (connection.c.id, connection.c.name, connection.c.settings, connection.c.sealed)
    # Of two with one name the one with the higher id is the truth: the removal of the other is on its way.
    rows = await uow.conn.execute(sa.select(*columns).where(*mine).order_by(connection.c.id))
    return {row.name: Connection(row.id, row.name, row.settings, row.sealed) for row in rows}


async def _put(
    uow: UnitOfWork, said: ConnectionSaved | ConnectionRemoved, settings: dict[str, Any], sealed: dict[str, str], *, removed: bool
) -> None:
    about = {"revision": said.revision, "name": said.name, "type": said.connection_type}
    row = {**about, "settings": settings, "sealed": sealed, "removed": removed}
    statement = insert(connection).values(tenant_id=uow.tenant, id=said.connection_id, **row)
    newer = statement.on_conflict_do_update(
        index_elements=(connection.c.tenant_id, connection.c.id),
        set_={name: statement.excluded[name] for name in row},
        where=connection.c.revision < statement.excluded.revision,
    )
    await uow.conn.execute(newer)
