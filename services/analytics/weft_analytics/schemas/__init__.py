"""HTTP queries and views of analytics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from weft_contracts.executions import ALLOWED_ACTIONS
from weft_runtime.errors import Detail
from weft_runtime.http import Several

from weft_analytics import tasks
from weft_analytics.domain import STATUSES, Execution
from weft_analytics.errors import BadLabel, VersionOfNothing
from weft_analytics.store.listing import Filter
from weft_analytics.usecases import Numbers

Status = Literal["queued", "running", "waiting", "paused", "completed", "failed", "cancelled", "timed_out"]
Text = Annotated[str, Field(min_length=1, max_length=300)]
LABELS_MAX = 10
ME = "me"
"""Stands for the id of who asks."""


class ExecutionQuery(BaseModel):
    """Which executions. from, to: of their start.  label: `name=value` or `name:value`, or `name` for any
    value; all that are given must hold.  version: of the workflow that is named.

    started_by: the id of a person or API key that started it by hand, `me` for who asks.
    q: an id, or the beginning of a key, an event's id or a workflow's slug, or the beginnings of words in labels and errors.
    """

    model_config = ConfigDict(extra="ignore")
    workflow: Text | None = None
    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    status: Annotated[list[Status], Several] = Field(default_factory=list)
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    key: Text | None = None
    event_id: Text | None = None
    parent: UUID | None = None
    started_by: Text | None = None
    label: Annotated[list[Text], Field(max_length=LABELS_MAX)] = Field(default_factory=list)
    q: Text | None = None

    def filter(self, me: str, workflow: str | None = None) -> Filter:
        """The query for the store. me: who asks.  workflow: instead of the one asked for. Raises: BadLabel, VersionOfNothing."""
        if self.version is not None and not (workflow or self.workflow):
            raise VersionOfNothing(
                f"version {self.version} of which workflow? Give `workflow` beside `version`",
                details=[Detail("/version", "workflow_missing", "give `workflow` beside it", source="query")],
            )
        return Filter(
            workflow=workflow or self.workflow,
            version=self.version,
            statuses=tuple(self.status),
            since=_utc(self.since),
            until=_utc(self.until),
            key=self.key,
            event_id=self.event_id,
            parent=self.parent,
            started_by=me if self.started_by == ME else self.started_by,
            labels=dict(map(_label, self.label)),
            q=self.q,
        )


class WindowQuery(BaseModel):
    """Which span. bucket: the length of a piece, `minute`, `hour`, `day` or a duration (`PT5M`, `5m`)."""

    model_config = ConfigDict(extra="ignore")
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    bucket: Annotated[str, Field(max_length=40)] | None = None


class TriggerView(BaseModel):
    """What started an execution."""

    type: str
    id: str | None
    event_id: str | None
    user: str | None


class ErrorView(BaseModel):
    """Why an execution failed."""

    code: str
    message: str | None
    node: str | None


class WaitingView(BaseModel):
    """What an execution rests for. for: whom or what, as the execution itself tells it; null where that is long, as of many candidates."""

    node: str
    kind: str | None
    until: datetime | None
    for_: Any = Field(default=None, alias="for", serialization_alias="for")


class ExecutionSummary(BaseModel):
    """An execution in a list: without its payloads. children: those it called, oldest first, 100 at most; `?parent=` lists all."""

    id: UUID
    workflow: str
    version: int
    status: Status
    key: str | None
    labels: dict[str, str]
    trigger: TriggerView
    started_at: datetime
    completed_at: datetime | None
    duration_ms: int | None
    parent: UUID | None
    children: list[UUID]
    priority: int
    error: ErrorView | None
    waiting_for: list[WaitingView]
    allowed_actions: list[str]


class CountsView(BaseModel):
    """How many executions started in the span, by the status they have now."""

    total: int
    queued: int
    running: int
    waiting: int
    paused: int
    completed: int
    failed: int
    cancelled: int
    timed_out: int


class DurationView(BaseModel):
    """How long completed executions took, in milliseconds, at most 4.4 % off; null where none has completed."""

    p50: float | None
    p95: float | None
    p99: float | None


class BucketView(BaseModel):
    """A piece of the span. started: in it.  completed, failed: ended in it, whenever they started; timed out counts as failed."""

    at: datetime
    started: int
    completed: int
    failed: int


class ShareView(BaseModel):
    """One workflow's part."""

    workflow: str
    name: str | None
    executions: CountsView
    success_rate: float | None


