"""User tasks: reading them, and the moves people make."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID
from zlib import crc32

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Listing, Page, Reply, Uow
from weft_runtime.uow import UnitOfWork

from weft_tasks import behalf, schemas, searching, store, usecases
from weft_tasks.api.asking import who_is
from weft_tasks.api.routes import door
from weft_tasks.schemas import (
    CommentBody,
    CompleteBody,
    DelegateBody,
    ReassignBody,
    SnoozeBody,
    TaskQuery,
    TaskSummary,
    TaskView,
    VersionBody,
)
from weft_tasks.task import Task, Who


@door.get("/user-tasks", may=Permission.TASKS_READ)
async def list_tasks(query: Annotated[TaskQuery, Query()], page: Page, asker: Asker, uow: Uow) -> Listing[TaskSummary]:
    """Tasks of this tenant, the newest first."""
    who = await who_is(asker, uow)
    rows = await store.listed(uow, searching.conditions(query, who, uow.now), after=page.after, limit=page.limit + 1)
    names = await store.names(uow, [name for task in rows for name in (task.assignee, task.completed_by, task.on_behalf_of)])
    return page.listing(rows, view=lambda task: schemas.summary(task, who, names), key=lambda task: (task.created_at, task.id))


@door.get("/user-tasks/{task_id}", may=Permission.TASKS_READ)
async def get_task(task_id: UUID, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """A task with its form, data, history and what I may do with it."""
    return await shown(await store.get(uow, task_id), await who_is(asker, uow), uow)


@door.post("/user-tasks/{task_id}/claim", may=Permission.TASKS_ACT)
async def claim_task(task_id: UUID, asker: Asker, uow: Uow, body: VersionBody | None = None) -> Reply[TaskView]:
    """Take a task that is open."""
    who = await who_is(asker, uow)
    return await shown(await usecases.claim_task(task_id, who, _version(body), uow), who, uow)


@door.post("/user-tasks/{task_id}/release", may=Permission.TASKS_ACT)
async def release_task(task_id: UUID, asker: Asker, uow: Uow, body: VersionBody | None = None) -> Reply[TaskView]:
    """Give a claimed task back."""
    who = await who_is(asker, uow)
    return await shown(await usecases.release_task(task_id, who, _version(body), uow), who, uow)


@door.post("/user-tasks/{task_id}/complete", may=Permission.TASKS_ACT)
async def complete_task(task_id: UUID, body: CompleteBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Decide. The execution goes on with the outcome, where the task takes several decisions with the last of them.

    Who decided already, where each person decides once, is answered 409 `already_decided`; who had a part in a task that this one is kept
    apart from, 403 `separated`; who acts for another on what they asked for themselves, 403 `own_request`.
    """
    who = await who_is(asker, uow)
    return await shown(await usecases.complete_task(task_id, who, body.outcome, body.form, body.version, uow), who, uow)


@door.post("/user-tasks/{task_id}/reassign", may=Permission.TASKS_ASSIGN)
async def reassign_task(task_id: UUID, body: ReassignBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Give a task to somebody else, or back to all its candidates.

    Somebody whom the tenant does not know is answered 422 `unknown_assignee`, as is one who is no longer active.
    """
    who = await who_is(asker, uow)
    return await shown(await usecases.reassign_task(task_id, who, body.assignee, body.version, uow), who, uow)


@door.post("/user-tasks/{task_id}/delegate", may=Permission.TASKS_ACT)
async def delegate_task(task_id: UUID, body: DelegateBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Hand a task that I have on to somebody else. I stay known as who did, and what they decide is told as done on behalf of me.

    Whoever had it before is answered 409 `delegated_in_circle`; who asked for what it decides, 403 `own_request`.
    """
    who = await who_is(asker, uow)
    return await shown(await usecases.delegate_task(task_id, who, body.assignee, body.version, uow), who, uow)


@door.post("/user-tasks/{task_id}/snooze", may=Permission.TASKS_ACT)
async def snooze_task(task_id: UUID, body: SnoozeBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Let a task that I have sleep: `?view=mine` shows it again then, or as soon as something happens to it. It is due as before."""
    who = await who_is(asker, uow)
    return await shown(await usecases.snooze_task(task_id, who, body.until, body.version, uow), who, uow)


@door.post("/user-tasks/{task_id}/comment", may=Permission.TASKS_ACT)
async def comment_task(task_id: UUID, body: CommentBody, asker: Asker, uow: Uow) -> Reply[TaskView]:
    """Remark on a task."""
    who = await who_is(asker, uow)
    return await shown(await usecases.comment_task(task_id, who, body.text, uow), who, uow)


async def shown(task: Task, who: Who, uow: UnitOfWork) -> Reply[TaskView]:
    """A task as somebody sees it, with what happened to it."""
    entries = await store.entries(uow, task.id)
    names = await store.names(uow, [task.assignee, task.on_behalf_of, *task.deciders, *(entry.by for entry in entries)])
    return Reply(schemas.view(task, who, names, entries), etag=_etag(task, who))


def _etag(task: Task, who: Who) -> str:
    """Changes whenever the task looks otherwise.

    A pause, a reminder, its sleep, who stands in for whom and what is decided on a task that it is kept apart from are no change of its
    version, since nobody's decision is outdated by them.
    """
    due = "" if task.due_at is None else f".{task.due_at.timestamp():.0f}"
    paused = ".paused" if task.paused_since else ""
    asleep = "" if task.snoozed_until is None else f".{task.snoozed_until.timestamp():.0f}"
    one = behalf.absentee(task, who)
    stands = "" if one is None else f".{crc32(one.id.encode()):x}"
    return f"{task.version}{due}.{task.passed}.{len(task.kept_apart)}{paused}{asleep}{stands}"


def _version(body: VersionBody | None) -> int | None:
    return None if body is None else body.version
