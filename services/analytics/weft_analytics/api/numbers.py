"""Executions listed, and the numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, cast

from fastapi import Query
from weft_runtime.auth import Caller, Permission
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Listing, Page, Uow
from weft_runtime.http.parameters import Paging
from weft_runtime.uow import UnitOfWork

from weft_analytics import schemas, usecases
from weft_analytics.api.routes import door
from weft_analytics.schemas import ExecutionQuery, ExecutionSummary, OverviewView, WindowQuery, WorkflowNumbersView
from weft_analytics.schemas.service_levels import SlaQuery, SlaStateView, sla_state_view, utc
from weft_analytics.schemas.walks import PathQuery, PathsView, StepsView, WalkQuery, paths_view, steps_view
from weft_analytics.settings import Settings
from weft_analytics.store import listing
from weft_analytics.store.listing import Filter
from weft_analytics.usecases import walks
from weft_analytics.usecases.known import require_workflow
from weft_analytics.window import Window, window
from weft_analytics.words import CommonWords


@door.get("/executions", may=Permission.EXECUTIONS_READ, only_known=True)
async def list_executions(query: Annotated[ExecutionQuery, Query()], page: Page, uow: Uow, context: Context) -> Listing[ExecutionSummary]:
    """Executions of this tenant, the latest started first."""
    return await _listed(query.filter(_me(uow)), page, uow, context)


@door.get("/workflows/{slug}/executions", may=Permission.EXECUTIONS_READ, only_known=True)
async def list_executions_of(
    slug: str, query: Annotated[ExecutionQuery, Query()], page: Page, uow: Uow, context: Context
) -> Listing[ExecutionSummary]:
    """Executions of one workflow, the latest started first."""
    await require_workflow(slug, uow)
    return await _listed(query.filter(_me(uow), slug), page, uow, context)


@door.get("/analytics/overview", may=Permission.ANALYTICS_READ)
async def get_overview(query: Annotated[WindowQuery, Query()], uow: Uow, context: Context) -> OverviewView:
    """How the executions that started in a span went; the last 24 hours by default."""
    return schemas.overview(await usecases.overview(_window(query, uow.now, context), uow))


@door.get("/workflows/analytics/overview", may=Permission.ANALYTICS_READ, include_in_schema=False)
async def get_overview_again(query: Annotated[WindowQuery, Query()], uow: Uow, context: Context) -> OverviewView:
    """The same at another path."""
    return await get_overview(query, uow, context)


@door.get("/analytics/workflows/{slug}", may=Permission.ANALYTICS_READ)
async def get_workflow_numbers(slug: str, query: Annotated[WindowQuery, Query()], uow: Uow, context: Context) -> WorkflowNumbersView:
    """How the executions of one workflow went."""
    return schemas.of_workflow(slug, await usecases.of_workflow(slug, _window(query, uow.now, context), uow))


@door.get("/analytics/workflows/{slug}/steps", may=Permission.ANALYTICS_READ)
async def get_times_of_steps(slug: str, query: Annotated[WalkQuery, Query()], uow: Uow) -> StepsView:
    """What the nodes of a workflow took: how long each ran and waited, in executions that started in a span and have ended."""
    return steps_view(await walks.steps(slug, _hours(query, uow.now), query.version, uow))


@door.get("/analytics/workflows/{slug}/paths", may=Permission.ANALYTICS_READ)
async def get_paths_taken(slug: str, query: Annotated[PathQuery, Query()], uow: Uow) -> PathsView:
    """Which ways the executions of a workflow went, the commonest first; those that are not shown are summed up."""
    return paths_view(await walks.variants(slug, _hours(query, uow.now), query.version, query.limit, uow))


@door.get("/workflows/{slug}/analytics", may=Permission.ANALYTICS_READ, include_in_schema=False)
async def get_workflow_numbers_again(slug: str, query: Annotated[WindowQuery, Query()], uow: Uow, context: Context) -> WorkflowNumbersView:
    """The same at another path."""
    return await get_workflow_numbers(slug, query, uow, context)


@door.get("/analytics/sla", may=Permission.ANALYTICS_READ)
async def get_sla(query: Annotated[SlaQuery, Query()], uow: Uow) -> SlaStateView:
    """How it stands with the slas of executions that started in a span, and which open ones are due first."""
    since, until = utc(query.since), utc(query.until)
    return sla_state_view(await usecases.sla_state(query.workflow, since, until, query.bucket, query.limit, uow))


async def _listed(wanted: Filter, page: Paging, uow: UnitOfWork, context: ServiceContext) -> Listing[ExecutionSummary]:
    common = await context.part(CommonWords).known() if wanted.q else listing.NO_WORDS
    rows = await listing.listed(uow, wanted, after=page.after, limit=page.limit + 1, common=common)
    children = await listing.children(uow, [row.id for row in rows])
    return page.listing(rows, view=lambda row: schemas.summary(row, children.get(row.id, ())), key=lambda row: (row.started_at, row.id))


def _me(uow: UnitOfWork) -> str:
    return cast(Caller, uow.caller).sub


def _hours(query: WalkQuery, now: datetime) -> Window:
    return window(query.since, query.until, "day", now, timedelta(0))


def _window(query: WindowQuery, now: datetime, context: ServiceContext) -> Window:
    kept = timedelta(days=cast(Settings, context.settings).minutes_kept_days)
    return window(query.since, query.until, query.bucket, now, kept)
