"""The question after the state of slas, and its answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_analytics.service_levels import STATES
from weft_analytics.usecases import SlaState


class SlaQuery(BaseModel):
    """Of which executions. from, to: of their start; the last 30 days for the counts, all that are open, where both are absent."""

    model_config = ConfigDict(extra="ignore")
    workflow: Annotated[str, Field(max_length=200)] | None = None
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    bucket: Annotated[str, Field(max_length=40)] | None = None
    limit: int = Field(default=50, ge=1, le=200, description="Of the open ones that are shown.")


class SlaCounts(BaseModel):
    """Executions with an sla by its state.

    met: completed in time.  breached: were not, or still run.  unmet: ended otherwise before they were due.  met_rate: of those decided.
    """

    on_track: int = 0
    warned: int = 0
    breached: int = 0
    met: int = 0
    unmet: int = 0
    met_rate: float | None = None


class SlaOfWorkflow(SlaCounts):
    """Those of one workflow."""

    workflow: str
    name: str | None


class SlaOfBucket(SlaCounts):
    """Those that started in a piece of the span."""

    at: datetime


class OpenSla(BaseModel):
    """An execution that lives. execution_status: what it is doing; while it is paused its clock stands still."""

    execution_id: UUID
    workflow: str
    key: str | None
    started_at: datetime
    execution_status: str
    due_at: datetime
    warn_at: datetime | None
    status: str


class SlaStateView(BaseModel):
    """How it stands with slas. from, to: the span the counts are of.  open: those that are due first."""

    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    totals: SlaCounts
    workflows: list[SlaOfWorkflow]
    open: list[OpenSla]
    bucket_s: int
    buckets: list[SlaOfBucket]


def utc(time: datetime | None) -> datetime | None:
    """A time without a zone is meant in UTC."""
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def sla_state_view(state: SlaState) -> SlaStateView:
    """How it stands with slas, as the API shows it."""
    totals = {name: sum(getattr(row, name) for row in state.counted) for name in STATES}
    rows = [(row, {name: getattr(row, name) for name in STATES}) for row in state.counted]
    opened = [
        OpenSla(
            execution_id=row.id, workflow=row.workflow, key=row.key, started_at=row.started_at, execution_status=row.doing,
            due_at=row.due_at, warn_at=row.warn_at, status=row.status,
        )
        for row in state.open
    ]  # fmt: skip
    return SlaStateView(
        since=state.since,
        until=state.until,
        totals=SlaCounts(**totals, met_rate=_met_rate(totals)),
        workflows=[SlaOfWorkflow(workflow=row.workflow, name=row.name, **some, met_rate=_met_rate(some)) for row, some in rows],
        open=opened,
        bucket_s=state.bucket,
        buckets=_buckets(state),
    )


def _buckets(state: SlaState) -> list[SlaOfBucket]:
    first, last = int(state.since.timestamp()), int(state.until.timestamp())
    shown = []
    for begins in range(first - first % state.bucket, last + bool(state.until.microsecond), state.bucket):
        row = state.buckets.get(begins)
        some = dict.fromkeys(STATES, 0) if row is None else {name: getattr(row, name) for name in STATES}
        shown.append(SlaOfBucket(at=datetime.fromtimestamp(begins, UTC), **some, met_rate=_met_rate(some)))
    return shown


def _met_rate(numbers: dict[str, int]) -> float | None:
    decided = numbers["met"] + numbers["breached"]
    return numbers["met"] / decided if decided else None