class TaskCountsView(BaseModel):
    """How many tasks were made in the span, by the status they have now."""

    total: int
    open: int
    claimed: int
    completed: int
    cancelled: int
    expired: int


class NumbersView(BaseModel):
    """How executions went. success_rate: completed of those that completed, failed or timed out; null where there is none.

    unaided_rate: the same of those that completed without somebody's having retried them.

    from, to: the span that was read, in whole minutes, or whole hours where the pieces are hours or more.
    """

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    bucket_s: int
    executions: CountsView
    success_rate: float | None
    unaided_rate: float | None
    duration_ms: DurationView
    buckets: list[BucketView]
    tasks: TaskCountsView


class OverviewView(NumbersView):
    """How all executions went. workflows: the busiest ones."""

    workflows: list[ShareView]


class WorkflowNumbersView(NumbersView):
    """How the executions of one workflow went."""

    workflow: str


def summary(execution: Execution, children: Sequence[UUID]) -> ExecutionSummary:
    """An execution in a list."""
    one = execution
    error = ErrorView(code=one.error_code, message=one.error_message, node=one.error_node) if one.error_code else None
    waiting = [_waiting(one)] if one.waiting_node else []
    return ExecutionSummary.model_construct(
        id=one.id,
        workflow=one.workflow,
        version=one.version,
        status=cast(Status, one.status),
        key=one.key,
        labels=one.labels,
        trigger=TriggerView.model_construct(type=one.trigger_type, id=one.trigger_id, event_id=one.event_id, user=one.user),
        started_at=one.started_at,
        completed_at=one.completed_at,
        duration_ms=one.duration_ms,
        parent=one.parent,
        children=list(children),
        priority=one.priority,
        error=error,
        waiting_for=waiting,
        allowed_actions=list(ALLOWED_ACTIONS[execution.status]),
    )


def _waiting(one: Execution) -> WaitingView:
    whom = {"for": None if one.waiting_for is None else json.loads(one.waiting_for)}
    return WaitingView(node=one.waiting_node or "", kind=one.waiting_kind, until=one.waiting_until, **whom)


def overview(numbers: Numbers) -> OverviewView:
    """The numbers of a tenant."""
    shares = [
        ShareView(workflow=share.workflow, name=share.name, executions=_counts(share.counts), success_rate=_success_rate(share.counts))
        for share in numbers.workflows
    ]
    return OverviewView(**_numbers(numbers), workflows=shares)


def of_workflow(workflow: str, numbers: Numbers) -> WorkflowNumbersView:
    """The numbers of a workflow."""
    return WorkflowNumbersView(**_numbers(numbers), workflow=workflow)


def _numbers(numbers: Numbers) -> dict[str, object]:
    window = numbers.window
    buckets = [
        BucketView(
            at=datetime.fromtimestamp(at, UTC), started=_started(counts), completed=counts["ended_completed"], failed=counts["ended_failed"]
        )
        for at, counts in numbers.buckets.items()
    ]
    made = {status: numbers.tasks.get(status, 0) for status in tasks.STATUSES}
    return {
        "since": window.begins,
        "until": window.ends,
        "bucket_s": window.bucket,
        "executions": _counts(numbers.totals),
        "success_rate": _success_rate(numbers.totals),
        "unaided_rate": _success_rate(numbers.totals, numbers.totals["by_hand"]),
        "duration_ms": DurationView(**numbers.durations),
        "buckets": buckets,
        "tasks": TaskCountsView(total=sum(made.values()), **made),
    }


def _counts(counts: dict[str, int]) -> CountsView:
    return CountsView(total=_started(counts), **{status: counts[status] for status in STATUSES})


def _started(counts: dict[str, int]) -> int:
    return sum(counts[status] for status in STATUSES)


def _success_rate(counts: dict[str, int], without: int = 0) -> float | None:
    decided = counts["completed"] + counts["failed"] + counts["timed_out"]
    return round((counts["completed"] - without) / decided, 4) if decided else None


def _label(text: str) -> tuple[str, str | None]:
    name, sign, value = text.partition("=") if "=" in text else text.partition(":")
    if not name:
        detail = "write a label as name=value, or name for any value"
        raise BadLabel(f"{text!r} is no label; {detail}", details=[Detail("/label", "bad_label", detail, source="query")])
    return name, value if sign else None


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
