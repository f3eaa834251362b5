"""Databases of tenants over HTTP: which tables are watched, and putting capture in place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.database.outside import Outside, OutsideError
from weft_runtime.http import Context, Door, IfMatch, Listing, Page, Reply, Uow

from weft_events import schemas
from weft_events.errors import SourceUnusable
from weft_events.reaching import Reaching
from weft_events.records import Source
from weft_events.relaying import Relay, bounds_of
from weft_events.schemas import InstallView, SourceBody, SourceChangeBody, SourceSummary, SourceView
from weft_events.store import capture
from weft_events.store import sources as store
from weft_events.store.connections import Connection
from weft_events.usecases import sources as usecases

door = Door("events")

Dry = Annotated[bool, Query(description="Run nothing; only tell what would be run.")]
Uninstall = Annotated[bool, Query(description="Take capture out of the database too; false leaves it there.")]


@door.get("/sources", may=Permission.CONNECTIONS_READ)
async def list_sources(page: Page, uow: Uow, context: Context) -> Listing[SourceSummary]:
    """Sources of this tenant, by name."""
    rows = await store.listed(uow, after=str(page.after[0]) if page.after else None, limit=page.limit + 1)
    view = partial(schemas.source_summary, bounds=bounds_of(context), now=uow.now)
    return page.listing(rows, view=view, key=lambda row: (row.name,))


@door.post("/sources", may=Permission.CONNECTIONS_MANAGE, status=201)
async def create_source(body: SourceBody, uow: Uow, context: Context) -> Reply[SourceView]:
    """Name a database of which tables are to be watched. Nothing is captured until it is installed."""
    made = await usecases.create_source(body.name, body.kind, body.connection, schemas.watched(body.tables), body.wake, uow)
    return _shown(made, uow.now, context, status=201)


@door.get("/sources/{source_id}", may=Permission.CONNECTIONS_READ)
async def get_source(source_id: UUID, uow: Uow, context: Context) -> Reply[SourceView]:
    """A source: its tables, whether their changes are captured and read, how far behind that is, and the last error."""
    return _shown(await store.find(uow, source_id), uow.now, context)


@door.put("/sources/{source_id}", may=Permission.CONNECTIONS_MANAGE)
async def put_source(source_id: UUID, body: SourceChangeBody, etag: IfMatch, uow: Uow, context: Context) -> Reply[SourceView]:
    """Give a source other tables or another connection. What is captured changes when it is installed again."""
    made = await usecases.change_source(source_id, body.connection, schemas.watched(body.tables), body.wake, etag, uow)
    return _shown(made, uow.now, context)


@door.delete("/sources/{source_id}", may=Permission.CONNECTIONS_MANAGE, status=204)
async def delete_source(source_id: UUID, etag: IfMatch, uow: Uow, context: Context, uninstall: Uninstall = True) -> Reply[None]:
    """Watch a database no more. Changes that are not in the log yet are dropped with their outbox."""
    was = await usecases.begin_removal(source_id, etag, uow)
    connection = await usecases.connection_for(was, uow)

    async def removed() -> Reply[None]:
        if uninstall and was.installed is not None:
            sql = usecases.in_one(capture.removal(source_id))
            advice = "delete it again, or with uninstall=false, and let somebody run `sql` there"
            async with _database(context, was, connection, advice, sql) as database:
                await capture.run(database, capture.removal(source_id))
        async with context.transaction(uow.tenant, uow.caller) as end:
            await usecases.remove_source(source_id, end)
        return Reply(None)

    return Reply(None, then=removed)


@door.post("/sources/{source_id}/install", may=Permission.CONNECTIONS_MANAGE)
async def install_source(source_id: UUID, uow: Uow, context: Context, dry_run: Dry = False) -> Reply[InstallView]:
    """Put capture of the source's tables in place, and begin to read it. Where that is so already, nothing is run.

    `sql` is what was run. Where the account may not run it, the answer is a 409 with it: whoever may runs it, then install again.
    """
    source = await store.find(uow, source_id)
    connection = await usecases.connection_for(source, uow)
    view = partial(schemas.installation, bounds=bounds_of(context), now=uow.now)

    async def installed() -> Reply[InstallView]:
        async with _database(context, source, connection, "mend that and install again", None) as database:
            made = await usecases.plan(source, database)
            if not dry_run:
                await usecases.install(source, made, database)
        sql = usecases.in_one(made.statements)
        if dry_run:
            return Reply(view(source, sql, dry_run=True), etag=str(source.version))
        async with context.transaction(uow.tenant, uow.caller) as end:
            stands = await usecases.note_installed(source_id, source.tables, end)
        context.part(Relay).wake.call()
        return Reply(view(stands, sql, dry_run=False), etag=str(stands.version))

    # The database is asked when the transaction is over: it may take its time, and holds nothing meanwhile.
    return Reply(view(source, "", dry_run=dry_run), then=installed)


@asynccontextmanager
async def _database(
    context: ServiceContext, source: Source, connection: Connection | None, advice: str, sql: str | None
) -> AsyncIterator[Outside]:
    """A source's database for the length of a block. advice: what to do where it cannot be reached.  Raises: SourceUnusable."""
    reaching = context.part(Reaching)
    try:
        place = await reaching.place(source.tenant, source.connection, connection)
        async with reaching.open(place, source.name) as database:
            yield database
    except OutsideError as error:
        extra = {} if sql is None else {"sql": sql}
        raise SourceUnusable(f"{error.message}; {advice}", code=f"source_{error.code}", extra=extra) from error


def _shown(source: Source, now: datetime, context: ServiceContext, status: int = 200) -> Reply[SourceView]:
    headers = {"Location": f"/api/v1/sources/{source.id}"} if status == 201 else {}
    return Reply(schemas.source(source, bounds_of(context), now), etag=str(source.version), status=status, headers=headers)
