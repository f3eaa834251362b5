"""Queries on tasks, always of one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_tasks.apart import Beside, kept_apart
from weft_tasks.errors import TaskMoved, TaskNotFound
from weft_tasks.store.finding import (
    Condition,
    asleep_for,
    assigned_to,
    awake_for,
    both,
    due_before,
    either,
    for_stand_in,
    free_for,
    in_status,
    mentions,
    named,
    of_execution,
    of_workflow,
    open_to,
    taken_or_free_for,
    unassigned,
)
from weft_tasks.store.halts import add_halt, follow, forget_halts, halts, remember_taken_back, was_taken_back
from weft_tasks.store.people import Person, any_person, keep_person, names, person
from weft_tasks.store.rows import fixed, moving, task_of
from weft_tasks.tables import decision_receipts, history, pauses, tasks
from weft_tasks.task import Change, Entry, Task

__all__ = [
    "Condition",
    "Person",
    "add",
    "add_entry",
    "add_halt",
    "any_person",
    "asleep_for",
    "assigned_to",
    "awake_for",
    "both",
    "chosen",
    "due_before",
    "due_tasks",
    "due_tenants",
    "either",
    "entries",
    "find",
    "follow",
    "for_stand_in",
    "forget_executions",
    "forget_halts",
    "free_for",
    "get",
    "halts",
    "held",
    "in_status",
    "keep_person",
    "listed",
    "mentions",
    "named",
    "names",
    "of_execution",
    "of_workflow",
    "open_to",
    "order",
    "overdue_tasks",
    "person",
    "remember_overdue",
    "remember_taken_back",
    "save",
    "several",
    "taken_or_free_for",
    "unassigned",
    "was_taken_back",
]

MOST_COUNTED = 10_000
"""Tasks that are counted to tell how many fit."""


async def order(uow: UnitOfWork, id_: UUID | str) -> None:
    """Let nobody else who asks for the same do so until the transaction ends, so that the two see each other.

    id_: of a task that is created or taken back, or of an execution whose tasks are created or rest; or what names a person in one.
    """
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(id_), 0))))


async def get(uow: UnitOfWork, task_id: UUID, *, lock: bool = False) -> Task:
    """One task. lock: hold it until the transaction ends, so that decisions come one after the other. Raises: TaskNotFound."""
    found = await find(uow, task_id, lock=lock)
    if found is None:
        raise TaskNotFound(f"there is no task {task_id}; list them with GET /api/v1/user-tasks")
    return found


async def find(uow: UnitOfWork, task_id: UUID, *, lock: bool = False) -> Task | None:
    """One task, None where there is none."""
    query = sa.select(tasks).where(tasks.c.tenant_id == uow.tenant, tasks.c.id == task_id)
    rows = await uow.conn.execute(query.with_for_update() if lock else query)
    return next(iter(await _read(uow, rows.all())), None)


async def _read(uow: UnitOfWork, rows: Sequence[sa.Row[Any]]) -> list[Task]:
    """Tasks of rows, each with everybody who is kept apart from it."""
    found = [task_of(row) for row in rows]
    executions = {task.execution_id for task in found if task.separate_from}
    if not executions:
        return found
    nodes = {node for task in found for node in task.separate_from}
    query = sa.select(tasks.c.execution_id, tasks.c.node, tasks.c.visit, tasks.c.rounds, tasks.c.deciders).where(
        tasks.c.tenant_id == uow.tenant, tasks.c.execution_id.in_(executions), tasks.c.node.in_(nodes)
    )
    beside: dict[UUID, list[Beside]] = {}
    for row in await uow.conn.execute(query):
        beside.setdefault(row.execution_id, []).append(Beside(row.node, row.visit, row.rounds, tuple(row.deciders)))
    return [replace(task, kept_apart=kept_apart(task, beside.get(task.execution_id, ()))) if task.separate_from else task for task in found]


async def add(uow: UnitOfWork, change: Change) -> bool:
    """Keep a new task. Returns: False where it is there already."""
    task = change.task
    values = {"tenant_id": task.tenant, "id": task.id, **fixed(task), **moving(task)}
    added = await uow.conn.execute(insert(tasks).values(values).on_conflict_do_nothing().returning(tasks.c.id))
    if added.first() is None:
        return False
    await add_entry(uow, change)
    return True


async def save(uow: UnitOfWork, before: Task, change: Change) -> None:
    """Write a changed task with its line of history; nothing where nothing changed. Raises: TaskMoved when somebody else wrote first."""
    task = change.task
    if task is not before:
        where = (tasks.c.tenant_id == uow.tenant, tasks.c.id == task.id, tasks.c.version == before.version)
        if (await uow.conn.execute(sa.update(tasks).where(*where).values(moving(task)))).rowcount != 1:
            raise TaskMoved(f"task {task.id} was changed by somebody else meanwhile; read it again and decide anew")
    await add_entry(uow, change)


async def add_entry(uow: UnitOfWork, change: Change) -> None:
    """Write the change's line of history, if it has one."""
    entry = change.entry
    if entry is not None:
        values = {
            "tenant_id": uow.tenant,
            "task_id": change.task.id,
            "at": entry.at,
            "kind": entry.kind,
            "by": entry.by,
            "data": entry.data,
        }
        await uow.conn.execute(sa.insert(history).values(values))


