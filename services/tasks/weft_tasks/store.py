"""Queries on tasks, always of one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.directory import UserChanged
from weft_contracts.tasks import Candidates
from weft_runtime.uow import UnitOfWork

from weft_tasks import access
from weft_tasks.errors import TaskMoved, TaskNotFound
from weft_tasks.machine import LIVE, TaskStatus
from weft_tasks.pauses import Halt
from weft_tasks.tables import history, pauses, people, taken_back, tasks
from weft_tasks.task import ENGINE, Change, Entry, Task

Condition = sa.ColumnElement[bool]
"""What tasks have to fit; made by the functions here."""
REMEMBER_TAKEN_BACK = timedelta(days=7)
"""How long a task that was cancelled before it came is remembered; no message is redelivered later than this."""


async def order(uow: UnitOfWork, id_: UUID) -> None:
    """Let nobody else who asks for the same do so until the transaction ends, so that the two see each other.

    id_: of a task that is created or taken back, or of an execution whose tasks are created or rest.
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
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _task(row)


async def add(uow: UnitOfWork, change: Change) -> bool:
    """Keep a new task. Returns: False where it is there already."""
    task = change.task
    values = {"tenant_id": task.tenant, "id": task.id, **_fixed(task), **_moving(task)}
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
        if (await uow.conn.execute(sa.update(tasks).where(*where).values(_moving(task)))).rowcount != 1:
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
    return [_task(row) for row in rows]


def assigned_to(names: Iterable[str]) -> Condition:
    """Tasks somebody has, by any of their names."""
    return tasks.c.assignee.in_(sorted(names))


def open_to(keys: Sequence[str]) -> Condition:
    """Live tasks for whoever has one of these keys."""
    return sa.and_(tasks.c.status.in_(LIVE), tasks.c.openers.overlap(sa.cast(list(keys), tasks.c.openers.type)))


def unassigned() -> Condition:
    """Open tasks nobody has."""
    return sa.and_(tasks.c.status == TaskStatus.OPEN.value, tasks.c.assignee.is_(None))


def in_status(statuses: Iterable[TaskStatus]) -> Condition:
    """Tasks in one of these states."""
    return tasks.c.status.in_([status.value for status in statuses])


def of_workflow(slug: str) -> Condition:
    """Tasks of one workflow."""
    return tasks.c.workflow == slug


def of_execution(execution_id: UUID) -> Condition:
    """Tasks of one execution."""
    return tasks.c.execution_id == execution_id


def due_before(time: datetime, now: datetime) -> Condition:
    """Live tasks that are due before a time, as far as can be said now: those at rest are put off while they rest."""
    moment = tasks.c.due_at.type
    put_off = sa.cast(tasks.c.due_at + (sa.literal(now, moment) - tasks.c.paused_since), moment)
    awake = sa.or_(tasks.c.paused_since.is_(None), put_off < time)
    return sa.and_(tasks.c.status.in_(LIVE), tasks.c.due_at < time, awake)


def mentions(text: str) -> Condition:
    """Tasks with a text in their title, description, node or workflow."""
    return sa.or_(
        *(column.icontains(text, autoescape=True) for column in (tasks.c.title, tasks.c.description, tasks.c.node, tasks.c.workflow))
    )


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
        values["due_at"] = sa.case((asked_before, tasks.c.due_at + (halt.at - halt.since)), else_=tasks.c.due_at)
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


async def forget_executions(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Delete the tasks of executions, with what happened to them and the executions' pauses."""
    gone = sa.delete(tasks).where(tasks.c.tenant_id == uow.tenant, tasks.c.execution_id.in_(ids)).returning(tasks.c.id)
    task_ids = (await uow.conn.scalars(gone)).all()
    await uow.conn.execute(sa.delete(history).where(history.c.tenant_id == uow.tenant, history.c.task_id.in_(task_ids)))
    await uow.conn.execute(sa.delete(pauses).where(pauses.c.tenant_id == uow.tenant, pauses.c.execution_id.in_(ids)))


async def keep_person(uow: UnitOfWork, person: UserChanged) -> None:
    """Keep the newest copy of a person."""
    values = {"email": person.email.lower(), "name": person.name, "active": person.active, "revision": person.revision}
    statement = insert(people).values(tenant_id=uow.tenant, user_id=person.user_id, **values)
    newer = people.c.revision < person.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=values, where=newer))


async def names(uow: UnitOfWork, whom: Iterable[str | None]) -> dict[str, str]:
    """Names of people by what tasks call them: ids or e-mail addresses. Who is not known here is left out."""
    asked = {one for one in whom if one}
    if not asked:
        return {}
    by_id = sa.cast(people.c.user_id, sa.Text)
    query = sa.select(by_id.label("id"), people.c.email, people.c.name).where(
        people.c.tenant_id == uow.tenant, sa.or_(people.c.user_id.in_(_ids(asked)), people.c.email.in_(sorted(asked)))
    )
    rows = (await uow.conn.execute(query)).all()
    return {key: row.name for row in rows for key in (row.id, row.email) if key in asked}


async def is_inactive(uow: UnitOfWork, whom: str) -> bool:
    """Whether a person is known and no longer active."""
    query = sa.select(people.c.active).where(
        people.c.tenant_id == uow.tenant, sa.or_(people.c.user_id.in_(_ids({whom})), people.c.email == whom)
    )
    return (await uow.conn.execute(query)).scalar_one_or_none() is False


def _ids(names: Iterable[str]) -> list[UUID]:
    found = []
    for name in names:
        try:
            found.append(UUID(name))
        except ValueError:
            continue
    return found


_FIXED = ("execution_id", "workflow", "node", "visit", "title", "description", "form", "ui", "data", "due_at", "priority", "created_at")
_REST = ("asked_at", "paused_since", "paused_by")
_MOVING = ("reserved_for", "assignee", "version", "outcome", "result", "updated_at", "completed_at", "completed_by")


def _fixed(task: Task) -> dict[str, Any]:
    fields = {name: getattr(task, name) for name in (*_FIXED, *_REST)}
    return fields | {"candidates": task.candidates.model_dump(mode="json"), "outcomes": list(task.outcomes)}


def _moving(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in _MOVING} | {"status": task.status.value, "openers": access.openers(task)}


def _task(row: sa.Row[Any]) -> Task:
    fields = {name: getattr(row, name) for name in (*_FIXED, *_REST, *_MOVING)}
    return Task(
        id=row.id,
        tenant=row.tenant_id,
        status=TaskStatus(row.status),
        candidates=Candidates.model_validate(row.candidates),
        outcomes=tuple(row.outcomes),
        **fields,
    )
