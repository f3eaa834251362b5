"""Every decision about user tasks. Pure: values in, the next state and what to say out; time and ids are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from weft_contracts.executions import Failure
from weft_contracts.message import Message
from weft_contracts.tasks import (
    CreateTask,
    TaskCancelled,
    TaskClaimed,
    TaskCompleted,
    TaskCreated,
    TaskDecided,
    TaskExpired,
    TaskReassigned,
    TaskReleased,
)
from weft_contracts.waits import CompleteStep, FailStep
from weft_runtime.errors import Detail
from weft_runtime.uow import Decision

from weft_tasks import access, agenda, approvals, behalf, forms, pauses
from weft_tasks.errors import FormUnusable, UnknownOutcome
from weft_tasks.machine import HARMLESS, MOVES, TaskStatus
from weft_tasks.pauses import Halt
from weft_tasks.task import ENGINE, Change, Decided, Entry, Task, Who, normal_candidates, normal_name

AWAKE: Final[dict[str, Any]] = {"snoozed_until": None, "snoozed_by": None}
"""A task that its assignee sees."""


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
    asked_at = cmd.at or now
    standing = pauses.standing(halts)
    awake = now if standing is None else min(now, standing.at)
    due_at, clock_from = pauses.put_off(cmd.due_at, halts, asked_at), pauses.put_off(asked_at, halts, asked_at) or asked_at
    task = Task(
        id=cmd.task_id, tenant=tenant, execution_id=cmd.execution_id, workflow=cmd.workflow, node=cmd.node, visit=cmd.visit,
        title=cmd.title, description=cmd.description, form=cmd.form, ui=cmd.ui, data=cmd.data, reserved_for=assignee, assignee=assignee,
        candidates=normal_candidates(cmd.candidates), outcomes=cmd.outcomes, priority=cmd.priority, due_at=due_at, created_at=now,
        updated_at=now, asked_at=cmd.at, approvals=cmd.approvals, separate_from=cmd.separate_from, excluded=cmd.excluded,
        kept_apart=cmd.excluded, rounds=cmd.rounds, clock_from=clock_from, agenda=agenda.planned(cmd, due_at, clock_from, awake),
        requested_by=cmd.requested_by,
    )  # fmt: skip
    if standing is not None:
        task = replace(task, paused_since=standing.at, paused_by=standing.by)
    said = TaskCreated(**fact(task), title=task.title, assignee=assignee, due_at=task.due_at)
    return Decision(Change(task, Entry(now, "created", ENGINE, {"assignee": assignee})), (said,))


def claim(task: Task, who: Who, version: int | None, now: datetime) -> Decision[Change]:
    """Take a task. Taking one's own again changes nothing. Raises: NotYours, AlreadyDone, IllegalMove, TaskMoved."""
    if task.status is TaskStatus.CLAIMED and task.assignee in who.names:
        return Decision(Change(task))
    moved = make_move(task, "claim", who, version, now, assignee=who.id, **behalf.taken(task, who))
    return Decision(
        Change(moved, line(now, "claimed", who, _for(behalf.on_behalf_of(task, who)))), (TaskClaimed(**fact(moved), assignee=who.id),)
    )


def release(task: Task, who: Who, version: int | None, now: datetime) -> Decision[Change]:
    """Give a task back to who handed it on, or to whom it was meant for. Raises: as `claim`."""
    moved = make_move(task, "release", who, version, now, **behalf.given_back(task))
    return Decision(Change(moved, line(now, "released", who)), (TaskReleased(**fact(moved), by=who.by),))


def reassign(
    task: Task, who: Who, assignee: str | None, version: int | None, now: datetime, names: frozenset[str] = frozenset()
) -> Decision[Change]:
    """Give a task to somebody, or with None to all its candidates. names: everything else the assignee is called by.

    Raises: as `claim`; about the assignee AlreadyDecided, Separated.
    """
    name = normal_name(assignee) if assignee else None
    moved = make_move(task, "reassign", who, version, now, assignee=name, reserved_for=name, **behalf.NOT_HANDED_ON)
    if name is not None:
        access.require_fit(task, names | {name})
    entry = line(now, "reassigned", who, {"from": task.assignee, "to": name})
    return Decision(Change(moved, entry), (TaskReassigned(**fact(moved), assignee=name, by=who.by),))


def complete(task: Task, who: Who, outcome: str | None, form: Any, version: int | None, now: datetime) -> Decision[Change]:
    """Decide. outcome: may be left out where there is only one.

    Where a task takes several decisions this is one of them: it stays open, nobody's or its reserved assignee's, until they are enough for
    an outcome (`approvals.standing`). With the last one the mesh hears the fact, and the engine the decision itself.

    Raises: as `claim`; UnknownOutcome, FormInvalid.
    """
    access.require(task, "complete", who, version)
    decided = Decided(_offered(task, outcome), form, who.by, now, who.via, behalf.on_behalf_of(task, who))
    forms.check(task.form, form)
    if task.approvals is None:
        return _end(task, decided, decided.outcome, who)
    forms.check_room((one.form for one in task.decisions), form)
    counted = replace(task, decisions=(*task.decisions, decided))
    outcome = approvals.standing(task.approvals, task.outcomes, [one.outcome for one in counted.decisions])
    if outcome is not None:
        return _end(counted, decided, outcome, who)
    moved = replace(advance(counted, "decide", now), assignee=task.reserved_for, **behalf.NOT_HANDED_ON)
    so_far = {"decisions": len(moved.decisions), "required": task.approvals.required}
    instead_of = decided.on_behalf_of
    said = TaskDecided(**fact(moved), outcome=decided.outcome, decided_by=who.by, decided_via=who.via, on_behalf_of=instead_of, **so_far)
    return Decision(Change(moved, line(now, "decided", who, {"outcome": decided.outcome, **so_far, **_for(instead_of)})), (said,))


