"""The verbs on tasks: load, decide, save, say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from weft_contracts.directory import UserChanged
from weft_contracts.executions import ExecutionPaused, ExecutionResumed
from weft_contracts.tasks import CancelTask, CreateTask
from weft_runtime.errors import Detail
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import Decision, UnitOfWork

from weft_tasks import agenda, behalf, domain, handing, ladder, store
from weft_tasks.errors import TaskMoved, UnknownAssignee
from weft_tasks.notifications import causes
from weft_tasks.notifications import verbs as telling
from weft_tasks.pauses import halt_of, standing
from weft_tasks.store import notifications
from weft_tasks.task import Change, Task, Who, normal_name


async def create_task(cmd: CreateTask, uow: UnitOfWork) -> None:
    """Open a task, unless it is there or was taken back before it came."""
    await store.order(uow, cmd.task_id)
    if await store.was_taken_back(uow, cmd.task_id):
        return
    await store.order(uow, cmd.execution_id)
    decision = domain.open_task(cmd, uow.tenant, uow.now, await store.halts(uow, uow.tenant, cmd.execution_id))
    if decision.state is None:
        uow.say(*decision.says)
    elif await store.add(uow, decision.state):
        uow.say(*decision.says)
        await telling.tell(causes.of_change(decision.state), uow)


async def cancel_task(cmd: CancelTask, uow: UnitOfWork) -> None:
    """Take a task back; one that has not come yet will not be opened."""
    await store.order(uow, cmd.task_id)
    task = await store.find(uow, cmd.task_id, lock=True)
    if task is None:
        await store.remember_taken_back(uow, cmd.task_id)
    else:
        await _apply(task, domain.take_back(task, cmd.reason, uow.now), uow)


async def follow_pauses(heard: Sequence[Heard[ExecutionPaused | ExecutionResumed]], uow: UnitOfWork) -> None:
    """Let tasks rest with their executions. Executions that only woke up, which is most of what is heard, cost nothing."""
    told = [(one.tenant, one.message.execution_id, halt) for one in heard if (halt := halt_of(one.message)) is not None]
    # In the order of their ids, so that two services following the same executions never wait for each other in a circle.
    for tenant, execution_id, halt in sorted(told, key=lambda one: (one[1], one[2].position)):
        await store.order(uow, execution_id)
        if await store.add_halt(uow, tenant, execution_id, halt):
            now = standing(await store.halts(uow, tenant, execution_id))
            await store.follow(uow, tenant, execution_id, halt, now)
    for tenant in sorted({tenant for tenant, _, _ in told}):
        await store.forget_halts(uow, tenant)


async def forget_executions(ids: Sequence[UUID], uow: UnitOfWork) -> None:
    """Forget everything about the tasks of executions, and what was told of them."""
    await store.forget_executions(uow, ids)
    await notifications.forget_executions(uow, ids)


async def keep_person(fact: UserChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a person."""
    await store.keep_person(uow, fact)


async def claim_task(task_id: UUID, who: Who, version: int | None, uow: UnitOfWork) -> Task:
    """Take a task. Raises: TaskNotFound, NotYours, AlreadyDone, ExecutionRests, IllegalMove, TaskMoved."""
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, domain.claim(task, who, version, uow.now), uow)


async def release_task(task_id: UUID, who: Who, version: int | None, uow: UnitOfWork) -> Task:
    """Give a task back. Raises: as `claim_task`."""
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, domain.release(task, who, version, uow.now), uow)


async def complete_task(task_id: UUID, who: Who, outcome: str | None, form: Any, version: int | None, uow: UnitOfWork) -> Task:
    """Decide. Raises: as `claim_task`; AlreadyDecided, Separated, OwnRequest, UnknownOutcome, FormInvalid.

    What one person decides in one execution, themselves, by their keys or by whoever acts for them, comes one after the other: else
    somebody could decide two tasks that are kept apart at once.
    """
    ordered = await order_decisions([await store.get(uow, task_id)], who, uow)
    task = await store.get(uow, task_id, lock=True)
    if not deciding(task, who) <= ordered:
        raise TaskMoved(f"task {task.id} came to be somebody else's at this moment; read it again and decide anew")
    return await _apply(task, domain.complete(task, who, outcome, form, version, uow.now), uow)


