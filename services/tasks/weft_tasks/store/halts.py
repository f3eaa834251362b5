"""Pauses of executions, and what tasks came too late for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_tasks.machine import LIVE
from weft_tasks.pauses import Halt
from weft_tasks.tables import history, pauses, taken_back, tasks
from weft_tasks.task import ENGINE

REMEMBER_TAKEN_BACK = timedelta(days=7)
"""How long a task that was cancelled before it came is remembered; no message is redelivered later than this."""


async def was_taken_back(uow: UnitOfWork, task_id: UUID) -> bool:
    """Whether a task was cancelled before it came."""
    query = sa.select(taken_back.c.task_id).where(taken_back.c.tenant_id == uow.tenant, taken_back.c.task_id == task_id)
    return (await uow.conn.execute(query)).first() is not None


async def remember_taken_back(uow: UnitOfWork, task_id: UUID) -> None:
    """Write down that a task was cancelled before it came, and forget those of long ago."""
    await uow.conn.execute(insert(taken_back).values(tenant_id=uow.tenant, task_id=task_id, at=uow.now).on_conflict_do_nothing())
    old = taken_back.c.at < uow.now - REMEMBER_TAKEN_BACK
    await uow.conn.execute(sa.delete(taken_back).where(taken_back.c.tenant_id == uow.tenant, old))


async def halts(uow: UnitOfWork, tenant: str, execution_id: UUID) -> list[Halt]:
    """Where pauses of an execution began and ended, as far as is heard."""
    query = sa.select(pauses.c.position, pauses.c.at, pauses.c.since, pauses.c.by).where(
        pauses.c.tenant_id == tenant, pauses.c.execution_id == execution_id
    )
    return [Halt(*row) for row in await uow.conn.execute(query)]


async def add_halt(uow: UnitOfWork, tenant: str, execution_id: UUID, halt: Halt) -> bool:
    """Keep where a pause begins or ends. Returns: False where that was heard before."""
    values = {"position": halt.position, "at": halt.at, "since": halt.since, "by": halt.by, "heard_at": uow.now}
    row = insert(pauses).values(tenant_id=tenant, execution_id=execution_id, **values)
    return (await uow.conn.execute(row.on_conflict_do_nothing().returning(pauses.c.position))).first() is not None


async def follow(uow: UnitOfWork, tenant: str, execution_id: UUID, halt: Halt, standing: Halt | None) -> None:
    """Let an execution's live tasks follow it. halt: what was heard just now.  standing: the pause it is in."""
    where = (tasks.c.tenant_id == tenant, tasks.c.execution_id == execution_id, tasks.c.status.in_(LIVE))
    values: dict[str, Any] = {"paused_since": standing and standing.at, "paused_by": standing and standing.by}
    if halt.since is not None:
        asked_before = sa.func.coalesce(tasks.c.asked_at, tasks.c.created_at) <= halt.since
        for time in (tasks.c.due_at, tasks.c.clock_from, tasks.c.next_at):
            values[time.name] = sa.case((asked_before, time + (halt.at - halt.since)), else_=time)
    found = (await uow.conn.execute(sa.update(tasks).where(*where).values(values).returning(tasks.c.id))).scalars().all()
    if found:
        kind = "paused" if halt.since is None else "resumed"
        line = {"tenant_id": tenant, "at": halt.at, "kind": kind, "by": halt.by or ENGINE, "data": {}}
        await uow.conn.execute(sa.insert(history), [{**line, "task_id": task_id} for task_id in found])


async def forget_halts(uow: UnitOfWork, tenant: str) -> None:
    """Forget pauses of long ago that are over, or that no task rests with: an execution that was cancelled never says that it goes on."""
    later = pauses.alias()
    over = (later.c.tenant_id == tenant, later.c.execution_id == pauses.c.execution_id, later.c.position > pauses.c.position)
    resting = sa.exists().where(tasks.c.tenant_id == tenant, tasks.c.execution_id == pauses.c.execution_id, tasks.c.status.in_(LIVE))
    is_over = sa.or_(pauses.c.since.is_not(None), sa.exists().where(*over), sa.not_(resting))
    old = pauses.c.heard_at < uow.now - REMEMBER_TAKEN_BACK
    await uow.conn.execute(sa.delete(pauses).where(pauses.c.tenant_id == tenant, old, is_over))
