"""What I was told, and how I want to be."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, IfMatch, Page, Reply, Uow

from weft_tasks.api.asking import signed_in
from weft_tasks.api.routes import door
from weft_tasks.notifications import schemas, verbs
from weft_tasks.notifications.schemas import (
    ChannelsView,
    Inbox,
    NotificationDetail,
    NotificationQuery,
    NotificationView,
    PreferencesBody,
    PreferencesView,
    ReadAllBody,
    ReadAllView,
)
from weft_tasks.store import connections, sending
from weft_tasks.store import notifications as store


@door.get("/notifications", may=Permission.SELF_READ)
async def list_notifications(query: Annotated[NotificationQuery, Query()], page: Page, asker: Asker, uow: Uow) -> Inbox:
    """My inbox, the newest first, with how many I have not read. With a key it is that of whoever made the key."""
    who = signed_in(asker)
    rows = await store.listed(uow, who.selves, unread=query.unread, events=query.event, after=page.after, limit=page.limit + 1)
    shown = page.listing(rows, view=NotificationView.of, key=lambda row: (row.created_at, row.id))
    return Inbox.model_construct(items=shown.items, next_cursor=shown.next_cursor, unread=await verbs.count_unread(who, uow))


@door.post("/notifications/read", may=Permission.SELF_READ)
async def read_all_notifications(asker: Asker, uow: Uow, body: ReadAllBody | None = None) -> ReadAllView:
    """Note that I have read all of them; with `upto` those that are not newer."""
    read, unread = await verbs.read_all(signed_in(asker), None if body is None else body.upto, uow)
    return ReadAllView(read=read, unread=unread)


@door.get("/notifications/preferences", may=Permission.SELF_READ)
async def get_preferences(asker: Asker, uow: Uow) -> Reply[PreferencesView]:
    """By which ways I am told of what, and when. Before I chose anything: as it is usual."""
    chosen, version = await verbs.preferences(signed_in(asker), uow)
    return Reply(schemas.view(chosen), etag=str(version))


@door.put("/notifications/preferences", may=Permission.SELF_READ)
async def put_preferences(body: PreferencesBody, etag: IfMatch, asker: Asker, uow: Uow) -> Reply[PreferencesView]:
    """Choose all of it anew; what is left out is as usual again. What is in my inbox stays there."""
    chosen = body.chosen()
    version = await verbs.choose(chosen, etag, signed_in(asker), uow)
    return Reply(schemas.view(chosen), etag=str(version))


@door.get("/notifications/channels", may=Permission.SELF_READ)
async def get_channels(uow: Uow) -> ChannelsView:
    """What there is to choose from: what one can be told of, and by which ways this tenant can tell."""
    return ChannelsView.of(await connections.ways(uow))


@door.get("/notifications/{notification_id}", may=Permission.SELF_READ)
async def get_notification(notification_id: UUID, asker: Asker, uow: Uow) -> NotificationDetail:
    """One of mine, with how it is sent beside the inbox. Nothing changes by it."""
    found = await store.get(uow, notification_id, signed_in(asker).selves)
    return NotificationDetail.with_deliveries(found, await sending.of_notification(uow, notification_id))


@door.post("/notifications/{notification_id}/read", may=Permission.SELF_READ)
async def read_notification(notification_id: UUID, asker: Asker, uow: Uow) -> NotificationView:
    """Note that I have read it."""
    return NotificationView.of(await verbs.read(notification_id, signed_in(asker), uow))
