"""Who may do what with a task: one set of rules for the doing and for what is offered. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from weft_tasks import behalf
from weft_tasks.errors import AlreadyDecided, AlreadyDone, ExecutionRests, IllegalMove, NotYours, OwnRequest, Separated, TaskMoved
from weft_tasks.machine import LIVE, MOVES, TaskStatus, moves_from
from weft_tasks.task import TIMEOUT, Decided, Task, Who

PEOPLE: Final = ("claim", "release", "complete", "reassign", "delegate", "snooze")
"""The moves people make; the others are the engine's."""
RESTING: Final = frozenset({"claim", "complete", "reassign", "delegate"})
"""What waits while the task's execution is paused."""
TAKING: Final = frozenset({"claim", "complete", "delegate"})
"""What is closed to whoever decided already, to whoever is kept apart, and to who asked for it and acts for somebody else."""
ANYONE: Final = "anyone"
"""Stands for whoever may act on tasks."""


def eligible(task: Task, who: Who) -> bool:
    """Whether a person is among those the task is for, or stands in for one of them."""
    return behalf.entitled(task, who) or behalf.covered(task, who)


def openers(task: Task) -> list[str]:
    """Whom a task is for, as texts that `keys` of a person can be matched with by an index; says the same as `behalf.entitled`."""
    if task.for_anyone:
        return [ANYONE]
    named = task.candidates
    users = {f"user:{user}" for user in (*named.users, *task.delegators, task.reserved_for, task.assignee) if user}
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
        return who.may_assign or behalf.has(task, who)
    if move == "snooze":
        return who.may_act and task.assignee in who.names
    everybody = (who.selves, *behalf.represented(task, who))
    if behalf.is_own_request(task, who) or any(task.decision_of(one) or apart_by(task, one) is not None for one in everybody):
        return False
    if move == "delegate":
        return behalf.has(task, who)
    return eligible(task, who) and (task.status is not TaskStatus.CLAIMED or behalf.has(task, who))


def apart_by(task: Task, names: frozenset[str]) -> str | None:
    """The node whose completing keeps somebody from this task, None where none does. names: everything they are called by."""
    return next((node for user, node in task.kept_apart.items() if user in names), None)


def require_fit(task: Task, names: frozenset[str]) -> None:
    """Refuse somebody who may not act on a task, whatever their role and whoever gives it to them. Raises: AlreadyDecided, Separated."""
    decided = task.decision_of(names)
    if decided is not None:
        raise _already_decided(task, decided)
    node = apart_by(task, names)
    if node is not None:
        user = next(user for user in task.kept_apart if user in names)
        raise Separated(
            f"task {task.id} is kept apart from {node}, in which {user} had a part; somebody else has to act on it",
            extra={"node": node, "user": user, "current": current(task)},
        )


def require(task: Task, move: str, who: Who, version: int | None) -> None:
    """Refuse a move this person may not make now. Whoever has nothing to do with the task learns nothing of who decided.

    Raises: NotYours, AlreadyDone, ExecutionRests, AlreadyDecided, Separated, OwnRequest, IllegalMove, TaskMoved.
    """
    require_concern(task, who)
    if task.status is TaskStatus.COMPLETED:
        raise _already_done(task)
    if task.status not in LIVE:
        since = f" since {task.updated_at.isoformat()}" if task.status is TaskStatus.EXPIRED else ""
        raise IllegalMove(f"cannot {move} task {task.id}: it is {task.status}{since}", extra={"current": current(task)})
    if task.paused_since is not None and move in RESTING:
        raise _paused(task, task.paused_since)
    if move in TAKING:
        for names in (who.selves, *behalf.represented(task, who)):
            require_fit(task, names)
        if behalf.is_own_request(task, who):
            raise own_request(task, behalf.on_behalf_of(task, who))
    if version is not None and version != task.version:
        raise TaskMoved(
            f"task {task.id} is at version {task.version}, not {version}; read it again and decide anew", extra={"current": current(task)}
        )
    if (task.status, move) not in MOVES:
        holder = f" by {task.assignee}" if task.status is TaskStatus.CLAIMED else ""
        raise IllegalMove(f"cannot {move} task {task.id} while it is {task.status}{holder}", extra={"current": current(task)})
    if not _may(task, move, who):
        raise _not_yours(task)


def own_request(task: Task, instead_of: str | None) -> OwnRequest:
    """Why somebody may not act on a task for another. instead_of: for whom."""
    return OwnRequest(
        f"{task.requested_by} asked for what task {task.id} decides, and cannot decide it for {instead_of}; somebody else has to",
        extra={"requested_by": task.requested_by, "on_behalf_of": instead_of, "current": current(task)},
    )


def _already_done(task: Task) -> AlreadyDone:
    decided = {"completed_by": task.completed_by, "completed_at": _iso(task.completed_at), "outcome": task.outcome}
    if task.on_behalf_of is not None:
        decided["on_behalf_of"] = task.on_behalf_of
    if task.completed_by is None:
        decided["decided_by"] = TIMEOUT
    by = task.completed_by or "its ladder on_timeout"
    return AlreadyDone(f"task {task.id} was already completed by {by}", extra={**decided, "current": current(task)})


def _already_decided(task: Task, decided: Decided) -> AlreadyDecided:
    when = decided.completed_at.isoformat()
    return AlreadyDecided(
        f"{decided.completed_by} decided {decided.outcome!r} on task {task.id} at {when}, and it takes one decision of each person",
        extra={"completed_by": decided.completed_by, "completed_at": when, "outcome": decided.outcome, "current": current(task)},
    )


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
