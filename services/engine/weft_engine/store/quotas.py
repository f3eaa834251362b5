"""Queries on a tenant's quotas: what is spent of them, who stands at their gates. Decisions are made under `hold_gates`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_engine.core.quotas import LIVE_GATE
from weft_engine.tables import admissions, executions, start_rates, tenants, workflows


class Known(NamedTuple):
    """A workflow as a start needs it. settings: of its tenant, None while it was not heard of."""

    status: str
    active_version: int | None
    settings: dict[str, Any] | None


class Standing(NamedTuple):
    """A gate that an execution waits at. live: who lives behind it.  ahead: who waits at it and came before."""

    gate: str
    capacity: int
    since: datetime
    live: int
    ahead: int


async def hold_gates(uow: UnitOfWork) -> None:
    """From here on nobody else decides who of the tenant is let in, until this transaction ends."""
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("weft gates"), sa.func.hashtext(uow.tenant))))


async def workflow(uow: UnitOfWork, slug: str) -> Known | None:
    """A workflow with its tenant's settings, None when it is not here."""
    joined = workflows.outerjoin(tenants, tenants.c.tenant_id == workflows.c.tenant_id)
    query = sa.select(workflows.c.status, workflows.c.active_version, tenants.c.settings).select_from(joined)
    row = (await uow.conn.execute(query.where(workflows.c.tenant_id == uow.tenant, workflows.c.slug == slug))).one_or_none()
    return None if row is None else Known(row.status, row.active_version, row.settings)


async def spent_until(uow: UnitOfWork) -> datetime | None:
    """When all starts of the tenant that have begun are earned again, None where none was counted."""
    query = sa.select(start_rates.c.spent_until).where(start_rates.c.tenant_id == uow.tenant)
    found: datetime | None = (await uow.conn.execute(query)).scalar_one_or_none()
    return found


async def spend(uow: UnitOfWork, until: datetime) -> None:
    """Write down what was spent."""
    row = insert(start_rates).values(tenant_id=uow.tenant, spent_until=until)
    await uow.conn.execute(row.on_conflict_do_update(index_elements=["tenant_id"], set_={"spent_until": row.excluded.spent_until}))


async def places_taken(uow: UnitOfWork) -> int:
    """Executions of the tenant that live behind its gate, or wait for that."""
    query = sa.select(sa.func.count()).where(admissions.c.tenant_id == uow.tenant, admissions.c.gate == LIVE_GATE)
    return int((await uow.conn.execute(query)).scalar_one())


async def take_place(uow: UnitOfWork, execution_id: UUID, limit: int) -> None:
    """Let an execution through the tenant's gate before it begins."""
    values = {"execution_id": execution_id, "gate": LIVE_GATE, "tenant_id": uow.tenant, "capacity": limit, "on_conflict": "queue"}
    await uow.conn.execute(insert(admissions).values(**values, asked_at=uow.now, let_in_at=uow.now).on_conflict_do_nothing())


async def standings(uow: UnitOfWork, execution_id: UUID) -> list[Standing]:
    """The gates that an execution waits at."""
    other = admissions.alias("other")
    mine = sa.and_(admissions.c.tenant_id == uow.tenant, admissions.c.execution_id == execution_id, admissions.c.let_in_at.is_(None))
    same = sa.and_(other.c.tenant_id == admissions.c.tenant_id, other.c.gate == admissions.c.gate)
    place = sa.tuple_(-admissions.c.priority, admissions.c.asked_at, admissions.c.execution_id)
    paused = sa.exists().where(
        executions.c.tenant_id == uow.tenant, executions.c.id == other.c.execution_id, executions.c.status == "paused"
    )
    before = sa.and_(
        same, other.c.let_in_at.is_(None), ~paused, sa.tuple_(-other.c.priority, other.c.asked_at, other.c.execution_id) < place
    )
    query = sa.select(
        admissions.c.gate,
        admissions.c.capacity,
        admissions.c.asked_at,
        sa.select(sa.func.count()).select_from(other).where(same, other.c.let_in_at.is_not(None)).correlate(admissions).scalar_subquery(),
        sa.select(sa.func.count()).select_from(other).where(before).correlate(admissions).scalar_subquery(),
    )
    return [Standing(*row) for row in await uow.conn.execute(query.where(mine).order_by(admissions.c.gate))]
