"""What models cost, and budgets for them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Listing, Page, Reply, Uow

from weft_analytics.api.routes import door
from weft_analytics.schemas.costs import BudgetBody, BudgetView, CostQuery, CostsView, costs_view
from weft_analytics.store import costs as store
from weft_analytics.usecases import costs

_CHANGED: Final[dict[int | str, dict[str, Any]]] = {200: {"model": BudgetView, "description": "The budget that was there became this."}}


@door.get("/analytics/costs", may=Permission.ANALYTICS_READ)
async def get_costs(query: Annotated[CostQuery, Query()], uow: Uow) -> CostsView:
    """What models cost the tenant: by day, workflow, node, model and connection."""
    return costs_view(await costs.spending(*query.days(uow.now), query.only(), uow))


@door.get("/budgets", may=Permission.ANALYTICS_READ)
async def list_budgets(page: Page, uow: Uow) -> Listing[BudgetView]:
    """What models may cost, and how it stands; the oldest budget first."""
    rows = await store.standing(uow, page.after, page.limit + 1)
    return page.listing(rows, view=BudgetView.of, key=lambda one: (one.budget.created_at, one.budget.id))


@door.post("/budgets", may=Permission.BUDGETS_MANAGE, status=201, responses=_CHANGED)
async def keep_budget(body: BudgetBody, uow: Uow) -> Reply[BudgetView]:
    """Make the budget of a workflow, or of the tenant, for a period. Where there is one it becomes this (200)."""
    saving = None if body.saving is None else (body.saving.from_, body.saving.tier)
    limit, alerts_at = body.exact_limit(), sorted(set(body.alerts_at))
    kept = await costs.keep_budget(body.workflow, body.period, limit, alerts_at, saving, uow, hard=body.hard, enabled=body.enabled)
    return Reply(BudgetView.of(kept), status=201 if kept.budget.revision == 1 else 200)
