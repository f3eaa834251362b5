"""Starting executions and reading them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query
from weft_contracts.executions import StartExecution, TriggerInfo
from weft_runtime.auth import Caller, Permission
from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Listing, Page, Reply, Uow

from weft_engine import domain, usecases, views
from weft_engine.api.answers import poll
from weft_engine.api.routes import door
from weft_engine.programs import ProgramCache
from weft_engine.schemas import EntryView, ExecutionView, Started, StepView, TriggerBody

LONGEST_WAIT_S: Final = 30.0


@door.post("/workflows/{slug}/trigger", may=Permission.EXECUTIONS_START, status=202)
async def trigger(
    slug: str,
    uow: Uow,
    context: Context,
    body: TriggerBody | None = None,
    wait: Annotated[
        str | None, Query(max_length=20, description="Answer with the finished execution when it ends within, such as `5s`.")
    ] = None,
) -> Reply[Started | ExecutionView]:
    """Start an execution by hand; it is accepted for good when this answers."""
    asked = body or TriggerBody()
    wait_s = domain.wait_seconds(wait, LONGEST_WAIT_S)
    start = StartExecution(
        execution_id=new_id(),
        workflow=slug,
        workflow_version=asked.version,
        input=asked.input,
        trigger=_by_hand(uow.caller, asked.input, uow.now),
        key=asked.key,
        labels=asked.labels,
        requested_at=uow.now,
    )
    await usecases.start_execution(start, context.part(ProgramCache), context.settings.partitions, uow)
    where = {"Location": f"/api/v1/executions/{start.execution_id}"}

    async def finished() -> Reply[Any]:
        view = await poll(wait_s, lambda: _ended(context, uow.tenant, start.execution_id))
        if view is not None:
            return Reply(view, status=200)
        async with context.transaction(uow.tenant) as reading:
            found = await usecases.find_execution(start.execution_id, reading)
        return Reply(Started(execution_id=found.id, status=found.status), headers=where, status=202)

    return Reply(Started(execution_id=start.execution_id, status="queued"), headers=where, then=finished if wait_s else None)


def _by_hand(caller: Caller | None, payload: dict[str, Any], now: Any) -> TriggerInfo:
    if caller is None:
        return TriggerInfo(type="manual", payload=payload, time=now)
    user = {"id": caller.sub, "email": caller.email, "roles": list(caller.roles)} | ({"owner": caller.owner} if caller.owner else {})
    return TriggerInfo(type="manual", payload=payload, time=now, user=user, request={"id": caller.request_id, "ip": caller.ip})


@door.get("/executions/{execution_id}", may=Permission.EXECUTIONS_READ)
async def get_execution(execution_id: UUID, uow: Uow) -> Reply[ExecutionView]:
    """An execution, whole."""
    found = await usecases.find_execution(execution_id, uow)
    view = views.execution_view(found.id, found.workflow, found.version, found.status, found.rows)
    return Reply(view, etag=str(sum(len(row.entries) for row in found.rows)))


@door.get("/workflows/executions/{execution_id}", may=Permission.EXECUTIONS_READ)
async def get_workflow_execution(execution_id: UUID, uow: Uow) -> Reply[ExecutionView]:
    """The same, at the address that lists of workflows link to."""
    return await get_execution(execution_id, uow)


@door.get("/executions/{execution_id}/steps", may=Permission.EXECUTIONS_READ)
async def get_steps(execution_id: UUID, page: Page, uow: Uow, context: Context) -> Listing[StepView]:
    """Every visit of every node, in the order in which they began; all of them, unless a page is asked for."""
    found = await usecases.find_execution(execution_id, uow)
    program = await usecases.program_of(uow, context.part(ProgramCache), found.workflow, found.version) if found.rows else None
    return page.of(await asyncio.to_thread(views.step_views, found.id, found.rows, program))


@door.get("/executions/{execution_id}/history", may=Permission.EXECUTIONS_READ)
async def get_history(execution_id: UUID, page: Page, uow: Uow) -> Listing[EntryView]:
    """The journal, oldest entry first."""
    after = int(page.after[0]) if page.after is not None else -1
    entries = await usecases.read_history(execution_id, after, page.limit + 1, uow)
    return page.listing(entries, view=lambda found: views.entry_view(*found), key=lambda found: (found[0],))


async def _ended(context: ServiceContext, tenant: str, execution_id: UUID) -> ExecutionView | None:
    async with context.transaction(tenant) as uow:
        if not await usecases.has_ended(execution_id, uow):
            return None
        found = await usecases.find_execution(execution_id, uow)
        return views.execution_view(found.id, found.workflow, found.version, found.status, found.rows)
