"""Executions as they are listed and counted: what facts make of one, whatever order they come in. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeGuard
from uuid import UUID

from weft_contracts.executions import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionQueued,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionTimedOut,
    ExecutionWaiting,
)

Fact = (
    ExecutionQueued
    | ExecutionStarted
    | ExecutionWaiting
    | ExecutionPaused
    | ExecutionResumed
    | ExecutionCompleted
    | ExecutionFailed
    | ExecutionTimedOut
    | ExecutionCancelled
)
STATUSES: Final = ("queued", "running", "waiting", "paused", "completed", "failed", "cancelled", "timed_out")
"""Every status an execution can have. Source: the API's shape of an execution."""
STATUS_OF: Final[dict[type, str]] = {
    ExecutionQueued: "queued",
    ExecutionStarted: "running",
    ExecutionWaiting: "waiting",
    ExecutionPaused: "paused",
    ExecutionResumed: "running",
    ExecutionCompleted: "completed",
    ExecutionFailed: "failed",
    ExecutionTimedOut: "timed_out",
    ExecutionCancelled: "cancelled",
}
End = ExecutionCompleted | ExecutionFailed | ExecutionTimedOut | ExecutionCancelled
_ENDS: Final = frozenset((ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled))
"""Looked up by type: asking `isinstance` of a pydantic model costs ten times as much."""
MESSAGE_MAX: Final = 500
"""Characters of an error's message that are kept."""


@dataclass(slots=True)
class Execution:
    """One execution as the list shows it. position, heard_of_at: of the newest fact heard.

    retried: whether somebody ever let it go on from a bad end.
    begun: whether how it began is known; until then `started_at` is the time of the earliest fact, that of its queueing for one that waits.
    """

    id: UUID
    tenant: str
    workflow: str
    version: int
    started_at: datetime
    status: str = "running"
    position: int = -1
    begun: bool = False
    trigger_type: str = "manual"
    trigger_id: str | None = None
    event_id: str | None = None
    user: str | None = None
    key: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    parent: UUID | None = None
    priority: int = 0
    completed_at: datetime | None = None
    duration_ms: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_node: str | None = None
    waiting_node: str | None = None
    waiting_kind: str | None = None
    waiting_until: datetime | None = None
    waiting_for: str | None = None
    heard_of_at: datetime | None = None
    retried: bool = False


def is_end(fact: Fact) -> TypeGuard[End]:
    """Whether it says that an execution ended. Like its start, that carries everything there is to say about how it began."""
    return type(fact) in _ENDS


def overtaken(position: int, facts: Iterable[Fact]) -> bool:
    """Whether these facts leave nothing of what an execution was when it was last heard of, at that position in its journal."""
    newest = max(facts, key=lambda fact: fact.position)
    return is_end(newest) and newest.position >= position


def new_ends(position: int, facts: Iterable[Fact]) -> Iterable[End]:
    """The ends among facts that are newer than what was heard, each once. position: of the newest fact heard before, -1 for none."""
    return {fact.position: fact for fact in facts if is_end(fact) and fact.position > position}.values()


def first(tenant: str, fact: Fact) -> Execution:
    """An execution of which one fact has been heard and not yet applied."""
    started_at = fact.started_at if is_end(fact) else fact.at
    return Execution(fact.execution_id, tenant, fact.workflow, fact.workflow_version, started_at)


def apply(execution: Execution, facts: Iterable[Fact]) -> None:
    """Let an execution be what these facts make of it. Any order and any number of repeats give the same."""
    for fact in facts:
        if type(fact) is ExecutionResumed and fact.retried:
            execution.retried = True
        if not execution.begun:
            _begin(execution, fact)
        if fact.position >= execution.position:
            _move(execution, fact)


def _begin(execution: Execution, fact: Fact) -> None:
    if not (is_end(fact) or type(fact) is ExecutionStarted):
        execution.started_at = min(execution.started_at, fact.at)
        if type(fact) is ExecutionQueued:
            _originate(execution, fact)
        return
    execution.begun = True
    execution.started_at = fact.started_at if is_end(fact) else fact.at
    _originate(execution, fact)


def _originate(execution: Execution, fact: ExecutionQueued | ExecutionStarted | End) -> None:
    execution.trigger_type, execution.trigger_id = fact.trigger_type, fact.trigger_id
    execution.event_id, execution.user = fact.event_id, fact.user
    execution.key, execution.labels = fact.key, fact.labels
    execution.parent, execution.priority = fact.parent, fact.priority


def _move(execution: Execution, fact: Fact) -> None:
    execution.position, execution.version, execution.heard_of_at = fact.position, fact.workflow_version, fact.at
    execution.status = STATUS_OF[type(fact)]
    execution.completed_at = fact.at if is_end(fact) else None
    execution.duration_ms = fact.duration_ms if is_end(fact) else None
    error = fact.error if type(fact) is ExecutionFailed or type(fact) is ExecutionTimedOut else None
    execution.error_code = error.code if error else None
    execution.error_message = error.message[:MESSAGE_MAX] if error else None
    execution.error_node = error.node if error else None
    waiting = fact if type(fact) is ExecutionWaiting else None
    execution.waiting_node = waiting.node if waiting else None
    execution.waiting_kind = waiting.kind if waiting else None
    execution.waiting_until = waiting.until if waiting else None
    execution.waiting_for = json.dumps(waiting.waits_for) if waiting and waiting.waits_for is not None else None
