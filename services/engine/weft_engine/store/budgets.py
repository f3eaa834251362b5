"""Budgets for models and what was spent of them, read and written always of one tenant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.ai import BudgetChanged, Period, first_day
from weft_runtime.uow import UnitOfWork

from weft_engine.budgets import Standing
from weft_engine.tables import ai_reservations, ai_spending, budgets, executions

_KEPT: Final = ("workflow", "period", "limit", "hard", "enabled", "saving_from", "saving_tier", "revision")


class Reserved(NamedTuple):
    """What was reserved for a call. amount: US dollars, None where its price is not known.  told: what is said of the call."""

    id: UUID
    tenant: str
    day: date
    workflow: str
    amount: Decimal | None
    told: Mapping[str, Any]


async def remember(uow: UnitOfWork, change: BudgetChanged) -> None:
    """Keep a copy of a budget; one that is older than ours changes nothing."""
    values = {name: getattr(change, name) for name in _KEPT}
    statement = insert(budgets).values(tenant_id=uow.tenant, id=change.budget_id, **values)
    newer = budgets.c.revision < statement.excluded.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values, where=newer))


async def workflow_of(uow: UnitOfWork, execution_id: UUID) -> str:
    """The workflow of an execution, "" where it is not known."""
    query = sa.select(executions.c.workflow).where(executions.c.tenant_id == uow.tenant, executions.c.id == execution_id)
    return (await uow.conn.execute(query)).scalar_one_or_none() or ""


async def any_for(uow: UnitOfWork, workflow: str) -> bool:
    """Whether a budget is for an execution of this workflow."""
    query = sa.select(sa.exists().where(budgets.c.tenant_id == uow.tenant, *_for(workflow)))
    return bool((await uow.conn.execute(query)).scalar_one())


async def lock(uow: UnitOfWork) -> None:
    """Be the only one who reserves for the tenant until the transaction ends."""
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("weft ai budgets"), sa.func.hashtext(uow.tenant))))


async def standing(uow: UnitOfWork, workflow: str, today: date) -> list[Standing]:
    """The budgets for an execution of a workflow as they stand. In one statement, so that what is settled meanwhile counts once."""
    begins = sa.case({period: sa.literal(first_day(period, today)) for period in get_args(Period)}, value=budgets.c.period)
    used = [
        sa.select(sa.func.coalesce(sa.func.sum(amount), 0))
        .where(
            table.c.tenant_id == uow.tenant,
            table.c.day >= begins,
            sa.or_(budgets.c.workflow.is_(None), table.c.workflow == budgets.c.workflow),
        )
        .correlate(budgets)
        .scalar_subquery()
        for table, amount in ((ai_spending, ai_spending.c.spent), (ai_reservations, ai_reservations.c.amount))
    ]
    names = ("id", "workflow", "period", "limit", "hard", "saving_from", "saving_tier")
    query = sa.select(*(budgets.c[name] for name in names), (used[0] + used[1]).label("used"))
    query = query.where(budgets.c.tenant_id == uow.tenant, *_for(workflow)).order_by(budgets.c.id)
    return [Standing(**row._mapping) for row in await uow.conn.execute(query)]


async def reserve(uow: UnitOfWork, reserved: Reserved, expires_at: datetime) -> None:
    """Take what a call can cost."""
    values = {name: value for name, value in reserved._asdict().items() if name != "tenant"}
    await uow.conn.execute(sa.insert(ai_reservations).values(tenant_id=uow.tenant, expires_at=expires_at, **values))


async def release(uow: UnitOfWork, id_: UUID) -> Reserved | None:
    """Give back what was reserved; None where that was done before."""
    gone = sa.delete(ai_reservations).where(ai_reservations.c.tenant_id == uow.tenant, ai_reservations.c.id == id_)
    row = (await uow.conn.execute(gone.returning(*_RESERVED))).one_or_none()
    return None if row is None else Reserved(*row)


async def release_expired(uow: UnitOfWork, now: datetime, most: int) -> list[Reserved]:
    """Give back what was reserved for calls whose maker is gone, of every tenant_id."""
    oldest = sa.select(ai_reservations.c.id).where(ai_reservations.c.expires_at < now).limit(most).with_for_update(skip_locked=True)
    gone = sa.delete(ai_reservations).where(ai_reservations.c.id.in_(oldest)).returning(*_RESERVED)
    return [Reserved(*row) for row in await uow.conn.execute(gone)]


async def spend(uow: UnitOfWork, reserved: Reserved, cost: Decimal) -> None:
    """Count what a call came to for the day on which it was asked. reserved: of whichever tenant_id it is."""
    statement = insert(ai_spending).values(tenant_id=reserved.tenant, day=reserved.day, workflow=reserved.workflow, spent=cost)
    spent = ai_spending.c.spent + statement.excluded.spent
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "day", "workflow"], set_={"spent": spent}))


async def forget_spending(uow: UnitOfWork, before: date) -> None:
    """Delete what was spent before a day, for every tenant_id."""
    await uow.conn.execute(sa.delete(ai_spending).where(ai_spending.c.day < before))


_RESERVED: Final = (
    ai_reservations.c.id, ai_reservations.c.tenant_id, ai_reservations.c.day, ai_reservations.c.workflow, ai_reservations.c.amount,
    ai_reservations.c.told,
)  # fmt: skip


def _for(workflow: str) -> tuple[sa.ColumnElement[bool], ...]:
    return budgets.c.enabled, sa.or_(budgets.c.workflow.is_(None), budgets.c.workflow == workflow)
