"""Our copy of the connections by which notifications are sent: those of the names that say so, and which are held up."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_runtime.uow import UnitOfWork

from weft_tasks.notifications import Channel
from weft_tasks.notifications.messages import CONNECTIONS, TYPES
from weft_tasks.tables import connections, suspensions


async def keep(uow: UnitOfWork, said: ConnectionSaved | ConnectionRemoved) -> None:
    """Keep a connection as it is now, or that it is gone; an older word changes nothing, nor does one of another name."""
    if said.name not in CONNECTIONS.values():
        return
    gone = isinstance(said, ConnectionRemoved)
    row = {"name": said.name, "type": said.connection_type, "revision": said.revision, "removed": gone}
    statement = insert(connections).values(tenant_id=uow.tenant, id=said.connection_id, **row)
    newer = connections.c.revision < said.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row, where=newer))


async def hold(uow: UnitOfWork, said: ConnectionSuspended | ConnectionResumed) -> None:
    """Remember that a connection is held up, or is so no more, in whatever order the words about it come."""
    if said.name not in CONNECTIONS.values():
        return
    lifted = isinstance(said, ConnectionResumed)
    made = insert(suspensions).values(tenant_id=uow.tenant, id=said.suspension_id, connection=said.name, lifted=lifted)
    either = {"lifted": sa.or_(suspensions.c.lifted, made.excluded.lifted)}
    await uow.conn.execute(made.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=either))


async def ways(uow: UnitOfWork) -> frozenset[Channel]:
    """The ways for which the tenant has a connection, of a type that goes."""
    # Of two with one name the one with the higher id is the truth: the removal of the other is on its way.
    query = sa.select(connections.c.name, connections.c.type).where(connections.c.tenant_id == uow.tenant, sa.not_(connections.c.removed))
    types = {row.name: row.type for row in await uow.conn.execute(query.order_by(connections.c.id))}
    return frozenset(channel for channel, name in CONNECTIONS.items() if types.get(name) in TYPES[channel])


async def held_up(uow: UnitOfWork) -> frozenset[Channel]:
    """The ways whose connection is held up."""
    query = sa.select(suspensions.c.connection).where(suspensions.c.tenant_id == uow.tenant, sa.not_(suspensions.c.lifted))
    names = set((await uow.conn.scalars(query)).all())
    return frozenset(channel for channel, name in CONNECTIONS.items() if name in names)
