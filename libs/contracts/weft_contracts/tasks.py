"""What the tasks service hears and says."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_contracts.message import Command, Event


class Candidates(BaseModel):
    """Who may act: any of these users (ids or e-mail addresses), groups or roles. All empty: whoever may act on tasks."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class CreateTask(Command):
    """Put work before a person. The id is chosen by the engine, so a repeat collapses on it."""

    type, version = "task.create", 1
    owner: ClassVar[str] = "tasks"
    task_id: UUID
    execution_id: UUID
    workflow: str
    node: str
    visit: int = Field(ge=1)
    title: str
    description: str | None = None
    form: dict[str, Any] | None = Field(default=None, description="JSON Schema of what the person fills in.")
    ui: dict[str, Any] | None = None
    data: Any = None
    assignee: str | None = Field(default=None, description="A user's id or e-mail address.")
    candidates: Candidates = Candidates()
    outcomes: tuple[str, ...] = ("completed",)
    due_at: datetime | None = None
    priority: int = Field(default=0, ge=0, le=9)
    at: datetime | None = Field(default=None, description="When the engine asked for it: a later pause of the execution puts it off.")


class CancelTask(Command):
    """Take a task back: its execution was cancelled, went another way, or its time ran out."""

    type, version = "task.cancel", 1
    owner: ClassVar[str] = "tasks"
    task_id: UUID
    execution_id: UUID
    reason: Literal["cancelled", "timeout"] = "cancelled"


class _TaskFact(Event):
    owner: ClassVar[str] = "tasks"
    task_id: UUID
    execution_id: UUID
    workflow: str
    node: str
    task_version: int = Field(ge=1, description="Counts every change of the task; the higher one is the truth.")
    at: datetime


class TaskCreated(_TaskFact):
    """A task is open. Heard by gateway (live inbox) and analytics."""

    type, version = "task.created", 1
    title: str
    assignee: str | None = None
    due_at: datetime | None = None


class TaskClaimed(_TaskFact):
    """A person took a task."""

    type, version = "task.claimed", 1
    assignee: str


class TaskReleased(_TaskFact):
    """A person gave a task back."""

    type, version = "task.released", 1


class TaskReassigned(_TaskFact):
    """A task was given to somebody else."""

    type, version = "task.reassigned", 1
    assignee: str | None = None
    by: str


class TaskCompleted(_TaskFact):
    """A person decided. The engine hears the decision itself as `step.complete`."""

    type, version = "task.completed", 1
    outcome: str
    completed_by: str


class TaskCancelled(_TaskFact):
    """A task was taken back before anybody decided."""

    type, version = "task.cancelled", 1


class TaskExpired(_TaskFact):
    """A task's time ran out before anybody decided."""

    type, version = "task.expired", 1
