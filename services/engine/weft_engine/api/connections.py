"""Connections: reading, writing and trying them. Secrets go in and never come out."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, IfMatch, Listing, Page, Reply, Uow
from weft_runtime.sealing import Envelope

from weft_engine.api.routes import door
from weft_engine.connections import Connection, trying, verbs
from weft_engine.connections.schemas import ConnectionBody, ConnectionChangeBody, ConnectionSummary, ConnectionTestView, ConnectionView
from weft_engine.settings import Settings
from weft_engine.store import connections as store

Type = Annotated[str | None, Query(max_length=100, alias="type")]


@door.get("/connections", may=Permission.CONNECTIONS_READ)
async def list_connections(page: Page, uow: Uow, type_: Type = None) -> Listing[ConnectionSummary]:
    """Connections of this tenant, by name."""
    rows = await store.listed(uow, type_=type_, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=ConnectionSummary.of, key=lambda row: (row.name,))


@door.post("/connections", may=Permission.CONNECTIONS_MANAGE, status=201)
async def create_connection(body: ConnectionBody, uow: Uow, context: Context) -> Reply[ConnectionView]:
    """Make a connection. Its secrets are sealed and never shown."""
    envelope = context.part(Envelope)
    about = (body.name, body.type, body.description, body.settings, body.secrets)
    made = await verbs.create_connection(*about, envelope, uow, allow_private=_allow_private(context))
    return _shown(made, status=201)


@door.get("/connections/{connection_id}", may=Permission.CONNECTIONS_READ)
async def get_connection(connection_id: UUID, uow: Uow) -> Reply[ConnectionView]:
    """A connection: everything but the values of its secrets."""
    return _shown(await verbs.get_connection(connection_id, uow))


@door.put("/connections/{connection_id}", may=Permission.CONNECTIONS_MANAGE)
async def put_connection(
    connection_id: UUID, body: ConnectionChangeBody, etag: IfMatch, uow: Uow, context: Context
) -> Reply[ConnectionView]:
    """Change a connection. What is called from now on goes by it; secrets that are left out stay, null removes one."""
    about = (body.name, body.type, body.description, body.settings, body.secrets)
    envelope = context.part(Envelope)
    return _shown(await verbs.change_connection(connection_id, *about, etag, envelope, uow, allow_private=_allow_private(context)))


@door.delete("/connections/{connection_id}", may=Permission.CONNECTIONS_MANAGE, status=204)
async def delete_connection(connection_id: UUID, etag: IfMatch, uow: Uow) -> Reply[None]:
    """Remove a connection and its secrets; refused while an active workflow names it."""
    await verbs.remove_connection(connection_id, etag, uow)
    return Reply(None)


@door.post("/connections/{connection_id}/test", may=Permission.CONNECTIONS_MANAGE)
async def try_connection(connection_id: UUID, uow: Uow, context: Context) -> Reply[ConnectionTestView]:
    """Try a connection as workflows would use it: whether its secrets open, and what the service answers where one is called by it."""
    connection = await verbs.try_connection(connection_id, uow)
    allow_private = _allow_private(context)

    async def tried() -> Reply[ConnectionTestView]:
        return Reply(await trying.tried(connection, uow.tenant, context.part(Envelope), allow_private))

    # The service is asked when the transaction is over: it may take its time, and holds nothing meanwhile.
    return Reply(ConnectionTestView(ok=False, detail="the connection is being tried; ask again"), then=tried)


def settings_of(context: ServiceContext) -> Settings:
    """This service's own settings."""
    return cast(Settings, context.settings)


def _allow_private(context: ServiceContext) -> bool:
    return settings_of(context).allow_private_addresses


def _shown(connection: Connection, status: int = 200) -> Reply[ConnectionView]:
    headers = {"Location": f"/api/v1/connections/{connection.id}"} if status == 201 else {}
    return Reply(ConnectionView.of(connection), etag=str(connection.version), status=status, headers=headers)
