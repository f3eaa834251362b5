"""What models cost, and budgets; written for many tenants at once where it is heard, read always of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, get_args
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert
from weft_contracts.ai import AiCalled, Period, first_day
from weft_runtime.uow import UnitOfWork

from weft_analytics.costs import COUNTS, Budget, Costs, Standing, period_of
from weft_analytics.tables import ai_calls, ai_costs, ai_times, budgets

SOME: Final = 10
"""Ids of executions that an alert names."""
SHOWN_MOST: Final = 100
"""Entries of each list of an answer: the dearest."""
_CALL: Final = (
    "at", "execution_id", "workflow", "node", "action", "connection", "provider", "model", "outcome", "code", "repair", "input_tokens",
    "output_tokens", "cost", "took_ms",
)  # fmt: skip
_LOCK: Final = "weft budgets"


async def write(uow: UnitOfWork, calls: Iterable[tuple[str, AiCalled]]) -> set[UUID]:
    """Write calls of these tenants, a tenant_id with each. Returns: the ids of those that were not here."""
    rows = [{"id": call.call_id, "tenant_id": tenant, **{name: getattr(call, name) for name in _CALL}} for tenant, call in calls]
    new = insert(ai_calls).on_conflict_do_nothing().returning(ai_calls.c.id)
    return set((await uow.conn.execute(new, rows)).scalars())


async def add(uow: UnitOfWork, costs: Costs) -> None:
    """Add calls to what each tenant_id's came to."""
    # In one order, so that two services that add to the same rows could never wait for each other in a circle.
    for place in sorted(costs.counts):
        counts, cost = costs.counts[place], costs.costs[place]
        key = {"tenant_id" if name == "tenant" else name: value for name, value in place._asdict().items()}
        added = insert(ai_costs).values(**key, cost=cost, **{name: counts[name] for name in COUNTS})
        sums = {name: ai_costs.c[name] + added.excluded[name] for name in (*COUNTS, "cost")}
        await uow.conn.execute(added.on_conflict_do_update(index_elements=list(key), set_=sums))
    for slot in sorted(costs.times):
        key = dict(zip(("tenant_id", "day", "workflow", "provider", "model", "bucket"), slot, strict=True))
        timed = insert(ai_times).values(**key, count=costs.times[slot])
        again = {"count": ai_times.c.count + timed.excluded.count}
        await uow.conn.execute(timed.on_conflict_do_update(index_elements=list(key), set_=again))


Filters = dict[str, str | None]
"""By column; None: any."""


async def summed(uow: UnitOfWork, by: Sequence[str], since: date, until: date, only: Filters) -> Sequence[Any]:
    """Counts and cost by these columns, of days from `since`, before `until`; the dearest first, by day in their order."""
    sums = [sa.cast(sa.func.coalesce(sa.func.sum(ai_costs.c[name]), 0), sa.BigInteger).label(name) for name in COUNTS]
    cost = sa.func.coalesce(sa.func.sum(ai_costs.c.cost), 0).label("cost")
    columns = [ai_costs.c[name] for name in by]
    query = sa.select(*columns, *sums, cost).where(*_within(ai_costs, uow, since, until, only)).group_by(*columns)
    if by == ("day",):
        return (await uow.conn.execute(query.order_by(*columns))).all()
    return (await uow.conn.execute(query.order_by(cost.desc(), *columns).limit(SHOWN_MOST))).all()


async def times(uow: UnitOfWork, since: date, until: date, only: Filters) -> dict[int, int]:
    """How long answers took: counts by bucket."""
    only = {name: value for name, value in only.items() if name in ai_times.c}
    query = sa.select(ai_times.c.bucket, sa.cast(sa.func.sum(ai_times.c.count), sa.BigInteger))
    rows = await uow.conn.execute(query.where(*_within(ai_times, uow, since, until, only)).group_by(ai_times.c.bucket))
    return {row[0]: row[1] for row in rows}


async def errors(uow: UnitOfWork, since: date, until: date, only: Filters) -> Sequence[Any]:
    """How many calls of these days came to which error, by connection: connection, code, calls, the most first."""
    begins, ends = (datetime.combine(day, time.min, UTC) for day in (since, until))
    within = [ai_calls.c.tenant_id == uow.tenant, ai_calls.c.at >= begins, ai_calls.c.at < ends, ai_calls.c.code.is_not(None)]
    within += [ai_calls.c[name] == value for name, value in only.items() if value is not None]
    by, calls = (ai_calls.c.connection, ai_calls.c.code), sa.func.count().label("calls")
    query = sa.select(*by, calls).where(*within).group_by(*by).order_by(calls.desc(), *by)
    return (await uow.conn.execute(query.limit(SHOWN_MOST))).all()