async def entries(uow: UnitOfWork, task_id: UUID) -> list[Entry]:
    """What happened to a task, in order."""
    query = sa.select(history).where(history.c.tenant_id == uow.tenant, history.c.task_id == task_id).order_by(history.c.position)
    return [Entry(row.at, row.kind, row.by, row.data) for row in await uow.conn.execute(query)]


async def listed(uow: UnitOfWork, where: Sequence[Condition], *, after: tuple[Any, ...] | None, limit: int) -> list[Task]:
    """Tasks that fit, the newest first. after: (created_at, id) of the last one seen."""
    query = sa.select(tasks).where(tasks.c.tenant_id == uow.tenant, *where)
    if after is not None:
        query = query.where(sa.tuple_(tasks.c.created_at, tasks.c.id) < sa.tuple_(*map(sa.literal, after)))
    rows = await uow.conn.execute(query.order_by(tasks.c.created_at.desc(), tasks.c.id.desc()).limit(limit))
    return await _read(uow, rows.all())


async def chosen(uow: UnitOfWork, where: Sequence[Condition], limit: int) -> tuple[list[UUID], int]:
    """The ids of tasks that fit, the oldest first, and how many fit, counted up to `MOST_COUNTED`."""
    fits = (tasks.c.tenant_id == uow.tenant, *where)
    ids = await uow.conn.scalars(sa.select(tasks.c.id).where(*fits).order_by(tasks.c.created_at, tasks.c.id).limit(limit))
    counted = sa.select(sa.func.count()).select_from(sa.select(tasks.c.id).where(*fits).limit(MOST_COUNTED).subquery())
    return list(ids.all()), int((await uow.conn.execute(counted)).scalar_one())


async def held(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Task]:
    """Tasks, held until the transaction ends, each taken in the order of their ids: two who hold several wait for none in a circle."""
    query = sa.select(tasks).where(tasks.c.tenant_id == uow.tenant, tasks.c.id.in_(ids)).order_by(tasks.c.id)
    return await _read(uow, (await uow.conn.execute(query.with_for_update())).all())


async def several(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Task]:
    """Tasks as they are, in no order."""
    rows = await uow.conn.execute(sa.select(tasks).where(tasks.c.tenant_id == uow.tenant, tasks.c.id.in_(ids)))
    return await _read(uow, rows.all())


async def forget_executions(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Delete the tasks of executions, with what happened to them and the executions' pauses."""
    gone = sa.delete(tasks).where(tasks.c.tenant_id == uow.tenant, tasks.c.execution_id.in_(ids)).returning(tasks.c.id)
    task_ids = (await uow.conn.scalars(gone)).all()
    for table in (history, decision_receipts):
        await uow.conn.execute(sa.delete(table).where(table.c.tenant_id == uow.tenant, table.c.task_id.in_(task_ids)))
    await uow.conn.execute(sa.delete(pauses).where(pauses.c.tenant_id == uow.tenant, pauses.c.execution_id.in_(ids)))


async def due_tenants(uow: UnitOfWork) -> list[str]:
    """Tenants for some of whose tasks time has something to do."""
    due, overdue = (sa.select(tasks.c.tenant_id).where(*where) for where in (_due(uow.now), _overdue(uow.now)))
    return list((await uow.conn.execute(sa.union(due, overdue))).scalars())


async def due_tasks(uow: UnitOfWork, limit: int) -> list[Task]:
    """Tasks with a step that is due, the longest due first, held until the transaction ends. Those that others hold are left out."""
    query = sa.select(tasks).where(tasks.c.tenant_id == uow.tenant, *_due(uow.now)).order_by(tasks.c.next_at).limit(limit)
    return await _read(uow, (await uow.conn.execute(query.with_for_update(skip_locked=True))).all())


async def overdue_tasks(uow: UnitOfWork, limit: int) -> list[Task]:
    """Tasks that are due, undecided and not told of as such, held until the transaction ends. Those that others hold are left out."""
    query = sa.select(tasks).where(tasks.c.tenant_id == uow.tenant, *_overdue(uow.now)).order_by(tasks.c.due_at).limit(limit)
    return await _read(uow, (await uow.conn.execute(query.with_for_update(skip_locked=True))).all())


async def remember_overdue(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Note that it was told of tasks that they are overdue."""
    await uow.conn.execute(sa.update(tasks).where(tasks.c.tenant_id == uow.tenant, tasks.c.id.in_(ids)).values(overdue_told=True))


def _overdue(now: datetime) -> tuple[Condition, ...]:
    live = sa.literal_column("tasks.tasks.status IN ('open', 'claimed')", sa.Boolean)  # as in the index, so that the planner knows it
    return tasks.c.due_at.is_not(None), sa.not_(tasks.c.overdue_told), tasks.c.paused_since.is_(None), live, tasks.c.due_at <= now


def _due(now: datetime) -> tuple[Condition, ...]:
    return tasks.c.next_at.is_not(None), tasks.c.paused_since.is_(None), tasks.c.next_at <= now
