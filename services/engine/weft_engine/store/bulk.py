"""Queries on bulk jobs: a look at what they would take, their items, how far they are; of `uow.tenant`, save the runner's first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_engine.store import campaigns
from weft_engine.store.campaigns import Selection, fitting
from weft_engine.tables import bulk_items as items
from weft_engine.tables import bulk_jobs as jobs
from weft_engine.tables import executions

Job = campaigns.Campaign
"""A row of `bulk_jobs`."""
KEPT: Final = campaigns.Tables(jobs, items, items.c.job_id, jobs.c.finished_at.is_(None))


_SHOWN: Final = (
    executions.c.id,
    executions.c.workflow,
    executions.c.version,
    executions.c.status,
    executions.c.key,
    executions.c.created_at,
)


async def counts(uow: UnitOfWork, wanted: Selection, limit: int) -> dict[str, int]:
    """How many executions fit, by status; it stops counting at `limit`."""
    found = sa.select(executions.c.status).where(*fitting(uow, wanted)).limit(limit).subquery()
    rows = await uow.conn.execute(sa.select(found.c.status, sa.func.count().label("many")).group_by(found.c.status))
    return {row.status: row.many for row in rows}


async def sample(uow: UnitOfWork, wanted: Selection, limit: int) -> Sequence[Any]:
    """The oldest executions that fit."""
    query = sa.select(*_SHOWN).where(*fitting(uow, wanted)).order_by(executions.c.created_at, executions.c.id).limit(limit)
    return (await uow.conn.execute(query)).all()


async def unknown(uow: UnitOfWork, ids: Sequence[UUID]) -> list[UUID]:
    """Those of these ids that are no executions of the tenant, each once."""
    query = sa.select(executions.c.id).where(executions.c.tenant_id == uow.tenant, executions.c.id.in_(ids))
    known = set((await uow.conn.execute(query)).scalars())
    return [one for one in dict.fromkeys(ids) if one not in known]


async def add_unknown(uow: UnitOfWork, job_id: UUID, ids: Sequence[UUID]) -> None:
    """Items of executions that are not here: refused before anything is sent."""
    if not ids:
        return
    same = {"tenant_id": uow.tenant, "job_id": job_id, "status": "refused", "code": "execution_not_found", "done_at": uow.now}
    rows = [
        {**same, "number": number, "execution_id": one, "detail": f"no execution {one} in this tenant"} for number, one in enumerate(ids, 1)
    ]
    await uow.conn.execute(sa.insert(items), rows)


async def sample_of(uow: UnitOfWork, job_id: UUID, limit: int) -> list[dict[str, Any]]:
    """The executions of a job's first items, as JSON values."""
    query = (
        sa.select(*_SHOWN)
        .join(items, items.c.execution_id == executions.c.id)
        .where(executions.c.tenant_id == uow.tenant, items.c.tenant_id == uow.tenant, items.c.job_id == job_id)
        .order_by(items.c.number)
        .limit(limit)
    )
    return [{**row._mapping, "id": str(row.id)} for row in await uow.conn.execute(query)]


async def add(uow: UnitOfWork, job: Mapping[str, Any]) -> None:
    """Keep a new job."""
    await uow.conn.execute(sa.insert(jobs).values(tenant_id=uow.tenant, created_at=uow.now, **job))


async def get(uow: UnitOfWork, job_id: UUID, *, lock: bool = False) -> Job | None:
    """A job, None when it is not here. lock: nobody else changes it until the transaction ends."""
    query = sa.select(jobs).where(jobs.c.tenant_id == uow.tenant, jobs.c.id == job_id)
    return (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()


async def set_status(uow: UnitOfWork, job_id: UUID, status: str) -> None:
    """Change a job's status, and have it looked at now."""
    await uow.conn.execute(
        sa.update(jobs).where(jobs.c.tenant_id == uow.tenant, jobs.c.id == job_id).values(status=status, due_at=sa.func.clock_timestamp())
    )


async def listed(uow: UnitOfWork, *, after: tuple[Any, ...] | None, limit: int) -> Sequence[Job]:
    """Jobs, the newest first. after: (created_at, id) of the last one seen."""
    query = sa.select(jobs).where(jobs.c.tenant_id == uow.tenant)
    if after is not None:
        query = query.where(sa.tuple_(jobs.c.created_at, jobs.c.id) < sa.tuple_(*map(sa.literal, after)))
    return (await uow.conn.execute(query.order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(limit))).all()


async def listed_items(uow: UnitOfWork, job_id: UUID, status: Collection[str], *, after: int, limit: int) -> Sequence[Any]:
    """A job's items in order. after: the number of the last one seen."""
    query = sa.select(items).where(items.c.tenant_id == uow.tenant, items.c.job_id == job_id, items.c.number > after)
    if status:
        query = query.where(items.c.status.in_(status))
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def take(uow: UnitOfWork) -> Job | None:
    """The job of any tenant that has waited longest to be looked at. `rested_s`: seconds since its rate was spent."""
    rested = sa.extract("epoch", sa.func.clock_timestamp() - jobs.c.paced_at).cast(sa.Float).label("rested_s")
    return await campaigns.take(uow, KEPT, rested)


async def next_due_s(uow: UnitOfWork) -> float | None:
    """Seconds until a job of any tenant is due, None where none runs."""
    return await campaigns.next_due_s(uow, KEPT)


async def next_items(uow: UnitOfWork, job: Job, limit: int) -> Sequence[Any]:
    """number, execution_id of the items whose turn it is."""
    query = sa.select(items.c.number, items.c.execution_id).where(*KEPT.items_of(uow, job.id), items.c.number > job.sent)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def mark_sent(uow: UnitOfWork, job: Job, last: int) -> None:
    """The items up to a number are sent with this transaction."""
    where = (*KEPT.items_of(uow, job.id), items.c.number > job.sent, items.c.number <= last)
    await uow.conn.execute(sa.update(items).where(*where).values(status="sent", sent_at=uow.now))


async def advance(uow: UnitOfWork, job: Job, *, status: str, sent: int, ok: int, refused: int, pause_s: float, ended: bool) -> None:
    """Keep how far a job is. sent: the last number.  ok, refused: since it was taken.  pause_s: until it is looked at again."""
    now = sa.func.clock_timestamp()
    # What was not spent for longer than a second is forfeited, so that a job that stood still does not make up for it at once.
    paced = sa.func.greatest(jobs.c.paced_at, now - timedelta(seconds=1)) + timedelta(seconds=(sent - job.sent) / job.rate_per_s)
    values = {"status": status, "sent": sent, "ok": jobs.c.ok + ok, "refused": jobs.c.refused + refused, "paced_at": paced}
    await uow.conn.execute(
        sa.update(jobs)
        .where(jobs.c.tenant_id == uow.tenant, jobs.c.id == job.id)
        .values(due_at=now + timedelta(seconds=pause_s), finished_at=uow.now if ended else None, **values)
    )


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete jobs that ended before a time, of every tenant, with their items."""
    await campaigns.forget(uow, KEPT, jobs.c.finished_at < before)
