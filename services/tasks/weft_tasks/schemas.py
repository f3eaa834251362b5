"""HTTP bodies, queries and views of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from weft_contracts.tasks import Candidates
from weft_runtime.http import Body, Several

from weft_tasks import agenda, approvals
from weft_tasks.access import allowed_actions
from weft_tasks.behalf import absentee
from weft_tasks.machine import LIVE, TaskStatus
from weft_tasks.task import Entry, Step, Task, Who

Version = Annotated[int | None, Field(ge=1, description="The version that was read; 409 where the task has moved on.")]


class VersionBody(Body):
    """A move on a task as it was read."""

    version: Version = None


class CompleteBody(Body):
    """A decision. outcome: one of the task's; may be left out where there is only one.  form: fits the task's form."""

    outcome: str | None = Field(default=None, max_length=200)
    form: dict[str, Any] | None = None
    version: Version = None


class ReassignBody(Body):
    """Who is to do it. assignee: a user's id or e-mail address; null gives it back to all its candidates."""

    assignee: Annotated[str, Field(min_length=1, max_length=320)] | None
    version: Version = None


class CommentBody(Body):
    """A remark."""

    text: str = Field(min_length=1, max_length=10_000)


class DelegateBody(Body):
    """Who is to do it instead of me. assignee: a user's id or e-mail address."""

    assignee: Annotated[str, Field(min_length=1, max_length=320)]
    version: Version = None


class SnoozeBody(Body):
    """Until when I do not want to see it. until: null wakes it."""

    until: datetime | None
    version: Version = None


class TaskQuery(BaseModel):
    """Which tasks.

    view: those I have, those I or my teams may act on, those nobody has, or all; the first two with those of whom I stand in for. `mine`
    leaves out what I let sleep, which `snoozed` shows.  due: `overdue`, `today` (24 hours), `week`, or a time.
    """

    model_config = ConfigDict(extra="ignore")
    view: Literal["mine", "team", "unassigned", "snoozed", "all"] = "all"
    status: Annotated[list[TaskStatus], Several] = Field(default_factory=list)
    due: Literal["overdue", "today", "week"] | datetime | None = None
    workflow: Annotated[str, Field(max_length=200)] | None = None
    execution: UUID | None = None
    q: Annotated[str, Field(max_length=200)] | None = None


class CandidatesView(BaseModel):
    """Who may act."""

    users: list[str]
    groups: list[str]
    roles: list[str]


class TaskSummary(BaseModel):
    """A task in a list: without its payloads.

    completed_via: the API key that `completed_by` decided with, or the decision link as `link:` and its id; null where they were signed in.
    on_behalf_of: whose it was to decide, where `completed_by` stood in for them, or it was handed to them.
    paused: its execution is paused. Until it goes on, the task rests: `due_at` is put off by the length of the pause then.
    requested_by: who started its execution, where somebody did.  delegated_by: those who handed it on, whose it was first.
    stands_for: whom I stand in for where I act on it now, null where it is my own.  snoozed_until: until when I let it sleep.
    """

    id: UUID
    execution_id: UUID
    workflow: str
    node: str
    title: str
    description: str | None
    status: TaskStatus
    assignee: str | None
    assignee_name: str | None
    candidates: CandidatesView
    outcomes: list[str]
    outcome: str | None
    due_at: datetime | None
    priority: int
    version: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    completed_by: str | None
    completed_by_name: str | None
    completed_via: str | None
    on_behalf_of: str | None
    on_behalf_of_name: str | None
    paused: bool
    paused_since: datetime | None
    requested_by: str | None
    delegated_by: list[str]
    stands_for: str | None
    snoozed_until: datetime | None
    allowed_actions: list[str]


class EntryView(BaseModel):
    """A line of a task's history. by: a user's id, or `engine`.

    In `data`, `via` is what they used, an API key or a decision link, and `on_behalf_of` whom they did it for.
    """

    at: datetime
    kind: str
    by: str
    by_name: str | None
    data: dict[str, Any]


class CommentView(BaseModel):
    """A remark."""

    at: datetime
    by: str
    by_name: str | None
    text: str


class DecisionView(BaseModel):
    """One decision of several. completed_via: the API key or link it was made with.  on_behalf_of: whose it was to decide."""

    outcome: str
    form: Any
    completed_by: str
    completed_by_name: str | None
    completed_via: str | None
    on_behalf_of: str | None
    completed_at: datetime


