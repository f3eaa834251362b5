"""What the engine hears and says about executions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_contracts.message import Event, PartitionCommand

ALLOWED_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "queued": ("cancel", "pause"),
    "running": ("cancel", "pause"),
    "waiting": ("cancel", "pause"),
    "paused": ("cancel", "resume"),
    "completed": (),
    "failed": ("retry",),
    "cancelled": (),
    "timed_out": ("retry",),
}
"""What a person may do with an execution, by its status: what the engine's lifecycle allows, for who shows executions without having it."""


class Failure(BaseModel):
    """An error as a value: what the definition language calls an error."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str
    message: str
    node: str | None = None
    attempt: int | None = None
    permanent: bool = False
    details: dict[str, Any] | None = None


class TriggerInfo(BaseModel):
    """What started an execution; what expressions read as `trigger`.

    type: `event`, `schedule`, `webhook`, `manual`, `call`.  id: the trigger's id in the definition.
    payload: the event's data, the webhook's or form's body.
    event: the CloudEvents attributes of the event, of a schedule those of its firing.  time: of the event, of a schedule its due time.
    user: {id, email, roles} of the person.  request: {id, ip, user_agent}, of a webhook {method, path, query, headers}.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: str
    id: str | None = None
    event_id: str | None = None
    payload: Any = None
    event: dict[str, Any] | None = None
    time: datetime | None = None
    user: dict[str, Any] | None = None
    request: dict[str, Any] | None = None


