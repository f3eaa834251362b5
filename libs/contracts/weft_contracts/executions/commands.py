"""What the engine hears about executions: each command goes to the partition of its execution."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from weft_contracts.executions.values import Caller, TriggerInfo
from weft_contracts.message import PartitionCommand


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
