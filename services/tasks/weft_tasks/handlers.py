"""The message door."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.activities import ActivityAccepted, ActivityCompleted, ActivityFailed, ActivityHeartbeat
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import UserChanged
from weft_contracts.executions import ExecutionFailed, ExecutionPaused, ExecutionResumed, ExecutionsForgotten, ExecutionTimedOut
from weft_contracts.notifications import SendNotification
from weft_contracts.tasks import CancelTask, CreateTask
from weft_runtime.pipeline import Handlers
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_tasks import usecases
from weft_tasks.notifications import sending
from weft_tasks.notifications import verbs as notifications

on = Handlers("tasks")


@on(CreateTask)
async def create_task(msg: CreateTask, uow: UnitOfWork) -> None:
    """Put work before a person."""
    await usecases.create_task(msg, uow)


@on(CancelTask)
async def cancel_task(msg: CancelTask, uow: UnitOfWork) -> None:
    """Take it back."""
    await usecases.cancel_task(msg, uow)


@on.batch(ExecutionPaused, ExecutionResumed, repeatable=True)
async def pauses(heard: Sequence[Heard[ExecutionPaused | ExecutionResumed]], uow: UnitOfWork) -> None:
    """Let tasks rest with their executions. Most only wake up, which the inbox need not remember, nor what is kept by its position."""
    await usecases.follow_pauses(heard, uow)


@on(ExecutionsForgotten)
async def executions_forgotten(msg: ExecutionsForgotten, uow: UnitOfWork) -> None:
    """Forget their tasks."""
    await usecases.forget_executions(msg.execution_ids, uow)


@on(UserChanged)
async def user_changed(msg: UserChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a person."""
    await usecases.keep_person(msg, uow)


@on(WorkflowChanged)
async def workflow_changed(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep whose a workflow is."""
    await notifications.own_workflow(msg, uow)


@on(SendNotification)
async def send_notification(msg: SendNotification, uow: UnitOfWork) -> None:
    """Tell people what a workflow says."""
    await notifications.send(msg, uow)


@on(ExecutionFailed)
async def execution_failed(msg: ExecutionFailed, uow: UnitOfWork) -> None:
    """Tell whose it is."""
    await notifications.tell_of_failure(msg, uow)


@on(ExecutionTimedOut)
async def execution_timed_out(msg: ExecutionTimedOut, uow: UnitOfWork) -> None:
    """Tell whose it is."""
    await notifications.tell_of_failure(msg, uow)


@on(ActivityCompleted)
async def activity_completed(msg: ActivityCompleted, uow: UnitOfWork) -> None:
    """A worker has sent a message."""
    await sending.answered(msg, uow)


@on(ActivityFailed)
async def activity_failed(msg: ActivityFailed, uow: UnitOfWork) -> None:
    """A worker could not send a message."""
    await sending.answered(msg, uow)


@on(ActivityAccepted)
async def activity_accepted(msg: ActivityAccepted, uow: UnitOfWork) -> None:
    """A worker has a message in hand."""
    await sending.answered(msg, uow)


@on(ActivityHeartbeat)
async def activity_heartbeat(msg: ActivityHeartbeat, uow: UnitOfWork) -> None:
    """A worker still has a message in hand."""
    await sending.answered(msg, uow)


@on(ConnectionSaved)
async def connection_saved(msg: ConnectionSaved, uow: UnitOfWork) -> None:
    """Keep a connection by which notifications are sent."""
    await notifications.keep_connection(msg, uow)


@on(ConnectionRemoved)
async def connection_removed(msg: ConnectionRemoved, uow: UnitOfWork) -> None:
    """Send no more by it."""
    await notifications.keep_connection(msg, uow)


@on(ConnectionSuspended)
async def connection_suspended(msg: ConnectionSuspended, uow: UnitOfWork) -> None:
    """Send nothing by it for now."""
    await notifications.hold_connection(msg, uow)


@on(ConnectionResumed)
async def connection_resumed(msg: ConnectionResumed, uow: UnitOfWork) -> None:
    """Send by it again."""
    await notifications.hold_connection(msg, uow)
