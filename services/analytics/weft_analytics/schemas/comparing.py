"""What is expected, and tenants beside each other, as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from weft_analytics.domain import STATUSES
from weft_analytics.forecast import INSIDE, NEEDED, SEASONS
from weft_analytics.usecases.comparing import Ahead


class ForecastQuery(BaseModel):
    """Of what, and how far. hours: to come; a week at most, a day where the history is shorter than three weeks."""

    model_config = ConfigDict(extra="ignore")
    workflow: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    hours: int = Field(default=24, ge=1, le=168)


class ForecastErrorView(BaseModel):
    """How far off the same forecast was for hours that are over, each by what came before it.

    mae: mean of how far, executions an hour.  mase: the same as a multiple of what repeating the season before was off: below 1 it is
    better.  coverage: the share of hours that lay in an interval made of the hours before them; `interval` where it keeps its word.
    """

    mae: float
    mase: float | None
    coverage: float
    hours: int


class ExpectedView(BaseModel):
    """An hour. expected: executions that start in it.  low, high: between which `interval` of all hours lie."""

    at: datetime
    expected: float
    low: float
    high: float


class ForecastView(BaseModel):
    """How many executions will start, by the hour, from the hour in which we are. reason: why nothing is told, where that is so.

    history_hours: whole hours since the first start, eight weeks at most.  season: after which hours are like those before.
    """

    workflow: str | None
    history_hours: int
    season: Literal["day", "week"] | None
    method: Literal["seasonal_mean", "seasonal_naive"] | None
    interval: float = INSIDE
    error: ForecastErrorView | None
    reason: str | None
    hours: list[ExpectedView]


def forecast_view(ahead: Ahead) -> ForecastView:
    """What is expected, as the API shows it."""
    found, error = ahead.found, None
    if found.error is not None:
        mase = None if found.error.mase is None else round(found.error.mase, 3)
        error = ForecastErrorView(
            mae=round(found.error.mae, 3), mase=mase, coverage=round(found.error.coverage, 3), hours=found.error.hours
        )  # fmt: skip
    needed = NEEDED * min(SEASONS.values())
    reason = f"{needed} whole hours since the first start are needed, and there are {ahead.history}" if found.season is None else None
    hours = [
        ExpectedView(
            at=ahead.begins + timedelta(hours=place), expected=round(one.expected, 2), low=round(one.low, 2), high=round(one.high, 2)
        )
        for place, one in enumerate(found.hours)
    ]
    return ForecastView(
        workflow=ahead.workflow,
        history_hours=ahead.history,
        season=found.season,
        method=found.method,
        error=error,
        reason=reason,
        hours=hours,
    )


class TenantsQuery(BaseModel):
    """Of which executions. from, to: of their start; the last 24 hours where absent."""

    model_config = ConfigDict(extra="ignore")
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")


class TenantNumbersView(BaseModel):
    """A tenant. executions: that started in the span, by the status they have now.  share: of those of all tenants that are shown.

    ai: what models were asked and cost on the days of the span; US dollars.
    """

    tenant: str
    executions: dict[str, int]
    share: float
    success_rate: float | None
    ai: dict[str, float]


class TenantsView(BaseModel):
    """Tenants beside each other, the busiest first, a thousand at most."""

    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    items: list[TenantNumbersView]


def tenants_view(since: datetime, until: datetime, rows: Sequence[Any]) -> TenantsView:
    """Tenants, as the API shows them."""
    totals = [sum(getattr(row, name) for name in STATUSES) for row in rows]
    whole = sum(totals)
    return TenantsView(since=since, until=until, items=[_tenant(row, total, whole) for row, total in zip(rows, totals, strict=True)])


def _tenant(row: Any, total: int, whole: int) -> TenantNumbersView:
    ended = row.completed + row.failed + row.timed_out
    return TenantNumbersView(
        tenant=row.tenant,
        executions={"total": total, **{name: getattr(row, name) for name in STATUSES}},
        share=round(total / whole, 4) if whole else 0.0,
        success_rate=round(row.completed / ended, 4) if ended else None,
        ai={"calls": row.calls, "cost": float(row.cost)},
    )
