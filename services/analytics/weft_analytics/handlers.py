"""The message door."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.definitions import WorkflowChanged
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


@on(ExecutionsForgotten)
async def executions_forgotten(msg: ExecutionsForgotten, uow: UnitOfWork) -> None:
    """Take them off the list. The numbers stay."""
    await usecases.forget_executions(msg.execution_ids, uow)


@on(WorkflowChanged)
async def workflow_changed(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep its name."""
    await usecases.keep_workflow(msg, uow)
