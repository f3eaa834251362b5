"""What whoever has a task may do besides deciding it: hand it on to somebody else, or let it sleep. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from weft_contracts.tasks import TaskDelegated
from weft_runtime.errors import Detail
from weft_runtime.uow import Decision

from weft_tasks import access, behalf
from weft_tasks.domain import AWAKE, line, make_move
from weft_tasks.domain import fact as about
from weft_tasks.errors import BadTime, DelegatedInCircle, DelegatedTooOften
from weft_tasks.task import Change, Task, Who, normal_name

HANDED_ON_MOST: Final = 10
"""How often a task is handed on from one to the next."""
SLEEPS_AT_MOST: Final = timedelta(days=366)


def delegate(
    task: Task, who: Who, assignee: str, version: int | None, now: datetime, names: frozenset[str] = frozenset()
) -> Decision[Change]:
    """Hand a task on. Whoever had it stays known, may take it back while nobody has taken it, and gets it when it is given back.

    assignee: who gets it.  names: everything else they are called by.

    Raises: as `domain.claim`; about the assignee DelegatedInCircle, OwnRequest, AlreadyDecided, Separated; DelegatedTooOften.
    """
    name = normal_name(assignee)
    called = names | {name}
    one = behalf.absentee(task, who)
    chain = (*task.delegators, *((task.standing_for,) if task.standing_for else ()), who.by if one is None else one.id)
    moved = make_move(task, "delegate", who, version, now, assignee=name, delegators=chain, standing_for=None)
    had = {*who.selves, *(one.names if one is not None else ()), *chain, task.assignee}
    if not called.isdisjoint(had):
        wrong = f"{assignee} had task {task.id} before, or has it"
        detail = Detail("/assignee", DelegatedInCircle.code, wrong)
        raise DelegatedInCircle(f"{wrong}; hand it on to somebody else, or give it back by releasing it", details=[detail])
    if len(chain) > HANDED_ON_MOST:
        raise DelegatedTooOften(f"task {task.id} was handed on {HANDED_ON_MOST} times, the most there is; decide it, or release it")
    if task.requested_by in called:
        raise access.own_request(task, chain[0])
    access.require_fit(task, called)
    instead_of = None if one is None else one.id
    entry = line(now, "delegated", who, {"from": task.assignee, "to": name, **({} if one is None else {"on_behalf_of": one.id})})
    return Decision(Change(moved, entry), (TaskDelegated(**about(moved), assignee=name, by=who.by, on_behalf_of=instead_of),))


def snooze(task: Task, who: Who, until: datetime | None, version: int | None, now: datetime) -> Decision[Change]:
    """Let a task sleep: the assignee's own list does not show it until then, or until something happens to it.

    Nothing else about the task changes, nor its version: whatever is due stays due, and others see it as before.  until: None wakes it.

    Raises: as `domain.claim`; BadTime.
    """
    access.require(task, "snooze", who, version)
    if until is None:
        asleep = task.snoozed_until is not None
        return Decision(Change(replace(task, **AWAKE), line(now, "woken", who)) if asleep else Change(task))
    if not now < until <= now + SLEEPS_AT_MOST:
        wrong = f"{until.isoformat()} is over" if until <= now else f"{until.isoformat()} is more than {SLEEPS_AT_MOST.days} days away"
        raise BadTime(f"{wrong}; name a time to come", details=[Detail("/until", BadTime.code, wrong)])
    slept = replace(task, snoozed_until=until, snoozed_by=who.id)
    return Decision(Change(slept, line(now, "snoozed", who, {"until": until.isoformat()})))
