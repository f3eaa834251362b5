"""HTTP bodies and views of one verb on many tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from weft_runtime.http import Body

from weft_tasks.bulk import MOST, Outcome, Verb
from weft_tasks.machine import LIVE, TaskStatus
from weft_tasks.schemas import TaskQuery

Text = Annotated[str, Field(max_length=200)]


class TaskBulkFilter(Body):
    """Which tasks, as in the list.

    view: `team` where absent, what I or my teams may act on; `all` for `reassign`.  status: those that are not over where absent.
    """

    view: Literal["mine", "team", "unassigned", "snoozed", "all"] | None = None
    status: Annotated[list[TaskStatus], Field(max_length=5)] = Field(default_factory=list)
    due: Literal["overdue", "today", "week"] | datetime | None = None
    workflow: Text | None = None
    execution: UUID | None = None
    q: Text | None = None

    def query(self, verb: Verb) -> TaskQuery:
        """The same as a question for the list."""
        view = self.view or ("all" if verb == "reassign" else "team")
        status = self.status or list(LIVE)
        return TaskQuery(view=view, status=status, due=self.due, workflow=self.workflow, execution=self.execution, q=self.q)


class TaskBulkOptions(Body):
    """What the verb needs: `outcome` and `form` to complete, `assignee` to reassign or delegate, `until` to snooze, `text` to comment."""

    outcome: str | None = Field(default=None, max_length=200)
    form: dict[str, Any] | None = None
    assignee: Annotated[str, Field(min_length=1, max_length=320)] | None = None
    until: datetime | None = None
    text: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None

    def given(self) -> dict[str, Any]:
        """Those that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class TaskBulkBody(Body):
    """One verb on many tasks, named by `ids` or by `filter`.

    versions: of some of them as they were read; one that has moved on is refused.
    """

    verb: Verb
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST)] | None = None
    filter: TaskBulkFilter | None = None
    versions: Annotated[dict[UUID, Annotated[int, Field(ge=1)]], Field(max_length=MOST)] = Field(default_factory=dict)
    options: TaskBulkOptions = Field(default_factory=TaskBulkOptions)


class FaultView(BaseModel):
    """Where the input was wrong for one task."""

    pointer: str
    code: str
    detail: str


class TaskBulkItem(BaseModel):
    """What became of one task. code, detail, errors: of the refusal.  task_status, version: as it is now, where it was not refused."""

    id: UUID
    status: Literal["ok", "refused"]
    code: str | None = None
    detail: str | None = None
    errors: list[FaultView] = Field(default_factory=list)
    task_status: TaskStatus | None = None
    version: int | None = None


class TaskBulkView(BaseModel):
    """What became of each task, in the order of the ids; of a filter the oldest first.

    left: how many more fit the filter, beyond those that one request takes; counted up to 10,000.
    """

    verb: Verb
    total: int
    ok: int
    refused: int
    left: int
    items: list[TaskBulkItem]


def view(verb: Verb, outcomes: Sequence[Outcome], left: int) -> TaskBulkView:
    """What became of them."""
    items = [_item(one) for one in outcomes]
    ok = sum(item.status == "ok" for item in items)
    return TaskBulkView(verb=verb, total=len(items), ok=ok, refused=len(items) - ok, left=left, items=items)


def _item(one: Outcome) -> TaskBulkItem:
    if one.refusal is not None:
        faults = [FaultView(pointer=each.pointer, code=each.code, detail=each.detail) for each in one.refusal.details]
        return TaskBulkItem(id=one.id, status="refused", code=one.refusal.code, detail=one.refusal.message, errors=faults)
    task = one.task
    return TaskBulkItem(id=one.id, status="ok", task_status=task and task.status, version=task and task.version)
