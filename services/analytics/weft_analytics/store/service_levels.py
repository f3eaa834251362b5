"""The sla of executions, written by many at once and read always of one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_analytics.service_levels import STATES, Level
from weft_analytics.tables import executions, service_levels, workflows

_TYPES: Final = {
    "tenant_id": "text", "execution_id": "uuid", "workflow": "text", "position": "int8", "due_at": "timestamptz", "warn_at": "timestamptz",
    "status": "text",
}  # fmt: skip
_newer = "excluded.position >= kept.position"
_upsert = sa.text(
    f"INSERT INTO analytics.service_levels AS kept ({', '.join(_TYPES)}) SELECT * FROM unnest("  # noqa: S608
    + ", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in _TYPES.items())
    + ") ON CONFLICT (tenant_id, execution_id) DO UPDATE SET position = greatest(kept.position, excluded.position),"
    f" due_at = CASE WHEN {_newer} THEN excluded.due_at ELSE kept.due_at END,"
    f" status = CASE WHEN {_newer} THEN excluded.status ELSE kept.status END,"
    f" warn_at = CASE WHEN {_newer} AND (excluded.warn_at IS NOT NULL OR excluded.due_at IS NULL) THEN excluded.warn_at"
    " ELSE coalesce(kept.warn_at, excluded.warn_at) END"
)
_LIVE: Final = ("queued", "running", "waiting", "paused")


async def save(uow: UnitOfWork, levels: Iterable[Level]) -> None:
    """Write what is newest; what is older than what is here changes nothing but what was not known."""
    rows = sorted(levels, key=lambda one: (one.tenant, one.id.int))
    names = {"tenant_id": "tenant", "execution_id": "id"}
    await uow.conn.execute(_upsert, {name: [getattr(one, names.get(name, name)) for one in rows] for name in _TYPES})


async def forget(uow: UnitOfWork, ids: Sequence[UUID]) -> None:
    """Delete the sla of executions of the tenant."""
    await uow.conn.execute(
        sa.delete(service_levels).where(service_levels.c.tenant_id == uow.tenant, service_levels.c.execution_id.in_(ids))
    )


async def counts(uow: UnitOfWork, workflow: str | None, since: datetime, until: datetime) -> Sequence[Any]:
    """Per workflow how many executions with an sla, started in the span, are in which state: workflow, name, and `STATES`."""
    named = sa.and_(workflows.c.tenant_id == executions.c.tenant_id, workflows.c.slug == executions.c.workflow)
    query = (
        sa.select(executions.c.workflow, sa.func.max(workflows.c.name).label("name"), *_sums())
        .select_from(_joined().join(workflows, named, isouter=True))
        .where(*_of(uow, workflow, since, until))
        .group_by(executions.c.workflow)
        .order_by(executions.c.workflow)
    )
    return (await uow.conn.execute(query)).all()


async def by_bucket(uow: UnitOfWork, workflow: str | None, since: datetime, until: datetime, bucket: int) -> dict[int, Any]:
    """The same by when they started: rows of `STATES`, by where each piece begins, seconds since 1970. bucket: seconds of a piece."""
    started = sa.cast(sa.func.floor(sa.extract("epoch", executions.c.started_at)), sa.BigInteger)
    begins = (started - started % bucket).label("begins")
    query = sa.select(begins, *_sums()).select_from(_joined()).where(*_of(uow, workflow, since, until)).group_by(begins)
    return {row.begins: row for row in await uow.conn.execute(query)}


async def due_next(uow: UnitOfWork, workflow: str | None, since: datetime | None, until: datetime | None, limit: int) -> Sequence[Any]:
    """Executions that live and have an sla, those first that are due first."""
    columns = (executions.c.id, executions.c.workflow, executions.c.key, executions.c.started_at, executions.c.status.label("doing"))
    level = (service_levels.c.due_at, service_levels.c.warn_at, service_levels.c.status)
    query = sa.select(*columns, *level).select_from(_joined()).where(*_of(uow, workflow, since, until), executions.c.status.in_(_LIVE))
    # Says what the partial index over everything else needs to be told to be used.
    query = query.where(executions.c.status != "completed")
    return (await uow.conn.execute(query.order_by(service_levels.c.due_at, executions.c.id).limit(limit))).all()


def _sums() -> list[sa.ColumnElement[int]]:
    state = sa.case(
        (service_levels.c.status == "breached", "breached"),
        (executions.c.status.in_(_LIVE), service_levels.c.status),
        (executions.c.status == "completed", "met"),
        else_="unmet",
    )
    return [sa.func.count().filter(state == name).label(name) for name in STATES]


def _joined() -> sa.Join:
    same = sa.and_(service_levels.c.tenant_id == executions.c.tenant_id, service_levels.c.execution_id == executions.c.id)
    return service_levels.join(executions, same)


def _of(uow: UnitOfWork, workflow: str | None, since: datetime | None, until: datetime | None) -> list[sa.ColumnElement[bool]]:
    where = [service_levels.c.tenant_id == uow.tenant, executions.c.tenant_id == uow.tenant, service_levels.c.due_at.is_not(None)]
    if workflow is not None:
        where.append(executions.c.workflow == workflow)
    if since is not None:
        where.append(executions.c.started_at >= since)
    if until is not None:
        where.append(executions.c.started_at < until)
    return where
