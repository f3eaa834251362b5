"""What models cost: calls added up by the day, budgets as they stand, and which alerts follow from them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from weft_contracts.ai import AiCalled, BudgetChanged, Period, first_day

from weft_analytics.alerts import Found, Rule, Severity
from weft_analytics.histogram import bucket_of

COUNTS: Final = ("answered", "failed", "unanswered", "cached", "refused", "repairs", "unpriced", "input_tokens", "output_tokens")
"""What is counted of calls, beside what they cost."""
OVERRUN: Final = 1.0
"""The share of a limit at which every budget that is watched raises an alert."""


class Place(NamedTuple):
    """What costs are told apart by."""

    tenant: str
    day: date
    workflow: str
    node: str
    connection: str
    provider: str
    model: str


@dataclass(slots=True)
class Costs:
    """Calls added up. counts: by `COUNTS`.  times: answers by tenant, day, workflow, provider, model and bucket of how long they took."""

    counts: dict[Place, Counter[str]] = field(default_factory=dict)
    costs: dict[Place, Decimal] = field(default_factory=dict)
    times: Counter[tuple[str, date, str, str, str, int]] = field(default_factory=Counter)

    def add(self, tenant: str, call: AiCalled) -> None:
        """Add a call."""
        place = Place(tenant, call.at.astimezone(UTC).date(), call.workflow, call.node, call.connection, call.provider, call.model)
        counts = self.counts.setdefault(place, Counter())
        counts[call.outcome] += 1
        counts["input_tokens"] += call.input_tokens
        counts["output_tokens"] += call.output_tokens
        counts["repairs"] += call.repair
        counts["unpriced"] += call.cost is None
        self.costs[place] = self.costs.get(place, Decimal(0)) + (call.cost or 0)
        if call.outcome == "answered":
            self.times[(*place[:3], call.provider, call.model, bucket_of(call.took_ms))] += 1


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent on models. workflow: of one, None for all of the tenant's.  limit: US dollars for the period.

    hard: whether a call that could go beyond it is not made.  alerts_at: shares of it.  saving_from: the share from which on models of
    `saving_tier` are asked.  revision: counts its changes, from 1.
    """

    id: UUID
    tenant: str
    workflow: str | None
    period: Period
    limit: Decimal
    hard: bool
    enabled: bool
    alerts_at: Sequence[float]
    saving_from: float | None
    saving_tier: str | None
    revision: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None

    def told(self) -> BudgetChanged:
        """What the engine is told of it."""
        names = ("workflow", "period", "limit", "hard", "enabled", "saving_from", "saving_tier", "revision")
        return BudgetChanged(budget_id=self.id, at=self.updated_at, by=self.updated_by, **{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget, and what calls of its period came to so far that were told of. begins, ends: of the period; the end is no longer in it."""

    budget: Budget
    spent: Decimal
    begins: datetime
    ends: datetime

    @property
    def share(self) -> float:
        """Of the limit that is spent; more than 1 beyond it."""
        return float(self.spent / self.budget.limit)


def period_of(period: Period, now: datetime) -> tuple[datetime, datetime]:
    """From when to when the period lasts in which a moment is."""
    begins = first_day(period, now.astimezone(UTC).date())
    lasts = {"day": timedelta(days=1), "week": timedelta(days=7)}
    ends = (begins + timedelta(days=31)).replace(day=1) if period == "month" else begins + lasts[period]
    return datetime.combine(begins, time.min, UTC), datetime.combine(ends, time.min, UTC)


def watched(standing: Iterable[Standing]) -> list[tuple[Rule, list[Found]]]:
    """What is watched for of budgets, as rules of the kind `budget`, one for each share, and what is so now."""
    return [_watched(one, share) for one in standing for share in sorted({*one.budget.alerts_at, OVERRUN}) if one.budget.enabled]


def _watched(one: Standing, share: float) -> tuple[Rule, list[Found]]:
    budget, whose = one.budget, one.budget.workflow or "all workflows"
    made = budget.created_at, budget.created_by, budget.updated_at, budget.updated_by
    name = f"{share:.0%} of the budget of {whose} for a {budget.period}"
    id_ = uuid5(budget.id, f"{share:g}")  # each share has an alert of its own; a new period begins with nothing spent, so it is over then
    severity: Severity = "critical" if share >= OVERRUN else "warning"
    rule = Rule(id_, budget.tenant, name, "budget", budget.workflow, severity, True, {}, budget.revision, *made)
    if one.share < share:
        return rule, []
    summary = f"{one.spent:.2f} of {budget.limit:.2f} US dollars are spent that models may cost {whose} in this {budget.period}"
    details = {
        "budget_id": str(budget.id), "period": budget.period, "from": one.begins.isoformat(), "limit": float(budget.limit),
        "spent": float(one.spent), "share": share,
    }  # fmt: skip
    return rule, [Found(budget.workflow or "", summary, details)]


def costly(conditions: Mapping[str, Any], workflow: str, cost: Decimal, calls: int, dearest: Sequence[str]) -> Found | None:
    """Whether the calls of a workflow's executions cost too much. dearest: ids of the executions that cost the most."""
    if cost <= Decimal(str(conditions["over"])):
        return None
    summary = f"models cost {workflow} {cost:.2f} US dollars in {conditions['within']}; it should be {conditions['over']:g} at most"
    return Found(workflow, summary, {"cost": float(cost), "calls": calls, "executions": list(dearest)})
