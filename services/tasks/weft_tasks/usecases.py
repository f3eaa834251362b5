"""The verbs on tasks: load, decide, save, say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from weft_contracts.directory import UserChanged
from weft_contracts.tasks import CancelTask, CreateTask
from weft_runtime.uow import Decision, UnitOfWork

from weft_tasks import domain, store
from weft_tasks.errors import UnknownAssignee
from weft_tasks.task import Change, Task, Who, normal_name


async def create_task(cmd: CreateTask, uow: UnitOfWork) -> None:
    """Open a task, unless it is there or was taken back before it came."""
    await store.order(uow, cmd.task_id)
    if await store.was_taken_back(uow, cmd.task_id):
        return
    decision = domain.open_task(cmd, uow.tenant, uow.now)
    if decision.state is None or await store.add(uow, decision.state):
        uow.say(*decision.says)


async def cancel_task(cmd: CancelTask, uow: UnitOfWork) -> None:
    """Take a task back; one that has not come yet will not be opened."""
    await store.order(uow, cmd.task_id)
    task = await store.find(uow, cmd.task_id, lock=True)
    if task is None:
        await store.remember_taken_back(uow, cmd.task_id)
    else:
        await _apply(task, domain.take_back(task, cmd.reason, uow.now), uow)


async def keep_person(fact: UserChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a person."""
    await store.keep_person(uow, fact)


async def claim_task(task_id: UUID, who: Who, version: int | None, uow: UnitOfWork) -> Task:
    """Take a task. Raises: TaskNotFound, NotYours, AlreadyDone, IllegalMove, TaskMoved."""
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, domain.claim(task, who, version, uow.now), uow)


async def release_task(task_id: UUID, who: Who, version: int | None, uow: UnitOfWork) -> Task:
    """Give a task back. Raises: as `claim_task`."""
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, domain.release(task, who, version, uow.now), uow)


async def complete_task(task_id: UUID, who: Who, outcome: str | None, form: Any, version: int | None, uow: UnitOfWork) -> Task:
    """Decide. Raises: as `claim_task`; UnknownOutcome, FormInvalid."""
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, domain.complete(task, who, outcome, form, version, uow.now), uow)


async def reassign_task(task_id: UUID, who: Who, assignee: str | None, version: int | None, uow: UnitOfWork) -> Task:
    """Give a task to somebody else. Raises: as `claim_task`; UnknownAssignee."""
    task = await store.get(uow, task_id, lock=True)
    if assignee is not None and await store.is_inactive(uow, normal_name(assignee)):
        raise UnknownAssignee(f"{assignee} is no longer active; name somebody else")
    return await _apply(task, domain.reassign(task, who, assignee, version, uow.now), uow)


async def comment_task(task_id: UUID, who: Who, text: str, uow: UnitOfWork) -> Task:
    """Remark on a task. Raises: TaskNotFound, NotYours."""
    task = await store.get(uow, task_id)
    await store.add_entry(uow, domain.comment(task, who, text, uow.now))
    return task


async def _apply(before: Task, decision: Decision[Change], uow: UnitOfWork) -> Task:
    await store.save(uow, before, decision.state)
    uow.say(*decision.says)
    return decision.state.task