def _offered(task: Task, outcome: str | None) -> str:
    if outcome is None and len(task.outcomes) == 1:
        return task.outcomes[0]
    if outcome is None or outcome not in task.outcomes:
        offered = ", ".join(task.outcomes)
        detail = Detail("/outcome", "unknown_outcome", f"choose one of {offered}")
        raise UnknownOutcome(f"outcome {outcome!r} is not offered; choose one of {offered}", details=[detail])
    return outcome


def _end(task: Task, last: Decided, outcome: str, who: Who) -> Decision[Change]:
    """The last decision, which the output is of. outcome: what stands, which may be another than the last one chose."""
    by, now, instead_of = last.completed_by, last.completed_at, last.on_behalf_of
    ended = {"outcome": outcome, "result": last.form, "assignee": by, "completed_by": by, "completed_at": now, "completed_via": who.via}
    done = replace(advance(task, "complete", now), **ended, on_behalf_of=instead_of)
    chosen = {} if task.approvals is None else {"chosen": last.outcome}
    said = TaskCompleted(**fact(done), outcome=outcome, completed_by=by, completed_via=who.via, on_behalf_of=instead_of)
    entry = line(now, "completed", who, {"outcome": outcome, **chosen, **_for(instead_of)})
    return Decision(Change(done, entry), (said, answer(done, who.email or None)))


def answer(done: Task, email: str | None = None) -> CompleteStep:
    """What the engine hears of a task that is decided: the output of its step. email: of who decided."""
    output = {
        "outcome": done.outcome,
        "form": done.result,
        "completed_by": done.completed_by,
        "completed_by_email": email,
        "completed_at": done.completed_at,
        **_via(done.completed_via),
        **_for(done.on_behalf_of),
    }
    if done.approvals is not None:
        output["approvals"] = [as_told(one) for one in done.decisions]
    return CompleteStep(execution_id=done.execution_id, node=done.node, visit=done.visit, outcome=str(done.outcome), output=output)


def take_back(task: Task, reason: str, now: datetime) -> Decision[Change]:
    """The engine needs no answer any more. reason: `cancelled` or `timeout`. On a task that is over it changes nothing."""
    move = "expire" if reason == "timeout" else "cancel"
    if (task.status, move) in HARMLESS:
        return Decision(Change(task))
    moved = advance(task, move, now)
    word = TaskExpired if move == "expire" else TaskCancelled
    said: Message = word(**fact(moved))
    return Decision(Change(moved, Entry(now, moved.status.value, ENGINE)), (said,))


def comment(task: Task, who: Who, text: str, now: datetime) -> Change:
    """A remark for whoever looks at the task; one of somebody else wakes it up for who let it sleep. Raises: NotYours."""
    access.require_concern(task, who)
    sleeps_on = task.snoozed_by is None or task.snoozed_by in who.names
    return Change(task if sleeps_on else replace(task, **AWAKE), line(now, "commented", who, {"text": text}))


def as_told(one: Decided) -> dict[str, Any]:
    """A decision as outputs tell it; the key it was made with, and for whom, only where there is one."""
    told = asdict(one)
    via, instead_of = told.pop("completed_via"), told.pop("on_behalf_of")
    return told | _via(via) | _for(instead_of)


def _for(user: str | None) -> dict[str, str]:
    return {} if user is None else {"on_behalf_of": user}


def _via(key: str | None) -> dict[str, str]:
    return {} if key is None else {"completed_via": key}


def line(now: datetime, kind: str, who: Who, data: dict[str, Any] | None = None) -> Entry:
    """A line of history. Its `via` is the key or link that somebody did it with."""
    return Entry(now, kind, who.by, {**(data or {}), **({} if who.via is None else {"via": who.via})})


def make_move(task: Task, move: str, who: Who, version: int | None, now: datetime, **changes: Any) -> Task:
    """The task after a move that a person makes. Raises: as `access.require`."""
    access.require(task, move, who, version)
    return replace(advance(task, move, now), **changes)


def advance(task: Task, move: str, now: datetime) -> Task:
    """The task after a move of the machine that is legal. It sleeps no more: something has happened."""
    return replace(task, status=MOVES[task.status, move], version=task.version + 1, updated_at=now, **AWAKE)


def fact(task: Task) -> dict[str, Any]:
    """What every fact about a task says."""
    return {
        "task_id": task.id,
        "execution_id": task.execution_id,
        "workflow": task.workflow,
        "node": task.node,
        "task_version": task.version,
        "at": task.updated_at,
    }
