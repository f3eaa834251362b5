"""HTTP bodies and views of decision links."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from weft_runtime.http import Body

from weft_tasks.decision_links import Link, LinkStanding, as_shown
from weft_tasks.schemas import Version
from weft_tasks.task import Task


class LinkBody(Body):
    """What a link is good for. decisions: outcomes of the task, all where absent.  expires_at: in seven days where absent."""

    decisions: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=50)] | None = None
    expires_at: datetime | None = None
    version: Version = None


class LinkMadeView(BaseModel):
    """A link. Whoever has it decides, once. url: null where the installation does not know its own address (WEFT_PUBLIC_URL)."""

    id: UUID
    token: str
    path: str
    url: str | None
    assignee: str
    task_version: int
    decisions: list[str]
    expires_at: datetime


class LinkDecisionBody(Body):
    """A decision. form: fits the task's form."""

    outcome: str = Field(max_length=200)
    form: dict[str, Any] | None = None


class DecisionReceiptView(BaseModel):
    """What was decided by a link."""

    id: UUID
    at: datetime
    outcome: str
    decided_by: str


class LinkedTaskView(BaseModel):
    """What a link shows of a task."""

    id: UUID
    workflow: str
    title: str
    description: str | None
    data: Any
    form: dict[str, Any] | None
    due_at: datetime | None
    version: int
    status: str


class LinkView(BaseModel):
    """A link and its task.

    task: null where the task is somebody else's now, or over.  decisions: those that may be chosen now, none unless it is `open`.
    """

    status: LinkStanding
    assignee: str
    expires_at: datetime
    decisions: list[str]
    task: LinkedTaskView | None
    receipt: DecisionReceiptView | None


def receipt_view(row: Any) -> DecisionReceiptView:
    """A receipt as it is shown."""
    return DecisionReceiptView(id=row.id, at=row.at, outcome=row.outcome, decided_by=row.decided_by)


def view(link: Link, task: Task, standing: LinkStanding, receipt: Any, *, whole: bool) -> LinkView:
    """A link as it is shown."""
    known = {name: value for name, value in as_shown(link, task).items() if name in LinkedTaskView.model_fields}
    return LinkView(
        status=standing,
        assignee=link.whom,
        expires_at=link.expires_at,
        decisions=list(link.decisions) if standing is LinkStanding.OPEN else [],
        task=LinkedTaskView(**known, status=task.status.value) if whole else None,
        receipt=None if receipt is None else receipt_view(receipt),
    )
