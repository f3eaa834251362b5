"""HTTP bodies and views of the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from weft_runtime.http import Body

KEY = Field(default=None, min_length=1, max_length=500, description="At most one live execution of the workflow per key.")


class TriggerBody(Body):
    """What starts an execution by hand."""

    input: dict[str, Any] = Field(default_factory=dict)
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="A published version; the active one when absent.")
    key: str | None = KEY
    labels: dict[str, str] = Field(default_factory=dict, max_length=50)


class SignalBody(Body):
    """A signal's payload. signal_id: the same one arrives once.

    A body that has neither member is the payload itself, so that a sender needs no wrapping.
    """

    payload: Any = None
    signal_id: str | None = Field(default=None, min_length=1, max_length=200)

    @classmethod
    def read(cls, sent: Any) -> SignalBody:
        """The signal in a body, wrapped or not. sent: None where there was no body. Raises: RequestValidationError."""
        if not isinstance(sent, dict) or sent.keys().isdisjoint(cls.model_fields):
            return cls(payload=sent)
        try:
            return cls.model_validate(dict(sent))
        except ValidationError as error:
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()], body=sent) from error


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
    """One thing an execution waits for. for: who or what must act, a candidate list, the names of signals, or `{signals, events}`."""

    node: str
    kind: str
    until: datetime | None = None
    for_: Any = Field(default=None, alias="for", serialization_alias="for")


class SlaView(BaseModel):
    """When an execution is late. While it is paused the moments stand as before; they are put off when it goes on.

    status: `on_track`, `warned`, `breached`; of one that has ended, what it was then.  problem: why `calendar` is not counted by.
    """

    due_at: datetime
    warn_at: datetime
    status: str
    calendar: str | None
    problem: str | None


class ExecutionView(BaseModel):
    """An execution, whole. sla: null where its definition has none, and until it begins."""

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
    sla: SlaView | None
    allowed_actions: list[str]


class StepView(BaseModel):
    """One visit of a node. scope: "" for the root, else its group, branch (`fan/left`) or iteration (`each[3]`).

    enhancement: `{type, apply, applied, reason, …}` where the node has an `enhance`, once it is known.
    """

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
    enhancement: dict[str, Any] | None = None


class EntryView(BaseModel):
    """One entry of the journal. scope: as in a step."""

    position: int
    at: datetime
    kind: str
    node: str | None
    visit: int | None
    attempt: int | None
    scope: str
    data: dict[str, Any]


class SignalView(BaseModel):
    """What became of a signal: `delivered`, `kept` until a node waits for it, or `repeated`."""

    execution_id: UUID
    signal: str
    status: str


class RetryBody(Body):
    """How a failed execution goes on.

    from: the node to go back to, the failed one when absent.  input: in the place of the execution's own.  version: a published one.
    effects: what of the outside work since then is done again: nothing whose request is the same (`skip`), or everything (`redo`).
    """

    from_: str | None = Field(default=None, alias="from", max_length=64)
    input: dict[str, Any] | None = None
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    effects: Literal["skip", "redo"] = "skip"


class OpenScopeView(BaseModel):
    """A graph that is open: a group, branch or iteration, with the names its nodes read."""

    scope: str
    node: str
    visit: int
    names: dict[str, Any]


class StateView(BaseModel):
    """An execution as it was after an entry of its journal.

    at: its position, last: that of the last one, both null while there is none.  steps: the newest visits.
    """

    execution_id: UUID
    at: int | None
    last: int | None
    time: datetime
    status: str
    version: int
    input: dict[str, Any]
    vars: dict[str, Any]
    steps: list[StepView]
    scopes: list[OpenScopeView]
    waiting_for: list[WaitingView]
    kept_signals: list[str]
    output: Any
    error: dict[str, Any] | None


class EffectView(BaseModel):
    """One thing asked of the outside. key: what the callee knows a repeat by.

    status: `asked`, `done`, `failed`, `cancelled`, or `reused` for one answered by what was done before, at position `reused_from`.
    undone_at: when a compensation undid it; a retry does it again then.
    """

    key: str
    position: int
    node: str
    visit: int
    scope: str
    kind: str
    name: str
    request_hash: str
    requested_at: datetime
    attempts: int
    status: str
    outcome: str | None
    receipt_hash: str | None
    receipt_at: datetime | None
    error: dict[str, Any] | None
    reused_from: int | None
    undone_at: datetime | None


class ConsideredView(BaseModel):
    """A condition that was read. condition: the tree `{expression, value, error, children}`, null for a way without one."""

    to: str
    condition: dict[str, Any] | None
    taken: bool


class ChoiceView(BaseModel):
    """A place on the way where conditions decided. kind: `if`, `switch`, `loop`, `edge`, `refused` (an event)."""

    position: int
    at: datetime
    node: str
    visit: int
    scope: str
    kind: str
    outcome: str | None
    considered: list[ConsideredView]
    event_id: str | None


class GateView(BaseModel):
    """What an execution waits for before it begins, or before it enters a node.

    kind: `quota` of the tenant, `concurrency` of the workflow, `suspension`.  name: of the quota, the key, the suspension's id.
    limit: how many, or how many a second.  live: how many there are.  full: whether it lets nobody in now.
    ahead: how many are let in before it.
    """

    kind: Literal["quota", "concurrency", "suspension"]
    name: str
    since: datetime
    limit: float | None
    live: int | None
    full: bool
    ahead: int


class LeftOutView(BaseModel):
    """Visits of a node whose choices are not shown, being too many. outcomes: how many by what they came to."""

    node: str
    visits: int
    outcomes: dict[str, int]


class ExplanationView(BaseModel):
    """Why an execution is where it is. queued_for: what it has to pass.  because: a sentence on each thing it waits for."""

    execution_id: UUID
    status: str
    queued_for: list[GateView]
    waiting_for: list[WaitingView]
    because: list[str]
    error: dict[str, Any] | None
    choices: list[ChoiceView]
    left_out: list[LeftOutView]
