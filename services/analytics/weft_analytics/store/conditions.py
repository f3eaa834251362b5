"""What alert rules look for, found along indexes, always of one tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from weft_runtime.uow import UnitOfWork

from weft_analytics.rollups import MINUTE
from weft_analytics.tables import durations, executions, rollups, service_levels

SOME: Final = 10
"""Ids of executions that an alert names."""
MANY: Final = 10_000
"""What does not go on, or is late, is counted up to here: a rule tells that there are many, not how many exactly."""
LATE_FOR: Final = timedelta(days=30)
"""What should have ended before that is late no more, but forgotten by those whom it concerned."""
_LIVE: Final = ("queued", "running", "waiting", "paused")


async def ended(uow: UnitOfWork, workflow: str | None, since: datetime) -> Sequence[Any]:
    """Per workflow of which any failed since then: workflow, badly, well."""
    badly, well = (sa.cast(sa.func.sum(rollups.c[name]), sa.BigInteger) for name in ("ended_failed", "ended_completed"))
    query = sa.select(rollups.c.workflow, badly.label("badly"), well.label("well")).where(*_within(rollups, uow, workflow, since))
    return (await uow.conn.execute(query.group_by(rollups.c.workflow).having(badly > 0).order_by(rollups.c.workflow))).all()


async def newest_failed(uow: UnitOfWork, workflow: str, since: datetime) -> list[str]:
    """Ids of some that failed since then."""
    query = sa.select(executions.c.id).where(
        executions.c.tenant_id == uow.tenant, executions.c.workflow == workflow, executions.c.status.in_(("failed", "timed_out")),
        executions.c.status != "completed", executions.c.completed_at >= since,
    )  # fmt: skip
    return [str(id_) for id_ in (await uow.conn.execute(query.order_by(executions.c.started_at.desc()).limit(SOME))).scalars()]


async def silent(uow: UnitOfWork, workflow: str | None, before: datetime) -> Sequence[Any]:
    """Per workflow those that run or are queued, and of which nothing was heard since then: workflow, n, some."""
    chosen = sa.select(executions.c.workflow, executions.c.id, executions.c.started_at).where(
        executions.c.tenant_id == uow.tenant,
        executions.c.status.in_(("running", "queued")),
        executions.c.status != "completed",  # says what the partial index needs to be told to be used
        executions.c.started_at < before,
        sa.func.coalesce(executions.c.heard_of_at, executions.c.started_at) < before,
    )
    if workflow is not None:
        chosen = chosen.where(executions.c.workflow == workflow)
    return await _by_workflow(uow, chosen)


async def late(uow: UnitOfWork, workflow: str | None, now: datetime) -> Sequence[Any]:
    """Per workflow those that live and should have ended: workflow, n, some. A paused one's clock stands still."""
    same = sa.and_(service_levels.c.tenant_id == executions.c.tenant_id, service_levels.c.execution_id == executions.c.id)
    chosen = sa.select(executions.c.workflow, executions.c.id, executions.c.started_at).select_from(service_levels.join(executions, same))
    chosen = chosen.where(
        service_levels.c.tenant_id == uow.tenant, executions.c.tenant_id == uow.tenant, service_levels.c.due_at < now,
        service_levels.c.due_at > now - LATE_FOR, executions.c.status.in_(_LIVE),
        sa.or_(service_levels.c.status == "breached", executions.c.status != "paused"),
    )  # fmt: skip
    if workflow is not None:
        chosen = chosen.where(executions.c.workflow == workflow)
    return await _by_workflow(uow, chosen)


async def took(uow: UnitOfWork, workflow: str | None, since: datetime) -> dict[str, dict[int, int]]:
    """Per workflow how long those took that started since then and completed: counts by bucket."""
    query = sa.select(durations.c.workflow, durations.c.bucket, sa.cast(sa.func.sum(durations.c.count), sa.BigInteger).label("n"))
    found: dict[str, dict[int, int]] = {}
    query = query.where(*_within(durations, uow, workflow, since)).group_by(durations.c.workflow, durations.c.bucket)
    for row in await uow.conn.execute(query.order_by(durations.c.workflow)):
        found.setdefault(row.workflow, {})[row.bucket] = row.n
    return found


async def _by_workflow(uow: UnitOfWork, chosen: sa.Select[Any]) -> Sequence[Any]:
    """Counts and ids of some, the longest there first; what is chosen names the tenant."""
    hits = chosen.limit(MANY).subquery()
    ids = sa.func.array_agg(aggregate_order_by(sa.cast(hits.c.id, sa.Text), hits.c.started_at), type_=ARRAY(sa.Text))[1:SOME]
    query = sa.select(hits.c.workflow, sa.func.count().label("n"), ids.label("some")).group_by(hits.c.workflow)
    return (await uow.conn.execute(query.order_by(hits.c.workflow))).all()


def _within(table: sa.Table, uow: UnitOfWork, workflow: str | None, since: datetime) -> list[sa.ColumnElement[bool]]:
    begins = int(since.timestamp())
    conditions = [table.c.tenant_id == uow.tenant, table.c.grain == MINUTE, table.c.at >= begins - begins % MINUTE]
    return conditions if workflow is None else [*conditions, table.c.workflow == workflow]
