"""Who may do what with a task: one set of rules for the doing and for what is offered. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from weft_tasks.errors import AlreadyDone, ExecutionRests, IllegalMove, NotYours, TaskMoved
from weft_tasks.machine import LIVE, MOVES, TaskStatus, moves_from
from weft_tasks.task import Task, Who

PEOPLE: Final = ("claim", "release", "complete", "reassign")
"""The moves people make; the others are the engine's."""
RESTING: Final = frozenset({"claim", "complete", "reassign"})
"""What waits while the task's execution is paused."""
ANYONE: Final = "anyone"
"""Stands for whoever may act on tasks."""


def eligible(task: Task, who: Who) -> bool:
    """Whether a person is among those the task is for."""
    if not who.may_act:
        return False
    named = task.candidates
    return (
        task.for_anyone
        or task.reserved_for in who.names
        or task.assignee in who.names
        or not who.names.isdisjoint(named.users)
        or not set(who.groups).isdisjoint(named.groups)
        or not set(who.roles).isdisjoint(named.roles)
    )


def openers(task: Task) -> list[str]:
    """Whom a task is for, as texts that `keys` of a person can be matched with by an index; says the same as `eligible`."""
    if task.for_anyone:
        return [ANYONE]
    named = task.candidates
    users = {f"user:{user}" for user in (*named.users, task.reserved_for, task.assignee) if user}
    return sorted(users | {f"group:{group}" for group in named.groups} | {f"role:{role}" for role in named.roles})


def keys(who: Who) -> list[str]:
    """What of `openers` lets this person act."""
    if not who.may_act:
        return []
    named = {f"user:{name}" for name in who.names} | {f"group:{group}" for group in who.groups} | {f"role:{role}" for role in who.roles}
    return [ANYONE, *sorted(named)]


def allowed_actions(task: Task, who: Who) -> list[str]:
    """What this person may do with the task now; from the same machine and the same rules as the doing."""
    moves = [move for move in moves_from(task.status) if move in PEOPLE and _may(task, move, who)]
    return [*moves, "comment"] if task.status in LIVE and (eligible(task, who) or who.may_assign) else moves


def require_concern(task: Task, who: Who) -> None:
    """Refuse whoever has nothing to do with a task. Raises: NotYours."""
    if not (eligible(task, who) or who.may_assign):
        raise _not_yours(task)


def _may(task: Task, move: str, who: Who) -> bool:
    if task.paused_since is not None and move in RESTING:
        return False
    if move == "reassign":
        return who.may_assign
    if move == "release":
        return who.may_assign or (who.may_act and task.assignee in who.names)
    return eligible(task, who) and (task.status is not TaskStatus.CLAIMED or task.assignee in who.names)


def require(task: Task, move: str, who: Who, version: int | None) -> None:
    """Refuse a move this person may not make now. Whoever has nothing to do with the task learns nothing of who decided.

    Raises: NotYours, AlreadyDone, ExecutionRests, IllegalMove, TaskMoved.
    """
    require_concern(task, who)
    if task.status is TaskStatus.COMPLETED:
        who_and_when = {"completed_by": task.completed_by, "completed_at": _iso(task.completed_at), "outcome": task.outcome}
        raise AlreadyDone(f"task {task.id} was already completed by {task.completed_by}", extra={**who_and_when, "current": current(task)})
    if task.status not in LIVE:
        raise IllegalMove(f"cannot {move} task {task.id}: it is {task.status}", extra={"current": current(task)})
    if task.paused_since is not None and move in RESTING:
        raise _paused(task, task.paused_since)
    if version is not None and version != task.version:
        raise TaskMoved(
            f"task {task.id} is at version {task.version}, not {version}; read it again and decide anew", extra={"current": current(task)}
        )
    if (task.status, move) not in MOVES:
        holder = f" by {task.assignee}" if task.status is TaskStatus.CLAIMED else ""
        raise IllegalMove(f"cannot {move} task {task.id} while it is {task.status}{holder}", extra={"current": current(task)})
    if not _may(task, move, who):
        raise _not_yours(task)


def _paused(task: Task, since: datetime) -> ExecutionRests:
    by = task.paused_by or "the execution that called it"
    return ExecutionRests(
        f"task {task.id} rests: execution {task.execution_id} was paused at {since.isoformat()} by {by}; wait until it is resumed",
        extra={"paused_since": _iso(since), "paused_by": task.paused_by, "current": current(task)},
    )


def current(task: Task) -> dict[str, Any]:
    """What a caller who lost a race needs to know."""
    return {
        "status": task.status.value,
        "version": task.version,
        "assignee": task.assignee,
        "completed_by": task.completed_by,
        "completed_at": _iso(task.completed_at),
    }


def _not_yours(task: Task) -> NotYours:
    return NotYours(f"task {task.id} waits for somebody else; ask who may assign tasks to give it to you")


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
