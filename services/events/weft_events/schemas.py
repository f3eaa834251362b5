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
    """What became of the events of a request. ids: what GET /events/{id} takes, in the order of the events."""

    accepted: int
    duplicates: int
    ids: list[UUID]


class EventSummary(BaseModel):
    """An event in a list: its CloudEvents attributes, extensions too, and what became of it.

    id: ours.  event_id: the CloudEvents id, as its sender gave it.
    """

    model_config = ConfigDict(extra="allow")
    id: UUID
    event_id: str
    source: str
    type: str
    subject: str | None
    time: datetime
    received_at: datetime
    status: str
    started: list[UUID]
    duplicates: int = Field(description="How often it came again.")


class EventView(EventSummary):
    """An event with its data."""

    data: Any = None
    data_base64: str | None = None


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
    return ReceiptView(accepted=made.accepted, duplicates=made.duplicates, ids=made.ids)


def summary(logged: Logged) -> EventSummary:
    """An event as lists show it."""
    return EventSummary(**_fields(logged))


def event(logged: Logged) -> EventView:
    """An event with its data."""
    data: dict[str, Any] = {"data_base64": logged.data} if logged.is_binary else {"data": logged.data}
    return EventView(**_fields(logged), **data)


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
        "id": logged.id,
        "event_id": logged.event_id,
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
    return {name: value for name, value in logged.attributes.items() if name not in ("id", "data")} | own
