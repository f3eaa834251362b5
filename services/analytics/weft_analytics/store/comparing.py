"""What is read to look ahead, and to compare tenants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_analytics.domain import STATUSES
from weft_analytics.rollups import HOUR
from weft_analytics.tables import ai_costs, rollups
from weft_analytics.window import Window

MOST: Final = 1_000
"""Tenants of one comparison: the busiest."""


async def starts(uow: UnitOfWork, workflow: str | None, since: int, until: int) -> dict[int, int]:
    """How many executions of the tenant started in each hour that had any, by where it begins, seconds since 1970."""
    count = sa.func.sum(sum(rollups.c[name] for name in STATUSES))
    of = [rollups.c.tenant_id == uow.tenant, rollups.c.grain == HOUR, rollups.c.at >= since, rollups.c.at < until]
    if workflow is not None:
        of.append(rollups.c.workflow == workflow)
    query = sa.select(rollups.c.at, sa.cast(count, sa.BigInteger)).where(*of).group_by(rollups.c.at).having(count > 0)
    return {row[0]: row[1] for row in await uow.conn.execute(query)}


async def tenants(uow: UnitOfWork, window: Window) -> Sequence[Any]:
    """Per tenant_id what started in the span, by status, and what models cost in its days; the busiest first."""
    sums = [sa.cast(sa.func.sum(rollups.c[name]), sa.BigInteger).label(name) for name in STATUSES]
    within = rollups.c.grain == window.grain, rollups.c.at >= window.start, rollups.c.at < window.end
    ran = sa.select(rollups.c.tenant_id, *sums).where(*within).group_by(rollups.c.tenant_id).subquery()
    days = datetime.fromtimestamp(window.start, UTC).date(), datetime.fromtimestamp(window.end - 1, UTC).date()
    spent = (
        sa.select(
            ai_costs.c.tenant_id, sa.func.sum(ai_costs.c.cost).label("cost"), sa.cast(sa.func.sum(_calls()), sa.BigInteger).label("calls")
        )
        .where(ai_costs.c.day.between(*days))
        .group_by(ai_costs.c.tenant_id)
        .subquery()
    )
    tenant = sa.func.coalesce(ran.c.tenant_id, spent.c.tenant_id).label("tenant")
    counts = [sa.func.coalesce(ran.c[name], 0).label(name) for name in STATUSES]
    total: sa.ColumnElement[Any] = sum((sa.func.coalesce(ran.c[name], 0) for name in STATUSES), sa.literal(0))
    query = sa.select(tenant, *counts, sa.func.coalesce(spent.c.cost, 0).label("cost"), sa.func.coalesce(spent.c.calls, 0).label("calls"))
    joined = ran.join(spent, ran.c.tenant_id == spent.c.tenant_id, full=True)
    return (await uow.conn.execute(query.select_from(joined).order_by(sa.desc(total), tenant).limit(MOST))).all()


def _calls() -> sa.ColumnElement[int]:
    return ai_costs.c.answered + ai_costs.c.failed + ai_costs.c.unanswered
