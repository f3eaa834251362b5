"""What happens to a task because time has passed: its reminders, and the rungs of its ladder. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from weft_contracts.executions import Failure
from weft_contracts.tasks import Candidates, TaskCompleted, TaskEscalated, TaskExpired, TaskReassigned, TaskReminded
from weft_contracts.waits import FailStep
from weft_runtime.uow import Decision

from weft_tasks import access, agenda
from weft_tasks.behalf import NOT_HANDED_ON
from weft_tasks.domain import AWAKE, advance, answer, fact
from weft_tasks.task import ENGINE, TIMEOUT, Change, Entry, Step, Task

_NOBODY: Final = Candidates()


def climb(task: Task, now: datetime, names: frozenset[str] = frozenset()) -> Decision[Change]:
    """The next step of a task, which is due. It is over with it, so it happens once.

    names: everything the person is called by whom the step names; one who may not act on the task is not given it, and the history says so.
    """
    step = agenda.due(task)
    if step is None:
        return Decision(Change(task))
    over = replace(task, passed=task.passed + 1)
    if step.assignee is not None and step.do in ("reassign", "escalate"):
        called = names | {step.assignee}
        node = access.apart_by(task, called)
        if node is not None or task.decision_of(called) is not None:
            why = {"code": "separated", "node": node} if node is not None else {"code": "already_decided"}
            return Decision(Change(over, Entry(now, "step_skipped", ENGINE, {**_told(step), **why})))
    return _STEPS[step.do](over, step, now)


def _remind(task: Task, step: Step, now: datetime) -> Decision[Change]:
    """Nothing about the task changes but that it sleeps no more, nor its version, so nobody who is deciding is disturbed."""
    reason = "due" if step.rung is None else "waiting"
    said = TaskReminded(**fact(task) | {"at": now}, assignee=task.assignee, due_at=task.due_at, reason=reason)
    return Decision(Change(replace(task, **AWAKE), Entry(now, "reminded", ENGINE, {**_told(step), "reason": reason})), (said,))


def _reassign(task: Task, step: Step, now: datetime) -> Decision[Change]:
    """One person gets it, as if an assigner had given it; or other candidates do, and nobody has it."""
    candidates = task.candidates if step.candidates is None else step.candidates
    moved = replace(
        advance(task, "reassign", now), candidates=candidates, reserved_for=step.assignee, assignee=step.assignee, **NOT_HANDED_ON
    )
    entry = Entry(now, "reassigned", ENGINE, {**_told(step), "from": task.assignee})
    return Decision(Change(moved, entry), (TaskReassigned(**fact(moved), assignee=step.assignee, by=ENGINE),))


def _escalate(task: Task, step: Step, now: datetime) -> Decision[Change]:
    """Others may act, too, and whoever had taken it has it no more. A task for anyone stays so: naming some would shut out the others."""
    moved = replace(advance(task, "escalate", now), assignee=task.reserved_for, candidates=_joined(task, step), **NOT_HANDED_ON)
    said = TaskEscalated(**fact(moved), assignee=step.assignee, candidates=step.candidates)
    return Decision(Change(moved, Entry(now, "escalated", ENGINE, {**_told(step), "from": task.assignee})), (said,))


def _joined(task: Task, step: Step) -> Candidates:
    if task.for_anyone:
        return task.candidates
    more, named = step.candidates or _NOBODY, task.candidates
    users = (*more.users, *([step.assignee] if step.assignee is not None else ()))
    both = {"users": (*named.users, *users), "groups": (*named.groups, *more.groups), "roles": (*named.roles, *more.roles)}
    return Candidates(**{word: tuple(dict.fromkeys(one)) for word, one in both.items()})


def _decide(task: Task, step: Step, now: datetime) -> Decision[Change]:
    """Nobody decides, and still the execution goes on: with this outcome, `completed_by` null."""
    ended: dict[str, Any] = {"outcome": step.outcome, "completed_by": None, "completed_at": now, "assignee": task.reserved_for}
    done = replace(advance(task, "complete", now), **ended)
    said = TaskCompleted(**fact(done), outcome=str(step.outcome), completed_by=None, decided_by=TIMEOUT)
    return Decision(Change(done, Entry(now, "completed", ENGINE, {**_told(step), "decided_by": TIMEOUT})), (said, answer(done)))


def _fail(task: Task, step: Step, now: datetime) -> Decision[Change]:
    """The step ends as the node's `timeout` would end it: by the edges on `timeout`, else as an error with that code."""
    done = advance(task, "expire", now)
    message = f"task {task.id} was not decided by step {step.rung} of its on_timeout, {step.after_s:g} s after it was asked for"
    error = Failure(code="timeout", message=message, node=task.node, details={"rung": step.rung})
    said = FailStep(execution_id=task.execution_id, node=task.node, visit=task.visit, error=error)
    return Decision(Change(done, Entry(now, "expired", ENGINE, _told(step))), (TaskExpired(**fact(done)), said))


def _told(step: Step) -> dict[str, Any]:
    """A step as history tells it."""
    told: dict[str, Any] = {"do": step.do}
    if step.rung is not None:
        told["rung"] = step.rung
    if step.assignee is not None:
        told["to"] = step.assignee
    elif step.candidates is not None:
        told["to"] = step.candidates.model_dump(mode="json")
    if step.outcome is not None:
        told["outcome"] = step.outcome
    return told


_STEPS: Final[dict[str, Callable[[Task, Step, datetime], Decision[Change]]]] = {
    "remind": _remind,
    "reassign": _reassign,
    "escalate": _escalate,
    "decide": _decide,
    "fail": _fail,
}
