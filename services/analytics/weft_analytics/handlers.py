"""The message door."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.ai import AiCalled
from weft_contracts.audit import RecordAudit
from weft_contracts.calendars import CalendarChanged
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged, UserChanged
from weft_contracts.executions import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionsForgotten,
    ExecutionStarted,
    ExecutionTimedOut,
    ExecutionWaiting,
)
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned
from weft_contracts.tasks import (
    TaskCancelled,
    TaskClaimed,
    TaskCompleted,
    TaskCreated,
    TaskDecided,
    TaskDelegated,
    TaskEscalated,
    TaskExpired,
    TaskReassigned,
    TaskReleased,
)
from weft_runtime.pipeline import Handlers
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_analytics import domain, service_levels, tasks, usecases
from weft_analytics.usecases import audit, costs

GATHER_S = 0.03
"""Nobody waits for the read model, and a transaction for each fact would take more of the machine than the engine."""

on = Handlers("analytics", gather_s=GATHER_S)


@on.batch(
    ExecutionQueued,
    ExecutionStarted,
    ExecutionWaiting,
    ExecutionPaused,
    ExecutionResumed,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionTimedOut,
    ExecutionCancelled,
    repeatable=True,
)
async def executions(heard: Sequence[Heard[domain.Fact]], uow: UnitOfWork) -> None:
    """Keep executions and their numbers."""
    await usecases.hear_executions(heard, uow)


@on.batch(
    TaskCreated,
    TaskClaimed,
    TaskReleased,
    TaskReassigned,
    TaskDelegated,
    TaskEscalated,
    TaskDecided,
    TaskCompleted,
    TaskCancelled,
    TaskExpired,
    repeatable=True,
)
async def task_facts(heard: Sequence[Heard[tasks.Fact]], uow: UnitOfWork) -> None:
    """Keep the numbers of tasks."""
    await usecases.hear_tasks(heard, uow)


@on.batch(ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached, repeatable=True)
async def sla_facts(heard: Sequence[Heard[service_levels.Fact]], uow: UnitOfWork) -> None:
    """Keep when executions are due, and whether they are late."""
    await usecases.hear_service_levels(heard, uow)


@on.batch(AiCalled, repeatable=True)
async def models_called(heard: Sequence[Heard[AiCalled]], uow: UnitOfWork) -> None:
    """Keep what models cost."""
    await costs.hear(heard, uow)


@on.batch(RecordAudit, repeatable=True)
async def record_audit(heard: Sequence[Heard[RecordAudit]], uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.record(heard, uow)


@on(ConnectionSaved)
async def connection_saved(msg: ConnectionSaved, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(uow.tenant, msg)], uow)


@on(ConnectionRemoved)
async def connection_removed(msg: ConnectionRemoved, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(uow.tenant, msg)], uow)


@on(ConnectionSuspended)
async def connection_suspended(msg: ConnectionSuspended, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(uow.tenant, msg)], uow)


@on(ConnectionResumed)
async def connection_resumed(msg: ConnectionResumed, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(uow.tenant, msg)], uow)


@on(CalendarChanged)
async def calendar_changed(msg: CalendarChanged, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(uow.tenant, msg)], uow)


@on(TenantChanged)
async def tenant_changed(msg: TenantChanged, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(msg.tenant, msg)], uow)


@on(UserChanged)
async def user_changed(msg: UserChanged, uow: UnitOfWork) -> None:
    """Tell who did it."""
    await audit.hear([(uow.tenant, msg)], uow)


@on(ExecutionsForgotten)
async def executions_forgotten(msg: ExecutionsForgotten, uow: UnitOfWork) -> None:
    """Take them off the list. The numbers stay."""
    await usecases.forget_executions(msg.execution_ids, uow)


@on(WorkflowChanged)
async def workflow_changed(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep its name, and who changed it."""
    await usecases.keep_workflow(msg, uow)
