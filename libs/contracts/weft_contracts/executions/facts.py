"""What the engine says about executions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from weft_contracts.executions.values import Failure
from weft_contracts.message import Event
from weft_contracts.walks import STEPS_MOST, Path, Short, StepNumbers


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
    key_owner: str | None = Field(default=None, description="Where `user` is a key: the id of the person who made it.")
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
    waits_for: Any = Field(default=None, description="Whom or what for, where that is short: as `for` of an execution's `waiting_for`.")


class ExecutionPaused(ExecutionFact):
    """An execution rests until it is resumed. Heard by tasks, whose clocks stand still with it, analytics and gateway."""

    type, version = "execution.paused", 1
    by: str | None = None
    reason: str | None = None


class ExecutionResumed(ExecutionFact):
    """What a waiting execution waited for came, or its pause is over. Heard by tasks, analytics and gateway."""

    type, version = "execution.resumed", 1
    paused_at: datetime | None = Field(default=None, description="When the pause that is over began; absent where there was none.")
    by: str | None = Field(default=None, description="Who let it go on after a pause, or retried it: a user's or key's id.")
    retried: bool = Field(default=False, description="It had ended badly, and goes on from there.")


class _ExecutionEnd(ExecutionFact):
    walk: Short | None = Field(default=None, description="Of the plainest way, in the place of `path` and `steps`.")
    path: Path = ()
    steps: tuple[StepNumbers, ...] = Field(
        default=(), max_length=STEPS_MOST, description="Since the end before, where it was retried by hand."
    )
    started_at: datetime
    duration_ms: int = Field(ge=0)
    trigger_type: str = "manual"
    trigger_id: str | None = None
    event_id: str | None = None
    user: str | None = None
    key_owner: str | None = Field(default=None, description="Where `user` is a key: the id of the person who made it.")
    key: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    parent: UUID | None = None
    priority: int = 0


class ExecutionCompleted(_ExecutionEnd):
    """An execution reached its good end. Heard by definitions, analytics and gateway."""

    type, version = "execution.completed", 1


class ExecutionFailed(_ExecutionEnd):
    """An execution failed. Heard by definitions, tasks (who is to know), analytics and gateway."""

    type, version = "execution.failed", 1
    error: Failure


class ExecutionTimedOut(_ExecutionEnd):
    """An execution outlived its `max_duration`. Heard by definitions, tasks, analytics and gateway."""

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
