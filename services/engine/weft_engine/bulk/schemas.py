"""HTTP bodies and views of bulk jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from weft_runtime.http import Body, Several

from weft_engine.machine import BULK_MOVES

MOST_IDS = 20_000
FASTEST_PER_S = 5_000
USUAL_PER_S = 200
ExecutionState = Literal["queued", "running", "waiting", "paused", "completed", "failed", "cancelled", "timed_out"]
ItemState = Literal["waiting", "sent", "ok", "refused", "stopped"]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class BulkFilter(Body):
    """Which executions: all that is given holds of each.

    status: where absent, and no ids are given, those for which the verb makes sense.  label: names with their values.
    from, to: of their start.  q: an id, or the beginning of a key or a workflow's slug.  ids: those unknown here are answered as refused.
    """

    workflow: Text | None = None
    status: ExecutionState | Annotated[list[ExecutionState], Field(max_length=8)] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    key: Text | None = None
    label: Annotated[dict[str, str], Field(max_length=10)] = Field(default_factory=dict)
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    q: Text | None = None
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_IDS)] | None = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses asked for, none for whatever makes sense."""
        if self.status is None:
            return ()
        return (self.status,) if isinstance(self.status, str) else tuple(self.status)

    def plain(self) -> dict[str, Any]:
        """What was given, as JSON values."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class BulkBody(Body):
    """One verb on many executions. options: of the verb, `{name, payload}` for a signal, `{from, input, version, effects}` for a retry.

    preview: only count and show a few; nothing is done and no job is made.
    """

    verb: Annotated[str, Field(min_length=1, max_length=50)]
    filter: BulkFilter
    reason: str | None = Field(default=None, max_length=2000)
    options: dict[str, Any] = Field(default_factory=dict)
    preview: bool = False
    rate_per_s: int = Field(default=USUAL_PER_S, ge=1, le=FASTEST_PER_S, description="Executions a second, at most.")


class ChosenView(BaseModel):
    """One of the executions that fit."""

    id: UUID
    workflow: str
    version: int
    status: str
    key: str | None
    created_at: datetime


class PreviewView(BaseModel):
    """What a job would do. by_status: how many of each.  sample: the oldest few."""

    verb: str
    total: int
    by_status: dict[str, int]
    sample: list[ChosenView]


class ProgressView(BaseModel):
    """How many items are where. waiting: not sent yet, or never where the job was stopped.  sent: not answered yet."""

    waiting: int
    sent: int
    ok: int
    refused: int


class BulkView(BaseModel):
    """A job. total: the executions that were chosen when it started.  sample: the oldest few, as they were then."""

    id: UUID
    verb: str
    filter: dict[str, Any]
    reason: str | None
    status: Literal["running", "stopping", "stopped", "completed"]
    rate_per_s: int
    total: int
    progress: ProgressView
    sample: list[ChosenView]
    created_by: str | None
    created_at: datetime
    finished_at: datetime | None
    allowed_actions: list[str]


class ItemQuery(BaseModel):
    """Which items."""

    status: Annotated[list[ItemState], Several] = Field(default_factory=list)


class ItemView(BaseModel):
    """What became of one execution. code, detail: of the refusal; where it went well, what became of a signal."""

    number: int
    execution_id: UUID
    status: ItemState
    code: str | None
    detail: str | None
    done_at: datetime | None


class BulkWithItems(BulkView):
    """A job with what became of the first of its executions; GET /bulk/{id}/items has all of them."""

    items: list[ItemView]


def with_items(job: Any, items: Sequence[Any]) -> BulkWithItems:
    """A job as it is stored, with items of it."""
    return BulkWithItems.model_construct(**dict(view(job)), items=[item_view(item, job.status) for item in items])


def view(job: Any) -> BulkView:
    """A job as it is stored."""
    open_ = job.sent - job.ok - job.refused
    return BulkView(
        id=job.id,
        verb=job.verb,
        filter=job.filter,
        reason=job.reason,
        status=job.status,
        rate_per_s=job.rate_per_s,
        total=job.total,
        progress=ProgressView(waiting=job.total - job.sent, sent=open_, ok=job.ok, refused=job.refused),
        sample=[ChosenView.model_validate(one) for one in job.sample],
        created_by=job.caller.get("id"),
        created_at=job.created_at,
        finished_at=job.finished_at,
        allowed_actions=["stop"] if (job.status, "stop") in BULK_MOVES else [],
    )


def item_view(item: Any, job_status: str) -> ItemView:
    """An item as it is stored; one that waits in a job that was stopped has no more to wait for."""
    status = "stopped" if item.status == "waiting" and job_status == "stopped" else item.status
    return ItemView(
        number=item.number, execution_id=item.execution_id, status=status, code=item.code, detail=item.detail, done_at=item.done_at
    )


def utc(time: datetime | None) -> datetime | None:
    """A time with its zone; UTC where it names none."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