class ApprovalsView(BaseModel):
    """How many decisions a task takes, and those so far.

    The first of its outcomes stands once `required` decisions chose it. Once that cannot be reached any more, by `of` decisions at most,
    what was chosen most of the others stands. distinct: each person decides once.
    """

    required: int
    of: int
    distinct: bool
    decisions: list[DecisionView]


class StepView(BaseModel):
    """What time does to a task, and when, unless a pause puts it off. to: whom it goes to: one person, or candidates."""

    at: datetime
    do: Literal["remind", "reassign", "escalate", "decide", "fail"]
    to: str | CandidatesView | None
    outcome: str | None
    done: bool


class TaskView(TaskSummary):
    """A task with everything needed to decide it.

    approvals: null where one decision is enough.  separate_from: who completed the newest visit of one of these nodes may not act on it.
    agenda: reminders and steps of its ladder, in order.
    """

    form: dict[str, Any] | None
    ui: dict[str, Any] | None
    data: Any
    result: Any
    approvals: ApprovalsView | None
    separate_from: list[str]
    agenda: list[StepView]
    history: list[EntryView]
    comments: list[CommentView]


def summary(task: Task, who: Who, names: Mapping[str, str]) -> TaskSummary:
    """A task in a list, as `who` sees it. names: of people by id or e-mail address."""
    return TaskSummary(**_summary(task, who, names))


def view(task: Task, who: Who, names: Mapping[str, str], entries: Sequence[Entry]) -> TaskView:
    """A task as `who` sees it."""
    lines = [EntryView(at=entry.at, kind=entry.kind, by=entry.by, by_name=names.get(entry.by), data=entry.data) for entry in entries]
    comments = [
        CommentView(at=line.at, by=line.by, by_name=line.by_name, text=line.data["text"]) for line in lines if line.kind == "commented"
    ]
    return TaskView(
        **_summary(task, who, names),
        form=task.form,
        ui=task.ui,
        data=task.data,
        result=task.result,
        approvals=_approvals(task, names),
        separate_from=list(task.separate_from),
        agenda=[_step(task, step, done=place < task.passed) for place, step in enumerate(task.agenda)],
        history=lines,
        comments=comments,
    )


def _approvals(task: Task, names: Mapping[str, str]) -> ApprovalsView | None:
    if task.approvals is None:
        return None
    decisions = [
        DecisionView(
            outcome=one.outcome,
            form=one.form,
            completed_by=one.completed_by,
            completed_by_name=names.get(one.completed_by),
            completed_via=one.completed_via,
            on_behalf_of=one.on_behalf_of,
            completed_at=one.completed_at,
        )
        for one in task.decisions
    ]
    needed = task.approvals
    return ApprovalsView(required=needed.required, of=approvals.whole(needed), distinct=needed.distinct, decisions=decisions)


def _step(task: Task, step: Step, *, done: bool) -> StepView:
    to = step.assignee if step.candidates is None else _candidates(step.candidates)
    return StepView(at=agenda.at(task, step), do=step.do, to=to, outcome=step.outcome, done=done)


def _candidates(named: Candidates) -> CandidatesView:
    return CandidatesView(users=list(named.users), groups=list(named.groups), roles=list(named.roles))


def _summary(task: Task, who: Who, names: Mapping[str, str]) -> dict[str, Any]:
    stands_for = absentee(task, who) if task.status in LIVE else None
    return {
        "id": task.id,
        "execution_id": task.execution_id,
        "workflow": task.workflow,
        "node": task.node,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "assignee": task.assignee,
        "assignee_name": names.get(task.assignee or ""),
        "candidates": _candidates(task.candidates),
        "outcomes": list(task.outcomes),
        "outcome": task.outcome,
        "due_at": task.due_at,
        "priority": task.priority,
        "version": task.version,
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "completed_at": task.completed_at,
        "completed_by": task.completed_by,
        "completed_by_name": names.get(task.completed_by or ""),
        "completed_via": task.completed_via,
        "on_behalf_of": task.on_behalf_of,
        "on_behalf_of_name": names.get(task.on_behalf_of or ""),
        "paused": task.paused_since is not None,
        "paused_since": task.paused_since,
        "requested_by": task.requested_by,
        "delegated_by": list(task.delegators),
        "stands_for": None if stands_for is None else stands_for.id,
        "snoozed_until": task.snoozed_until if task.snoozed_by in who.names else None,
        "allowed_actions": allowed_actions(task, who),
    }
