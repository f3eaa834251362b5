"""Queries on bulk jobs: what they are chosen by, their items, how far they are.

The doors' functions are of `uow.tenant`; those of the runner, which serves all tenants, are told whose job it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import answers, executions
from weft_engine.tables import bulk_items as items
from weft_engine.tables import bulk_jobs as jobs

Job = sa.Row[Any]
"""A row of `bulk_jobs`."""
CHOOSING_S: Final = 60
"""Choosing a million executions takes longer than a route's statement usually may."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which executions. live: none of `statuses` is an end, so that only those that live need to be looked at.

    done_by: a job that changed them, by a command that is answered or on its way.
    """

    workflow: str | None = None
    statuses: Sequence[str] = ()
    live: bool = False
    version: int | None = None
    key: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    ids: Sequence[UUID] | None = None
    done_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an item. status: `ok` or `refused`."""

    number: int
    status: str
    code: str | None = None
    detail: str | None = None


def _where(uow: UnitOfWork, wanted: Selection) -> list[sa.ColumnElement[bool]]:
    c = executions.c
    found: list[sa.ColumnElement[bool]] = [c.tenant_id == uow.tenant]
    equal = {"workflow": wanted.workflow, "version": wanted.version, "key": wanted.key}
    found += [c[name] == value for name, value in equal.items() if value is not None]
    if wanted.done_by is not None:
        changed = sa.or_(items.c.status == "sent", sa.and_(items.c.status == "ok", items.c.code.is_distinct_from("repeated")))
        found.append(c.id.in_(sa.select(items.c.execution_id).where(items.c.job_id == wanted.done_by, changed)))
    if wanted.statuses:
        found.append(c.status.in_(wanted.statuses))
    if wanted.live:
        found.append(c.ended_at.is_(None))
    if wanted.labels:
        found.append(c.labels.contains(sa.cast(dict(wanted.labels), JSONB)))
    if wanted.since is not None:
        found.append(c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(c.created_at < wanted.until)
    if wanted.q:
        found.append(_search(wanted.q.strip()))
    if wanted.ids is not None:
        found.append(c.id.in_(wanted.ids))
    return found


def _search(text: str) -> sa.ColumnElement[bool]:
    try:
        return executions.c.id == UUID(text)
    except ValueError:
        return sa.or_(*(column.startswith(text, autoescape=True) for column in (executions.c.key, executions.c.workflow)))


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
    fitting = sa.select(executions.c.status).where(*_where(uow, wanted)).limit(limit).subquery()
    rows = await uow.conn.execute(sa.select(fitting.c.status, sa.func.count().label("many")).group_by(fitting.c.status))
    return {row.status: row.many for row in rows}


async def sample(uow: UnitOfWork, wanted: Selection, limit: int) -> Sequence[Any]:
    """The oldest executions that fit."""
    query = sa.select(*_SHOWN).where(*_where(uow, wanted)).order_by(executions.c.created_at, executions.c.id).limit(limit)
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


async def choose(uow: UnitOfWork, job_id: UUID, wanted: Selection, *, after: int, limit: int) -> int:
    """Make the executions that fit a job's items, the oldest first, in one statement. after: the last number taken. Returns: how many."""
    await uow.conn.execute(sa.select(sa.func.set_config("statement_timeout", f"{CHOOSING_S}s", True)))
    order = (executions.c.created_at, executions.c.id)
    chosen = (
        sa.select(
            sa.literal(uow.tenant),
            sa.literal(job_id, sa.Uuid),
            sa.func.row_number().over(order_by=order) + after,
            executions.c.id,
            sa.literal("waiting"),
        )
        .where(*_where(uow, wanted))
        .limit(limit)
    )
    columns = ["tenant_id", "job_id", "number", "execution_id", "status"]
    return (await uow.conn.execute(sa.insert(items).from_select(columns, chosen))).rowcount


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


async def listed_items(uow: UnitOfWork, job_id: UUID, status: str | None, *, after: int, limit: int) -> Sequence[Any]:
    """A job's items in order. after: the number of the last one seen."""
    query = sa.select(items).where(items.c.tenant_id == uow.tenant, items.c.job_id == job_id, items.c.number > after)
    if status is not None:
        query = query.where(items.c.status == status)
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def take(uow: UnitOfWork) -> Job | None:
    """The job that has waited longest to be looked at, held until the transaction ends; None where none is due.

    Another process that looks meanwhile sees the others. `rested_s`: seconds since its rate was spent.
    """
    rested = sa.extract("epoch", sa.func.clock_timestamp() - jobs.c.paced_at).cast(sa.Float).label("rested_s")
    due = (jobs.c.finished_at.is_(None), jobs.c.due_at <= sa.func.clock_timestamp())
    query = sa.select(jobs, rested).where(*due).order_by(jobs.c.due_at).limit(1).with_for_update(skip_locked=True)
    return (await uow.conn.execute(query)).one_or_none()


async def next_due_s(uow: UnitOfWork) -> float | None:
    """Seconds until a job of any tenant is due, None where none runs."""
    soonest = sa.extract("epoch", sa.func.min(jobs.c.due_at) - sa.func.clock_timestamp()).cast(sa.Float)
    found: float | None = (await uow.conn.execute(sa.select(soonest).where(jobs.c.finished_at.is_(None)))).scalar_one()
    return found


async def open_items(uow: UnitOfWork, job: Job) -> Sequence[Any]:
    """number, execution_id, sent_at of the items that were sent and not answered."""
    query = sa.select(items.c.number, items.c.execution_id, items.c.sent_at).where(
        items.c.tenant_id == job.tenant_id, items.c.job_id == job.id, items.c.status == "sent"
    )
    return (await uow.conn.execute(query.order_by(items.c.number))).all()


async def answers_of(uow: UnitOfWork, job: Job, ids: Sequence[UUID]) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """(status, body) of what partitions have answered, by the answer's id."""
    query = sa.select(answers.c.id, answers.c.status, answers.c.body).where(answers.c.tenant_id == job.tenant_id, answers.c.id.in_(ids))
    return {row.id: (row.status, row.body) for row in await uow.conn.execute(query)}


async def settle(uow: UnitOfWork, job: Job, results: Sequence[Result]) -> None:
    """Write down what became of items."""
    if not results:
        return
    where = (items.c.tenant_id == job.tenant_id, items.c.job_id == job.id, items.c.number == sa.bindparam("at"), items.c.status == "sent")
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("status", "code", "detail")}
    rows = [{"at": one.number, "new_status": one.status, "new_code": one.code, "new_detail": one.detail} for one in results]
    await uow.conn.execute(sa.update(items).where(*where).values(done_at=uow.now, **values), rows)


