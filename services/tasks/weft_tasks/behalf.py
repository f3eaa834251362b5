"""For whom somebody acts on a task: for themselves, for somebody they stand in for, or for whoever handed it on to them. Pure."""

from __future__ import annotations

from typing import Any, Final

from weft_tasks.machine import TaskStatus
from weft_tasks.task import Absentee, Task, Who

NOT_HANDED_ON: Final[dict[str, Any]] = {"delegators": (), "standing_for": None}
"""A task that nobody has for somebody else."""


def entitled(task: Task, who: Who) -> bool:
    """Whether a person is among those a task is for, in their own right. Who handed it on may take it back while nobody has taken it."""
    if not who.may_act:
        return False
    named = task.candidates
    return (
        task.for_anyone
        or task.reserved_for in who.names
        or task.assignee in who.names
        or not who.names.isdisjoint(named.users)
        or not who.names.isdisjoint(task.delegators)
        or not set(who.groups).isdisjoint(named.groups)
        or not set(who.roles).isdisjoint(named.roles)
    )


def covered(task: Task, who: Who) -> bool:
    """Whether a task is for somebody whom this person stands in for."""
    return who.may_act and any(one.covers(task) for one in who.stands_for)


def absentee(task: Task, who: Who) -> Absentee | None:
    """Whom somebody stands in for when they act on a task, None where they act in their own right, or may not.

    One's own right goes first. What another has taken is nobody's in their own right, but a stand-in's of that one.
    """
    taken = task.status is TaskStatus.CLAIMED
    if task.assignee in who.names or not who.may_act or (not taken and entitled(task, who)):
        return None
    return next((one for one in who.stands_for if one.covers(task) and (not taken or task.assignee in one.names)), None)


def has(task: Task, who: Who) -> bool:
    """Whether somebody has a task, or stands in for whoever has it."""
    one = absentee(task, who)
    return who.may_act and (task.assignee in who.names or (one is not None and task.assignee in one.names))


def represented(task: Task, who: Who) -> tuple[frozenset[str], ...]:
    """Everybody for whom somebody acts on a task, each by what they are called; nobody where it is for themselves."""
    one = absentee(task, who)
    found = () if one is None else (one.names,)
    if not has(task, who):
        return found
    handed = (*task.delegators, *((task.standing_for,) if task.standing_for else ()))
    return (*found, *(frozenset({user}) for user in handed))


def on_behalf_of(task: Task, who: Who) -> str | None:
    """Whose task it is that somebody acts on for another; that of the first who handed it on. None where it is their own."""
    one = absentee(task, who)
    if has(task, who) and task.delegators:
        return task.delegators[0]
    return one.id if one is not None else task.standing_for if task.assignee in who.names else None


def is_own_request(task: Task, who: Who) -> bool:
    """Whether somebody acts for another on what they asked for themselves."""
    return task.requested_by in who.selves and bool(represented(task, who))


def taken(task: Task, who: Who) -> dict[str, Any]:
    """What of `delegators` and `standing_for` there is once somebody has taken a task that is open."""
    one = absentee(task, who)
    if one is not None:
        return {"delegators": task.delegators if task.assignee in one.names else (), "standing_for": one.id}
    if task.assignee in who.names:
        return {}
    back = next((place for place, user in enumerate(task.delegators) if user in who.names), 0)
    return {"delegators": task.delegators[:back], "standing_for": None}


def given_back(task: Task) -> dict[str, Any]:
    """Whose a task is once whoever has it has given it back: who handed it on to them, or whom it was meant for."""
    if task.standing_for is not None:
        return {"assignee": task.standing_for if task.delegators else task.reserved_for, "standing_for": None}
    if task.delegators:
        return {"assignee": task.delegators[-1], "delegators": task.delegators[:-1]}
    return {"assignee": task.reserved_for}
