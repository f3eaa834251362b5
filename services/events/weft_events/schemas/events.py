"""HTTP views of events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_events.domain import Logged
from weft_events.explaining import Explained
from weft_events.usecases import Receipt


class ReceiptView(BaseModel):
    """What became of the events of a request, in their order. ids: their own, as they were sent.  log_ids: those of the log.

    GET /events/{id} takes either; the log's tell events of different sources with one id apart.
    """

    accepted: int
    duplicates: int
    ids: list[str]
    log_ids: list[UUID]


class EventSummary(BaseModel):
    """An event in a list: its CloudEvents attributes, extensions too, and what became of it.

    id: the CloudEvents id, as its sender gave it.  log_id: ours, one in the whole log.
    """

    model_config = ConfigDict(extra="allow")
    id: str
    log_id: UUID
    source: str
    type: str
    subject: str | None
    time: datetime
    received_at: datetime
    status: str
    started: list[UUID]
    duplicates: int = Field(description="How often it came again.")


class RequestView(BaseModel):
    """How a webhook was called: without the headers that say who calls."""

    method: str
    path: str = Field(description="Behind /hooks/<tenant>/.")
    query: dict[str, str | list[str]]
    headers: dict[str, str]


class EventView(EventSummary):
    """An event with its data. request: of a call of a webhook."""

    data: Any = None
    data_base64: str | None = None
    request: RequestView | None = None


class ExplainedView(BaseModel):
    """One trigger that was considered."""

    workflow: str
    version: int
    trigger: str
    matched: bool
    reason: str
    detail: str | None
    condition: dict[str, Any] | None
    execution_id: UUID | None


class ExplanationView(BaseModel):
    """An event and every trigger considered for it. considered: how many there were, where not all are kept.

    delivered: the executions that waited for it and went on with it.
    """

    event: EventView
    triggers: list[ExplainedView]
    considered: int
    delivered: list[UUID]


def receipt(made: Receipt) -> ReceiptView:
    """What became of events."""
    return ReceiptView(accepted=made.accepted, duplicates=made.duplicates, ids=made.ids, log_ids=made.log_ids)


def summary(logged: Logged) -> EventSummary:
    """An event as lists show it."""
    return EventSummary(**_fields(logged))


def event(logged: Logged) -> EventView:
    """An event with its data."""
    data: dict[str, Any] = {"data_base64": logged.data} if logged.is_binary else {"data": logged.data}
    return EventView(**_fields(logged), **data, request=None if logged.request is None else RequestView(**logged.request))


def explanation(logged: Logged, explained: list[Explained], delivered: list[UUID]) -> ExplanationView:
    """An event and why it started what it started."""
    shown = [
        ExplainedView(
            workflow=one.workflow,
            version=one.version,
            trigger=one.trigger,
            matched=one.matched,
            reason=one.reason,
            detail=one.detail,
            condition=one.condition,
            execution_id=UUID(one.execution_id) if one.execution_id else None,
        )
        for one in explained
    ]
    return ExplanationView(event=event(logged), triggers=shown, considered=logged.considered_total, delivered=delivered)


def _fields(logged: Logged) -> dict[str, Any]:
    own = {
        "id": logged.event_id,
        "log_id": logged.id,
        "source": logged.source,
        "type": logged.type,
        "subject": logged.subject,
        "time": logged.time,
        "received_at": logged.received_at,
        "status": logged.status,
        "started": logged.started,
        "duplicates": logged.duplicates,
    }
    # An extension may have the name of one of ours or of a field of the model; ours stands.
    return {name: value for name, value in logged.attributes.items() if name not in ("id", "data", "request")} | own
