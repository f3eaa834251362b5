"""Our copy of which connections are held up: by each of their suspensions, in whatever order the words about it come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_events.tables import source, suspension

HOLDS = sa.not_(suspension.c.lifted)


async def keep(uow: UnitOfWork, id_: UUID, connection: str, at: datetime, *, lifted: bool) -> bool:
    """Remember that a connection is held up, or is so no more. Returns: whether it is held up now, by this or by another.

    Who decides by `holds` what becomes of a mail has decided before this is written, or knows of it.
    """
    made = insert(suspension).values(tenant_id=uow.tenant, id=id_, connection=connection, since=at, lifted=lifted)
    written = made.on_conflict_do_update(
        index_elements=(suspension.c.tenant_id, suspension.c.id), set_={"lifted": sa.or_(suspension.c.lifted, made.excluded.lifted)}
    )
    await uow.conn.execute(written)
    return await holds(uow, connection)


async def holds(uow: UnitOfWork, connection: str) -> bool:
    """Whether a connection is held up; that it is stays so until the transaction ends."""
    query = sa.select(suspension.c.id).where(suspension.c.tenant_id == uow.tenant, suspension.c.connection == connection, HOLDS)
    return (await uow.conn.execute(query.with_for_update(read=True))).first() is not None


def since_of_source() -> sa.ScalarSelect[datetime]:
    """Since when the connection of a source is held up, for queries on `source`; null where it is not."""
    mine = (suspension.c.tenant_id == source.c.tenant_id, suspension.c.connection == source.c.connection, HOLDS)
    return sa.select(sa.func.min(suspension.c.since)).where(*mine).correlate(source).scalar_subquery()
