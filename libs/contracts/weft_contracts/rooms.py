"""Who hears and who says what: the map of the mesh. Data only; a test holds it to each room's door plate and code."""

from __future__ import annotations

from dataclasses import dataclass

from weft_contracts.activities import ActivityAccepted, ActivityCompleted, ActivityFailed, ActivityHeartbeat, ActivityRequested
from weft_contracts.ai import AiCalled, BudgetChanged
from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.audit import RecordAudit
from weft_contracts.calendars import CalendarChanged
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged, WorkflowDrafted, WorkflowInstalled
from weft_contracts.directory import TenantChanged, UserChanged
from weft_contracts.executions import (
    AdmitExecution,
    CancelExecution,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionsForgotten,
    ExecutionSkipped,
    ExecutionStarted,
    ExecutionTimedOut,
    ExecutionWaiting,
    PauseExecution,
    ResumeExecution,
    RetryExecution,
    SignalExecution,
    SkipExecution,
    StartExecution,
    StartRejected,
)
from weft_contracts.message import Message
from weft_contracts.migrations import MigrateExecution, UndoMigration
from weft_contracts.notifications import NotificationCreated, NotificationsRead, SendNotification
from weft_contracts.questions import BacktestTriggers, DefinitionSimulated, SimulateDefinition, TriggersBacktested
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned
from weft_contracts.subscriptions import CloseSubscription, OpenSubscription
from weft_contracts.tasks import (
    CancelTask,
    CreateTask,
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
from weft_contracts.waits import CompleteStep, DeliverEvent, FailStep

Words = tuple[type[Message], ...]

_EXECUTION_ENDS: Words = (ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled)
_EXECUTION_FACTS: Words = (ExecutionQueued, ExecutionStarted, ExecutionWaiting, ExecutionPaused, ExecutionResumed, *_EXECUTION_ENDS)
_SLA_FACTS: Words = (ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached)
_REFUSED_STARTS: Words = (ExecutionSkipped, StartRejected)
_TASK_MOVES: Words = (TaskClaimed, TaskReleased, TaskReassigned, TaskDelegated, TaskEscalated, TaskDecided)
_TASK_FACTS: Words = (TaskCreated, *_TASK_MOVES, TaskCompleted, TaskCancelled, TaskExpired)
_ASKED_OF_TASKS: Words = (CreateTask, CancelTask, SendNotification)
_EXECUTIONS_OF_TASKS: Words = (ExecutionPaused, ExecutionResumed, ExecutionFailed, ExecutionTimedOut, ExecutionsForgotten)
_NOTIFICATION_FACTS: Words = (NotificationCreated, NotificationsRead)
_ALERTS: Words = (AlertRaised, AlertResolved)
_ANSWERS: Words = (ActivityAccepted, ActivityHeartbeat, ActivityCompleted, ActivityFailed)
_CONNECTION_FACTS: Words = (ConnectionSaved, ConnectionRemoved, ConnectionSuspended, ConnectionResumed)
_SUBSCRIBING: Words = (OpenSubscription, CloseSubscription)
_GATES: Words = (AdmitExecution, SkipExecution)
_ANSWERED: Words = (DefinitionSimulated, TriggersBacktested)
_OPERATING: Words = (CancelExecution, PauseExecution, ResumeExecution, RetryExecution, MigrateExecution, UndoMigration)
_PARTITION_COMMANDS: Words = (StartExecution, *_GATES, *_OPERATING, SignalExecution, CompleteStep, FailStep)


@dataclass(frozen=True, slots=True)
class Room:
    """The ears and the mouth of one room. A worker, the mesh's own or a tenant's, is a room too."""

    hears: Words
    says: Words


ROOMS: dict[str, Room] = {
    "gateway": Room(
        hears=(*_EXECUTION_FACTS, *_SLA_FACTS, *_REFUSED_STARTS, *_TASK_FACTS, TaskReminded, *_NOTIFICATION_FACTS, *_ALERTS),
        says=(TenantChanged, UserChanged, RecordAudit),
    ),
    "definitions": Room(
        hears=(WorkflowInstalled, ConnectionSaved, ConnectionRemoved, ExecutionStarted, *_EXECUTION_ENDS, *_ANSWERED),
        says=(WorkflowChanged, WorkflowDrafted, SimulateDefinition, BacktestTriggers, RecordAudit),
    ),
    "engine": Room(
        hears=(
            WorkflowChanged,
            WorkflowDrafted,
            TenantChanged,
            CalendarChanged,
            BudgetChanged,
            SimulateDefinition,
            *_PARTITION_COMMANDS,
            DeliverEvent,
            *_ANSWERS,
        ),
        says=(
            WorkflowInstalled,
            DefinitionSimulated,
            *_PARTITION_COMMANDS,
            ActivityRequested,
            *_ASKED_OF_TASKS,
            *_SUBSCRIBING,
            *_EXECUTION_FACTS,
            *_SLA_FACTS,
            ExecutionsForgotten,
            *_CONNECTION_FACTS,
            *_REFUSED_STARTS,
            AiCalled,
            RecordAudit,
        ),
    ),
    "events": Room(
        hears=(WorkflowChanged, TenantChanged, CalendarChanged, BacktestTriggers, *_CONNECTION_FACTS, *_REFUSED_STARTS, *_SUBSCRIBING),
        says=(WorkflowInstalled, StartExecution, DeliverEvent, TriggersBacktested, RecordAudit),
    ),
    "tasks": Room(
        hears=(
            *_ASKED_OF_TASKS,
            *_EXECUTIONS_OF_TASKS,
            *(UserChanged, WorkflowChanged),
            *_CONNECTION_FACTS,
            *_ANSWERS,
        ),
        says=(
            *_TASK_FACTS,
            TaskReminded,
            *_NOTIFICATION_FACTS,
            *(CompleteStep, FailStep, ActivityCompleted, ActivityFailed),
            *(ActivityRequested, CalendarChanged, RecordAudit),
        ),
    ),
    "analytics": Room(
        hears=(
            WorkflowChanged,
            *_EXECUTION_FACTS,
            *_SLA_FACTS,
            ExecutionsForgotten,
            *_TASK_FACTS,
            *_CONNECTION_FACTS,
            CalendarChanged,
            TenantChanged,
            UserChanged,
            AiCalled,
            RecordAudit,
        ),
        says=(*_ALERTS, BudgetChanged, RecordAudit),
    ),
    "worker": Room(hears=(ActivityRequested,), says=_ANSWERS),
}
"""Every room by its name, which is also the queue's: `<name>.inbox`; a worker listens at `work.<pool>`."""
