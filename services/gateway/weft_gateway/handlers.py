"""The message door: what is heard goes into the live feed."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.executions import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionSkipped,
    ExecutionStarted,
    ExecutionTimedOut,
    ExecutionWaiting,
    StartRejected,
)
from weft_contracts.message import Message
from weft_contracts.notifications import NotificationCreated, NotificationsRead
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
    TaskReminded,
)
from weft_runtime.pipeline import Handlers
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_gateway import feeding

on = Handlers("gateway")


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
    ExecutionSkipped,
    StartRejected,
    ExecutionSlaSet,
    ExecutionSlaWarned,
    ExecutionSlaBreached,
    TaskCreated,
    TaskClaimed,
    TaskReleased,
    TaskReassigned,
    TaskDelegated,
    TaskEscalated,
    TaskDecided,
    TaskReminded,
    TaskCompleted,
    TaskCancelled,
    TaskExpired,
    NotificationCreated,
    NotificationsRead,
    AlertRaised,
    AlertResolved,
)
async def facts(heard: Sequence[Heard[Message]], uow: UnitOfWork) -> None:
    """Keep them for whoever watches."""
    await feeding.keep([(one.tenant, one.message) for one in heard], uow)
