"""Executions that were kept as long as was asked for: found, and deleted with their journals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import executions, journal, partitions


async def whose(uow: UnitOfWork, before: datetime) -> str | None:
    """The tenant of the execution that could be forgotten first, None where none can."""
    found: str | None = await uow.conn.scalar(
        sa.select(executions.c.tenant_id).where(executions.c.kept_until <= before, _said()).order_by(executions.c.kept_until).limit(1)
    )
    return found


async def forget(uow: UnitOfWork, before: datetime, limit: int) -> Sequence[UUID]:
    """Delete executions of the tenant that may be forgotten, the earliest first. Returns: which.

    One that another transaction keeps from it, by a retry, stays; so does one of which not everything was said yet.
    """
    over = (
        sa.select(executions.c.id)
        .where(executions.c.tenant_id == uow.tenant, executions.c.kept_until <= before, _said())
        .order_by(executions.c.kept_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = (await uow.conn.scalars(over)).all()
    if ids:
        await uow.conn.execute(sa.delete(journal).where(journal.c.tenant_id == uow.tenant, journal.c.execution_id.in_(ids)))
        await uow.conn.execute(sa.delete(executions).where(executions.c.tenant_id == uow.tenant, executions.c.id.in_(ids)))
    return ids


def _said() -> sa.ColumnElement[bool]:
    """Whether the broker has confirmed all that an execution said: what it has not is said again from the journal."""
    theirs = (journal.c.tenant_id == executions.c.tenant_id, journal.c.execution_id == executions.c.id)
    unsaid = sa.select(journal.c.seq).where(*theirs, partitions.c.partition == journal.c.partition, journal.c.seq > partitions.c.published)
    return ~unsaid.correlate(executions).exists()