async def order_decisions(tasks: Sequence[Task], who: Who, uow: UnitOfWork) -> set[str]:
    """Let nobody else decide in the name of those whose decisions these would be, each in one execution, until the transaction ends.

    Returns: what is held, always taken in the same order.
    """
    names = {name for task in tasks for name in deciding(task, who)}
    for name in sorted(names):
        await store.order(uow, name)
    return names


def deciding(task: Task, who: Who) -> set[str]:
    """In whose name a decision on a task would be, within its execution."""
    return {f"{task.execution_id}:{user}" for user in (who.by, behalf.on_behalf_of(task, who)) if user is not None}


async def delegate_task(task_id: UUID, who: Who, assignee: str, version: int | None, uow: UnitOfWork) -> Task:
    """Hand a task on.

    Raises: as `claim_task`; UnknownAssignee, DelegatedInCircle, DelegatedTooOften, OwnRequest, AlreadyDecided, Separated.
    """
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, handing.delegate(task, who, assignee, version, uow.now, await _known(assignee, uow)), uow)


async def snooze_task(task_id: UUID, who: Who, until: datetime | None, version: int | None, uow: UnitOfWork) -> Task:
    """Let a task sleep for its assignee. Raises: as `claim_task`; BadTime."""
    task = await store.get(uow, task_id, lock=True)
    moment = until.replace(tzinfo=UTC) if until is not None and until.tzinfo is None else until
    return await _apply(task, handing.snooze(task, who, moment, version, uow.now), uow)


async def reassign_task(task_id: UUID, who: Who, assignee: str | None, version: int | None, uow: UnitOfWork) -> Task:
    """Give a task to somebody else. Raises: as `claim_task`; UnknownAssignee, AlreadyDecided, Separated."""
    task = await store.get(uow, task_id, lock=True)
    names = frozenset[str]() if assignee is None else await _known(assignee, uow)
    return await _apply(task, domain.reassign(task, who, assignee, version, uow.now, names), uow)


async def _known(assignee: str, uow: UnitOfWork) -> frozenset[str]:
    """What somebody is called by.

    A tenant of which nobody was heard yet (an installation whose people come from elsewhere) may name anybody. Raises: UnknownAssignee.
    """
    found = await store.person(uow, normal_name(assignee))
    if found is None and not await store.any_person(uow):
        return frozenset()
    if found is not None and found.active:
        return found.names
    wrong = f"{assignee} is no longer active" if found is not None else f"nobody here has the id or e-mail address {assignee}"
    raise UnknownAssignee(f"{wrong}; name somebody else", details=[Detail("/assignee", UnknownAssignee.code, wrong)])


async def pass_time(uow: UnitOfWork, limit: int) -> bool:
    """Take the steps of tasks that are due, some tasks at a time. Returns: whether there may be more.

    A step and that it is over are written at once, and nobody else holds the task meanwhile: it happens once, whoever is killed when.
    """
    found = await store.due_tasks(uow, limit)
    for due in found:
        task = due
        while (at := agenda.next_at(task)) is not None and at <= uow.now:
            step = task.agenda[task.passed]
            known = None if step.assignee is None else await store.person(uow, step.assignee)
            task = await _apply(task, ladder.climb(task, uow.now, known.names if known is not None else frozenset()), uow)
    return len(found) == limit


async def comment_task(task_id: UUID, who: Who, text: str, uow: UnitOfWork) -> Task:
    """Remark on a task. Raises: TaskNotFound, NotYours."""
    task = await store.get(uow, task_id, lock=True)
    return await _apply(task, Decision(domain.comment(task, who, text, uow.now)), uow)


async def _apply(before: Task, decision: Decision[Change], uow: UnitOfWork) -> Task:
    await store.save(uow, before, decision.state)
    uow.say(*decision.says)
    await telling.tell(causes.of_change(decision.state), uow)
    return decision.state.task
