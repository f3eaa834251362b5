"""Queries on connections and their sealed secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_engine.connections import Connection, Secret
from weft_engine.connections.signing_in import Begun
from weft_engine.tables import connection_secrets, connection_sign_ins, connections, definitions, workflows

_NAMING: Final[tuple[sa.ColumnElement[Any], ...]] = tuple(
    sa.literal_column(f"'{path} ? (@.connection == $name || @.fallback == $name)'::jsonpath") for path in ("$.**.with", "$.triggers[*]")
)
"""Where a definition names a connection: in the `with` of a node or of what undoes one, and in a trigger."""


async def find(uow: UnitOfWork, connection_id: UUID, *, lock: bool = False) -> Connection | None:
    """A connection with its secrets, None where there is none. lock: hold it until the transaction ends."""
    query = sa.select(connections).where(connections.c.tenant_id == uow.tenant, connections.c.id == connection_id)
    return await _with_secrets(uow, query.with_for_update() if lock else query)


async def named(uow: UnitOfWork, name: str) -> Connection | None:
    """The connection of that name with its secrets, None where there is none."""
    return await _with_secrets(uow, sa.select(connections).where(connections.c.tenant_id == uow.tenant, connections.c.name == name))


async def listed(uow: UnitOfWork, *, type_: str | None, after: tuple[Any, ...] | None, limit: int) -> list[Connection]:
    """Connections by name, without their secrets. after: the (name,) of the last one seen."""
    query = sa.select(connections).where(connections.c.tenant_id == uow.tenant)
    if type_ is not None:
        query = query.where(connections.c.type == type_)
    if after is not None:
        query = query.where(connections.c.name > after[0])
    return [_connection(row, {}) for row in (await uow.conn.execute(query.order_by(connections.c.name).limit(limit))).mappings()]


async def count(uow: UnitOfWork) -> int:
    """How many connections the tenant has."""
    query = sa.select(sa.func.count()).select_from(connections).where(connections.c.tenant_id == uow.tenant)
    return int((await uow.conn.execute(query)).scalar_one())


async def add(uow: UnitOfWork, connection: Connection) -> bool:
    """Write a new connection. Returns: False where its name is taken."""
    row = {"id": connection.id, "tenant_id": uow.tenant, "name": connection.name, "type": connection.type}
    made = {"created_at": connection.created_at, "created_by": connection.created_by}
    statement = insert(connections).values(**row, **made, **_changing(connection))
    done = await uow.conn.execute(statement.on_conflict_do_nothing().returning(connections.c.id))
    if done.scalar_one_or_none() is None:
        return False
    await _write_secrets(uow, connection)
    return True


async def save(uow: UnitOfWork, connection: Connection) -> None:
    """Write a connection that was looked up under its lock. Secrets that it no longer has are gone."""
    mine = sa.and_(connections.c.tenant_id == uow.tenant, connections.c.id == connection.id)
    await uow.conn.execute(sa.update(connections).where(mine).values(**_changing(connection)))
    await _write_secrets(uow, connection)


async def remove(uow: UnitOfWork, connection_id: UUID) -> None:
    """Delete a connection, its secrets, and a sign-in of it that has begun."""
    for table in (connection_secrets, connection_sign_ins):
        await uow.conn.execute(sa.delete(table).where(table.c.tenant_id == uow.tenant, table.c.connection_id == connection_id))
    await uow.conn.execute(sa.delete(connections).where(connections.c.tenant_id == uow.tenant, connections.c.id == connection_id))


async def begin_sign_in(uow: UnitOfWork, begun: Begun) -> None:
    """Write a sign-in that has begun; an earlier one of the connection is over."""
    about = {name: getattr(begun, name) for name in begun.__dataclass_fields__ if name != "connection_id"}
    written = insert(connection_sign_ins).values(tenant_id=uow.tenant, connection_id=begun.connection_id, **about)
    await uow.conn.execute(written.on_conflict_do_update(index_elements=["tenant_id", "connection_id"], set_=about))


async def take_sign_in(uow: UnitOfWork, connection_id: UUID, state_hash: str) -> Begun | None:
    """The sign-in that waits for an answer with this state: it is used by that, and waits no more. None where none does."""
    mine = sa.and_(connection_sign_ins.c.tenant_id == uow.tenant, connection_sign_ins.c.connection_id == connection_id)
    taken = sa.delete(connection_sign_ins).where(mine, connection_sign_ins.c.state_hash == state_hash).returning(connection_sign_ins)
    row = (await uow.conn.execute(taken)).mappings().one_or_none()
    return None if row is None else Begun(**{name: value for name, value in row.items() if name != "tenant_id"})


async def workflows_naming(uow: UnitOfWork, name: str, limit: int = 20) -> list[str]:
    """Active workflows whose active version names a connection anywhere: in a node, what undoes one, a trigger."""
    given = sa.func.jsonb_build_object("name", name)
    named_in = sa.or_(*(sa.func.jsonb_path_exists(definitions.c.document, path, given) for path in _NAMING))
    query = (
        sa.select(workflows.c.slug)
        .join(
            definitions,
            sa.and_(
                definitions.c.tenant_id == workflows.c.tenant_id,
                definitions.c.slug == workflows.c.slug,
                definitions.c.version == workflows.c.active_version,
            ),
        )
        .where(workflows.c.tenant_id == uow.tenant, workflows.c.status == "active", named_in)
        .order_by(workflows.c.slug)
        .limit(limit)
    )
    return list((await uow.conn.execute(query)).scalars())


def _changing(connection: Connection) -> dict[str, Any]:
    about = {"version": connection.version, "updated_at": connection.updated_at, "updated_by": connection.updated_by}
    return {"description": connection.description, "settings": dict(connection.settings), **about}


async def _write_secrets(uow: UnitOfWork, connection: Connection) -> None:
    mine = sa.and_(connection_secrets.c.tenant_id == uow.tenant, connection_secrets.c.connection_id == connection.id)
    await uow.conn.execute(sa.delete(connection_secrets).where(mine, connection_secrets.c.field.not_in(list(connection.secrets))))
    if not connection.secrets:
        return
    rows = [
        {"tenant_id": uow.tenant, "connection_id": connection.id, "field": field, "sealed": secret.sealed, "updated_at": secret.updated_at}
        for field, secret in connection.secrets.items()
    ]
    written = insert(connection_secrets).values(rows)
    new = {"sealed": written.excluded.sealed, "updated_at": written.excluded.updated_at}
    await uow.conn.execute(written.on_conflict_do_update(index_elements=["connection_id", "field"], set_=new))


async def _with_secrets(uow: UnitOfWork, query: sa.Select[Any]) -> Connection | None:
    row = (await uow.conn.execute(query)).mappings().one_or_none()
    if row is None:
        return None
    secrets = sa.select(connection_secrets).where(
        connection_secrets.c.tenant_id == uow.tenant, connection_secrets.c.connection_id == row["id"]
    )
    return _connection(row, {one.field: Secret(one.sealed, one.updated_at) for one in await uow.conn.execute(secrets)})


def _connection(row: Mapping[Any, Any], secrets: Mapping[str, Secret]) -> Connection:
    return Connection(**{name: value for name, value in row.items() if name != "tenant_id"}, secrets=secrets)
