"""What one process of the service does at a time, under a lease."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_analytics.tables import duties


async def take(uow: UnitOfWork, name: str, holder: UUID, lease: timedelta) -> bool:
    """Have a duty, or keep it, for so long. While the transaction lasts nobody else can take it. Returns: False where another has it."""
    free = sa.or_(duties.c.holder == holder, duties.c.until < sa.func.clock_timestamp())
    mine = sa.select(duties.c.name).where(duties.c.name == name, free).with_for_update(skip_locked=True)
    until = sa.func.clock_timestamp() + lease
    if (await uow.conn.execute(mine)).scalar_one_or_none() is not None:
        await uow.conn.execute(sa.update(duties).where(duties.c.name == name).values(holder=holder, until=until))
        return True
    new = insert(duties).values(name=name, holder=holder, until=until).on_conflict_do_nothing().returning(duties.c.name)
    return (await uow.conn.execute(new)).scalar_one_or_none() is not None