async def dear(uow: UnitOfWork, workflow: str | None, since: datetime) -> Sequence[Any]:
    """Per workflow what calls since then cost: workflow, cost, calls, dearest (ids of executions)."""
    known = [ai_calls.c.tenant_id == uow.tenant, ai_calls.c.at >= since, ai_calls.c.workflow != "", ai_calls.c.cost > 0]
    if workflow is not None:
        known.append(ai_calls.c.workflow == workflow)
    each = (
        sa.select(ai_calls.c.workflow, ai_calls.c.execution_id, sa.func.sum(ai_calls.c.cost).label("cost"), sa.func.count().label("calls"))
        .where(*known)
        .group_by(ai_calls.c.workflow, ai_calls.c.execution_id)
        .subquery()
    )
    ids = sa.func.array_agg(aggregate_order_by(sa.cast(each.c.execution_id, sa.Text), each.c.cost.desc()), type_=ARRAY(sa.Text))[1:SOME]
    calls = sa.cast(sa.func.sum(each.c.calls), sa.BigInteger).label("calls")
    query = sa.select(each.c.workflow, sa.func.sum(each.c.cost).label("cost"), calls, ids.label("dearest"))
    return (await uow.conn.execute(query.group_by(each.c.workflow).order_by(each.c.workflow))).all()


async def lock(uow: UnitOfWork) -> None:
    """Be the only one who changes the tenant's budgets until the transaction ends."""
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(_LOCK), sa.func.hashtext(uow.tenant))))


async def budget_of(uow: UnitOfWork, workflow: str | None, period: Period) -> Budget | None:
    """The budget of a workflow, or of the tenant, for a period."""
    same = budgets.c.workflow.is_not_distinct_from(workflow)
    query = sa.select(budgets).where(budgets.c.tenant_id == uow.tenant, budgets.c.period == period, same)
    row = (await uow.conn.execute(query)).one_or_none()
    return None if row is None else _budget(row)


async def count_budgets(uow: UnitOfWork) -> int:
    """How many budgets the tenant has."""
    return (await uow.conn.execute(sa.select(sa.func.count()).where(budgets.c.tenant_id == uow.tenant))).scalar_one()


async def save_budget(uow: UnitOfWork, changed: Budget) -> None:
    """Write a budget, new or changed."""
    values = {name: value for name, value in asdict(changed).items() if name != "tenant"}
    if changed.revision == 1:
        await uow.conn.execute(sa.insert(budgets).values(tenant_id=uow.tenant, **values))
        return
    await uow.conn.execute(sa.update(budgets).where(budgets.c.tenant_id == uow.tenant, budgets.c.id == changed.id).values(values))


async def standing(uow: UnitOfWork, after: tuple[Any, ...] | None = None, limit: int | None = None) -> list[Standing]:
    """Budgets with what is spent of them, the oldest first. after: (created_at, id) of the last one seen."""
    today = uow.now.date()
    begins = sa.case({period: sa.literal(first_day(period, today)) for period in get_args(Period)}, value=budgets.c.period)
    spent = (
        sa.select(sa.func.coalesce(sa.func.sum(ai_costs.c.cost), 0))
        .where(
            ai_costs.c.tenant_id == uow.tenant,
            ai_costs.c.day >= begins,
            sa.or_(budgets.c.workflow.is_(None), ai_costs.c.workflow == budgets.c.workflow),
        )
        .correlate(budgets)
        .scalar_subquery()
    )
    query = sa.select(budgets, spent.label("spent")).where(budgets.c.tenant_id == uow.tenant)
    if after is not None:
        query = query.where(sa.tuple_(budgets.c.created_at, budgets.c.id) > sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(budgets.c.created_at, budgets.c.id)
    rows = await uow.conn.execute(query if limit is None else query.limit(limit))
    return [Standing(_budget(row), Decimal(row.spent), *period_of(row.period, uow.now)) for row in rows]


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete calls, and what they add up to, of days before, of every tenant_id."""
    await uow.conn.execute(sa.delete(ai_calls).where(ai_calls.c.at < before))
    for table in (ai_costs, ai_times):
        await uow.conn.execute(sa.delete(table).where(table.c.day < before.date()))


def _within(table: sa.Table, uow: UnitOfWork, since: date, until: date, only: Filters) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.tenant_id == uow.tenant, table.c.day >= since, table.c.day < until]
    return [*conditions, *(table.c[name] == value for name, value in only.items() if value is not None)]


def _budget(row: sa.Row[Any]) -> Budget:
    names = (name for name in Budget.__dataclass_fields__ if name not in ("tenant", "alerts_at"))
    return Budget(tenant=row.tenant_id, alerts_at=tuple(row.alerts_at), **{name: getattr(row, name) for name in names})
