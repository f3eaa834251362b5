"""The live feed as Server-Sent Events. Source: WHATWG HTML, section 9.2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final, cast

from fastapi import Depends, Header, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unauthenticated
from weft_runtime.http import Asker, Context, Door
from weft_runtime.http.strict_json import encode

from weft_gateway.feed import TOPICS_MAX, topics
from weft_gateway.feeding import READ_AT_ONCE, Connection, Hub
from weft_gateway.settings import Settings
from weft_gateway.store import feed
from weft_gateway.store.feed import Kept

door = Door("gateway")

RETRY_MS: Final = 2000
MAX_ID: Final = 2**63 - 1


async def _token(request: Request) -> str:
    return request.headers["authorization"].partition(" ")[2].strip()


Token = Annotated[str, Depends(_token)]
"""The token somebody came with, to be looked at again while they stay."""

Place = tuple[int, datetime]
"""Where somebody stopped: the id of the last item they saw and when it was heard."""


@door.get("/live", may=Permission.LIVE_READ, responses={200: {"content": {"text/event-stream": {}}}})
async def live(
    token: Token,
    asker: Asker,
    context: Context,
    several: Annotated[str | None, Query(alias="topics", max_length=2000, description="Separated by commas.")] = None,
    each: Annotated[tuple[str, ...], Query(alias="topic", max_length=TOPICS_MAX, description="May be repeated.")] = (),
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """What happens, as it happens: `?topics=executions,tasks,executions/<id>`, or `?topic=` for each; everything when absent.

    Each event is named by its topic (`executions`, `tasks`) and its data has the fact's `type`. After a break, `Last-Event-ID` brings what
    was missed; where that is too long ago an event `reset` says to read everything anew. The stream ends when its token does.
    """
    wanted = topics(",".join(part for part in (several, *each) if part))
    place = _place(last_event_id)
    connection = await context.part(Hub).connect(asker.tenant, wanted)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return _Stream(context.part(Hub), connection, _events(context, connection, place, token), headers)


class _Stream(StreamingResponse):
    """The stream of one connection, which ends with it, also where the client is gone before the first item is asked for."""

    def __init__(self, hub: Hub, connection: Connection, events: AsyncIterator[bytes], headers: dict[str, str]) -> None:
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._hub = hub
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.disconnect(self._connection)


async def _events(context: ServiceContext, connection: Connection, place: Place | None, token: str) -> AsyncIterator[bytes]:
    heartbeat_s = cast(Settings, context.settings).live_heartbeat_s
    loop = asyncio.get_running_loop()
    yield f"retry: {RETRY_MS}\n\n".encode()
    async for missed in _missed(context, connection, place):
        yield missed
    beat_at = loop.time() + heartbeat_s
    while not connection.behind:
        kept = await _next(connection, beat_at)
        if kept is not None:
            yield _event(kept)
        if loop.time() < beat_at:
            continue
        if not await _still_valid(context, token):
            return
        beat_at = loop.time() + heartbeat_s
        if kept is None:
            yield b": still here\n\n"


async def _next(connection: Connection, until: float) -> Kept | None:
    """The next item, None where none comes in time. until: in the time of the event loop."""
    try:
        async with asyncio.timeout_at(until):
            return await connection.queue.get()
    except TimeoutError:
        return None


async def _missed(context: ServiceContext, connection: Connection, place: Place | None) -> AsyncIterator[bytes]:
    """What was said between the place and the moment of connecting."""
    if place is None:
        return
    last, at = place
    async with context.owner_transaction() as uow:
        whole = max(await feed.since(uow, connection.tenant), uow.now - context.part(Hub).kept)
        oldest = await feed.oldest(uow)
    if at < whole or last > connection.begins or last < oldest - 1:
        yield b"event: reset\ndata: {}\n\n"
        return
    while True:
        async with context.owner_transaction() as uow:
            found = await feed.after(uow, last, limit=READ_AT_ONCE, tenant=connection.tenant, upto=connection.begins)
        for kept in found:
            if connection.topics.want(kept.item):
                yield _event(kept)
        if len(found) < READ_AT_ONCE:
            return
        last = found[-1].id


async def _still_valid(context: ServiceContext, token: str) -> bool:
    try:
        await context.verifier.caller(token)
    except Unauthenticated:
        return False
    return True


def _event(kept: Kept) -> bytes:
    data = encode({"topic": kept.item.kind, "type": kept.item.type, **kept.item.data})
    return f"id: {kept.id}.{int(kept.at.timestamp() * 1000)}\nevent: {kept.item.kind}\ndata: ".encode() + data + b"\n\n"


def _place(text: str | None) -> Place | None:
    """The place in a Last-Event-ID; one that is not of this feed is none, as the standard asks for no error there."""
    number, dot, heard_ms = (text or "").partition(".")
    if not dot or not number.isdecimal() or not heard_ms.isdecimal() or len(number) > 19 or len(heard_ms) > 14:
        return None
    # Rounded down when written, so a millisecond is added: what was seen at that moment is not taken for lost.
    return min(int(number), MAX_ID), datetime.fromtimestamp(min(int(heard_ms) + 1, 10**14) / 1000, UTC)
