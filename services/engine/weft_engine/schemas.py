"""HTTP bodies and views of the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from weft_runtime.http import Body

KEY = Field(default=None, min_length=1, max_length=500, description="At most one live execution of the workflow per key.")


class TriggerBody(Body):
    """What starts an execution by hand."""

    input: dict[str, Any] = Field(default_factory=dict)
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="A published version; the active one when absent.")
    key: str | None = KEY
    labels: dict[str, str] = Field(default_factory=dict, max_length=50)


class SignalBody(Body):
    """A signal's payload. signal_id: the same one arrives once."""

    payload: Any = None
    signal_id: str | None = Field(default=None, min_length=1, max_length=200)


class ReasonBody(Body):
    """Why an execution is cancelled or paused."""

    reason: str | None = Field(default=None, max_length=2000)


class Started(BaseModel):
    """An accepted start."""

    execution_id: UUID
    status: str


class TriggerView(BaseModel):
    """What started an execution."""

    type: str
    id: str | None = None
    event_id: str | None = None
    user: str | None = None


class WaitingView(BaseModel):
    """One thing an execution waits for. for: who or what must act, a candidate list or the names of signals."""

    node: str
    kind: str
    until: datetime | None = None
    for_: Any = Field(default=None, alias="for", serialization_alias="for")


class ExecutionView(BaseModel):
    """An execution, whole."""

    id: UUID
    workflow: str
    version: int
    status: str
    key: str | None
    labels: dict[str, str]
    input: dict[str, Any]
    output: Any
    error: dict[str, Any] | None
    trigger: TriggerView
    vars: dict[str, Any]
    started_at: datetime | None
    completed_at: datetime | None
    duration_ms: int | None
    parent: UUID | None
    children: list[UUID]
    waiting_for: list[WaitingView]
    allowed_actions: list[str]


class StepView(BaseModel):
    """One visit of a node. scope: "" for the root, else its group, branch (`fan/left`) or iteration (`each[3]`)."""

    node: str
    visit: int
    scope: str
    type: str
    status: str
    outcome: str | None
    input: Any
    output: Any
    error: dict[str, Any] | None
    attempts: int
    started_at: datetime | None
    completed_at: datetime | None


class EntryView(BaseModel):
    """One entry of the journal."""

    position: int
    at: datetime
    kind: str
    node: str | None
    visit: int | None
    attempt: int | None
    data: dict[str, Any]


class SignalView(BaseModel):
    """What became of a signal: `delivered`, `kept` until a node waits for it, or `repeated`."""

    execution_id: UUID
    signal: str
    status: str
