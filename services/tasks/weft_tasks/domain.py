"""Every decision about user tasks. Pure: values in, the next state and what to say out; time and ids are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from weft_contracts.executions import Failure
from weft_contracts.message import Message
from weft_contracts.tasks import (
    CreateTask,
    TaskCancelled,
    TaskClaimed,
    TaskCompleted,
    TaskCreated,
    TaskExpired,
    TaskReassigned,
    TaskReleased,
)
from weft_contracts.waits import CompleteStep, FailStep
from weft_runtime.errors import Detail
from weft_runtime.uow import Decision

from weft_tasks import access, forms, pauses
from weft_tasks.errors import FormUnusable, UnknownOutcome
from weft_tasks.machine import HARMLESS, MOVES, TaskStatus
from weft_tasks.pauses import Halt
from weft_tasks.task import ENGINE, Change, Entry, Task, Who, normal_name


def open_task(cmd: CreateTask, tenant: str, now: datetime, halts: Sequence[Halt] = ()) -> Decision[Change | None]:
    """A task as the engine asks for it; with a form nobody could ever fill in, none, and the engine is told.

    halts: pauses of its execution that were heard of before the task.
    """
    try:
        if cmd.form is not None:
            forms.check_schema(cmd.form)
    except FormUnusable as error:
        failure = Failure(code=error.code, message=error.message, node=cmd.node, permanent=True)
        return Decision(None, (FailStep(execution_id=cmd.execution_id, node=cmd.node, visit=cmd.visit, error=failure),))
    assignee = normal_name(cmd.assignee) if cmd.assignee else None
    users = tuple(normal_name(user) for user in cmd.candidates.users)
    task = Task(
        id=cmd.task_id, tenant=tenant, execution_id=cmd.execution_id, workflow=cmd.workflow, node=cmd.node, visit=cmd.visit,
        title=cmd.title, description=cmd.description, form=cmd.form, ui=cmd.ui, data=cmd.data, reserved_for=assignee, assignee=assignee,
        candidates=cmd.candidates.model_copy(update={"users": users}), outcomes=cmd.outcomes, priority=cmd.priority,
        due_at=pauses.put_off(cmd.due_at, halts, cmd.at or now), created_at=now, updated_at=now, asked_at=cmd.at,
    )  # fmt: skip
    standing = pauses.standing(halts)
    if standing is not None:
        task = replace(task, paused_since=standing.at, paused_by=standing.by)
    said = TaskCreated(**_fact(task), title=task.title, assignee=assignee, due_at=task.due_at)
    return Decision(Change(task, Entry(now, "created", ENGINE, {"assignee": assignee})), (said,))


def claim(task: Task, who: Who, version: int | None, now: datetime) -> Decision[Change]:
    """Take a task. Taking one's own again changes nothing. Raises: NotYours, AlreadyDone, IllegalMove, TaskMoved."""
    if task.status is TaskStatus.CLAIMED and task.assignee in who.names:
        return Decision(Change(task))
    moved = _move(task, "claim", who, version, now, assignee=who.id)
    return Decision(Change(moved, Entry(now, "claimed", who.id)), (TaskClaimed(**_fact(moved), assignee=who.id),))


def release(task: Task, who: Who, version: int | None, now: datetime) -> Decision[Change]:
    """Give a task back to whom it was meant for. Raises: as `claim`."""
    moved = _move(task, "release", who, version, now, assignee=task.reserved_for)
    return Decision(Change(moved, Entry(now, "released", who.id)), (TaskReleased(**_fact(moved)),))


def reassign(task: Task, who: Who, assignee: str | None, version: int | None, now: datetime) -> Decision[Change]:
    """Give a task to somebody, or with None to all its candidates. Raises: as `claim`."""
    name = normal_name(assignee) if assignee else None
    moved = _move(task, "reassign", who, version, now, assignee=name, reserved_for=name)
    entry = Entry(now, "reassigned", who.id, {"from": task.assignee, "to": name})
    return Decision(Change(moved, entry), (TaskReassigned(**_fact(moved), assignee=name, by=who.id),))


def complete(task: Task, who: Who, outcome: str | None, form: Any, version: int | None, now: datetime) -> Decision[Change]:
    """Decide. The mesh hears the fact, the engine the decision itself. outcome: may be left out where there is only one.

    Raises: as `claim`; UnknownOutcome, FormInvalid.
    """
    access.require(task, "complete", who, version)
    if outcome is None and len(task.outcomes) == 1:
        outcome = task.outcomes[0]
    if outcome is None or outcome not in task.outcomes:
        offered = ", ".join(task.outcomes)
        detail = Detail("/outcome", "unknown_outcome", f"choose one of {offered}")
        raise UnknownOutcome(f"outcome {outcome!r} is not offered; choose one of {offered}", details=[detail])
    forms.check(task.form, form)
    decided = {"outcome": outcome, "result": form, "assignee": who.id, "completed_by": who.id, "completed_at": now}
    done = _move(task, "complete", who, version, now, **decided)
    output = {"outcome": outcome, "form": form, "completed_by": who.id, "completed_by_email": who.email or None, "completed_at": now}
    step = CompleteStep(execution_id=task.execution_id, node=task.node, visit=task.visit, outcome=outcome, output=output)
    fact = TaskCompleted(**_fact(done), outcome=outcome, completed_by=who.id)
    return Decision(Change(done, Entry(now, "completed", who.id, {"outcome": outcome})), (fact, step))


def take_back(task: Task, reason: str, now: datetime) -> Decision[Change]:
    """The engine needs no answer any more. reason: `cancelled` or `timeout`. On a task that is over it changes nothing."""
    move = "expire" if reason == "timeout" else "cancel"
    if (task.status, move) in HARMLESS:
        return Decision(Change(task))
    moved = _advance(task, move, now)
    word = TaskExpired if move == "expire" else TaskCancelled
    said: Message = word(**_fact(moved))
    return Decision(Change(moved, Entry(now, moved.status.value, ENGINE)), (said,))


def comment(task: Task, who: Who, text: str, now: datetime) -> Change:
    """A remark for whoever looks at the task. Raises: NotYours."""
    access.require_concern(task, who)
    return Change(task, Entry(now, "commented", who.id, {"text": text}))


def _move(task: Task, move: str, who: Who, version: int | None, now: datetime, **changes: Any) -> Task:
    access.require(task, move, who, version)
    return replace(_advance(task, move, now), **changes)


def _advance(task: Task, move: str, now: datetime) -> Task:
    return replace(task, status=MOVES[task.status, move], version=task.version + 1, updated_at=now)


def _fact(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "execution_id": task.execution_id,
        "workflow": task.workflow,
        "node": task.node,
        "task_version": task.version,
        "at": task.updated_at,
    }
