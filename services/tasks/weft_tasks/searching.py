"""Which tasks a question is for: what it says, and who asks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from weft_tasks import access, store
from weft_tasks.schemas import TaskQuery
from weft_tasks.task import Who


def conditions(query: TaskQuery, who: Who, now: datetime) -> list[store.Condition]:
    """What tasks have to fit."""
    where = _seen(query.view, who, now)
    if query.status:
        where.append(store.in_status(query.status))
    if query.workflow:
        where.append(store.of_workflow(query.workflow))
    if query.execution:
        where.append(store.of_execution(query.execution))
    if query.due:
        where.append(store.due_before(_due(query.due, now), now))
    if query.q:
        where.append(store.mentions(query.q))
    return where


def _seen(view: str, who: Who, now: datetime) -> list[store.Condition]:
    """What a view shows to somebody: with what they stand in for, as far as they may decide it."""
    match view:
        case "mine":
            own = store.both(store.assigned_to(who.names), store.taken_or_free_for(who.selves), store.awake_for(who.names, now))
            return [store.either(own, *(store.both(store.assigned_to(one.names), store.for_stand_in(one, who)) for one in who.stands_for))]
        case "snoozed":
            return [store.assigned_to(who.names), store.asleep_for(who.names, now)]
        case "team":
            own = store.both(store.open_to(access.keys(who)), store.free_for(who.selves))
            return [store.either(own, *(store.both(store.named(one.names), store.for_stand_in(one, who)) for one in who.stands_for))]
        case "unassigned":
            return [store.unassigned(), store.free_for(who.selves)]
        case _:
            return []


def _due(due: str | datetime, now: datetime) -> datetime:
    if isinstance(due, datetime):
        return due if due.tzinfo else due.replace(tzinfo=UTC)
    return now + {"overdue": timedelta(0), "today": timedelta(days=1), "week": timedelta(days=7)}[due]
