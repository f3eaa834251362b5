"""User tasks: reading them, and the moves people make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Caller, Permission
from weft_runtime.http import Asker, Listing, Page, Reply, Uow
from weft_runtime.uow import UnitOfWork

from weft_tasks import access, schemas, store, usecases
from weft_tasks.api.routes import door
from weft_tasks.schemas import CommentBody, CompleteBody, ReassignBody, TaskQuery, TaskSummary, TaskView, VersionBody
from weft_tasks.task import Task, Who


@door.get("/user-tasks", may=Permission.TASKS_READ)
async def list_tasks(query: Annotated[TaskQuery, Query()], page: Page, asker: Asker, uow: Uow) -> Listing[TaskSummary]:
    """Tasks of this tenant, the newest first."""
    who = who_is(asker)
    rows = await store.listed(uow, _where(query, who, uow.now), after=page.after, limit=page.limit + 1)
    names = await store.names(uow, [name for task in rows for name in (task.assignee, task.completed_by)])
    return page.listing(rows, view=lambda task: schemas.summary(task, who, names), key=lambda task: (task.created_at, task.id))


@door.get("/user-tasks/{task_id}", may=Permission.TASKS_READ)
async def get_task(task_id: UUID, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """A task with its form, data, history and what I may do with it."""
    return await _shown(await store.get(uow, task_id), asker, uow)


@door.post("/user-tasks/{task_id}/claim", may=Permission.TASKS_ACT)
async def claim_task(task_id: UUID, asker: Asker, uow: Uow, body: VersionBody | None = None) -> Reply[TaskView]:
    """Take a task that is open."""
    return await _shown(await usecases.claim_task(task_id, who_is(asker), _version(body), uow), asker, uow)


@door.post("/user-tasks/{task_id}/release", may=Permission.TASKS_ACT)
async def release_task(task_id: UUID, asker: Asker, uow: Uow, body: VersionBody | None = None) -> Reply[TaskView]:
    """Give a claimed task back."""
    return await _shown(await usecases.release_task(task_id, who_is(asker), _version(body), uow), asker, uow)


@door.post("/user-tasks/{task_id}/complete", may=Permission.TASKS_ACT)
async def complete_task(task_id: UUID, body: CompleteBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Decide. The execution goes on with the outcome, where the task takes several decisions with the last of them.

    Who decided already, where each person decides once, is answered 409 `already_decided`; who had a part in a task that this one is kept
    apart from, 403 `separated`.
    """
    done = await usecases.complete_task(task_id, who_is(asker), body.outcome, body.form, body.version, uow)
    return await _shown(done, asker, uow)


@door.post("/user-tasks/{task_id}/reassign", may=Permission.TASKS_ASSIGN)
async def reassign_task(task_id: UUID, body: ReassignBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Give a task to somebody else, or back to all its candidates.

    Somebody whom the tenant does not know is answered 422 `unknown_assignee`, as is one who is no longer active.
    """
    return await _shown(await usecases.reassign_task(task_id, who_is(asker), body.assignee, body.version, uow), asker, uow)


@door.post("/user-tasks/{task_id}/comment", may=Permission.TASKS_ACT)
async def comment_task(task_id: UUID, body: CommentBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Remark on a task."""
    return await _shown(await usecases.comment_task(task_id, who_is(asker), body.text, uow), asker, uow)


def who_is(caller: Caller) -> Who:
    """A caller as tasks see them."""
    may_act, may_assign = caller.may(Permission.TASKS_ACT), caller.may(Permission.TASKS_ASSIGN)
    return Who(caller.sub, caller.email, caller.groups, caller.roles, may_act, may_assign, caller.owner)


async def _shown(task: Task, asker: Caller, uow: UnitOfWork) -> Reply[TaskView]:
    entries = await store.entries(uow, task.id)
    names = await store.names(uow, [task.assignee, *task.deciders, *(entry.by for entry in entries)])
    return Reply(schemas.view(task, who_is(asker), names, entries), etag=_etag(task))


def _etag(task: Task) -> str:
    """Changes whenever the task looks otherwise.

    A pause, a reminder and what is decided on a task that it is kept apart from are no change of its version, since nobody's decision is
    outdated by them.
    """
    due = "" if task.due_at is None else f".{task.due_at.timestamp():.0f}"
    return f"{task.version}{due}.{task.passed}.{len(task.kept_apart)}{'.paused' if task.paused_since else ''}"


def _version(body: VersionBody | None) -> int | None:
    return None if body is None else body.version


def _where(query: TaskQuery, who: Who, now: datetime) -> list[store.Condition]:
    where: list[store.Condition] = []
    match query.view:
        case "mine":
            where += [store.assigned_to(who.names), store.taken_or_free_for(who.selves)]
        case "team":
            where += [store.open_to(access.keys(who)), store.free_for(who.selves)]
        case "unassigned":
            where += [store.unassigned(), store.free_for(who.selves)]
        case _:
            pass
    if query.status:
        where.append(store.in_status(query.status))
    if query.workflow:
        where.append(store.of_workflow(query.workflow))
    if query.execution:
        where.append(store.of_execution(query.execution))
    if query.due:
        where.append(store.due_before(_due(query.due, now), now))
    if query.q:
        where.append(store.mentions(query.q))
    return where


def _due(due: str | datetime, now: datetime) -> datetime:
    if isinstance(due, datetime):
        return due if due.tzinfo else due.replace(tzinfo=UTC)
    return now + {"overdue": timedelta(0), "today": timedelta(days=1), "week": timedelta(days=7)}[due]
