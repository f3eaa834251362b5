"""What the tasks service hears and says."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_contracts.audit import Origin
from weft_contracts.message import Command, Event


class Candidates(BaseModel):
    """Who may act: any of these users (ids or e-mail addresses), groups or roles. All empty: whoever may act on tasks."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class Approvals(BaseModel):
    """How many decisions a task takes: its first outcome stands once `required` decisions chose it.

    It falls once so many chose another that `required` of `of` cannot choose it any more.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    required: int = Field(ge=1)
    of: int | None = Field(default=None, ge=1, description="As many as are required, when absent.")
    distinct: bool = Field(default=True, description="Each person decides once.")


class Rung(BaseModel):
    """One step of a task's ladder: what happens once the task has waited this long."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    after_s: float = Field(ge=0, description="Seconds since the task was asked for, without pauses of its execution.")
    do: Literal["remind", "reassign", "escalate", "decide", "fail"]
    assignee: str | None = Field(default=None, description="Who gets it: a user's id or e-mail address.")
    candidates: Candidates | None = Field(default=None, description="Who may act, where it is not one person.")
    outcome: str | None = Field(default=None, description="What is decided.")


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
    approvals: Approvals | None = Field(default=None, description="Where more than one decision is taken.")
    separate_from: tuple[str, ...] = Field(default=(), description="Nodes: who completed the newest task of one may not act on this one.")
    excluded: dict[str, str] = Field(default_factory=dict, description="Who may not act, by the id of a user, with the node that says so.")
    rounds: str = Field(default="", description="The iterations it stands in, outermost first, each ended by `/`.")
    reminders: tuple[float, ...] = Field(default=(), description="Seconds before `due_at`.")
    on_timeout: tuple[Rung, ...] = ()
    requested_by: str | None = Field(default=None, description="The id of who started the execution, where a person or a key did.")


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
    origin: Origin | None = Field(default=None, description="From where somebody did it, where somebody did. Analytics alone reads it.")


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
    by: str | None = None


class TaskReassigned(_TaskFact):
    """A task was given to somebody else."""

    type, version = "task.reassigned", 1
    assignee: str | None = None
    by: str


class TaskDelegated(_TaskFact):
    """Whoever had a task handed it on, and stays known as the one who did."""

    type, version = "task.delegated", 1
    assignee: str
    by: str
    on_behalf_of: str | None = Field(default=None, description="Whose it was, where a stand-in handed it on.")


class TaskEscalated(_TaskFact):
    """A task waited too long: others may act on it, too. Who had taken it has it no more."""

    type, version = "task.escalated", 1
    assignee: str | None = Field(default=None, description="Who joined the candidates, where it is one person.")
    candidates: Candidates | None = Field(default=None, description="Who joined the candidates, where it is not one person.")


class TaskReminded(_TaskFact):
    """A task is soon due, or has waited long. Nothing about it has changed. Heard by gateway (live inbox)."""

    type, version = "task.reminded", 1
    assignee: str | None = None
    due_at: datetime | None = None
    reason: Literal["due", "waiting"] = Field(description="`due`: a reminder before `due_at`; `waiting`: a step of its ladder.")


class TaskDecided(_TaskFact):
    """One decision of several that a task takes. It is open for the next one; the last one is `task.completed`."""

    type, version = "task.decided", 1
    outcome: str
    decided_by: str
    decided_via: str | None = Field(default=None, description="What they decided with: an API key, or `link:` and a link's id.")
    on_behalf_of: str | None = Field(default=None, description="Whose it was to decide, where a stand-in or a delegate did.")
    decisions: int = Field(ge=1, description="How many there are now.")
    required: int = Field(ge=1, description="How many choose the first outcome before it stands.")


class TaskCompleted(_TaskFact):
    """A task is decided. The engine hears the decision itself as `step.complete`."""

    type, version = "task.completed", 1
    outcome: str
    completed_by: str | None = Field(default=None, description="Null where time decided.")
    completed_via: str | None = Field(default=None, description="What they decided with: an API key, or `link:` and a link's id.")
    on_behalf_of: str | None = Field(default=None, description="Whose it was to decide, where a stand-in or a delegate did.")
    decided_by: Literal["person", "timeout"] = "person"


class TaskCancelled(_TaskFact):
    """A task was taken back before anybody decided."""

    type, version = "task.cancelled", 1


class TaskExpired(_TaskFact):
    """A task's time ran out before anybody decided."""

    type, version = "task.expired", 1
