"""The HTTP door of events."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Door, Listing, Page, RawBody, Several, Uow
from weft_runtime.http.parameters import Paging
from weft_runtime.uow import UnitOfWork

from weft_events import reading, schemas, store, usecases
from weft_events.registry import REGISTRY
from weft_events.schemas import EventSummary, EventView, ExplanationView, ReceiptView
from weft_events.settings import Settings

door = Door("events")

ONE_EVENT: dict[str, Any] = {"schema": {"type": "object", "required": ["specversion", "id", "source", "type"]}}
CLOUDEVENTS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A CloudEvent 1.0: structured, a batch, or binary (attributes as ce- headers, the body is its data).",
        "content": {
            "application/cloudevents+json": ONE_EVENT,
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": ONE_EVENT["schema"]}},
            "application/json": ONE_EVENT,
            "*/*": {},
        },
    }
}


async def _headers(request: Request) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


async def _filters(
    type: Annotated[str | None, Query(max_length=1024, description="The event's type; `*` stands for anything.")] = None,
    source: Annotated[str | None, Query(max_length=1024)] = None,
    status: Annotated[
        tuple[Literal["matched", "unmatched", "rejected", "duplicate"], ...],
        Several,
        Query(description="`duplicate`: came more than once."),
    ] = (),
    since: Annotated[datetime | None, Query(alias="from", description="Received at this time or later.")] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Received before this time.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="In id, source, subject or type.")] = None,
) -> dict[str, Any]:
    return {"type_": type, "source": source, "status": status, "since": since, "until": until, "text": q}


Headers = Annotated[Mapping[str, str], Depends(_headers)]
Filters = Annotated[dict[str, Any], Depends(_filters)]
Source = Annotated[str | None, Query(max_length=1024, description="Of the event, where several sources sent one id.")]


@door.post("/events", may=Permission.EVENTS_PUBLISH, status=202, openapi_extra=CLOUDEVENTS)
async def post_events(headers: Headers, body: RawBody, context: Context, uow: Uow) -> ReceiptView:
    """Take in one event or a batch: all of them or, where one is wrong, none. They are durable when this is answered."""
    arrived = reading.from_http(uow.tenant, headers, body, uow.now, most=_settings(context).max_events)
    return schemas.receipt(await usecases.receive(arrived, REGISTRY, uow))


@door.get("/events", may=Permission.EVENTS_READ)
async def list_events(filters: Filters, page: Page, uow: Uow) -> Listing[EventSummary]:
    """The log, newest first."""
    return await _log(filters, page, uow)


@door.get("/workflows/events/log", may=Permission.EVENTS_READ)
async def list_event_log(filters: Filters, page: Page, uow: Uow) -> Listing[EventSummary]:
    """The log, newest first, where those look who come from workflows."""
    return await _log(filters, page, uow)


@door.get("/events/{event_id}", may=Permission.EVENTS_READ)
async def get_event(event_id: str, uow: Uow, source: Source = None) -> EventView:
    """One event with its data, by its id or the log's; the newest where several sources sent the id and none is named."""
    return schemas.event(await store.get(uow, event_id, source))


@door.get("/events/{event_id}/explain", may=Permission.EVENTS_READ)
async def explain_event(event_id: str, uow: Uow, source: Source = None) -> ExplanationView:
    """Every trigger considered for an event, with what its condition evaluated to and what it started."""
    return schemas.explanation(*await usecases.explain(event_id, source, uow))


async def _log(filters: Mapping[str, Any], page: Paging, uow: UnitOfWork) -> Listing[EventSummary]:
    rows = await store.list_events(uow, **filters, after=page.after[0] if page.after else None, limit=page.limit + 1)
    return page.listing(rows, view=schemas.summary, key=lambda row: (row.id,))


def _settings(context: ServiceContext) -> Settings:
    if not isinstance(context.settings, Settings):
        raise TypeError("the events service runs with settings of its own")
    return context.settings
