"""Looking ahead, and at tenants beside each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Context, Uow

from weft_analytics.api.routes import door
from weft_analytics.schemas.comparing import ForecastQuery, ForecastView, TenantsQuery, TenantsView, forecast_view, tenants_view
from weft_analytics.store import comparing as store
from weft_analytics.usecases import comparing
from weft_analytics.window import window


@door.get("/analytics/forecast", may=Permission.ANALYTICS_READ)
async def get_forecast(query: Annotated[ForecastQuery, Query()], uow: Uow) -> ForecastView:
    """How many executions will start in the hours to come, and how far off such a forecast was."""
    return forecast_view(await comparing.ahead(query.workflow, query.hours, uow))


@door.get("/analytics/tenants", may=Permission.TENANTS_MANAGE)
async def compare_tenants(query: Annotated[TenantsQuery, Query()], uow: Uow, context: Context) -> TenantsView:
    """Every tenant of this installation beside the others, for operators."""
    asked = window(query.since, query.until, "hour" if query.since is None else "day", uow.now, timedelta(0))
    async with context.owner_transaction() as everything:
        rows = await store.tenants(everything, asked)
    return tenants_view(asked.begins, asked.ends, rows)
