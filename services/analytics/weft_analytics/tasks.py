"""Tasks as they are counted: the newest thing heard about each. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

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
)

Fact = (
    TaskCreated
    | TaskClaimed
    | TaskReleased
    | TaskReassigned
    | TaskDelegated
    | TaskEscalated
    | TaskDecided
    | TaskCompleted
    | TaskCancelled
    | TaskExpired
)
STATUSES: Final = ("open", "claimed", "completed", "cancelled", "expired")
_STATUS_OF: Final[dict[type, str]] = {
    TaskCreated: "open",
    TaskClaimed: "claimed",
    TaskReleased: "open",
    TaskReassigned: "open",
    TaskDelegated: "open",
    TaskEscalated: "open",
    TaskDecided: "open",
    TaskCompleted: "completed",
    TaskCancelled: "cancelled",
    TaskExpired: "expired",
}


@dataclass(slots=True)
class TaskState:
    """A task. created_at: of the earliest fact heard.  version: of the newest."""

    tenant: str
    id: UUID
    workflow: str
    status: str
    version: int
    created_at: datetime
    completed_at: datetime | None


def newest(facts: Iterable[tuple[str, Fact]]) -> list[TaskState]:
    """What these (tenant, fact) pairs say of each task, whatever order they are in."""
    states: dict[tuple[str, UUID], TaskState] = {}
    for tenant, fact in facts:
        status = _STATUS_OF[type(fact)]
        completed_at = fact.at if status == "completed" else None
        state = states.get((tenant, fact.task_id))
        if state is None:
            states[tenant, fact.task_id] = TaskState(tenant, fact.task_id, fact.workflow, status, fact.task_version, fact.at, completed_at)
            continue
        state.created_at = min(state.created_at, fact.at)
        if fact.task_version >= state.version:
            state.status, state.version, state.completed_at = status, fact.task_version, completed_at
    return list(states.values())
