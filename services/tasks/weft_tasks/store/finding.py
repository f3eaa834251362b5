"""What tasks have to fit, to be found in lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from weft_tasks.machine import LIVE, TaskStatus
from weft_tasks.tables import tasks
from weft_tasks.task import Absentee, Who

Condition = sa.ColumnElement[bool]
"""What tasks have to fit; made by the functions here."""


def assigned_to(names: Iterable[str]) -> Condition:
    """Tasks somebody has, by any of their names."""
    return tasks.c.assignee.in_(sorted(names))


def open_to(keys: Sequence[str]) -> Condition:
    """Live tasks for whoever has one of these keys."""
    return sa.and_(tasks.c.status.in_(LIVE), tasks.c.openers.overlap(sa.cast(list(keys), tasks.c.openers.type)))


def named(names: Iterable[str]) -> Condition:
    """Live tasks that are for somebody by name, by any of their names: what `Absentee.covers` says of one."""
    return open_to([f"user:{name}" for name in sorted(names)])


def for_stand_in(absentee: Absentee, who: Who) -> Condition:
    """Live tasks that somebody may decide for somebody they stand in for, of those that are theirs."""
    mine = sorted(who.selves)
    where = [
        tasks.c.status.in_(LIVE),
        free_for(who.selves | absentee.names),
        sa.func.coalesce(tasks.c.requested_by.not_in(mine), sa.true()),
    ]
    return sa.and_(*where, *(() if absentee.workflows is None else (tasks.c.workflow.in_(sorted(absentee.workflows)),)))


def asleep_for(names: Iterable[str], now: datetime) -> Condition:
    """Tasks that somebody, by any of their names, does not want to see yet."""
    return sa.and_(tasks.c.status.in_(LIVE), tasks.c.snoozed_until > now, tasks.c.snoozed_by.in_(sorted(names)))


def awake_for(names: Iterable[str], now: datetime) -> Condition:
    """All others."""
    return sa.not_(sa.func.coalesce(asleep_for(names, now), sa.false()))


def both(*conditions: Condition) -> Condition:
    """What fits all of them."""
    return sa.and_(*conditions)


def either(*conditions: Condition) -> Condition:
    """What fits one of them."""
    return sa.or_(*conditions)


def unassigned() -> Condition:
    """Open tasks nobody has."""
    return sa.and_(tasks.c.status == TaskStatus.OPEN.value, tasks.c.assignee.is_(None))


def in_status(statuses: Iterable[TaskStatus]) -> Condition:
    """Tasks in one of these states."""
    return tasks.c.status.in_([status.value for status in statuses])


def of_workflow(slug: str) -> Condition:
    """Tasks of one workflow."""
    return tasks.c.workflow == slug


def of_execution(execution_id: UUID) -> Condition:
    """Tasks of one execution."""
    return tasks.c.execution_id == execution_id


def due_before(time: datetime, now: datetime) -> Condition:
    """Live tasks that are due before a time, as far as can be said now: those at rest are put off while they rest."""
    moment = tasks.c.due_at.type
    put_off = sa.cast(tasks.c.due_at + (sa.literal(now, moment) - tasks.c.paused_since), moment)
    awake = sa.or_(tasks.c.paused_since.is_(None), put_off < time)
    return sa.and_(tasks.c.status.in_(LIVE), tasks.c.due_at < time, awake)


def mentions(text: str) -> Condition:
    """Tasks with a text in their title, description, node or workflow."""
    return sa.or_(
        *(column.icontains(text, autoescape=True) for column in (tasks.c.title, tasks.c.description, tasks.c.node, tasks.c.workflow))
    )


def free_for(names: Iterable[str]) -> Condition:
    """Tasks that somebody, by all their names, has not decided already where one decision is all they have, and is not kept apart from.

    The same as `apart.kept_apart` says of one task.
    """
    mine = sa.cast(sorted(names), ARRAY(sa.Text))
    other, newer = tasks.alias("other"), tasks.alias("newer")
    newest = sa.not_(sa.exists().where(*_together(newer), newer.c.node == other.c.node, newer.c.visit > other.c.visit))
    listed = (other.c.node == sa.any_(tasks.c.separate_from), other.c.node != tasks.c.node)
    decided = sa.and_(sa.func.coalesce(tasks.c.approvals["distinct"].as_boolean(), sa.false()), tasks.c.deciders.overlap(mine))
    apart = sa.exists().where(*_together(other), *listed, other.c.deciders.overlap(mine), newest)
    return sa.not_(sa.or_(decided, tasks.c.excluded.has_any(mine), apart))


def taken_or_free_for(names: Iterable[str]) -> Condition:
    """Tasks that are no more to be taken, by this person or anybody, and those that this person may take."""
    return sa.or_(tasks.c.status != TaskStatus.OPEN.value, free_for(names))


def _together(other: sa.FromClause) -> Sequence[Condition]:
    prefix = sa.or_(sa.func.starts_with(tasks.c.rounds, other.c.rounds), sa.func.starts_with(other.c.rounds, tasks.c.rounds))
    return other.c.tenant_id == tasks.c.tenant_id, other.c.execution_id == tasks.c.execution_id, prefix
