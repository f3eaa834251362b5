"""The engine's HTTP door: start executions, read them, act on them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import Query
from weft_contracts.executions import CancelExecution, SignalExecution, StartExecution, TriggerInfo
from weft_runtime.auth import Caller, Permission
from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Door, Listing, Page, Reply, Uow

from weft_engine import domain, usecases
from weft_engine.programs import ProgramCache
from weft_engine.schemas import CancelBody, EntryView, ExecutionView, SignalBody, SignalView, Started, StepView, TriggerBody

ANSWER_S: Final = 10.0
"""How long a route waits for a partition's answer; then it says that the request stands."""
LONGEST_WAIT_S: Final = 30.0
FIRST_LOOK_S: Final = 0.004
LAST_LOOK_S: Final = 0.1

FoundT = TypeVar("FoundT")

door = Door("engine")


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
    accepted = Started(execution_id=start.execution_id, status="queued")

    async def finished() -> Reply[Any] | None:
        view = await _poll(wait_s, lambda: _ended(context, uow.tenant, start.execution_id))
        return Reply(view, status=200) if view is not None else None

    return Reply(accepted, headers={"Location": f"/api/v1/executions/{start.execution_id}"}, then=finished if wait_s else None)


def _by_hand(caller: Caller | None, payload: dict[str, Any], now: Any) -> TriggerInfo:
    if caller is None:
        return TriggerInfo(type="manual", payload=payload, time=now)
    user = {"id": caller.sub, "email": caller.email, "roles": list(caller.roles)}
    return TriggerInfo(type="manual", payload=payload, time=now, user=user, request={"id": caller.request_id, "ip": caller.ip})


@door.get("/executions/{execution_id}", may=Permission.EXECUTIONS_READ)
async def get_execution(execution_id: UUID, uow: Uow) -> Reply[ExecutionView]:
    """An execution, whole."""
    found = await usecases.find_execution(execution_id, uow)
    view = domain.execution_view(found.id, found.workflow, found.version, found.status, found.rows)
    return Reply(view, etag=str(sum(len(row.entries) for row in found.rows)))


@door.get("/workflows/executions/{execution_id}", may=Permission.EXECUTIONS_READ)
async def get_workflow_execution(execution_id: UUID, uow: Uow) -> Reply[ExecutionView]:
    """The same, at the address that lists of workflows link to."""
    return await get_execution(execution_id, uow)


@door.get("/executions/{execution_id}/steps", may=Permission.EXECUTIONS_READ)
async def get_steps(execution_id: UUID, uow: Uow, context: Context) -> Listing[StepView]:
    """Every visit of every node, in the order in which they began."""
    found = await usecases.find_execution(execution_id, uow)
    program = await usecases.program_of(uow, context.part(ProgramCache), found.workflow, found.version) if found.rows else None
    return Listing(items=domain.step_views(found.id, found.rows, program))


@door.get("/executions/{execution_id}/history", may=Permission.EXECUTIONS_READ)
async def get_history(execution_id: UUID, page: Page, uow: Uow) -> Listing[EntryView]:
    """The journal, oldest entry first."""
    after = int(page.after[0]) if page.after is not None else -1
    entries = await usecases.read_history(execution_id, after, page.limit + 1, uow)
    return page.listing(entries, view=lambda found: domain.entry_view(*found), key=lambda found: (found[0],))


@door.post("/executions/{execution_id}/cancel", may=Permission.EXECUTIONS_OPERATE)
async def cancel(execution_id: UUID, uow: Uow, context: Context, body: CancelBody | None = None) -> Reply[Any]:
    """End an execution with its tasks, timers and activities; answered when that is durable."""
    answer_id = new_id()
    user = uow.caller.sub if uow.caller else None
    command = CancelExecution(execution_id=execution_id, reason=body.reason if body else None, user=user, answer_id=answer_id)
    await usecases.ask_execution(command, uow)
    tenant = uow.tenant

    async def cancelled() -> Reply[Any] | None:
        if await _answered(context, tenant, answer_id) is None:
            return None
        async with context.transaction(tenant) as reading:
            return await get_execution(execution_id, reading)

    return Reply(Started(execution_id=execution_id, status="cancelling"), status=202, then=cancelled)


@door.post("/workflows/executions/{execution_id}/cancel", may=Permission.EXECUTIONS_OPERATE)
async def cancel_workflow_execution(execution_id: UUID, uow: Uow, context: Context, body: CancelBody | None = None) -> Reply[Any]:
    """The same, at the address that lists of workflows link to."""
    return await cancel(execution_id, uow, context, body)


@door.post("/executions/{execution_id}/signals/{name}", may=Permission.EXECUTIONS_OPERATE, status=202)
async def signal(execution_id: UUID, name: str, uow: Uow, context: Context, body: SignalBody | None = None) -> Reply[SignalView]:
    """Bring a named signal to an execution: delivered, kept until a node waits for it, or refused with the reason."""
    answer_id = new_id()
    asked = body or SignalBody()
    caller = uow.caller
    user = {"id": caller.sub, "email": caller.email, "roles": list(caller.roles)} if caller else None
    command = SignalExecution(
        execution_id=execution_id,
        signal_id=asked.signal_id or str(answer_id),
        name=name,
        payload=asked.payload,
        user=user,
        answer_id=answer_id,
    )
    await usecases.ask_execution(command, uow)
    tenant = uow.tenant

    async def answered() -> Reply[Any] | None:
        answer = await _answered(context, tenant, answer_id)
        if answer is None:
            return None
        status = str((answer.get("body") or {}).get("status", "delivered"))
        return Reply(SignalView(execution_id=execution_id, signal=name, status=status))

    return Reply(SignalView(execution_id=execution_id, signal=name, status="accepted"), then=answered)


async def _answered(context: ServiceContext, tenant: str, answer_id: UUID) -> dict[str, Any] | None:
    """What the partition answered; None when it has not within `ANSWER_S`: the request stands all the same. Raises: Refused."""

    async def look() -> tuple[int, dict[str, Any]] | None:
        async with context.transaction(tenant) as uow:
            return await usecases.read_answer(answer_id, uow)

    found = await _poll(ANSWER_S, look)
    if found is None:
        return None
    refusal = domain.refusal(*found)
    if refusal is not None:
        raise refusal
    return found[1]


async def _ended(context: ServiceContext, tenant: str, execution_id: UUID) -> ExecutionView | None:
    async with context.transaction(tenant) as uow:
        if not await usecases.has_ended(execution_id, uow):
            return None
        found = await usecases.find_execution(execution_id, uow)
        return domain.execution_view(found.id, found.workflow, found.version, found.status, found.rows)


async def _poll(wait_s: float, look: Callable[[], Awaitable[FoundT | None]]) -> FoundT | None:
    """What `look` finds within that time, None when it finds nothing. It looks ever more seldom."""
    loop = asyncio.get_running_loop()
    until, pause_s = loop.time() + wait_s, FIRST_LOOK_S
    while (found := await look()) is None and loop.time() < until:
        await asyncio.sleep(min(pause_s, max(0.0, until - loop.time())))
        pause_s = min(pause_s * 1.5, LAST_LOOK_S)
    return found
