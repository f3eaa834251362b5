"""What is said about the cost of language models: what a tenant may spend, and what each call came to."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from weft_contracts.message import Event

Period = Literal["day", "week", "month"]
"""For which a budget is: a day, a week from Monday, a month, all of UTC."""
Dollars = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=12)]
"""US dollars, exact."""
AiOutcome = Literal["answered", "failed", "unanswered", "cached", "refused"]
"""`answered`: paid for, by what the provider told; `failed`: not sent, or not taken, and not paid for; `unanswered`: sent and perhaps paid
for, so it counts as what it could cost at most; `cached`: answered from before; `refused`: not asked, a budget or bound forbids it."""


def first_day(period: Period, day: date) -> date:
    """The day on which the period begins in which a day is."""
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if period == "week" else day


class BudgetChanged(Event):
    """A budget for models was made or changed; this is all of it. Heard by engine, which keeps to it: the highest revision stands."""

    type, version = "budget.changed", 1
    owner: ClassVar[str] = "analytics"
    budget_id: UUID
    revision: int = Field(ge=1)
    workflow: str | None = Field(default=None, description="Of one workflow; of the whole tenant when absent.")
    period: Period
    limit: Dollars = Field(description="US dollars.")
    hard: bool = Field(default=True, description="Whether a call that could go beyond it is not made.")
    enabled: bool = True
    saving_from: float | None = Field(default=None, gt=0, le=1, description="Share of the limit from which on cheaper models are asked.")
    saving_tier: str | None = Field(default=None, description="Those of this tier.")
    at: datetime
    by: str | None = None


class AiCalled(Event):
    """A model was asked once, or was not for a reason. Repairs and fallbacks are calls of their own. Heard by analytics."""

    type, version = "ai.called", 1
    owner: ClassVar[str] = "engine"
    call_id: UUID
    execution_id: UUID
    workflow: str = Field(description="Empty where the execution is not known any more.")
    node: str
    action: str
    connection: str
    provider: str
    model: str
    outcome: AiOutcome
    code: str | None = Field(default=None, description="Of the error, where there was one.")
    repair: bool = False
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost: Dollars | None = Field(default=None, description="None where the model's price is not known.")
    took_ms: int = Field(default=0, ge=0)
    at: datetime = Field(description="When it was asked.")
