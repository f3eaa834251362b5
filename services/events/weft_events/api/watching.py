"""What counts of tables' changes, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from weft_runtime.auth import Permission
from weft_runtime.http import Door, IfMatch, Reply, Uow
from weft_runtime.uow import UnitOfWork

from weft_events import schemas
from weft_events.records import Source, TableEvents
from weft_events.registry import REGISTRY
from weft_events.schemas import TableEventsBody, TableEventsView
from weft_events.schemas.sources import NAME
from weft_events.usecases import sources as usecases

door = Door("events")

Table = Annotated[str, Path(pattern=NAME, description="What triggers call it.")]


@door.get("/schemas/{table}/events", may=Permission.EVENTS_READ)
async def get_table_events(table: Table, uow: Uow) -> Reply[TableEventsView]:
    """What counts of a table's changes, for which workflows, and which triggers there are on it."""
    return await _shown(*await usecases.table_events(table, uow), uow)


MADE = {201: {"description": "There was nothing said of the table before", "model": TableEventsView}}


@door.put("/schemas/{table}/events", may=Permission.WORKFLOWS_PUBLISH, responses=MADE)
async def put_table_events(table: Table, body: TableEventsBody, etag: IfMatch, uow: Uow) -> Reply[TableEventsView]:
    """Say what counts of a table's changes, from the next one on. It may be said before a source has the table."""
    settings, source, made = await usecases.put_table_events(body.asked(table), etag, uow)
    return await _shown(settings, source, uow, status=201 if made else 200)


@door.delete("/schemas/{table}/events", may=Permission.WORKFLOWS_PUBLISH, status=204)
async def delete_table_events(table: Table, etag: IfMatch, uow: Uow) -> Reply[None]:
    """Let every change of a table count again, for all workflows."""
    await usecases.remove_table_events(table, etag, uow)
    return Reply(None)


async def _shown(settings: TableEvents, source: Source | None, uow: UnitOfWork, status: int = 200) -> Reply[TableEventsView]:
    found = (await REGISTRY.compiled(uow, uow.tenant)).records.get(settings.name, ())
    headers = {"Location": f"/api/v1/schemas/{settings.name}/events"} if status == 201 else {}
    return Reply(schemas.table_events(settings, source, found), etag=str(settings.version), status=status, headers=headers)
