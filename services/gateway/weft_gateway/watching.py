"""What one watcher is told, over whichever transport: what they missed, then what happens, and why it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final, cast

from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unauthenticated

from weft_gateway.feeding import READ_AT_ONCE, Connection, Hub, Told
from weft_gateway.settings import Settings
from weft_gateway.store import feed
from weft_gateway.store.feed import Kept

MAX_ID: Final = 2**63 - 1
ALIVE: Final = Told("heartbeat", {})
"""Nothing happened for a while."""
RESET: Final = Told("reset", {})
"""What was missed is too long ago: read everything anew."""
END: Final = "end"
"""The event that says why a stream ends; its data has `code` and `detail`."""
TOO_SLOW: Final = Told(END, {"code": "too_slow", "detail": "more happens than you read; come back with the id of the last item you saw"})

Place = tuple[int, datetime]
"""Where somebody stopped: the id of the last item they saw and when it was heard."""


def place_of(text: str | None) -> Place | None:
    """The place in a last id; one that is not of this feed is none, as the standard of its streams asks for no error there."""
    number, dot, heard_ms = (text or "").partition(".")
    if not dot or not number.isdecimal() or not heard_ms.isdecimal() or len(number) > 19 or len(heard_ms) > 14:
        return None
    # Rounded down when written, so a millisecond is added: what was seen at that moment is not taken for lost.
    return min(int(number), MAX_ID), datetime.fromtimestamp(min(int(heard_ms) + 1, 10**14) / 1000, UTC)


def id_of(kept: Kept) -> str:
    """The place of an item, by which whoever saw it comes back."""
    return f"{kept.id}.{int(kept.at.timestamp() * 1000)}"


def data_of(kept: Kept) -> dict[str, Any]:
    """What an item is told as."""
    return {"topic": kept.item.kind, "type": kept.item.type, **kept.item.data}


async def told(context: ServiceContext, connection: Connection, place: Place | None, token: str) -> AsyncIterator[Kept | Told]:
    """Everything a watcher is told, until they are told why it ends. place: where they stopped.  token: what they signed in with.

    Every few seconds the token is looked at again, whatever happens meanwhile: a stream outlives neither it nor its rights for long.
    """
    heartbeat_s = cast(Settings, context.settings).live_heartbeat_s
    loop = asyncio.get_running_loop()
    async for missed in _missed(context, connection, place):
        yield missed
    beat_at = loop.time() + heartbeat_s
    while not connection.behind:
        one = await _next(connection, beat_at)
        if one is not None:
            yield one
        if loop.time() < beat_at:
            continue
        over = await _over(context, connection, token)
        if over is not None:
            yield over
            return
        beat_at = loop.time() + heartbeat_s
        if one is None:
            yield ALIVE
    yield TOO_SLOW


async def _next(connection: Connection, until: float) -> Kept | Told | None:
    """The next thing to tell, None where nothing comes in time. until: in the time of the event loop."""
    try:
        async with asyncio.timeout_at(until):
            return await connection.queue.get()
    except TimeoutError:
        return None


async def _missed(context: ServiceContext, connection: Connection, place: Place | None) -> AsyncIterator[Kept | Told]:
    """What was said between the place and the moment of connecting."""
    if place is None:
        return
    last, at = place
    async with context.owner_transaction() as uow:
        whole = max(await feed.since(uow, connection.tenant), uow.now - context.part(Hub).kept)
        oldest = await feed.oldest(uow)
    if at < whole or last > connection.begins or last < oldest - 1:
        yield RESET
        return
    while True:
        async with context.owner_transaction() as uow:
            found = await feed.after(uow, last, limit=READ_AT_ONCE, tenant=connection.tenant, upto=connection.begins)
        for kept in found:
            if connection.topics.want(kept.item):
                yield kept
        if len(found) < READ_AT_ONCE:
            return
        last = found[-1].id


async def _over(context: ServiceContext, connection: Connection, token: str) -> Told | None:
    """Why a stream is over by what its watcher may now, None where it goes on."""
    try:
        caller = await context.verifier.caller(token)
    except Unauthenticated as error:
        return Told(END, {"code": error.code, "detail": error.message})
    connection.caller = caller
    refused = connection.topics.refused_to(caller)
    if not refused:
        return None
    return Told(END, {"code": "topic_refused", "detail": f"you may read {', '.join(refused)} no longer"})
