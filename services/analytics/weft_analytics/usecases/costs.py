"""The verbs of costs: take in calls of models, say what they cost, keep budgets and what they are watched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from weft_contracts.ai import AiCalled, Period
from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_analytics.costs import Budget, Costs, Standing
from weft_analytics.errors import BudgetOfNothing, TooManyBudgets, WorkflowUnknown
from weft_analytics.histogram import percentiles
from weft_analytics.store import costs as store
from weft_analytics.usecases import audit
from weft_analytics.usecases.known import require_workflow

BUDGETS_MOST: Final = 100
"""Budgets of one tenant at most: each is looked at before every call of a model."""
LISTS: Final = {
    "days": ("day",), "workflows": ("workflow",), "nodes": ("workflow", "node"), "models": ("provider", "model"),
    "connections": ("connection",),
}  # fmt: skip
"""What the costs of a span are told by."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What models cost in the days from `since`, before `until`. total: a row of counts and cost.  lists: rows by what they are told by.

    errors: rows of connection, code, calls.
    """

    since: date
    until: date
    total: Any
    latency_ms: dict[str, float | None]
    lists: dict[str, Sequence[Any]]
    errors: Sequence[Any]


async def hear(heard: Sequence[Heard[AiCalled]], uow: UnitOfWork) -> None:
    """Write calls, and add up those that were not heard before."""
    calls = {one.message.call_id: (one.tenant, one.message) for one in heard}
    new, added = await store.write(uow, calls.values()), Costs()
    for id_ in new:
        added.add(*calls[id_])
    await store.add(uow, added)


async def spending(since: date, until: date, only: store.Filters, uow: UnitOfWork) -> Spending:
    """What models cost. Raises: WorkflowUnknown where one is asked for that is not here."""
    workflow = only.get("workflow")
    if workflow is not None:
        await require_workflow(workflow, uow)
    (total,) = await store.summed(uow, (), since, until, only)
    lists = {name: await store.summed(uow, by, since, until, only) for name, by in LISTS.items()}
    failed = await store.errors(uow, since, until, only)
    return Spending(since, until, total, percentiles(await store.times(uow, since, until, only)), lists, failed)


async def keep_budget(
    workflow: str | None, period: Period, limit: Decimal, alerts_at: Sequence[float], saving: tuple[float, str] | None, uow: UnitOfWork, *,
    hard: bool, enabled: bool,
) -> Standing:  # fmt: skip
    """Make the budget of a workflow, or of the tenant, for a period, or change it. Raises: BudgetOfNothing, TooManyBudgets."""
    if workflow is not None:
        try:
            await require_workflow(workflow, uow)
        except WorkflowUnknown as error:
            raise BudgetOfNothing(error.message, details=[Detail("/workflow", "workflow_not_found", error.message)]) from error
    await store.lock(uow)
    by = uow.caller.sub if uow.caller is not None else None
    to: dict[str, Any] = {"limit": limit, "hard": hard, "enabled": enabled, "alerts_at": tuple(alerts_at)}
    to["saving_from"], to["saving_tier"] = saving or (None, None)
    before = await store.budget_of(uow, workflow, period)
    if before is not None:
        kept = replace(before, **to, revision=before.revision + 1, updated_at=uow.now, updated_by=by)
    elif await store.count_budgets(uow) >= BUDGETS_MOST:
        raise TooManyBudgets(f"a tenant has at most {BUDGETS_MOST} budgets; change one, or let one be for every workflow")
    else:
        made: dict[str, Any] = {"created_at": uow.now, "created_by": by, "updated_at": uow.now, "updated_by": by}
        kept = Budget(new_id(), uow.tenant, workflow, period, revision=1, **to, **made)
    await store.save_budget(uow, kept)
    uow.say(kept.told())
    await _note(kept, "created" if before is None else "changed", uow)
    return next(one for one in await store.standing(uow) if one.budget.id == kept.id)


async def forget(kept: timedelta, uow: UnitOfWork) -> None:
    """Keep calls, and what they add up to, for so long only."""
    await store.forget(uow, uow.now - kept)


async def _note(budget: Budget, what: str, uow: UnitOfWork) -> None:
    names = ("workflow", "period", "hard", "enabled", "saving_from", "saving_tier")
    shown = {**{name: getattr(budget, name) for name in names}, "limit": float(budget.limit), "alerts_at": list(budget.alerts_at)}
    await audit.note(f"budget.{what}", "budget", str(budget.id), shown, uow)
