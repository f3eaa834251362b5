"""What models cost, and budgets, as the API takes and shows them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from weft_contracts.ai import Period
from weft_runtime.errors import Detail
from weft_runtime.http import Body

from weft_analytics.costs import COUNTS, Standing
from weft_analytics.errors import BadWindow
from weft_analytics.schemas import DurationView
from weft_analytics.usecases.costs import LISTS, Spending

DEFAULT_DAYS: Final = 30
DAYS_MOST: Final = 400
Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


class CostQuery(BaseModel):
    """Of which calls. from, to: whole days of UTC, the day of `to` is in it; the last 30 days where absent."""

    model_config = ConfigDict(extra="ignore")
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    workflow: Text | None = None
    model: Text | None = None
    connection: Text | None = None

    def days(self, now: datetime) -> tuple[date, date]:
        """The first day, and the day after the last. Raises: BadWindow."""
        last = _day(self.until or now)
        first = last - timedelta(days=DEFAULT_DAYS - 1) if self.since is None else _day(self.since)
        if not 0 <= (last - first).days < DAYS_MOST:
            detail = f"`from` has to lie before `to`, and the span may have {DAYS_MOST} days"
            raise BadWindow(detail, details=[Detail("/from", "bad_window", detail, source="query")])
        return first, last + timedelta(days=1)

    def only(self) -> dict[str, str | None]:
        """The calls asked for, by column."""
        return {"workflow": self.workflow, "model": self.model, "connection": self.connection}


class UseView(BaseModel):
    """Calls of models. calls: those that were made. answered: paid for by what the provider told.  failed: not taken, and not paid for.

    unanswered: without an answer, and perhaps paid for: each counts as the most that it can have cost.  cached: answered from before, at
    no cost.  refused: not made, since a budget or `max_cost` forbids it.  repairs: those that had a wrong answer mended.
    unpriced: those whose price is not known, which are not in `cost`.  cost: US dollars.
    """

    calls: int
    answered: int
    failed: int
    unanswered: int
    cached: int
    refused: int
    repairs: int
    unpriced: int
    input_tokens: int
    output_tokens: int
    cost: float


class DayView(UseView):
    """A day of UTC."""

    day: date


class WorkflowUseView(UseView):
    """A workflow; empty where it is not known any more."""

    workflow: str


class NodeUseView(UseView):
    """A node of a workflow."""

    workflow: str
    node: str


class ModelUseView(UseView):
    """A model of a provider."""

    provider: str
    model: str


class ConnectionUseView(UseView):
    """A connection."""

    connection: str


class ErrorUseView(BaseModel):
    """How many calls by a connection came to an error."""

    connection: str
    code: str
    calls: int


class CostsView(BaseModel):
    """What models cost. Each list but that of days has the 100 dearest; `total` is of all. from, to: both days are in it.

    latency_ms: of answers. Percentiles are at most 4.4 % off.
    """

    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    currency: Literal["USD"] = "USD"
    total: UseView
    latency_ms: DurationView
    days: list[DayView]
    workflows: list[WorkflowUseView]
    nodes: list[NodeUseView]
    models: list[ModelUseView]
    connections: list[ConnectionUseView]
    errors: list[ErrorUseView]


_VIEWS: Final[dict[str, type[UseView]]] = {
    "days": DayView, "workflows": WorkflowUseView, "nodes": NodeUseView, "models": ModelUseView, "connections": ConnectionUseView,
}  # fmt: skip


def costs_view(found: Spending) -> CostsView:
    """What models cost, as the API shows it."""
    lists: dict[str, Any] = {
        name: [_VIEWS[name](**_use(row), **{one: getattr(row, one) for one in by}) for row in found.lists[name]]
        for name, by in LISTS.items()
    }
    lists["errors"] = [ErrorUseView(connection=row.connection, code=row.code, calls=row.calls) for row in found.errors]
    until = found.until - timedelta(days=1)
    return CostsView(
        since=found.since, until=until, total=UseView(**_use(found.total)), latency_ms=DurationView(**found.latency_ms), **lists
    )


def _use(row: Any) -> dict[str, Any]:
    return {
        "calls": row.answered + row.failed + row.unanswered, "cost": float(row.cost), **{name: getattr(row, name) for name in COUNTS},
    }  # fmt: skip


def _day(moment: datetime) -> date:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()


class Saving(Body):
    """From which share of the limit on cheaper models are asked: those that connections name for a tier."""

    from_: Share = Field(alias="from")
    tier: Literal["free", "standard", "premium"]


class BudgetBody(Body):
    """What models may cost. workflow: executions of one; of all where it is left out.

    limit: US dollars for the period.  hard: a call that could go beyond it is not made.  alerts_at: shares of the limit at which an alert
    is raised, beside the limit itself.
    """

    workflow: Text | None = None
    period: Period = "month"
    limit: Annotated[float, Field(gt=0, le=1_000_000_000, allow_inf_nan=False)]
    hard: bool = True
    enabled: bool = True
    alerts_at: Annotated[list[Share], Field(max_length=10)] = [0.8]
    saving: Saving | None = None

    def exact_limit(self) -> Decimal:
        """The limit as it was written."""
        return Decimal(str(self.limit))


class CurrentView(BaseModel):
    """The period that lasts. spent: what calls came to that ended; a hard limit counts those in hand, too.  share: of the limit."""

    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    spent: float
    left: float
    share: float


class SavingView(BaseModel):
    """From which share of the limit on models of which tier are asked."""

    from_: float = Field(serialization_alias="from")
    tier: str


class BudgetView(BaseModel):
    """A budget, and how it stands."""

    id: UUID
    workflow: str | None
    period: Period
    limit: float
    currency: Literal["USD"] = "USD"
    hard: bool
    enabled: bool
    alerts_at: list[float]
    saving: SavingView | None
    current: CurrentView
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None

    @classmethod
    def of(cls, standing: Standing) -> BudgetView:
        """The view of a budget."""
        budget = standing.budget
        saving = None
        if budget.saving_from is not None and budget.saving_tier is not None:
            saving = SavingView(from_=budget.saving_from, tier=budget.saving_tier)
        names = (
            "id", "workflow", "period", "hard", "enabled", "created_at", "created_by", "updated_at", "updated_by",
        )  # fmt: skip
        return cls(
            limit=float(budget.limit),
            alerts_at=list(budget.alerts_at),
            saving=saving,
            current=CurrentView(
                since=standing.begins,
                until=standing.ends,
                spent=float(standing.spent),
                left=float(max(budget.limit - standing.spent, Decimal(0))),
                share=round(standing.share, 4),
            ),
            version=budget.revision,
            **{name: getattr(budget, name) for name in names},
        )
