"""Numbers read from the rollups, always of one tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_analytics.rollups import COLUMNS
from weft_analytics.tables import durations, rollups, tasks, workflows
from weft_analytics.window import Window

Counts = dict[str, int]
"""By the names in `COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Share:
    """One workflow's part of the numbers."""

    workflow: str
    name: str | None
    counts: Counts


async def by_bucket(uow: UnitOfWork, window: Window, workflow: str | None) -> dict[int, Counts]:
    """The counts of each piece that has any, by where it begins. workflow: one, or all when None."""
    begins = (rollups.c.at - rollups.c.at % window.bucket).label("begins")
    query = sa.select(begins, *_sums()).where(*_within(rollups, uow, window, workflow)).group_by(begins)
    return {row.begins: _counts(row) for row in await uow.conn.execute(query)}


async def histogram(uow: UnitOfWork, window: Window, workflow: str | None) -> dict[int, int]:
    """How many completed executions, started in the span, took how long: counts by bucket of duration."""
    query = sa.select(durations.c.bucket, sa.func.sum(durations.c.count).label("n")).where(*_within(durations, uow, window, workflow))
    return {row.bucket: int(row.n) for row in await uow.conn.execute(query.group_by(durations.c.bucket))}


async def busiest(uow: UnitOfWork, window: Window, limit: int) -> list[Share]:
    """The workflows that started most executions in the span."""
    named = sa.and_(workflows.c.tenant_id == rollups.c.tenant_id, workflows.c.slug == rollups.c.workflow)
    query = (
        sa.select(rollups.c.workflow, sa.func.max(workflows.c.name).label("name"), *_sums())
        .join_from(rollups, workflows, named, isouter=True)
        .where(*_within(rollups, uow, window, None))
        .group_by(rollups.c.workflow)
        .order_by(sa.func.sum(sum(rollups.c[name] for name in COLUMNS[:8])).desc(), rollups.c.workflow)
        .limit(limit)
    )
    return [Share(row.workflow, row.name, _counts(row)) for row in await uow.conn.execute(query)]


async def task_counts(uow: UnitOfWork, window: Window, workflow: str | None) -> dict[str, int]:
    """How many tasks were made in the span, by the status they have now."""
    query = sa.select(tasks.c.status, sa.func.count().label("n")).where(
        tasks.c.tenant_id == uow.tenant, tasks.c.created_at >= window.begins, tasks.c.created_at < window.ends
    )
    if workflow is not None:
        query = query.where(tasks.c.workflow == workflow)
    return {row.status: row.n for row in await uow.conn.execute(query.group_by(tasks.c.status))}


async def is_known(uow: UnitOfWork, workflow: str) -> bool:
    """Whether a workflow was ever heard of, published or run."""
    published = sa.exists().where(workflows.c.tenant_id == uow.tenant, workflows.c.slug == workflow)
    run = sa.exists().where(rollups.c.tenant_id == uow.tenant, rollups.c.workflow == workflow)
    return bool((await uow.conn.execute(sa.select(sa.or_(published, run)))).scalar_one())


def _sums() -> list[sa.ColumnElement[Any]]:
    return [sa.cast(sa.func.sum(rollups.c[name]), sa.BigInteger).label(name) for name in COLUMNS]


def _counts(row: sa.Row[Any]) -> Counts:
    return {name: int(getattr(row, name)) for name in COLUMNS}


def _within(table: sa.Table, uow: UnitOfWork, window: Window, workflow: str | None) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.tenant_id == uow.tenant, table.c.grain == window.grain, table.c.at >= window.start, table.c.at < window.end]
    return conditions if workflow is None else [*conditions, table.c.workflow == workflow]