async def next_items(uow: UnitOfWork, job: Job, limit: int) -> Sequence[Any]:
    """number, execution_id of the items whose turn it is."""
    query = sa.select(items.c.number, items.c.execution_id).where(
        items.c.tenant_id == job.tenant_id, items.c.job_id == job.id, items.c.number > job.sent
    )
    return (await uow.conn.execute(query.order_by(items.c.number).limit(limit))).all()


async def mark_sent(uow: UnitOfWork, job: Job, last: int) -> None:
    """The items up to a number are sent with this transaction."""
    numbers = (items.c.number > job.sent, items.c.number <= last)
    where = (items.c.tenant_id == job.tenant_id, items.c.job_id == job.id, *numbers)
    await uow.conn.execute(sa.update(items).where(*where).values(status="sent", sent_at=uow.now))


async def advance(uow: UnitOfWork, job: Job, *, status: str, sent: int, ok: int, refused: int, pause_s: float, ended: bool) -> None:
    """Keep how far a job is. sent: the last number.  ok, refused: since it was taken.  pause_s: until it is looked at again."""
    now = sa.func.clock_timestamp()
    # What was not spent for longer than a second is forfeited, so that a job that stood still does not make up for it at once.
    paced = sa.func.greatest(jobs.c.paced_at, now - timedelta(seconds=1)) + timedelta(seconds=(sent - job.sent) / job.rate_per_s)
    values = {"status": status, "sent": sent, "ok": jobs.c.ok + ok, "refused": jobs.c.refused + refused, "paced_at": paced}
    await uow.conn.execute(
        sa.update(jobs)
        .where(jobs.c.tenant_id == job.tenant_id, jobs.c.id == job.id)
        .values(due_at=now + timedelta(seconds=pause_s), finished_at=uow.now if ended else None, **values)
    )


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete jobs that ended before a time, of every tenant, with their items."""
    old = sa.select(jobs.c.id).where(jobs.c.finished_at < before)
    await uow.conn.execute(sa.delete(items).where(items.c.job_id.in_(old)))
    await uow.conn.execute(sa.delete(jobs).where(jobs.c.finished_at < before))
