"""Acting on executions: each route sends a command to the partition that owns one, and waits for its answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body as FromBody
from weft_contracts.executions import CancelExecution, PauseExecution, ResumeExecution, RetryExecution, SignalExecution
from weft_runtime.auth import Permission
from weft_runtime.clock import new_id
from weft_runtime.http import Context, Reply, Uow

from weft_engine import usecases
from weft_engine.api.answers import answered
from weft_engine.api.executions import get_execution
from weft_engine.api.routes import door
from weft_engine.programs import ProgramCache
from weft_engine.schemas import ReasonBody, RetryBody, SignalBody, SignalView, Started

Command = CancelExecution | PauseExecution | ResumeExecution | RetryExecution


@door.post("/executions/{execution_id}/cancel", may=Permission.EXECUTIONS_OPERATE)
async def cancel(execution_id: UUID, uow: Uow, context: Context, body: ReasonBody | None = None) -> Reply[Any]:
    """End an execution with its children, tasks, timers and activities; answered when that is durable."""
    command = CancelExecution(execution_id=execution_id, reason=_reason(body), user=_user(uow), answer_id=new_id())
    return await _act(command, "cancelling", uow, context)


@door.post("/workflows/executions/{execution_id}/cancel", may=Permission.EXECUTIONS_OPERATE)
async def cancel_workflow_execution(execution_id: UUID, uow: Uow, context: Context, body: ReasonBody | None = None) -> Reply[Any]:
    """The same, at the address that lists of workflows link to."""
    return await cancel(execution_id, uow, context, body)


@door.post("/executions/{execution_id}/pause", may=Permission.EXECUTIONS_OPERATE)
async def pause(execution_id: UUID, uow: Uow, context: Context, body: ReasonBody | None = None) -> Reply[Any]:
    """Let an execution rest: what comes is kept in order, time stands still, children and tasks follow; answered when that is durable."""
    command = PauseExecution(execution_id=execution_id, reason=_reason(body), user=_user(uow), answer_id=new_id())
    return await _act(command, "pausing", uow, context)


@door.post("/executions/{execution_id}/resume", may=Permission.EXECUTIONS_OPERATE)
async def resume(execution_id: UUID, uow: Uow, context: Context) -> Reply[Any]:
    """End a pause: deadlines are put off by its length, then what was kept happens; answered when that is durable."""
    command = ResumeExecution(execution_id=execution_id, user=_user(uow), answer_id=new_id())
    return await _act(command, "resuming", uow, context)


@door.post("/executions/{execution_id}/retry", may=Permission.EXECUTIONS_OPERATE)
async def retry(execution_id: UUID, uow: Uow, context: Context, body: RetryBody | None = None) -> Reply[Any]:
    """Go on from the failed or an earlier node, with other input or another version where given; answered when that is durable.

    Where the workflow or the tenant bounds how many live, it waits for its turn as a start does: 202, and `queued`.
    """
    asked = body or RetryBody()
    if asked.version is not None:
        found = await usecases.find_execution(execution_id, uow)
        await usecases.program_of(uow, context.part(ProgramCache), found.workflow, asked.version)
    command = RetryExecution(
        execution_id=execution_id,
        node=asked.from_,
        input=asked.input,
        workflow_version=asked.version,
        effects=asked.effects,
        user=_user(uow),
        answer_id=new_id(),
    )
    return await _act(command, "retrying", uow, context)


def _reason(body: ReasonBody | None) -> str | None:
    return body.reason if body else None


def _user(uow: Uow) -> str | None:
    return uow.caller.sub if uow.caller else None


async def _act(command: Command, status: str, uow: Uow, context: Context) -> Reply[Any]:
    """Send a command and answer with the execution as it is then; 202 with `status` when the partition takes longer than that."""
    await usecases.ask_execution(command, uow)
    tenant = uow.tenant

    async def done() -> Reply[Any] | None:
        answer = None if command.answer_id is None else await answered(context, tenant, command.answer_id)
        if answer is None:
            return None
        async with context.transaction(tenant) as reading:
            shown = await get_execution(command.execution_id, reading)
        # What waits to be let in is accepted, and not done yet.
        return replace(shown, status=202) if (answer.get("body") or {}).get("status") == "queued" else shown

    return Reply(Started(execution_id=command.execution_id, status=status), status=202, then=done)


@door.post("/executions/{execution_id}/signals/{name}", may=Permission.EXECUTIONS_OPERATE, status=202)
async def signal(
    execution_id: UUID, name: str, uow: Uow, context: Context, body: Annotated[Any, FromBody(description=SignalBody.__doc__)] = None
) -> Reply[SignalView]:
    """Bring a named signal to an execution: delivered, kept until a node waits for it, or refused with the reason."""
    answer_id = new_id()
    asked = SignalBody.read(body)
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

    async def told() -> Reply[Any] | None:
        answer = await answered(context, tenant, answer_id)
        if answer is None:
            return None
        status = str((answer.get("body") or {}).get("status", "delivered"))
        return Reply(SignalView(execution_id=execution_id, signal=name, status=status))

    return Reply(SignalView(execution_id=execution_id, signal=name, status="accepted"), then=told)
