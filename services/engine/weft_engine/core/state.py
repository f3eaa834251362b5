"""The state of one execution, in memory. It is never stored: the journal is, and this is the fold of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from weft_engine.machine import EXECUTION_ENDS, ExecutionStatus, StepStatus

SEEN_SIGNALS: Final = 1_000
"""How many signal ids an execution remembers, newest last, so that a repeated signal arrives once."""


@dataclass(frozen=True, slots=True)
class Step:
    """The newest visit of a node. visit: from 1.  attempts: begun so far.  error: a `Failure` as an object."""

    visit: int
    status: str = StepStatus.SCHEDULED
    outcome: str | None = None
    output: Any = None
    error: dict[str, Any] | None = None
    attempts: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """What a node waits for.

    kind: `activity` (an answer), `retry` (its next attempt), `task` (a person), `timer`, `signal`, `scope` (its own graph).
    due_at: when to look at it: lease over, next attempt, wake up, first `after`.  deadline_at: when the node's `timeout` is over.
    data: what the kind needs: the activity's request, the names of a state's `after`.
    """

    node: str
    visit: int
    kind: str
    attempt: int = 1
    due_at: datetime | None = None
    deadline_at: datetime | None = None
    since: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def wake_at(self) -> datetime | None:
        """The earlier of the two, None when neither is set."""
        if self.due_at is None or (self.deadline_at is not None and self.deadline_at < self.due_at):
            return self.deadline_at
        return self.due_at


@dataclass(frozen=True, slots=True)
class KeptSignal:
    """A signal that came before a node waited for it."""

    signal_id: str
    name: str
    payload: Any
    user: dict[str, Any] | None
    expires_at: datetime


@dataclass(slots=True)
class State:
    """Everything that decides what an execution does next.

    position: entries in its journal.  steps, pending: by node id.  scopes: the node each open graph is at, by graph id.
    quiet: transitions since it last rested, which bounds a cycle that never does.
    """

    id: UUID
    tenant: str
    workflow: str
    version: int
    status: str = ExecutionStatus.QUEUED
    position: int = 0
    input: dict[str, Any] = field(default_factory=dict)
    trigger: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    priority: int = 0
    parent: str | None = None
    traceparent: str | None = None
    started_at: datetime | None = None
    deadline_at: datetime | None = None
    completed_at: datetime | None = None
    vars: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    kept: tuple[KeptSignal, ...] = ()
    seen: tuple[str, ...] = ()
    quiet: int = 0
    output: Any = None
    error: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in EXECUTION_ENDS

    @property
    def wake_at(self) -> datetime | None:
        """The earliest moment at which time alone changes something, None when it never does."""
        if self.ended:
            return None
        moments = [moment for pending in self.pending.values() if (moment := pending.wake_at) is not None]
        if self.deadline_at is not None:
            moments.append(self.deadline_at)
        return min(moments, default=None)

    def draft(self) -> State:
        """A copy that can be changed without this one noticing. Values inside are never changed in place."""
        return replace(self, vars=dict(self.vars), steps=dict(self.steps), scopes=dict(self.scopes), pending=dict(self.pending))