class Caller(BaseModel):
    """The step of another execution that called one.

    depth: how many executions call one another in a row, this one counted.  wait: whether the step waits for the end.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    depth: int = Field(ge=1)
    wait: bool = True


class StartExecution(PartitionCommand):
    """Start an execution of a workflow. The id is chosen by the sender, so a repeat collapses on it."""

    type, version = "execution.start", 1
    execution_id: UUID
    workflow: str
    workflow_version: int | None = Field(default=None, description="The active version when absent.")
    input: dict[str, Any] = Field(default_factory=dict)
    trigger: TriggerInfo = TriggerInfo(type="manual")
    key: str | None = Field(default=None, description="At most one live execution of the workflow per key.")
    labels: dict[str, str] = Field(default_factory=dict)
    priority: int | None = Field(default=None, ge=0, le=9)
    requested_at: datetime | None = None
    caller: Caller | None = Field(default=None, description="The step that called it, where it is a child.")
    correlated: bool = Field(default=False, description="Where an execution lives with the key, the event is brought to it instead.")
    passed: tuple[str, ...] = Field(default=(), description="Gates of the tenant that it was let through when it was accepted.")


class AdmitExecution(PartitionCommand):
    """Let an execution begin that waited because of how many live: there is room for it now. Said by the engine to itself."""

    type, version = "execution.admit", 1
    execution_id: UUID
    gates: tuple[str, ...] = Field(default=(), description="Of one that has begun: what holds it up no longer; all where none are named.")


class SkipExecution(PartitionCommand):
    """Give up an execution that waited because of how many live, where its workflow asks to be skipped then."""

    type, version = "execution.skip", 1
    execution_id: UUID
    live_execution_id: UUID


class CancelExecution(PartitionCommand):
    """End an execution now: its tasks, timers and activities are cancelled with it."""

    type, version = "execution.cancel", 1
    execution_id: UUID
    reason: str | None = None
    user: str | None = None
    answer_id: UUID | None = Field(default=None, description="Where the engine writes its answer to who asked.")


class PauseExecution(PartitionCommand):
    """Let an execution rest: what comes is held, time stands still, children that are waited for follow."""

    type, version = "execution.pause", 1
    execution_id: UUID
    reason: str | None = None
    user: str | None = None
    answer_id: UUID | None = None


class ResumeExecution(PartitionCommand):
    """End the pause of an execution: what was held happens, in order."""

    type, version = "execution.resume", 1
    execution_id: UUID
    user: str | None = None
    answer_id: UUID | None = None


class RetryExecution(PartitionCommand):
    """Let an execution that ended badly go on from a node it came by.

    node: where to go back to, the one the error began at when absent.  effects: `skip` what was done and is asked the same, or `redo` it.
    """

    type, version = "execution.retry", 1
    execution_id: UUID
    node: str | None = None
    input: dict[str, Any] | None = None
    workflow_version: int | None = None
    effects: str = Field(default="skip", description="`skip` or `redo`.")
    user: str | None = None
    answer_id: UUID | None = None
    caller: Caller | None = Field(default=None, description="The step that waits for its end from now on, where its caller goes on.")


class SignalExecution(PartitionCommand):
    """Bring a named signal to an execution."""

    type, version = "execution.signal", 1
    execution_id: UUID
    signal_id: str = Field(description="Stable per signal: the same one arrives once.")
    name: str
    payload: Any = None
    user: dict[str, Any] | None = None
    answer_id: UUID | None = None
    otherwise: StartExecution | None = Field(
        default=None, description="An event brought by its key: what to start where the execution has ended. It is kept, never refused."
    )


class ExecutionFact(Event):
    """Fields of every fact about an execution. `position` orders them: the higher one is the truth."""

    owner: ClassVar[str] = "engine"
    execution_id: UUID
    workflow: str
    workflow_version: int
    position: int = Field(ge=0, description="Position in the execution's journal.")
    at: datetime


class _ExecutionBegin(ExecutionFact):
    trigger_type: str
    trigger_id: str | None = None
    event_id: str | None = None
    user: str | None = None
    key: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    parent: UUID | None = None
    priority: int = 0


class ExecutionQueued(_ExecutionBegin):
    """An execution is accepted and waits until it may begin: for a quota, for others of its key, for the end of a suspension.

    Heard by analytics and gateway.
    """

    type, version = "execution.queued", 1


class ExecutionStarted(_ExecutionBegin):
    """An execution runs. Heard by definitions, analytics and gateway."""

    type, version = "execution.started", 1


class ExecutionWaiting(ExecutionFact):
    """An execution rests until something outside happens: a person, a signal, a time. Heard by analytics and gateway."""

    type, version = "execution.waiting", 1
    node: str
    kind: str = Field(description="`task`, `signal`, `timer`, `child`.")
    until: datetime | None = None


class ExecutionPaused(ExecutionFact):
    """An execution rests until it is resumed. Heard by tasks, whose clocks stand still with it, analytics and gateway."""

    type, version = "execution.paused", 1
    by: str | None = None
    reason: str | None = None


class ExecutionResumed(ExecutionFact):
    """What a waiting execution waited for came, or its pause is over. Heard by tasks, analytics and gateway."""

    type, version = "execution.resumed", 1
    paused_at: datetime | None = Field(default=None, description="When the pause that is over began; absent where there was none.")


class _ExecutionEnd(ExecutionFact):
    started_at: datetime
    duration_ms: int = Field(ge=0)
    trigger_type: str = "manual"
    trigger_id: str | None = None
    event_id: str | None = None
    user: str | None = None
    key: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    parent: UUID | None = None
    priority: int = 0


class ExecutionCompleted(_ExecutionEnd):
    """An execution reached its good end. Heard by definitions, analytics and gateway."""

    type, version = "execution.completed", 1


class ExecutionFailed(_ExecutionEnd):
    """An execution failed. Heard by definitions, analytics and gateway."""

    type, version = "execution.failed", 1
    error: Failure


class ExecutionTimedOut(_ExecutionEnd):
    """An execution outlived its `max_duration`. Heard by definitions, analytics and gateway."""

    type, version = "execution.timed_out", 1
    error: Failure


class ExecutionCancelled(_ExecutionEnd):
    """An execution was cancelled. Heard by definitions, analytics and gateway."""

    type, version = "execution.cancelled", 1
    reason: str | None = None
    cancelled_by: str | None = None


class ExecutionsForgotten(Event):
    """Executions were kept as long as was asked for, and are deleted. Heard by analytics and tasks, which do likewise."""

    type, version = "executions.forgotten", 1
    owner: ClassVar[str] = "engine"
    execution_ids: tuple[UUID, ...] = Field(max_length=1000)


class ExecutionSkipped(Event):
    """A start was skipped because a live execution has its key. Heard by events, for the explanation, and gateway."""

    type, version = "execution.skipped", 1
    owner: ClassVar[str] = "engine"
    execution_id: UUID
    workflow: str
    key: str
    live_execution_id: UUID
    event_id: str | None = None
    trigger_id: str | None = None
    correlated: bool = Field(default=False, description="The event was brought to the live execution.")


class StartRejected(Event):
    """A start was refused for good: its input does not fit, its workflow is inactive or gone. Heard by events and gateway."""

    type, version = "execution.rejected", 1
    owner: ClassVar[str] = "engine"
    execution_id: UUID
    workflow: str
    error: Failure
    event_id: str | None = None
    trigger_id: str | None = None
