"""Reading what happened and why: any moment of an execution, its choices, its effects on the outside."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Context, Listing, Page, Uow

from weft_engine import standing, usecases, views
from weft_engine.api.routes import door
from weft_engine.core.evolve import flat
from weft_engine.core.explaining import versions
from weft_engine.core.selecting import Only
from weft_engine.core.state import State
from weft_engine.errors import PositionNotFound
from weft_engine.programs import ProgramCache
from weft_engine.schemas import EffectView, ExplanationView, StateView
from weft_engine.store import suspensions
from weft_engine.store.quotas import standings


@door.get("/executions/{execution_id}/state", may=Permission.EXECUTIONS_READ)
async def get_state(
    execution_id: UUID,
    uow: Uow,
    at: Annotated[
        int | None, Query(ge=0, le=2**31 - 1, description="After the entry at this position of the journal; after the last when absent.")
    ] = None,
) -> StateView:
    """The state at any position, told by the journal."""
    found = await usecases.find_execution(execution_id, uow)
    view = await asyncio.to_thread(views.state_view, execution_id, found.rows, at)
    if view is None and at is None:
        return views.unbegun(State(execution_id, uow.tenant, found.workflow, found.version, status=found.status), uow.now)
    if view is None:
        raise PositionNotFound(execution_id, at, sum(len(row.entries) for row in found.rows) - 1)
    return view


@door.get("/executions/{execution_id}/explain", may=Permission.EXECUTIONS_READ)
async def explain(
    execution_id: UUID,
    uow: Uow,
    context: Context,
    node: Annotated[str | None, Query(max_length=64, description="Choices of this node alone.")] = None,
    scope: Annotated[str | None, Query(max_length=1000, description="Choices in this scope alone, such as `each[17]`.")] = None,
) -> ExplanationView:
    """Why it is where it is: what it waits for, and each condition on the way with the values it saw.

    Of more than some 1,000 choices the first and the newest of each node are shown; `left_out` tells of the others, and `node` and `scope`
    ask for them.
    """
    found = await usecases.find_execution(execution_id, uow)
    programs = {
        version: await usecases.program_of(uow, context.part(ProgramCache), found.workflow, version)
        for version in versions(flat(found.rows)) | {found.version}
    }
    tenant = await usecases.read_tenant(uow)
    calendars = await usecases.read_calendars(programs.values(), uow)
    gates = standing.gate_views(await standings(uow, execution_id), tenant)
    held_up = standing.suspensions_in_words(await suspensions.holding(uow))
    # A long journal takes seconds, in which others want to be answered.
    only = Only(node, scope)
    missing = await usecases.not_published(found.rows, uow)
    shown = views.explanation_view
    return await asyncio.to_thread(shown, execution_id, found.rows, programs, tenant, calendars, gates, held_up, only, missing)


@door.get("/executions/{execution_id}/effects", may=Permission.EXECUTIONS_READ)
async def get_effects(execution_id: UUID, page: Page, uow: Uow) -> Listing[EffectView]:
    """Every effect on the outside with its key, the hash of what was asked and its receipt, in the order of asking.

    All of them, unless a page is asked for.
    """
    found = await usecases.find_execution(execution_id, uow)
    return page.of(await asyncio.to_thread(views.effect_views, execution_id, found.rows))
