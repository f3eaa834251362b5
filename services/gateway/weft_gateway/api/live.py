"""The live feed as Server-Sent Events. Source: WHATWG HTML, section 9.2."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Context, Door
from weft_runtime.http.strict_json import encode

from weft_gateway.feed import TOPICS_MAX, topics
from weft_gateway.feeding import Connection, Hub, Told
from weft_gateway.store.feed import Kept
from weft_gateway.watching import ALIVE, data_of, id_of, place_of, told

door = Door("gateway")

RETRY_MS: Final = 2000


async def _token(request: Request) -> str:
    return request.headers["authorization"].partition(" ")[2].strip()


Token = Annotated[str, Depends(_token)]
"""The token somebody came with, to be looked at again while they stay."""


@door.get("/live", may=Permission.LIVE_READ, responses={200: {"content": {"text/event-stream": {}}}})
async def live(
    token: Token,
    asker: Asker,
    context: Context,
    several: Annotated[str | None, Query(alias="topics", max_length=2000, description="Separated by commas.")] = None,
    each: Annotated[tuple[str, ...], Query(alias="topic", max_length=TOPICS_MAX, description="May be repeated.")] = (),
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """What happens, as it happens: `?topics=executions,tasks,executions/<id>`, or `?topic=` for each; all but `queues` when absent.

    Each event is named by its topic (`executions`, `tasks`) and its data has the fact's `type`. After a break, `Last-Event-ID` brings what
    was missed; where that is too long ago an event `reset` says to read everything anew. An event `end` says why the stream ends: its token
    or the right to a topic is gone, or its reader is too slow. The same as a WebSocket: `POST /live/tickets`.
    """
    wanted = topics([*(several or "").split(","), *each], asker)
    connection = await context.part(Hub).connect(asker, wanted)
    events = _events(told(context, connection, place_of(last_event_id), token))
    return _Stream(context.part(Hub), connection, events, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


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


async def _events(told: AsyncIterator[Kept | Told]) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY_MS}\n\n".encode()
    async for one in told:
        if one is ALIVE:
            yield b": still here\n\n"
        elif isinstance(one, Told):
            yield f"event: {one.event}\ndata: ".encode() + encode(one.data) + b"\n\n"
        else:
            yield f"id: {id_of(one)}\nevent: {one.item.kind}\ndata: ".encode() + encode(data_of(one)) + b"\n\n"
