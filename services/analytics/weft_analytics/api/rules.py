"""The log of a rule: its executions, as the rows that administrators of rules know."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel
from weft_runtime.auth import Permission
from weft_runtime.http import Listing, Page, Several, Uow

from weft_analytics import schemas
from weft_analytics.api.routes import door
from weft_analytics.domain import Execution
from weft_analytics.store import listing
from weft_analytics.store.listing import Filter
from weft_analytics.usecases.known import require_workflow

LogStatus = Literal["success", "failure", "pending"]
_STATUSES: Final[dict[LogStatus, tuple[str, ...]]] = {
    "success": ("completed",),
    "failure": ("failed", "timed_out", "cancelled"),
    "pending": ("queued", "running", "waiting", "paused"),
}


class LogEntry(BaseModel):
    """One execution of a rule. workflow_id: the rule's slug.  trigger_event_id: in the log of events, null of one started by hand.

    executed_at: when it began.  result: how the execution stands, and since when.  error: why it failed.
    """

    id: UUID
    workflow_id: str
    trigger_event_id: str | None
    status: LogStatus
    executed_at: datetime
    result: dict[str, Any]
    error: dict[str, Any] | None


@door.get("/rules/{slug}/log", may=Permission.EXECUTIONS_READ)
async def list_rule_log(
    slug: str, page: Page, uow: Uow, status: Annotated[tuple[LogStatus, ...], Several, Query()] = ()
) -> Listing[LogEntry]:
    """What a rule did, the latest first: success, failure or pending of each event that it began by."""
    await require_workflow(slug, uow)
    wanted = Filter(workflow=slug, statuses=tuple(each for one in status for each in _STATUSES[one]))
    rows = await listing.listed(uow, wanted, after=page.after, limit=page.limit + 1, common=listing.NO_WORDS)
    return page.listing(rows, view=_entry, key=lambda row: (row.started_at, row.id))


def _entry(execution: Execution) -> LogEntry:
    shown = schemas.summary(execution, ())
    return LogEntry(
        id=shown.id,
        workflow_id=shown.workflow,
        trigger_event_id=shown.trigger.event_id,
        status=next(name for name, statuses in _STATUSES.items() if shown.status in statuses),
        executed_at=shown.started_at,
        result={"status": shown.status, "version": shown.version, "completed_at": shown.completed_at, "duration_ms": shown.duration_ms},
        error=None if shown.error is None else shown.error.model_dump(),
    )
